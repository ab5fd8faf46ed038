"""Policies carried out after each judging: off by default, and no more than settings allow."""

import logging
from collections.abc import Callable
from datetime import timedelta

from actions.reach import Reach
from actions.stopping import execute, refuse
from domain.access import Person, Refusal
from domain.policy import Policy, Standing, next_step
from domain.stopping import StopLimits, plan_stop
from settings import PolicySettings, Settings
from storage.audit import Entry, append
from storage.engine import Engine, reading, writing
from storage.policies import record_step, steps_taken, stops_since
from storage.stops import open_stops
from storage.views.findings import FindingRow, open_findings
from storage.views.joblist import tag_keys
from storage.views.targets import targets_by_id
from worker.clock import Clock

HOUR = timedelta(hours=1)
Tell = Callable[[str, PolicySettings, FindingRow], None]
log = logging.getLogger("trainwatch.worker")


def policy_from(own: PolicySettings) -> Policy:
    """The policy of a settings section."""
    return Policy(
        own.name, frozenset(own.rules), frozenset(own.teams), own.dry_run, timedelta(minutes=own.evidence_minutes),
        timedelta(minutes=own.warn_minutes), timedelta(minutes=own.grace_minutes), frozenset(own.exempt_tags), own.max_stops_per_hour,
    )  # fmt: skip


class Policies:
    """The enabled policies of the settings; `tell` is told of each step that is taken."""

    def __init__(self, engine: Engine, settings: Settings, reach: Reach, now: Clock, tell: Tell) -> None:
        self._engine, self._settings, self._reach, self._now, self._tell = engine, settings, reach, now, tell
        self._enabled = [own for own in settings.policies if own.enabled]

    def apply(self, scope: tuple[str, str]) -> None:
        """Takes the steps that are due in a scope (account and region), one at a time."""
        if not self._enabled:
            return
        with reading(self._engine) as connection:
            rows = [row for row in open_findings(connection) if (row.account, row.region) == scope]
            stopping = {stop.name for stop in open_stops(connection) if stop.kind == "training_job"}
            tags = tag_keys(connection, [row.job_id for row in rows])
        for own in self._enabled:
            with reading(self._engine) as connection:
                taken = steps_taken(connection, [row.finding_id for row in rows], own.name, dry_run=own.dry_run)
            for row in rows:
                moment = self._now()
                is_stopping = row.job in stopping or row.status != "InProgress"
                standing = Standing(
                    row.rule, row.team, row.since, row.judged_at, row.is_quiet(moment), is_stopping, tags.get(row.job_id, frozenset()),
                    taken[row.finding_id],
                )  # fmt: skip
                self._take(own, row, standing)

    def _take(self, own: PolicySettings, row: FindingRow, standing: Standing) -> None:
        policy, now = policy_from(own), self._now()
        stale_after = timedelta(minutes=self._settings.runaway.stale_minutes)
        step = next_step(policy, standing, 0, stale_after, now)
        if step == "stopped":
            with reading(self._engine) as connection:
                stopped = stops_since(connection, own.name, now - HOUR, dry_run=own.dry_run)
            step = next_step(policy, standing, stopped, stale_after, now)
        if step == "stopped":
            self._stop(own, row)
        elif step in ("warned", "warned_again"):
            self._note(own, row, step, "")

    def _stop(self, own: PolicySettings, row: FindingRow) -> None:
        """Stops the job through the same plan, audit and fresh look as everybody; in a dry run writes down that it would have."""
        person = Person(f"policy {own.name}", "admin", via="policy")
        reason = f"{row.rule}: {row.evidence}"
        if own.dry_run:
            entry = Entry(
                self._now(), person, "stop", row.job, "dry run: it would have been stopped", reason, row.account, row.region, row.team
            )
            if self._note(own, row, "stopped", "dry run"):
                with writing(self._engine) as connection:
                    append(connection, entry)
            return
        with reading(self._engine) as connection:
            target = targets_by_id(connection, [row.job_id]).get(row.job_id)
        limits = StopLimits(1, self._settings.runaway.stale_minutes)
        plan = plan_stop([target] if target else [], person, reason, limits, self._now())
        if isinstance(plan, Refusal):
            if self._note(own, row, "stopped", f"refused: {plan.why}"):
                refuse(self._engine, person, row.job, reason, plan, self._now(), target)
            return
        result = execute(plan, self._engine, self._reach, self._now)[0]
        if result.outcome == "failed":
            log.warning("policy %s could not stop %s: %s", own.name, row.job, result.words)
            with writing(self._engine) as connection:
                record_step(connection, row.finding_id, own.name, "failed", self._now(), result.words, dry_run=False)
            return
        self._note(own, row, "stopped", f"{result.outcome}: {result.words}")

    def _note(self, own: PolicySettings, row: FindingRow, step: str, note: str) -> bool:
        """Writes a step down and tells of it; False, and nothing told, where another process was quicker."""
        with writing(self._engine) as connection:
            fresh = record_step(connection, row.finding_id, own.name, step, self._now(), note, dry_run=own.dry_run)
        if fresh:
            self._tell(step, own, row)
        return fresh
