"""What a clean must not do, whoever else is at the same objects: each of these once lost something, or said what was not so."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Lock
from typing import Any

import pytest
from sqlalchemy import Engine, update

import actions.cleaning
import actions.cleaning_batch as batch_module
import actions.undoing
from actions.cleaning import CleanReport
from actions.objects import Deleted
from actions.planning import make_plan
from demo.buckets import BucketState
from demo.plan import Checkpoints, JobPlan
from demo.seeding import Seed
from domain.access import Person
from storage.cleaning import HOLD, plan_heads
from storage.engine import reading, writing
from storage.schema import collector_runs
from storage.views.audit import audit_rows
from storage.views.cleanjobs import jobs_known_at
from tests.integration.actions.conftest import OPERATOR
from tests.integration.actions.yard import BUCKET, job, old, tags, why, yard
from tests.integration.collectors.conftest import Watch, watch
from tests.integration.collectors.watching import DAY, HOUR, MINUTE, NOW

__all__ = ["watch"]

VERSIONED = {BUCKET: BucketState(versioning="enabled")}
SUSPENDED = {BUCKET: BucketState(versioning="suspended")}
OUTPUT = "models/training/rc-fraud-1/output/"


# Buckets whose versioning is suspended


def test_undo_never_removes_what_somebody_wrote_where_versioning_is_suspended(watch: Watch) -> None:
    ours = yard(watch, old(), states=SUSPENDED)
    plan_id = ours.plan()
    report = ours.applied(plan_id)
    key = min(ours.planned(plan_id)["checkpoints"])
    ours.account.clients().s3.put_object(Bucket=BUCKET, Key=key, Body=b"a job goes on from here")
    before = ours.keys()
    undone = ours.undone(plan_id)
    assert ours.keys() == before
    assert key in before
    assert (undone.restored_objects, undone.lost_objects, undone.failed_objects) == (0, report.deleted_objects, 0)


def test_a_bucket_that_was_suspended_after_the_plan_is_left_alone(watch: Watch) -> None:
    ours = yard(watch, old(), states=VERSIONED)
    before, plan_id = ours.keys(), ours.plan()
    ours.account.clients().s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    report = ours.applied(plan_id)
    assert ours.keys() == before
    assert report.deleted_objects == 0
    assert {one.why for one in report.skipped} == {
        f"bucket {BUCKET} kept versions when this was planned, and no longer does: it could not be undone"
    }


# Answers that say less than what happened


def test_single_keys_that_s3_is_too_busy_for_are_tried_again_and_then_left_for_later(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, old())
    plan_id = ours.plan()
    real, asked = batch_module.delete, list[int]()

    def busy(clients: Any, bucket: str, objects: Any) -> list[Deleted]:
        asked.append(len(objects))
        slow, rest = objects[:1], objects[1:]
        done = real(clients, bucket, rest) if rest else []
        return [*done, *(Deleted(one.key, None, "SlowDown", "Please reduce your request rate.") for one in slow)]

    with monkeypatch.context() as patched:
        patched.setattr(batch_module, "PAUSES", (0.0, 0.0))
        patched.setattr(batch_module, "delete", busy)
        first = ours.applied(plan_id)
    assert first.failed_objects == 0
    assert first.left > 0
    assert "SlowDown" in first.problem
    assert asked.count(1) >= 2
    last = ours.applied(plan_id)
    assert (last.left, last.failed_objects, ours.head(plan_id).state) == (0, 0, "applied")


def test_what_was_deleted_stays_written_down_when_the_second_look_is_denied(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, old(), states=VERSIONED)
    before, plan_id = ours.keys(), ours.plan()
    real = batch_module.delete

    def partly(clients: Any, bucket: str, objects: Any) -> list[Deleted]:
        said = real(clients, bucket, objects)
        ours.account.aws.faults.deny("ListObjectVersions")
        return [*said[1:], Deleted(said[0].key, None, "PreconditionFailed", "changed")]

    with monkeypatch.context() as patched:
        patched.setattr(batch_module, "delete", partly)
        report = ours.applied(plan_id)
    assert report.failed_objects == 0
    assert report.deleted_objects > 0
    ours.account.aws.faults.clear()
    ours.undone(plan_id)
    assert ours.keys() == before


def test_undo_brings_back_what_only_seemed_to_fail(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, old(), states=VERSIONED)
    before, plan_id = ours.keys(), ours.plan()
    real = batch_module.delete

    def seems_to_fail(clients: Any, bucket: str, objects: Any) -> list[Deleted]:
        real(clients, bucket, objects)
        return [Deleted(one.key, None, "Mystery", "who knows") for one in objects]

    with monkeypatch.context() as patched:
        patched.setattr(batch_module, "delete", seems_to_fail)
        assert ours.applied(plan_id).failed_objects > 0
    assert set(ours.keys()) < set(before)
    ours.undone(plan_id)
    assert ours.keys() == before


# Prefixes in use


def test_a_prefix_in_which_something_was_written_lately_is_in_no_plan(watch: Watch) -> None:
    ours = yard(watch, old())
    ours.account.aws.seed(BUCKET, [Seed(f"{OUTPUT}zz-new", 5, NOW - DAY)])
    plan_id = ours.plan()  # the inventory has not seen it
    assert "intermediates" not in ours.planned(plan_id)
    (kept,) = [one.why for one in ours.head(plan_id).kept if one.prefix == "models/training/rc-fraud-1/"]
    assert "something in it was written on 2026-11-19" in kept


@pytest.mark.parametrize("page", [1000, 3])
@pytest.mark.parametrize("name", ["aa-first", "zz-last", "checkpoint-00000"])
def test_a_prefix_in_which_something_is_written_after_the_plan_stays_whole(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, name: str, page: int
) -> None:
    for module in (actions.cleaning, batch_module):
        monkeypatch.setattr(module, "PAGE", page)
    ours = yard(watch, old())
    plan_id = ours.plan()
    before = ours.keys()
    prefix = "checkpoints/rc-fraud-1/"
    ours.account.aws.seed(BUCKET, [Seed(f"{prefix}{name}", 5, NOW - HOUR)])
    report = ours.applied(plan_id)
    planned = ours.planned(plan_id)
    assert {key for key in before if key.startswith(prefix)} <= set(ours.keys())
    assert {one.key for one in report.skipped} == planned["checkpoints"]
    assert all("was written on 2026-11-20, less than 14 days ago" in one.why for one in report.skipped)
    assert not planned["intermediates"] & set(ours.keys())


def test_keys_go_in_the_order_of_s3_whatever_the_order_of_the_database(
    watch: Watch, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (actions.cleaning, batch_module):
        monkeypatch.setattr(module, "PAGE", 2)
    names = ["Z", "a", "B", "a-b", "a_b", "A b", "ä", "é", "ab", "aB", "~", "0", "10", "9"]
    ours = yard(watch, old(), engine)
    ours.account.aws.seed(BUCKET, [Seed(f"{OUTPUT}{name}", 5, NOW - 30 * DAY) for name in names])
    ours.look()
    plan_id = ours.plan()
    planned = ours.planned(plan_id)["intermediates"]
    assert {f"{OUTPUT}{name}" for name in names} <= planned
    report = ours.applied(plan_id)
    assert (report.gone_objects, report.skipped_objects, report.failed_objects, report.left) == (0, 0, 0, 0)
    assert not planned & set(ours.keys())


def test_what_lies_in_two_items_is_planned_once_with_the_closer_one(watch: Watch) -> None:
    inside = "models/training/rc-fraud-1/checkpoints/"
    ours = yard(watch, [job("rc-fraud-1", checkpoints=Checkpoints(f"s3://{BUCKET}/{inside}"))])
    plan_id = ours.plan()
    planned = ours.planned(plan_id)
    assert planned["checkpoints"]
    assert all(key.startswith(inside) for key in planned["checkpoints"])
    assert not planned["intermediates"] & planned["checkpoints"]
    keys = [key for key in ours.keys() if key.startswith("models/training/rc-fraud-1/")]  # noqa: SIM118 - a method
    assert sum(one.item.objects for one in ours.items(plan_id) if one.item.kind != "uploads") == len(keys)
    report = ours.applied(plan_id)
    assert (report.skipped_objects, report.failed_objects, report.gone_objects) == (0, 0, 0)
    assert not set(keys) & set(ours.keys())


def test_a_model_that_was_made_since_the_last_look_keeps_what_it_refers_to(watch: Watch) -> None:
    ours = yard(watch, old())
    plan_id = ours.plan()
    before, key = ours.keys(), min(ours.planned(plan_id)["intermediates"])
    container: Any = {"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/{key}"}
    ours.account.clients().sagemaker.create_model(ModelName="shop", ExecutionRoleArn="arn:aws:iam::1:role/x", PrimaryContainer=container)
    report = ours.applied(plan_id)
    assert {one.key for one in report.skipped} >= ours.planned(plan_id)["intermediates"]
    assert all("shop" in one.why for one in report.skipped)
    assert {one for one in before if one.startswith("models/training/rc-fraud-1/")} <= set(ours.keys())


def test_a_job_that_was_created_since_the_last_look_keeps_what_it_points_at(watch: Watch) -> None:
    ours = yard(watch, old())
    before, plan_id = ours.keys(), ours.plan()
    ours.account.aws.add(job("rc-fraud-resumed", timedelta(0), checkpoints=Checkpoints(f"s3://{BUCKET}/checkpoints/rc-fraud-1/")))
    ours.account.clock.advance(MINUTE)
    report = ours.applied(plan_id)
    assert {one for one in before if one.startswith("checkpoints/rc-fraud-1/")} <= set(ours.keys())
    assert {one.key for one in report.skipped} >= ours.planned(plan_id)["checkpoints"]


def test_jobs_are_known_as_of_the_beginning_of_the_run_that_asked_for_them(watch: Watch, engine: Engine) -> None:
    """What is created while a long run goes on may come after its last question."""
    ours = yard(watch, old(), engine)
    with writing(engine) as connection:
        connection.execute(update(collector_runs).values(finished_at=NOW + HOUR))
    with reading(engine) as connection:
        assert set(jobs_known_at(connection).values()) == {NOW}
    assert ours.plan()


@pytest.mark.parametrize("operation", ["ListModels", "ListModelPackageGroups", "ListTrainingJobs", "ListEndpoints"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_nothing_goes_where_nobody_may_look_at_what_is_in_use(watch: Watch, operation: str, dry_run: bool) -> None:
    ours = yard(watch, old())
    before, plan_id = ours.keys(), ours.plan()
    ours.account.aws.faults.deny(operation)
    refused = why(ours.apply(plan_id, dry_run=dry_run))
    assert "what is in use by now could not be looked at" in refused
    assert f"sagemaker:{operation}" in refused
    assert ours.keys() == before
    ours.account.aws.faults.clear()
    assert ours.applied(plan_id).left == 0


def test_a_look_that_fails_in_the_middle_leaves_the_rest_for_later(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, old())
    plan_id = ours.plan()
    real = batch_module.delete

    def later(*asked: Any) -> Any:
        ours.account.clock.advance(timedelta(minutes=11))
        ours.account.aws.faults.deny("ListModels")
        return real(*asked)

    monkeypatch.setattr(actions.cleaning, "THREADS", 1)
    with monkeypatch.context() as patched:
        patched.setattr(batch_module, "delete", later)
        report = ours.applied(plan_id)
    assert report.left > 0
    assert report.deleted_objects > 0
    assert "ListModels" in report.problem
    ours.account.aws.faults.clear()
    assert ours.applied(plan_id).left == 0


# Two processes


def test_a_process_that_lost_the_plan_does_not_overwrite_the_undo(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, old(), states=VERSIONED)
    before, plan_id = ours.keys(), ours.plan()

    woken = Lock()

    def asleep(*_: Any) -> Any:
        if woken.acquire(blocking=False):
            ours.account.clock.advance(HOLD + MINUTE)
            ours.undone(plan_id)
        raise batch_module.Unreachable("the lid was shut")

    monkeypatch.setattr(batch_module, "delete", asleep)
    report = ours.applied(plan_id)
    assert report.left > 0
    assert ours.head(plan_id).state == "undone"
    with reading(ours.engine) as connection:
        ends = [row.events[-1][1].partition(":")[0] for row in audit_rows(connection)]
    assert sorted(ends) == ["lost", "undone"]
    assert ours.keys() == before
    assert "undone already" in why(ours.apply(plan_id))


def test_a_long_quarantine_says_that_it_lives(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, old())
    plan_id = ours.plan("quarantine")
    real, refused = batch_module.tag_for_expiry, set[str]()

    def slowly(*asked: Any) -> str:
        ours.account.clock.advance(timedelta(minutes=2))
        refused.add(why(ours.undo(plan_id)))
        return real(*asked)

    monkeypatch.setattr(batch_module, "tag_for_expiry", slowly)
    assert ours.applied(plan_id).left == 0
    assert len(refused) == 1
    assert "right now" in refused.pop()


# Quarantine


def test_what_was_rewritten_before_its_tag_is_not_tagged(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, old())
    plan_id = ours.plan("quarantine")
    key = max(ours.planned(plan_id)["intermediates"])
    real = batch_module.BatchWork.decided

    def then_rewritten(self: Any, batch: Any) -> Any:
        decision = real(self, batch)
        if any(one.stored.key == key for one in decision.going):
            ours.account.aws.seed(BUCKET, [Seed(key, 77, NOW - 40 * DAY)])
        return decision

    monkeypatch.setattr(batch_module.BatchWork, "decided", then_rewritten)
    report = ours.applied(plan_id)
    assert [(one.key, one.why) for one in report.skipped] == [(key, "it has changed since the plan was made")]
    assert tags(ours, key) == {}


def test_a_quarantine_is_reported_as_one(watch: Watch) -> None:
    ours = yard(watch, old())
    plan_id = ours.plan("quarantine")
    planned = ours.planned(plan_id)
    gone = min(planned["checkpoints"])
    ours.account.clients().s3.delete_object(Bucket=BUCKET, Key=gone)
    dry = ours.applied(plan_id, dry_run=True)
    report = ours.applied(plan_id)
    kept = planned["intermediates"] | planned["checkpoints"] - {gone}
    assert (report.tagged_objects, report.gone_objects, report.deleted_objects) == (len(kept), 1, len(planned["uploads"]))
    assert dry.tagged_objects == len(kept | planned["uploads"])
    said = ours.outcomes()[-1]
    assert said == f"applied: {len(planned['uploads'])} deleted, {len(kept)} tagged, 1 gone already, 0 skipped, 0 failed"


def test_undo_of_a_quarantine_ends_when_a_lifecycle_rule_has_deleted_some(watch: Watch) -> None:
    ours = yard(watch, old())
    plan_id = ours.plan("quarantine")
    ours.applied(plan_id)
    key = min(ours.planned(plan_id)["checkpoints"])
    ours.account.clients().s3.delete_object(Bucket=BUCKET, Key=key)
    report = ours.undone(plan_id)
    assert report.failed_objects == 0
    assert ours.head(plan_id).state == "undone"
    assert report.lost_objects == 1 + len(ours.planned(plan_id)["uploads"])
    assert ours.states(plan_id)["gone"] == 1


def test_what_somebody_deleted_stays_deleted_when_a_quarantine_is_undone(watch: Watch) -> None:
    ours = yard(watch, old(), states=VERSIONED)
    plan_id = ours.plan("quarantine")
    key = min(ours.planned(plan_id)["checkpoints"])
    ours.account.clients().s3.delete_object(Bucket=BUCKET, Key=key)
    ours.applied(plan_id)
    ours.undone(plan_id)
    assert key not in list(ours.keys())


# Who may


def mixed() -> Iterator[JobPlan]:
    """Jobs of two teams that had their checkpoints in one place."""
    shared = Checkpoints(f"s3://{BUCKET}/checkpoints/exp/")
    for name, created, tag in (("nlp-llm-1", 50 * DAY, "nlp"), ("rc-fraud-1", 40 * DAY, "rc")):
        made = job(name, created, checkpoints=shared)
        yield replace(made, tags={**made.tags, "Team": tag})


def test_an_operator_of_one_team_cleans_nothing_that_was_another_s_too(watch: Watch) -> None:
    ours = yard(watch, mixed())
    plan_id = ours.plan()
    shared = [one.item for one in ours.items(plan_id) if one.item.prefix == "checkpoints/exp/"]
    assert [one.teams for one in shared] == [("nlp", "rc")]
    before = ours.keys()
    assert "nlp" in why(ours.apply(plan_id, OPERATOR))
    assert ours.keys() == before
    assert isinstance(ours.apply(plan_id), CleanReport)
    assert "nlp" in why(ours.undo(plan_id, OPERATOR))


VIEWER = Person("vera@example.com", "viewer", via="sign-in")


@pytest.mark.parametrize(
    ("person", "teams", "may"),
    [
        (VIEWER, (), False),
        (VIEWER, ("rc",), False),
        (Person("anybody", "viewer"), (), False),
        (OPERATOR, (), True),
        (OPERATOR, ("rc",), True),
        (OPERATOR, ("nlp",), False),
        (Person("nobody", "operator", frozenset(), "sign-in"), (), False),
    ],
)
def test_only_who_may_act_has_plans_made(watch: Watch, person: Person, teams: tuple[str, ...], may: bool) -> None:
    ours = yard(watch, old())
    ours.account.aws.calls.clear()
    made = make_plan(ours.engine, ours.settings, ours.reach, person, ours.account.now(), teams)
    with reading(ours.engine) as connection:
        plans, entries = plan_heads(connection), audit_rows(connection)
    assert len(plans) == may
    if not may:
        assert ours.account.aws.calls.total() == 0
        assert entries[0].events[0][1] == f"refused: {why(made)}"


def test_the_reason_is_in_the_audit_log(watch: Watch) -> None:
    ours = yard(watch, old(), states=VERSIONED)
    plan_id = ours.plan()
    ours.applied(plan_id, reason="the quarter ends")
    with reading(ours.engine) as connection:
        assert audit_rows(connection)[0].reason == "the quarter ends"
