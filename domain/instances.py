"""Instance types: what one carries, and what its name tells when the catalogue does not know it."""

import re
from dataclasses import dataclass

from domain.instance_types import FAMILIES

_NAME = re.compile(r"^ml\.([a-z0-9\-]+)\.([a-z0-9]+)$")

# Families outside the catalogue with local NVMe that no `d` in the name gives away.
_NVME_FAMILIES = re.compile(r"^(p6[a-z0-9\-]*|i3|i3en|i4i)$")


@dataclass(frozen=True, slots=True)
class InstanceType:
    """What one instance of a type carries; None is unknown.

    `gpus` are those whose use SageMaker reports: 0 for a CPU type, and 0 for Trainium too, whose chips have no
    GPUUtilization. `accelerators` counts GPUs and Trainium chips alike. `nvme` is always told, from the name if need be.
    """

    name: str
    vcpus: int | None
    gpus: int | None
    accelerators: int | None
    memory_gib: float | None
    nvme: bool


_CATALOGUE = {
    name: InstanceType(
        name=name,
        vcpus=size.vcpus,
        gpus=size.accelerators if has.accelerator == "gpu" else 0,
        accelerators=size.accelerators,
        memory_gib=size.memory_gib,
        nvme=has.nvme,
    )
    for family_name, has in FAMILIES.items()
    for size_name, size in has.sizes.items()
    for name in [f"ml.{family_name}.{size_name}"]
}


def instance_type(name: str) -> InstanceType:
    """What the type carries; of a type outside the catalogue only `nvme` is told, see `has_nvme`."""
    known = _CATALOGUE.get(name)
    return known or InstanceType(name, vcpus=None, gpus=None, accelerators=None, memory_gib=None, nvme=_nvme_by_name(name))


def vcpus(name: str) -> int | None:
    """The vCPUs of one instance; None for an unknown type."""
    return instance_type(name).vcpus


def gpus(name: str) -> int | None:
    """The GPUs of one instance, 0 for CPU and Trainium types; None for an unknown type."""
    return instance_type(name).gpus


def family(instance_type: str) -> str:
    """The instance family, `g5` of `ml.g5.12xlarge`; the whole text when it is no instance type's name."""
    found = _NAME.match(instance_type)
    return found[1] if found else instance_type


def has_nvme(name: str) -> bool:
    """Whether the type has NVMe storage of its own, so that no EBS volume is provisioned or billed for it.

    Source: ResourceConfig$VolumeSizeInGB. A size we do not know has what its family has. An unknown family counts as
    having none only when its name has no `d` behind the generation, which is how AWS marks local disks (`p4d`, `m5d`).
    """
    return instance_type(name).nvme


def _nvme_by_name(name: str) -> bool:
    known = FAMILIES.get(family(name))
    if known:
        return known.nvme
    return bool(_NVME_FAMILIES.match(family(name))) or bool(re.match(r"^[a-z]+\d+[a-z]*d", family(name)))


def mode(instances: list[tuple[str, int]]) -> str:
    """How the work is spread: `distributed` over hosts, `multi_gpu` on one host's GPUs or Trainium chips, or `single`."""
    if sum(count for _, count in instances) > 1:
        return "distributed"
    if any((instance_type(name).accelerators or 0) > 1 for name, _ in instances):
        return "multi_gpu"
    return "single"
