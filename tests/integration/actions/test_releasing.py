"""Quarantined objects that something points at anew: our tag is taken off, audited, and nothing else is touched."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from actions.releasing import release_wanted
from demo.plan import DEFAULT_ACCOUNT, JobPlan
from storage.cleaning import HOLD
from storage.engine import reading
from storage.views.audit import AuditRow, audit_rows
from tests.integration.actions.yard import BUCKET, Yard, cut_short, job, yard
from tests.integration.collectors.conftest import Watch, watch
from tests.integration.collectors.watching import DAY, HOUR, MINUTE, lasting
from worker.telling import Teller
from worker.watch import Watch as Looker

__all__ = ["watch"]

SCOPE = (DEFAULT_ACCOUNT, "us-east-1")
FIRST, SECOND = "models/training/rc-fraud-1/", "models/training/rc-fraud-2/"


def old() -> list[JobPlan]:
    return [job("rc-fraud-1"), job("rc-fraud-2", 60 * DAY)]


def quarantined(ours: Yard) -> int:
    """A plan that was carried out, so that the leftovers of both jobs carry our tag."""
    plan_id = ours.plan("quarantine")
    ours.applied(plan_id)
    return plan_id


def tagged(ours: Yard) -> dict[str, set[str]]:
    """The keys with our tag, by the prefix that they lie in."""
    s3, found = ours.account.clients().s3, dict[str, set[str]]()
    for key in sorted(ours.keys()):
        tags = s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
        if {"Key": "trainwatch", "Value": "expire"} in tags:
            found.setdefault("/".join(key.split("/")[:3]) + "/", set()).add(key)
    return found


def released(ours: Yard, scope: tuple[str, str] = SCOPE) -> int:
    return release_wanted(ours.engine, ours.settings, ours.reach, scope, ours.account.now)


def audited(ours: Yard) -> list[AuditRow]:
    with reading(ours.engine) as connection:
        return [row for row in audit_rows(connection) if row.action == "release"]


def deploy(ours: Yard, uri: str) -> None:
    """A SageMaker Model that refers to a place, and a look at what models refer to."""
    container: Any = {"Image": "image", "ModelDataUrl": uri}
    ours.account.clients().sagemaker.create_model(ModelName="shop", ExecutionRoleArn="arn:aws:iam::1:role/x", PrimaryContainer=container)
    assert ours.account.run("models").outcome == "ok"


def test_what_a_model_refers_to_anew_is_released_and_nothing_else(watch: Watch, engine: Engine) -> None:
    ours = yard(watch, old(), engine)
    plan_id, before = quarantined(ours), ours.keys()
    held = tagged(ours)
    assert held.keys() >= {FIRST, SECOND}
    key = min(held[FIRST])
    ours.account.clients().s3.put_object_tagging(
        Bucket=BUCKET, Key=key, Tagging={"TagSet": [{"Key": "owner", "Value": "ann"}, {"Key": "trainwatch", "Value": "expire"}]}
    )
    assert released(ours) == 0
    assert audited(ours) == []
    deploy(ours, f"s3://{BUCKET}/{key}")
    assert released(ours) == 1
    assert tagged(ours) == held | {FIRST: held[FIRST] - {key}}
    assert ours.account.clients().s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"] == [{"Key": "owner", "Value": "ann"}]
    assert ours.keys() == before
    assert ours.states(plan_id) == {
        "tagged": sum(map(len, held.values())) - 1,
        "released": 1,
        "deleted": len(ours.planned(plan_id)["uploads"]),
    }
    (row,) = audited(ours)
    assert [said for _, said in row.events] == ["asked", "1 released, 0 failed"]
    assert (row.by, row.target, row.team) == ("trainwatch", f"plan {plan_id}", "rc")
    assert row.reason.startswith(f"s3://{BUCKET}/{key}: ")
    assert "shop" in row.reason
    assert released(ours) == 0
    assert len(audited(ours)) == 1


def test_what_a_live_job_reads_is_released(watch: Watch) -> None:
    live = job("rc-fraud-3", -HOUR, phases=lasting(20))
    live = replace(live, paths=replace(live.paths, inputs=(("train", f"s3://{BUCKET}/{FIRST}"),)))
    ours = yard(watch, [*old(), live])
    quarantined(ours)
    held = tagged(ours)
    ours.account.clock.advance(2 * HOUR)
    ours.account.run("jobs")
    assert released(ours) == len(held[FIRST])
    assert tagged(ours) == {prefix: keys for prefix, keys in held.items() if prefix != FIRST}


def test_facts_that_are_merely_old_release_nothing(watch: Watch) -> None:
    ours = yard(watch, old())
    quarantined(ours)
    held = tagged(ours)
    ours.account.clock.advance(5 * DAY)
    assert released(ours) == 0
    assert tagged(ours) == held


def test_another_scope_releases_nothing(watch: Watch) -> None:
    ours = yard(watch, old())
    quarantined(ours)
    deploy(ours, f"s3://{BUCKET}/{FIRST}")
    assert released(ours, (DEFAULT_ACCOUNT, "eu-west-1")) == 0
    assert FIRST in tagged(ours)


def test_a_tag_that_cannot_be_taken_off_is_said_and_tried_again(watch: Watch) -> None:
    ours = yard(watch, old())
    plan_id = quarantined(ours)
    held = tagged(ours)
    deploy(ours, f"s3://{BUCKET}/{FIRST}")
    ours.account.aws.faults.deny("PutObjectTagging")
    assert released(ours) == 0
    assert "s3:PutObjectTagging" in audited(ours)[0].events[-1][1]
    assert ours.states(plan_id)["tagged"] == sum(map(len, held.values()))
    ours.account.aws.faults.clear()
    assert released(ours) == len(held[FIRST])
    assert FIRST not in tagged(ours)


def test_what_is_gone_by_now_needs_no_release(watch: Watch) -> None:
    ours = yard(watch, old())
    plan_id = quarantined(ours)
    key = min(tagged(ours)[FIRST])
    ours.account.clients().s3.delete_object(Bucket=BUCKET, Key=key)
    deploy(ours, f"s3://{BUCKET}/{key}")
    assert released(ours) == 0
    assert ours.states(plan_id)["released"] == 1
    assert audited(ours)[0].events[-1][1] == "0 released, 0 failed"


def test_a_tag_that_a_killed_apply_did_not_write_down_is_taken_off_too(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = yard(watch, old())
    plan_id = ours.plan("quarantine")
    cut_short(ours, plan_id, monkeypatch)
    held = tagged(ours)
    assert "tagged" not in ours.states(plan_id)
    deploy(ours, f"s3://{BUCKET}/models/")
    assert released(ours) == 0, "whoever applies it may be at it"
    ours.account.clock.advance(HOLD + MINUTE)
    assert released(ours) == sum(len(keys) for prefix, keys in held.items() if prefix.startswith("models/"))
    assert {prefix for prefix in tagged(ours) if prefix.startswith("models/")} == set()


@pytest.mark.parametrize(
    ("collector", "outcome", "is_released"), [("models", "ok", True), ("jobs", "ok", False), ("models", "held", False)]
)
def test_the_worker_releases_after_it_has_looked_at_models(watch: Watch, collector: str, outcome: Any, is_released: bool) -> None:
    ours = yard(watch, old())
    quarantined(ours)
    deploy(ours, f"s3://{BUCKET}/{FIRST}")
    clients = ours.account.clients()
    looker = Looker(ours.engine, ours.settings, clients.target, ours.account.now, Teller(ours.settings, ours.engine, ours.account.now))
    looker.after(replace(ours.account.run(collector), outcome=outcome))
    assert (FIRST not in tagged(ours)) is is_released
