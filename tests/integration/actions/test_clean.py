"""Cleans over HTTP: exactly what was planned goes and nothing else, whatever happens between the plan and its end."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from actions.cleaning import CleanReport
from demo.buckets import BucketState
from demo.plan import Checkpoints
from demo.seeding import Seed
from domain.access import Person, Refusal
from tests.integration.actions.yard import BUCKET, job, jobs, yard
from tests.integration.collectors.conftest import Watch, watch
from tests.integration.collectors.watching import DAY, HOUR, MINUTE, NOW

__all__ = ["watch"]

ROOT = Path(__file__).parents[3]


def test_exactly_the_plan_goes_and_the_same_plan_twice_deletes_once(watch: Watch, engine: Engine) -> None:
    ours = yard(watch, jobs(), engine)
    before, uploads = ours.keys(), ours.uploads()
    plan_id = ours.plan()
    planned = ours.planned(plan_id)
    gone = planned["intermediates"] | planned["checkpoints"]
    assert gone == {key for key in before if key.startswith(("models/training/rc-fraud-1/", "checkpoints/rc-fraud-1/"))}
    assert ours.keys() == before
    report = ours.applied(plan_id)
    assert ours.keys() == {key: etag for key, etag in before.items() if key not in gone}
    assert ours.uploads() == uploads - planned["uploads"]
    assert planned["uploads"] == {key for key in uploads if "/rc-fraud-1/" in key}
    assert (report.deleted_objects, report.skipped_objects, report.failed_objects, report.left) == (
        len(gone) + len(planned["uploads"]), 0, 0, 0,
    )  # fmt: skip
    assert ours.head(plan_id).state == "applied"
    assert ours.outcomes()[0] == "asked"
    assert ours.outcomes()[-1].startswith("applied: ")
    again = ours.apply(plan_id)
    assert isinstance(again, Refusal)
    assert "applied already" in again.why


def test_a_dry_run_looks_at_everything_and_changes_nothing(watch: Watch) -> None:
    ours = yard(watch, jobs())
    before, plan_id = ours.keys(), ours.plan()
    ours.account.aws.calls.clear()
    report = ours.applied(plan_id, dry_run=True)
    assert ours.keys() == before
    assert report.dry_run
    assert report.deleted_objects == ours.states(plan_id)["planned"]
    assert not {"DeleteObjects", "AbortMultipartUpload", "PutObjectTagging"} & set(ours.account.aws.calls)


def test_what_changed_since_the_plan_is_skipped_and_named(watch: Watch) -> None:
    ours = yard(watch, jobs())
    plan_id = ours.plan()
    first, second, *rest = sorted(ours.planned(plan_id)["intermediates"])
    ours.account.aws.seed(BUCKET, [Seed(first, 19, NOW - 35 * DAY)])
    ours.account.clients().s3.delete_object(Bucket=BUCKET, Key=second)
    report = ours.applied(plan_id)
    assert report.gone_objects == 1
    assert [(one.key, one.why) for one in report.skipped] == [(first, "it has changed since the plan was made")]
    assert first in list(ours.keys())
    assert not set(rest) & set(ours.keys())


def test_what_appears_after_the_plan_stays(watch: Watch) -> None:
    ours = yard(watch, jobs())
    plan_id = ours.plan()
    ours.account.aws.seed(BUCKET, [Seed("models/training/rc-fraud-1/output/late.bin", 5, NOW - 30 * DAY)])
    ours.applied(plan_id)
    assert "models/training/rc-fraud-1/output/late.bin" in list(ours.keys())


def test_a_key_that_changes_between_the_look_and_the_delete_stays(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    import actions.cleaning_batch as cleaning

    ours = yard(watch, jobs())
    plan_id = ours.plan()
    key = min(ours.planned(plan_id)["checkpoints"])
    real = cleaning.delete

    def late(clients: Any, bucket: str, objects: Any) -> Any:
        clients.s3.put_object(Bucket=BUCKET, Key=key, Body=b"saved again")
        return real(clients, bucket, objects)

    monkeypatch.setattr(cleaning, "delete", late)
    report = ours.applied(plan_id)
    assert key in list(ours.keys())
    assert [one.key for one in (*report.skipped, *report.failed)] == [key]


def test_a_job_that_begins_to_use_it_after_the_plan_keeps_it(watch: Watch) -> None:
    ours = yard(watch, jobs())
    before, plan_id = ours.keys(), ours.plan()
    s3 = "s3://" + BUCKET + "/checkpoints/rc-fraud-1/"
    ours.account.aws.add(job("rc-fraud-resumed", timedelta(0), checkpoints=Checkpoints(s3)))
    ours.account.clock.advance(MINUTE)
    assert ours.account.run("jobs").outcome == "ok"
    report = ours.applied(plan_id)
    kept = {key for key in before if key.startswith("checkpoints/rc-fraud-1/")}
    assert kept <= set(ours.keys())
    assert kept <= {one.key for one in report.skipped}
    assert all("rc-fraud-resumed" in one.why or "rc-fraud-1 " in one.why for one in report.skipped)


def test_without_fresh_facts_nothing_goes(watch: Watch) -> None:
    ours = yard(watch, jobs(), clean={"min_age_days": 14})
    before, plan_id = ours.keys(), ours.plan()
    ours.account.clock.advance(23 * HOUR)
    ours.account.clock.advance(2 * HOUR)
    refused = ours.apply(plan_id)
    assert isinstance(refused, Refusal)
    assert "older than a day" in refused.why
    later = ours.plan()
    assert ours.planned(later) == {}
    assert ours.head(later).kept
    assert {key for key in before if "/rc-fraud-1/" in key} <= set(ours.keys())


def test_only_an_admin_or_the_teams_operator_cleans(watch: Watch) -> None:
    ours = yard(watch, jobs())
    before, plan_id = ours.keys(), ours.plan()
    for person in (
        Person("vic@example.com", "viewer", via="sign-in"),
        Person("nora@example.com", "operator", frozenset({"nlp"}), "sign-in"),
    ):
        refused = ours.apply(plan_id, person)
        assert isinstance(refused, Refusal)
        assert ours.outcomes() == [f"refused: {refused.why}"]
    assert ours.keys() == before
    assert isinstance(ours.apply(plan_id, Person("olga@example.com", "operator", frozenset({"rc"}), "sign-in")), CleanReport)


def test_more_than_the_ceiling_is_refused(watch: Watch) -> None:
    ours = yard(watch, jobs(), clean={"max_objects": 2})
    before, plan_id = ours.keys(), ours.plan()
    refused = ours.apply(plan_id)
    assert isinstance(refused, Refusal)
    assert "[clean] max_objects" in refused.why
    assert ours.keys() == before


def test_a_versioned_bucket_gives_back_what_was_cleaned(watch: Watch, engine: Engine) -> None:
    ours = yard(watch, jobs(), engine, {BUCKET: BucketState(versioning="enabled")})
    before, plan_id = ours.keys(), ours.plan()
    report = ours.applied(plan_id)
    assert len(ours.keys()) < len(before)
    undone = ours.undone(plan_id)
    assert ours.keys() == before
    uploads = len(ours.planned(plan_id)["uploads"])
    assert (undone.restored_objects, undone.lost_objects, undone.failed) == (report.deleted_objects - uploads, uploads, ())
    again = ours.undo(plan_id)
    assert isinstance(again, Refusal) or again.restored_objects == 0


def test_quarantine_tags_beside_the_users_tags_and_deletes_nothing(watch: Watch) -> None:
    ours = yard(watch, jobs())
    s3 = ours.account.clients().s3
    before, plan_id = ours.keys(), ours.plan("quarantine")
    keys = sorted(ours.planned(plan_id)["intermediates"])
    s3.put_object_tagging(Bucket=BUCKET, Key=keys[0], Tagging={"TagSet": [{"Key": "owner", "Value": "ann"}]})
    full = [{"Key": f"k{number}", "Value": "v"} for number in range(10)]
    s3.put_object_tagging(Bucket=BUCKET, Key=keys[1], Tagging={"TagSet": full})
    report = ours.applied(plan_id)
    assert ours.keys() == before

    def tags(key: str) -> dict[str, str]:
        return {one["Key"]: one["Value"] for one in s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]}

    assert tags(keys[0]) == {"owner": "ann", "trainwatch": "expire"}
    assert tags(keys[1]) == {one["Key"]: one["Value"] for one in full}
    assert [one.key for one in report.failed] == [keys[1]]
    ours.undone(plan_id)
    assert tags(keys[0]) == {"owner": "ann"}


def test_throttling_leaves_the_rest_for_later(watch: Watch) -> None:
    ours = yard(watch, jobs())
    plan_id = ours.plan()
    before = ours.keys()
    ours.account.aws.faults.throttle("DeleteObjects")
    report = ours.applied(plan_id)
    assert report.left > 0
    assert "throttled" in report.problem
    assert ours.keys() == before
    assert ours.head(plan_id).state == "planned"
    ours.account.aws.faults.clear()
    ended = ours.applied(plan_id)
    assert (ended.left, ours.head(plan_id).state) == (0, "applied")
    assert not set.union(*(ours.planned(plan_id)[kind] for kind in ("intermediates", "checkpoints"))) & set(ours.keys())


def test_a_denied_delete_is_said_for_each_key(watch: Watch) -> None:
    ours = yard(watch, jobs())
    before, plan_id = ours.keys(), ours.plan()
    ours.account.aws.faults.deny("DeleteObjects")
    report = ours.applied(plan_id)
    assert ours.keys() == before
    assert report.failed_objects >= len(ours.planned(plan_id)["intermediates"])
    assert "s3:DeleteObject" in report.failed[0].why


ONE_CLEAN = """
import os, sys
from datetime import UTC, datetime
from actions.cleaning import apply_plan
from actions.reach import Reach
from domain.access import Person
from settings import Settings
from storage.engine import open_engine
url, plan_id = sys.argv[1:]
settings = Settings.model_validate({"conventions": {"company": "acme"}, "teams": [{"id": "rc", "projects": ["fraud", "credit"]}]})
now = lambda: datetime(2026, 11, 20, 12, tzinfo=UTC)
print("ready", flush=True)
apply_plan(open_engine(url), settings, Reach(settings), Person("ann", "admin", via="shell"), int(plan_id), now)
"""


@pytest.mark.parametrize(("objects", "kills"), [(4_000, 2), pytest.param(50_000, 10, marks=pytest.mark.long)])
def test_killed_in_the_middle_of_many_thousand_deletes_and_resumed_the_end_is_exact(watch: Watch, objects: int, kills: int) -> None:
    ours = yard(watch, jobs(), states={BUCKET: BucketState(versioning="enabled")})
    old = NOW - 30 * DAY
    ours.account.aws.seed(BUCKET, (Seed(f"models/training/rc-fraud-1/output/part-{number:05}", 1, old) for number in range(objects)))
    ours.account.aws.seed(BUCKET, (Seed(f"models/training/rc-fraud-10/output/part-{number:05}", 1, old) for number in range(100)))
    ours.look()
    before, plan_id = ours.keys(), ours.plan()
    planned = ours.planned(plan_id)
    gone = planned["intermediates"] | planned["checkpoints"]
    assert len(gone) > objects
    dice, killed = random.Random(4), 0  # noqa: S311 - where to kill, the same in each run
    url = ours.engine.url.render_as_string(hide_password=False)
    while killed < kills and ours.states(plan_id).get("planned"):
        process = subprocess.Popen(
            [sys.executable, "-c", ONE_CLEAN, url, str(plan_id)],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        done = ours.states(plan_id).get("deleted", 0)
        goal = done + dice.randrange(objects // 100, objects // 12)
        while process.poll() is None and ours.states(plan_id).get("deleted", 0) < goal:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    assert killed == kills
    assert ours.states(plan_id)["planned"] > 0
    report = ours.applied(plan_id)
    assert (report.failed, report.skipped) == ((), ())
    assert ours.keys() == {key: etag for key, etag in before.items() if key not in gone}
    assert ours.states(plan_id) == {"deleted": len(gone) + len(planned["uploads"])}
    ours.undone(plan_id)
    assert ours.keys() == before
