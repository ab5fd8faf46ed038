"""What a clean sees of the world as it is by then, and however it is written: masked, by another address, or while we slept."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import actions.cleaning_batch as batch_module
from demo.buckets import BucketState
from demo.plan import NEVER_LAUNCHED, Checkpoints
from storage.cleaning import HOLD
from tests.integration.actions.yard import BUCKET, Yard, job, old, yard
from tests.integration.collectors.conftest import Watch, watch
from tests.integration.collectors.watching import DAY, HOUR, MINUTE, lasting

__all__ = ["watch"]

VERSIONED = {BUCKET: BucketState(versioning="enabled")}
ALIVE = {"created": timedelta(0), "phases": lasting(20)}
OUTPUT = f"s3://{BUCKET}/models/training/rc-fraud-1/output/"
FOUND = f"{BUCKET}.s3.us-east-1.amazonaws.com"


def under(ours: Yard, prefix: str) -> set[str]:
    """The keys under a prefix of the bucket now."""
    found = ours.keys()
    return {key for key in found if key.startswith(prefix)}


# What a job points at, however it says so


@pytest.mark.parametrize(
    "members",
    [
        {"environment": {"PRETRAINED": OUTPUT}},
        {"environment": {"WHERE": f"https://{FOUND}/models/training/rc-fraud-1/output/?sig=sk-0123456789abcdefghij"}},
        {"hyperparameters": {"pretrained_key": OUTPUT}},
        {"overrides": {"AlgorithmSpecification": {"TrainingImage": "i", "ContainerArguments": ["--auth", OUTPUT]}}},
    ],
    ids=["environment", "a signed address", "a name that looks secret", "an argument that looks secret"],
)
def test_what_a_live_job_points_at_stays_though_the_books_mask_where_it_says_so(members: dict[str, Any], watch: Watch) -> None:
    ours = yard(watch, [*old(), job("rc-fraud-3", 2 * HOUR, phases=lasting(20), checkpoints=None, **members)])
    before = under(ours, "models/training/rc-fraud-1/")
    assert before
    plan_id = ours.plan()
    assert "intermediates" not in ours.planned(plan_id)
    assert any("job rc-fraud-3 is alive" in one.why for one in ours.head(plan_id).kept)
    ours.applied(plan_id)
    assert under(ours, "models/training/rc-fraud-1/") == before


@pytest.mark.parametrize("where", [f"https://{FOUND}/checkpoints/rc-fraud-1/", "s3://shared-a1b2-s3alias/checkpoints/rc-fraud-1/"])
def test_checkpoints_that_a_live_job_has_by_another_address_stay(where: str, watch: Watch) -> None:
    ours = yard(watch, [*old(), job("rc-fraud-3", 2 * HOUR, phases=lasting(20), overrides={"CheckpointConfig": {"S3Uri": where}})])
    before = under(ours, "checkpoints/rc-fraud-1/")
    assert before
    plan_id = ours.plan()
    assert "checkpoints" not in ours.planned(plan_id)
    ours.applied(plan_id)
    assert under(ours, "checkpoints/rc-fraud-1/") == before


def test_a_model_that_an_old_job_has_behind_an_access_point_stays(watch: Watch) -> None:
    model = "models/training/rc-fraud-1/output/rc-credit-9/output/model.tar.gz"
    other = job(
        "rc-credit-9", 100 * DAY, checkpoints=None, overrides={"ModelArtifacts": {"S3ModelArtifacts": f"s3://shared-a1b2-s3alias/{model}"}}
    )
    ours = yard(watch, [*old(), other])
    ours.account.clients().s3.put_object(Bucket=BUCKET, Key=model, Body=b"the model")
    ours.account.clock.advance(40 * DAY)
    ours.look()
    plan_id = ours.plan()
    assert model not in {key for keys in ours.planned(plan_id).values() for key in keys}
    ours.applied(plan_id)
    assert under(ours, model)


def test_checkpoints_whose_last_job_had_them_behind_an_access_point_and_did_not_complete_stay(watch: Watch) -> None:
    alias = {"CheckpointConfig": {"S3Uri": "s3://shared-a1b2-s3alias/checkpoints/rc-fraud-1/"}, "TrainingJobStatus": "Stopped"}
    ours = yard(watch, [job("rc-fraud-1", 200 * DAY), job("rc-fraud-2", 100 * DAY, overrides=alias)])
    assert "checkpoints/rc-fraud-1/" not in {one.item.prefix for one in ours.items(ours.plan())}


def test_a_job_that_never_started_is_over_some_day(watch: Watch) -> None:
    same = Checkpoints(f"s3://{BUCKET}/checkpoints/rc-fraud-1/")
    waited = job("rc-fraud-2", 60 * DAY, checkpoints=same, ending=NEVER_LAUNCHED)
    ours = yard(watch, [job("rc-fraud-1", 90 * DAY), waited, job("rc-fraud-3", 50 * DAY, checkpoints=same)])
    plan_id = ours.plan()
    assert not any("has not ended" in one.why or "nobody knows when" in one.why for one in ours.head(plan_id).kept)
    assert "checkpoints/rc-fraud-1/" in {one.item.prefix for one in ours.items(plan_id)}


# What is kept inside of what goes


def test_what_stays_inside_of_a_prefix_that_goes_is_told_with_its_reason(watch: Watch) -> None:
    ours = yard(watch, old())
    odd = "models/training/rc-fraud-1/output//x.bin"
    ours.account.clients().s3.put_object(Bucket=BUCKET, Key=odd, Body=b"whose?")
    ours.account.clock.advance(40 * DAY)
    ours.look()
    plan_id = ours.plan()
    assert "models/training/rc-fraud-1/" in {one.item.prefix for one in ours.items(plan_id)}
    (kept,) = [one for one in ours.head(plan_id).kept if one.prefix == odd]
    assert "an empty component" in kept.why


# While we slept


def asleep_after(ours: Yard, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """Has a process stand still between its first decision that lets something go and the act, while something happens."""
    real, once = batch_module.BatchWork.decided, [meanwhile]

    def decided(self: Any, batch: Any) -> Any:
        decision = real(self, batch)
        if decision.going and once:
            once.pop()()
        return decision

    monkeypatch.setattr(batch_module.BatchWork, "decided", decided)


def test_a_plan_that_was_undone_while_its_process_slept_deletes_nothing_more(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, old(), states=VERSIONED)
    before, plan_id = ours.keys(), ours.plan()

    def undone() -> None:
        ours.account.clock.advance(HOLD + MINUTE)
        ours.undone(plan_id)

    asleep_after(ours, monkeypatch, undone)
    report = ours.applied(plan_id)
    assert ours.keys() == before
    assert report.left > 0
    assert ours.head(plan_id).state == "undone"


@pytest.mark.parametrize("mode", ["delete", "quarantine"])
def test_what_came_into_use_while_a_process_slept_stays(mode: str, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, old())
    before, plan_id = under(ours, "checkpoints/rc-fraud-1/"), ours.plan(mode)

    def resumed() -> None:
        ours.account.aws.add(job("rc-fraud-resumed", checkpoints=Checkpoints(f"s3://{BUCKET}/checkpoints/rc-fraud-1/"), **ALIVE))
        ours.account.clock.advance(8 * HOUR)
        for collector in ("jobs", "models", "leftovers"):
            ours.account.run(collector)

    asleep_after(ours, monkeypatch, resumed)
    report = ours.applied(plan_id)
    assert before <= set(ours.keys())
    assert before <= {one.key for one in report.skipped}


def test_a_process_that_always_decides_too_slowly_says_so_and_deletes_nothing(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, old())
    before, plan_id = ours.keys(), ours.plan()
    real = batch_module.BatchWork.decided

    def slowly(self: Any, batch: Any) -> Any:
        decision = real(self, batch)
        ours.account.clock.advance(batch_module.DECIDED_FOR + timedelta(seconds=1))
        return decision

    monkeypatch.setattr(batch_module.BatchWork, "decided", slowly)
    report = ours.applied(plan_id)
    assert (report.deleted_objects, report.left > 0) == (0, True)
    assert "deciding takes longer than a decision holds" in report.problem
    assert ours.keys() == before


# Versions


def test_what_was_deleted_in_a_bucket_that_came_to_keep_versions_after_the_plan_is_brought_back(watch: Watch) -> None:
    ours = yard(watch, old())
    before, plan_id = ours.keys(), ours.plan()
    ours.account.clients().s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    report = ours.applied(plan_id)
    assert report.deleted_objects > 0
    undone, uploads = ours.undone(plan_id), len(ours.planned(plan_id)["uploads"])
    assert (undone.restored_objects, undone.lost_objects) == (report.deleted_objects - uploads, uploads)
    assert ours.keys() == before
