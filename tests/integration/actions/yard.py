"""A yard to clean: a simulated account with leftovers in the books, and the plans made of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

import actions.cleaning
from actions.cleaning import CleanReport, apply_plan
from actions.planning import make_plan
from actions.reach import Reach
from actions.undoing import UndoReport, undo_plan
from demo.plan import JobPlan
from domain.access import Person, Refusal
from storage.cleaning import PlanHead, PlannedItem, changes_since, plan_head, plan_items, plan_objects, tallies
from storage.engine import reading
from storage.views.audit import audit_rows
from tests.integration.actions.conftest import ADMIN
from tests.integration.collectors.conftest import Watch
from tests.integration.collectors.watching import DAY, HOUR, Watched, lasting, leaving

BUCKET = "acme-sm-rc-fraud"
TEAMS = [{"id": "rc", "projects": ["fraud", "credit"]}, {"id": "nlp", "projects": ["llm"]}]


def job(name: str, created: timedelta = 40 * DAY, bucket: str = BUCKET, **members: Any) -> JobPlan:
    """A job that left something behind."""
    return leaving(name, created, bucket, **members)


class Yard:
    """An account with leftovers in the books, and the plans made of them."""

    def __init__(self, account: Watched) -> None:
        self.account, self.engine, self.settings = account, account.engine, account.settings
        self.reach = Reach(account.settings)
        self.look()

    def look(self) -> None:
        """Everything that a plan rests on, looked at now."""
        for collector in ("jobs", "models", "leftovers"):
            assert self.account.run(collector).outcome == "ok"

    def keys(self, bucket: str = BUCKET) -> dict[str, str]:
        """The bucket's objects now, with their ETags."""
        pages = self.account.clients().s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {one["Key"]: one["ETag"] for page in pages for one in page.get("Contents", [])}

    def uploads(self, bucket: str = BUCKET) -> set[str]:
        """The keys of the bucket's unfinished uploads."""
        return {one["Key"] for one in self.account.clients().s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])}

    def plan(self, mode: str = "delete", teams: tuple[str, ...] = (), person: Person = ADMIN) -> int:
        """A plan as of now, by somebody who may have one."""
        made = make_plan(self.engine, self.settings, self.reach, person, self.account.now(), teams, None, mode)
        assert isinstance(made, int), made
        return made

    def planned(self, plan_id: int) -> dict[str, set[str]]:
        """The keys of a plan by kind."""
        found: dict[str, set[str]] = {}
        with reading(self.engine) as connection:
            for one in plan_items(connection, plan_id):
                rows = plan_objects(connection, plan_id, one.number, None, limit=10_000_000)
                found.setdefault(one.item.kind, set()).update(row.stored.key for row in rows)
        return found

    def items(self, plan_id: int) -> list[PlannedItem]:
        with reading(self.engine) as connection:
            return plan_items(connection, plan_id)

    def head(self, plan_id: int) -> PlanHead:
        with reading(self.engine) as connection:
            head = plan_head(connection, plan_id)
        assert head is not None
        return head

    def since(self, plan_id: int) -> tuple[int, list[tuple[str, str, int, int, str]]] | None:
        """The plan before, and what is different since: what, its kind, objects, bytes and why."""
        with reading(self.engine) as connection:
            found = changes_since(connection, self.head(plan_id), plan_items(connection, plan_id))
        return found and (found[0].plan_id, [(one.what, one.kind, one.objects, one.bytes, one.why) for one in found[1]])

    def apply(self, plan_id: int, person: Person = ADMIN, **how: Any) -> CleanReport | Refusal:
        """Carries a plan out."""
        return apply_plan(self.engine, self.settings, self.reach, person, plan_id, self.account.now, **how)

    def applied(self, plan_id: int, **how: Any) -> CleanReport:
        """Carries a plan out that may be."""
        report = self.apply(plan_id, **how)
        assert isinstance(report, CleanReport), report
        return report

    def undo(self, plan_id: int, person: Person = ADMIN) -> UndoReport | Refusal:
        """Undoes a plan, or says why not."""
        return undo_plan(self.engine, self.reach, person, plan_id, self.account.now)

    def undone(self, plan_id: int) -> UndoReport:
        """Undoes a plan that may be."""
        report = self.undo(plan_id)
        assert isinstance(report, UndoReport), report
        return report

    def states(self, plan_id: int) -> dict[str, int]:
        with reading(self.engine) as connection:
            return {state: tally.objects for state, tally in tallies(connection, plan_id).items()}

    def outcomes(self) -> list[str]:
        """What the newest audit entry says, step by step."""
        with reading(self.engine) as connection:
            return [outcome for _, outcome in audit_rows(connection)[0].events]


def yard(watch: Watch, plans: Iterable[JobPlan], engine: Engine | None = None, states: Any = None, **sections: Any) -> Yard:
    """The yard of an account with these jobs."""
    account = watch(list(plans), engine, conventions={"company": "acme"}, teams=TEAMS, **sections)
    account.aws.buckets.update(states or {})
    return Yard(account)


def old() -> list[JobPlan]:
    """One job that ended long ago."""
    return [job("rc-fraud-1")]


def tags(ours: Yard, key: str) -> dict[str, str]:
    """An object's tags."""
    found = ours.account.clients().s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
    return {one["Key"]: one["Value"] for one in found}


def why(refusal: object) -> str:
    """Why somebody was refused."""
    assert isinstance(refusal, Refusal), refusal
    return refusal.why


def jobs() -> list[JobPlan]:
    """An old job, its look-alike that still runs, and one that ended lately."""
    return [job("rc-fraud-1"), job("rc-fraud-10", 2 * HOUR, phases=lasting(20)), job("rc-fraud-2", 10 * DAY)]


def cut_short(ours: Yard, plan_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Applies a plan in a process that ends after S3 was asked and before anything of it is written down."""

    def ending(*_: Any) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patched:
        patched.setattr(actions.cleaning, "mark", ending)
        with pytest.raises(SystemExit):
            ours.apply(plan_id)
