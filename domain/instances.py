"""Instance types: what their names tell, and how many GPUs they carry."""

import re

_NAME = re.compile(r"^ml\.([a-z0-9\-]+)\.([a-z0-9]+)$")

# Source: the EC2 instance type pages of the twin without `ml.`; Trainium counts its accelerators (chips).
GPUS = {
    "ml.p2.xlarge": 1, "ml.p2.8xlarge": 8, "ml.p2.16xlarge": 16,
    "ml.p3.2xlarge": 1, "ml.p3.8xlarge": 4, "ml.p3.16xlarge": 8,
    "ml.p3dn.24xlarge": 8,
    "ml.p4d.24xlarge": 8, "ml.p4de.24xlarge": 8,
    "ml.p5.4xlarge": 1, "ml.p5.48xlarge": 8, "ml.p5e.48xlarge": 8, "ml.p5en.48xlarge": 8,
    "ml.p6-b200.48xlarge": 8, "ml.p6-b300.48xlarge": 8, "ml.p6e-gb200.36xlarge": 4,
    "ml.g4dn.xlarge": 1, "ml.g4dn.2xlarge": 1, "ml.g4dn.4xlarge": 1, "ml.g4dn.8xlarge": 1,
    "ml.g4dn.12xlarge": 4, "ml.g4dn.16xlarge": 1,
    "ml.g5.xlarge": 1, "ml.g5.2xlarge": 1, "ml.g5.4xlarge": 1, "ml.g5.8xlarge": 1, "ml.g5.16xlarge": 1,
    "ml.g5.12xlarge": 4, "ml.g5.24xlarge": 4, "ml.g5.48xlarge": 8,
    "ml.g6.xlarge": 1, "ml.g6.2xlarge": 1, "ml.g6.4xlarge": 1, "ml.g6.8xlarge": 1, "ml.g6.16xlarge": 1,
    "ml.g6.12xlarge": 4, "ml.g6.24xlarge": 4, "ml.g6.48xlarge": 8,
    "ml.g6e.xlarge": 1, "ml.g6e.2xlarge": 1, "ml.g6e.4xlarge": 1, "ml.g6e.8xlarge": 1, "ml.g6e.16xlarge": 1,
    "ml.g6e.12xlarge": 4, "ml.g6e.24xlarge": 4, "ml.g6e.48xlarge": 8,
    "ml.g7e.2xlarge": 1, "ml.g7e.4xlarge": 1, "ml.g7e.8xlarge": 1, "ml.g7e.12xlarge": 2,
    "ml.g7e.24xlarge": 4, "ml.g7e.48xlarge": 8,
    "ml.trn1.2xlarge": 1, "ml.trn1.32xlarge": 16, "ml.trn1n.32xlarge": 16, "ml.trn2.48xlarge": 16,
}  # fmt: skip

# Families with local NVMe that no `d` in the name gives away.
_NVME_FAMILIES = re.compile(r"^(g5|g6|g6e|g7e|p5|p5e|p5en|p6[a-z0-9\-]*|trn1n?|trn2|i3|i3en|i4i)$")


def family(instance_type: str) -> str:
    """The instance family, `g5` of `ml.g5.12xlarge`; the whole text when it is no instance type's name."""
    found = _NAME.match(instance_type)
    return found[1] if found else instance_type


def has_nvme(instance_type: str) -> bool:
    """Whether the type has NVMe storage of its own, so that no EBS volume is provisioned or billed for it.

    Source: ResourceConfig$VolumeSizeInGB. An unknown family counts as having none only when its name has no `d` behind
    the generation, which is how AWS marks local disks (`p4d`, `g4dn`, `m5d`).
    """
    name = family(instance_type)
    return bool(_NVME_FAMILIES.match(name)) or bool(re.match(r"^[a-z]+\d+[a-z]*d", name))


def mode(instances: list[tuple[str, int]]) -> str:
    """How the work is spread: `distributed` over hosts, `multi_gpu` on one host, or `single`."""
    if sum(count for _, count in instances) > 1:
        return "distributed"
    if any(GPUS.get(instance_type, 0) > 1 for instance_type, _ in instances):
        return "multi_gpu"
    return "single"
