"""What the instance catalogue tells, against AWS's own list of training types and what EC2 describes of their twins."""

import botocore.session
import pytest
from moto.ec2.models.instance_types import INSTANCE_TYPES

from domain.instances import InstanceType, family, gpus, has_nvme, instance_type, mode, vcpus

TRAINING_TYPES = (
    botocore.session.get_session().get_service_model("sagemaker").shape_for("TrainingInstanceType").enum  # type: ignore[attr-defined]
)
UNKNOWN: set[str] = set()
"""Training types whose hardware we do not know; name one here rather than guess it."""
NOT_DESCRIBED = {
    "ml.p2.xlarge", "ml.p2.8xlarge", "ml.p2.16xlarge", "ml.p3.2xlarge", "ml.p3.8xlarge", "ml.p3.16xlarge", "ml.p6e-gb200.36xlarge",
}  # fmt: skip
"""Training types that moto's copy of DescribeInstanceTypes leaves out."""


def described(name: str) -> tuple[int, float, int, int, bool]:
    """vCPUs, GiB, GPUs, accelerators and NVMe of the EC2 twin."""
    ec2 = INSTANCE_TYPES[name.removeprefix("ml.")]
    gpu_count = sum(gpu["Count"] for gpu in ec2.get("GpuInfo", {}).get("Gpus", []))
    chips = sum(chip["Count"] for chip in ec2.get("NeuronInfo", {}).get("NeuronDevices", []))
    return (
        ec2["VCpuInfo"]["DefaultVCpus"],
        ec2["MemoryInfo"]["SizeInMiB"] / 1024,
        gpu_count,
        gpu_count + chips,
        ec2.get("InstanceStorageInfo", {}).get("NvmeSupport") == "required",
    )


def facts(name: str) -> tuple[int | None, float | None, int | None, int | None, bool]:
    known = instance_type(name)
    return known.vcpus, known.memory_gib, known.gpus, known.accelerators, known.nvme


def test_every_training_type_is_in_the_catalogue_or_named_as_unknown() -> None:
    assert {name for name in TRAINING_TYPES if None in facts(name)} == UNKNOWN


def test_a_type_carries_what_its_ec2_twin_does() -> None:
    names = sorted(set(TRAINING_TYPES) - UNKNOWN - NOT_DESCRIBED)
    assert len(names) > 200
    assert {name: facts(name) for name in names} == {name: described(name) for name in names}


@pytest.mark.parametrize(
    ("name", "vcpu", "gib", "gpu", "accelerators", "nvme"),
    [
        ("ml.t3.medium", 2, 4, 0, 0, False),
        ("ml.m4.10xlarge", 40, 160, 0, 0, False),
        ("ml.m5.large", 2, 8, 0, 0, False),
        ("ml.m8i.96xlarge", 384, 1536, 0, 0, False),
        ("ml.c4.8xlarge", 36, 60, 0, 0, False),
        ("ml.c5.18xlarge", 72, 144, 0, 0, False),
        ("ml.c5n.9xlarge", 36, 96, 0, 0, False),
        ("ml.r5d.24xlarge", 96, 768, 0, 0, True),
        ("ml.p2.16xlarge", 64, 732, 16, 16, False),
        ("ml.p3.2xlarge", 8, 61, 1, 1, False),
        ("ml.p3.16xlarge", 64, 488, 8, 8, False),
        ("ml.p3dn.24xlarge", 96, 768, 8, 8, True),
        ("ml.p4d.24xlarge", 96, 1152, 8, 8, True),
        ("ml.p5.4xlarge", 16, 256, 1, 1, True),
        ("ml.p5.48xlarge", 192, 2048, 8, 8, True),
        ("ml.p6e-gb200.36xlarge", 144, 960, 4, 4, True),
        ("ml.g4dn.16xlarge", 64, 256, 1, 1, True),
        ("ml.g5.12xlarge", 48, 192, 4, 4, True),
        ("ml.g6e.48xlarge", 192, 1536, 8, 8, True),
        ("ml.g7.12xlarge", 48, 192, 2, 2, True),
        ("ml.g7e.12xlarge", 48, 512, 2, 2, True),
        ("ml.trn1.2xlarge", 8, 32, 0, 1, True),
        ("ml.trn2.48xlarge", 192, 2048, 0, 16, True),
    ],
)
def test_well_known_types(name: str, vcpu: int, gib: float, gpu: int, accelerators: int, nvme: bool) -> None:
    assert instance_type(name) == InstanceType(name, vcpu, gpu, accelerators, gib, nvme)
    assert (vcpus(name), gpus(name), has_nvme(name)) == (vcpu, gpu, nvme)


@pytest.mark.parametrize("name", ["ml.p9.48xlarge", "ml.m5.7xlarge", "m5.large", "ml.unheard.of", ""])
def test_of_an_unknown_type_vcpus_memory_and_gpus_are_unknown_and_not_0(name: str) -> None:
    assert facts(name)[:-1] == (None, None, None, None)
    assert (vcpus(name), gpus(name)) == (None, None)


@pytest.mark.parametrize(
    ("name", "nvme"),
    [
        ("ml.m7gd.large", True),
        ("ml.c5d.xlarge", True),
        ("ml.i4i.large", True),
        ("ml.p6-b400.48xlarge", True),
        ("ml.g5.metal", True),
        ("ml.trn2.3xlarge", True),
        ("ml.p3.24xlarge", False),
        ("ml.m9i.large", False),
        ("not an instance type", False),
    ],
)
def test_the_name_of_an_unknown_type_tells_whether_it_has_nvme(name: str, nvme: bool) -> None:
    assert has_nvme(name) is instance_type(name).nvme is nvme


@pytest.mark.parametrize(
    ("instances", "expected"),
    [
        ([("ml.m5.large", 1)], "single"),
        ([("ml.g5.2xlarge", 1)], "single"),
        ([("ml.g5.12xlarge", 1)], "multi_gpu"),
        ([("ml.trn1.2xlarge", 1)], "single"),
        ([("ml.trn1.32xlarge", 1)], "multi_gpu"),
        ([("ml.m5.large", 2)], "distributed"),
        ([("ml.p4d.24xlarge", 1), ("ml.m5.large", 1)], "distributed"),
        ([("ml.p9.48xlarge", 1)], "single"),
        ([], "single"),
    ],
)
def test_the_mode_says_how_the_work_is_spread(instances: list[tuple[str, int]], expected: str) -> None:
    assert mode(instances) == expected


def test_the_family_is_what_stands_between_ml_and_the_size() -> None:
    assert [family(name) for name in ("ml.g5.12xlarge", "ml.p6-b200.48xlarge", "g5.xlarge")] == ["g5", "p6-b200", "g5.xlarge"]
