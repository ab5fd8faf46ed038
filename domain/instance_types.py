"""The hardware of every instance type that SageMaker trains on, family by family. Data only; `domain.instances` reads it.

Source: EC2's DescribeInstanceTypes for the twin without `ml.`, as moto 5.2.5 carries it. It leaves out `p2`, `p3` and
`p6e-gb200`; those are from https://aws.amazon.com/ec2/instance-types/ and its page of previous generations.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple


class Size(NamedTuple):
    """What one instance has. `accelerators` are GPUs or Trainium chips, as its family says."""

    vcpus: int
    memory_gib: float
    accelerators: int = 0


class Family(NamedTuple):
    """The sizes of a family, what its accelerators are (None: it has none), and whether all its sizes have NVMe storage of their own."""

    sizes: Mapping[str, Size]
    accelerator: Literal["gpu", "trainium"] | None
    nvme: bool


def _cpu(gib_per_vcpu: float, sizes: str, *, nvme: bool = False) -> Family:
    """A family whose sizes go by the rule: `large` has 2 vCPUs and `12xlarge` 12 × 4, with so much memory for each."""
    vcpus = {size: 2 if size == "large" else 4 * int(size.removesuffix("xlarge") or 1) for size in sizes.split()}
    return Family({size: Size(count, count * gib_per_vcpu) for size, count in vcpus.items()}, None, nvme)


def _cpu_listed(sizes: Mapping[str, tuple[int, float]]) -> Family:
    """A family whose sizes break that rule: vCPUs and GiB of each."""
    return Family({size: Size(vcpus, memory) for size, (vcpus, memory) in sizes.items()}, None, nvme=False)


def _gpu(sizes: Mapping[str, tuple[int, float, int]], *, nvme: bool = True) -> Family:
    """A family with NVIDIA GPUs: vCPUs, GiB and GPUs of each size."""
    return Family({size: Size(*has) for size, has in sizes.items()}, "gpu", nvme)


def _trainium(sizes: Mapping[str, tuple[int, float, int]]) -> Family:
    """A family with Trainium: vCPUs, GiB and chips of each size."""
    return Family({size: Size(*has) for size, has in sizes.items()}, "trainium", nvme=True)


FAMILIES: Mapping[str, Family] = {
    "t3": _cpu_listed({"medium": (2, 4), "large": (2, 8), "xlarge": (4, 16), "2xlarge": (8, 32)}),
    "m4": _cpu(4, "xlarge 2xlarge 4xlarge 10xlarge 16xlarge"),
    "m5": _cpu(4, "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"),
    "m6i": _cpu(4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    "m7i": _cpu(4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    "m7i-flex": _cpu(4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "m8i": _cpu(4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge"),
    "m8i-flex": _cpu(4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "c4": _cpu_listed({"xlarge": (4, 7.5), "2xlarge": (8, 15), "4xlarge": (16, 30), "8xlarge": (36, 60)}),
    "c5": _cpu(2, "xlarge 2xlarge 4xlarge 9xlarge 18xlarge"),
    "c5n": _cpu_listed({"xlarge": (4, 10.5), "2xlarge": (8, 21), "4xlarge": (16, 42), "9xlarge": (36, 96), "18xlarge": (72, 192)}),
    "c6i": _cpu(2, "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    "c7i": _cpu(2, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    "c7i-flex": _cpu(2, "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "c8i": _cpu(2, "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge"),
    "c8i-flex": _cpu(2, "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "r5": _cpu(8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    "r5d": _cpu(8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge", nvme=True),
    "r6i": _cpu(8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    "r7i": _cpu(8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    "r8i": _cpu(8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge"),
    "r8i-flex": _cpu(8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "p2": _gpu({"xlarge": (4, 61, 1), "8xlarge": (32, 488, 8), "16xlarge": (64, 732, 16)}, nvme=False),
    "p3": _gpu({"2xlarge": (8, 61, 1), "8xlarge": (32, 244, 4), "16xlarge": (64, 488, 8)}, nvme=False),
    "p3dn": _gpu({"24xlarge": (96, 768, 8)}),
    "p4d": _gpu({"24xlarge": (96, 1152, 8)}),
    "p4de": _gpu({"24xlarge": (96, 1152, 8)}),
    "p5": _gpu({"4xlarge": (16, 256, 1), "48xlarge": (192, 2048, 8)}),
    "p5e": _gpu({"48xlarge": (192, 2048, 8)}),
    "p5en": _gpu({"48xlarge": (192, 2048, 8)}),
    "p6-b200": _gpu({"48xlarge": (192, 2048, 8)}),
    "p6-b300": _gpu({"48xlarge": (192, 4096, 8)}),
    "p6e-gb200": _gpu({"36xlarge": (144, 960, 4)}),
    "g4dn": _gpu({
        "xlarge": (4, 16, 1), "2xlarge": (8, 32, 1), "4xlarge": (16, 64, 1), "8xlarge": (32, 128, 1),
        "12xlarge": (48, 192, 4), "16xlarge": (64, 256, 1),
    }),
    "g5": _gpu({
        "xlarge": (4, 16, 1), "2xlarge": (8, 32, 1), "4xlarge": (16, 64, 1), "8xlarge": (32, 128, 1),
        "12xlarge": (48, 192, 4), "16xlarge": (64, 256, 1), "24xlarge": (96, 384, 4), "48xlarge": (192, 768, 8),
    }),
    "g6": _gpu({
        "xlarge": (4, 16, 1), "2xlarge": (8, 32, 1), "4xlarge": (16, 64, 1), "8xlarge": (32, 128, 1),
        "12xlarge": (48, 192, 4), "16xlarge": (64, 256, 1), "24xlarge": (96, 384, 4), "48xlarge": (192, 768, 8),
    }),
    "g6e": _gpu({
        "xlarge": (4, 32, 1), "2xlarge": (8, 64, 1), "4xlarge": (16, 128, 1), "8xlarge": (32, 256, 1),
        "12xlarge": (48, 384, 4), "16xlarge": (64, 512, 1), "24xlarge": (96, 768, 4), "48xlarge": (192, 1536, 8),
    }),
    "g7": _gpu({
        "2xlarge": (8, 32, 1), "4xlarge": (16, 64, 1), "8xlarge": (32, 128, 1),
        "12xlarge": (48, 192, 2), "24xlarge": (96, 384, 4), "48xlarge": (192, 768, 8),
    }),
    "g7e": _gpu({
        "2xlarge": (8, 64, 1), "4xlarge": (16, 128, 1), "8xlarge": (32, 256, 1),
        "12xlarge": (48, 512, 2), "24xlarge": (96, 1024, 4), "48xlarge": (192, 2048, 8),
    }),
    "trn1": _trainium({"2xlarge": (8, 32, 1), "32xlarge": (128, 512, 16)}),
    "trn1n": _trainium({"32xlarge": (128, 512, 16)}),
    "trn2": _trainium({"48xlarge": (192, 2048, 16)}),
}  # fmt: skip
