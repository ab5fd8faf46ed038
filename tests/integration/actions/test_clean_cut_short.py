"""Cleans that do not go to their end: killed, denied, answered by nobody, or too late. What was done is known, and can be undone."""

from typing import Any

import pytest
from sqlalchemy import Engine

import actions.cleaning_batch
import actions.planning
from actions.cleaning import CleanReport
from aws.errors import CutOff
from demo.buckets import BucketState
from demo.plan import JobPlan
from demo.seeding import Seed, seed
from demo.shelves import owner_of
from domain.access import Refusal
from storage.cleaning import HOLD, deleted_since_looked, plan_heads
from storage.engine import reading
from storage.views.audit import audit_rows
from tests.integration.actions.yard import BUCKET, Yard, cut_short, job, yard
from tests.integration.collectors.conftest import Watch, watch
from tests.integration.collectors.watching import DAY, HOUR, MINUTE, NOW

__all__ = ["watch"]

VERSIONED = {BUCKET: BucketState(versioning="enabled")}


def ended() -> list[JobPlan]:
    """Jobs that write no more, so that only a clean changes the bucket as time goes by."""
    return [job("rc-fraud-1"), job("rc-fraud-2", 10 * DAY)]


def told(answer: object) -> str:
    """Why something was refused."""
    assert isinstance(answer, Refusal), answer
    return answer.why


def hidden(ours: Yard, before: dict[str, str]) -> set[str]:
    """What is no longer listed."""
    return set(before) - set(ours.keys())


def test_undo_of_an_apply_that_was_killed_brings_back_what_it_did_not_write_down(
    watch: Watch, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = yard(watch, ended(), engine, VERSIONED)
    before, plan_id = ours.keys(), ours.plan()
    cut_short(ours, plan_id, monkeypatch)
    gone = hidden(ours, before)
    assert gone
    assert "deleted" not in ours.states(plan_id)
    assert "right now" in told(ours.undo(plan_id))
    assert hidden(ours, before) == gone
    ours.account.clock.advance(HOLD + MINUTE)
    report = ours.undone(plan_id)
    assert (report.restored_objects, report.failed_objects) == (len(gone), 0)
    assert ours.keys() == before
    assert "undone already" in told(ours.apply(plan_id))
    assert ours.keys() == before


def test_an_apply_that_was_killed_is_resumed_and_undone_exactly(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, ended(), states=VERSIONED)
    before, plan_id = ours.keys(), ours.plan()
    cut_short(ours, plan_id, monkeypatch)
    assert "right now" in told(ours.apply(plan_id))
    ours.account.clock.advance(HOLD + MINUTE)
    report = ours.applied(plan_id)
    assert (report.left, report.skipped_objects, report.failed_objects) == (0, 0, 0)
    assert hidden(ours, before) == ours.planned(plan_id)["intermediates"] | ours.planned(plan_id)["checkpoints"]
    ours.undone(plan_id)
    assert ours.keys() == before


def test_undo_of_a_quarantine_that_was_killed_takes_every_tag_off(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, ended())
    s3, plan_id = ours.account.clients().s3, ours.plan("quarantine")
    keys = sorted(ours.planned(plan_id)["intermediates"])

    def tagged() -> list[str]:
        return [key for key in keys if s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]]

    cut_short(ours, plan_id, monkeypatch)
    assert tagged()
    ours.account.clock.advance(HOLD + MINUTE)
    assert ours.undone(plan_id).failed == ()
    assert tagged() == []


def test_an_answer_that_is_lost_loses_no_marker(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, ended(), states=VERSIONED)
    before, plan_id = ours.keys(), ours.plan()
    real = actions.cleaning_batch.delete

    def unheard(*asked: Any) -> Any:
        real(*asked)
        raise CutOff("the connection to AWS broke")

    with monkeypatch.context() as patched:
        patched.setattr(actions.cleaning_batch, "delete", unheard)
        first = ours.applied(plan_id)
    assert first.left > 0
    assert hidden(ours, before)
    assert ours.applied(plan_id).left == 0
    ours.undone(plan_id)
    assert ours.keys() == before


def test_what_somebody_deleted_before_the_apply_is_not_brought_back(watch: Watch) -> None:
    ours = yard(watch, ended(), states=VERSIONED)
    plan_id = ours.plan()
    theirs = min(ours.planned(plan_id)["intermediates"])
    ours.account.clients().s3.delete_object(Bucket=BUCKET, Key=theirs)
    bucket = owner_of(BUCKET)
    assert bucket is not None
    bucket.keys[theirs].last_modified = NOW - HOUR
    before = ours.keys()
    ours.applied(plan_id)
    ours.undone(plan_id)
    assert theirs not in before
    assert ours.keys() == before


def test_a_plan_that_was_begun_ends_after_a_day_too(watch: Watch) -> None:
    ours = yard(watch, ended())
    before, plan_id = ours.keys(), ours.plan()
    ours.account.aws.faults.throttle("DeleteObjects")
    assert ours.applied(plan_id).left > 0
    ours.account.aws.faults.clear()
    ours.account.clock.advance(DAY + MINUTE)
    assert "older than a day" in told(ours.apply(plan_id))
    assert ours.keys() == before


def test_each_upload_that_may_not_be_aborted_fails_for_itself(watch: Watch) -> None:
    ours = yard(watch, ended())
    plan_id = ours.plan()
    planned = ours.planned(plan_id)
    ours.account.aws.faults.deny("AbortMultipartUpload")
    report = ours.applied(plan_id)
    assert {one.key for one in report.failed} == planned["uploads"]
    assert planned["uploads"] <= ours.uploads()
    assert not planned["intermediates"] & set(ours.keys())


def test_a_refused_dry_run_leaves_no_trace(watch: Watch) -> None:
    ours = yard(watch, ended(), clean={"max_objects": 2})
    plan_id = ours.plan()
    with reading(ours.engine) as connection:
        entries = len(audit_rows(connection))
    assert "max_objects" in told(ours.apply(plan_id, dry_run=True))
    with reading(ours.engine) as connection:
        assert len(audit_rows(connection)) == entries


def test_an_age_that_was_raised_since_the_plan_keeps_what_is_younger(watch: Watch) -> None:
    ours = yard(watch, ended())
    before, plan_id = ours.keys(), ours.plan()
    ours.settings = ours.settings.model_copy(update={"clean": ours.settings.clean.model_copy(update={"min_age_days": 90})})
    report = ours.applied(plan_id)
    assert ours.keys() == before
    assert report.deleted_objects == 0
    assert report.skipped_objects == sum(len(keys) for keys in ours.planned(plan_id).values())


def test_a_plan_whose_making_was_cut_short_is_never_applied(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, ended(), states=VERSIONED)
    before = ours.keys()

    def ending(*_: Any) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patched:
        patched.setattr(actions.planning, "uploads_under", ending)
        with pytest.raises(SystemExit):
            ours.plan()
    with reading(ours.engine) as connection:
        (half,) = plan_heads(connection)
    assert half.state == "making"
    assert "cut short" in told(ours.apply(half.plan_id))
    assert "cut short" in told(ours.apply(half.plan_id, dry_run=True))
    assert "never applied" in told(ours.undo(half.plan_id))
    assert ours.keys() == before
    whole = ours.plan()
    assert ours.since(whole) is None
    assert ours.applied(whole).left == 0


def test_a_plan_says_what_is_different_from_the_one_before_and_why(watch: Watch) -> None:
    ours = yard(watch, ended())
    first = ours.plan()
    assert ours.since(first) is None
    seed(BUCKET, [Seed("models/training/rc-fraud-1/output/late.bin", 5, NOW - 30 * DAY)])
    ours.look()
    second = ours.plan()
    assert ours.since(second) == (first, [("grown", "intermediates", 1, 5, "")])
    ours.applied(second)
    ours.look()
    third = ours.plan()
    since = ours.since(third)
    assert since is not None
    assert since[0] == second
    assert {(what, why) for what, _, _, _, why in since[1]} == {("gone", f"plan {second} was applied")}
    assert {kind for _, kind, _, _, _ in since[1]} == set(ours.planned(second))
    assert ours.since(ours.plan(teams=("rc",))) is None


def test_what_was_deleted_is_still_counted_by_an_inventory_until_the_next_look(watch: Watch, engine: Engine) -> None:
    ours = yard(watch, ended(), engine, VERSIONED)

    def counted(*teams: str) -> tuple[int, int]:
        with reading(ours.engine) as connection:
            return deleted_since_looked(connection, teams)

    ours.account.clock.advance(MINUTE)
    plan_id = ours.plan()
    report = ours.applied(plan_id)
    assert counted() == (report.deleted_objects, report.deleted_bytes)
    assert counted("rc") == counted()
    assert counted("nlp") == (0, 0)
    ours.undone(plan_id)
    assert counted()[0] == len(ours.planned(plan_id)["uploads"])
    ours.account.clock.advance(MINUTE)
    ours.look()
    assert counted() == (0, 0)


def test_what_cannot_be_listed_for_a_plan_is_kept_whole_and_said(watch: Watch) -> None:
    ours = yard(watch, ended())
    ours.account.aws.faults.deny("ListObjectVersions")
    ours.account.aws.faults.deny("ListObjectsV2")
    plan_id = ours.plan()
    assert set(ours.planned(plan_id)) == {"uploads"}
    whys = {one.prefix: one.why for one in ours.head(plan_id).kept}
    assert "could not be listed" in whys["models/training/rc-fraud-1/"]


@pytest.mark.parametrize("applied", [False, True])
def test_only_what_was_applied_can_be_undone(watch: Watch, applied: bool) -> None:
    ours = yard(watch, ended(), states=VERSIONED)
    before, plan_id = ours.keys(), ours.plan()
    if applied:
        assert isinstance(ours.apply(plan_id), CleanReport)
        ours.undone(plan_id)
    else:
        assert "never applied" in told(ours.undo(plan_id))
    assert ours.keys() == before
