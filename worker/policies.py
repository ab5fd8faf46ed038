"""Policies carried out after each judging: off by default, and no more than settings allow."""

import logging
from collections.abc import Callable
from datetime import timedelta

from actions.reach import Reach
from actions.stopping import execute, refuse
from aws.errors import AwsError, CredentialsUnusable
from collectors.describing import tags_of
from domain.access import Person, Refusal
from domain.policy import Policy, Standing, next_step
from domain.stopping import StopLimits, StopPlan, plan_stop
from settings import PolicySettings, Settings
from storage.audit import Entry, append
from storage.engine import Connection, Engine, reading, writing
from storage.policies import give_turn_back, record_step, steps_taken, stops_since, take_turn
from storage.stops import open_stops
from storage.views.findings import FindingRow, findings_by_id, open_findings
from storage.views.joblist import tag_keys
from storage.views.targets import targets_by_id
from worker.clock import Clock

HOUR = timedelta(hours=1)
WARNINGS = {"warned": "warned", "warned_again": "warned again: the next step stops it"}
Tell = Callable[[str, PolicySettings, FindingRow, Connection], None]  # in the transaction that writes the step down
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

    def apply(self, scope: tuple[str, str], alive: Callable[[], None] = lambda: None) -> None:
        """Takes the steps that are due in a scope (account and region), one at a time; `alive` is called before each that asks AWS."""
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
                self._take(own, row, standing, alive)

    def _take(self, own: PolicySettings, row: FindingRow, standing: Standing, alive: Callable[[], None]) -> None:
        policy, now = policy_from(own), self._now()
        stale_after = timedelta(minutes=self._settings.runaway.stale_minutes)
        step = next_step(policy, standing, 0, stale_after, now)
        if step == "stopped":
            with reading(self._engine) as connection:
                stopped = stops_since(connection, own.name, now - HOUR, besides=row.finding_id, dry_run=own.dry_run)
            step = next_step(policy, standing, stopped, stale_after, now)
        if step == "stopped":
            alive()
            self._stop(own, row)
        elif step in ("warned", "warned_again"):
            self._note(own, row, step, "")

    def _stop(self, own: PolicySettings, row: FindingRow) -> None:
        """Stops the job through the same plan, audit and fresh look as everybody; in a dry run writes down that it would have."""
        person = Person(f"policy {own.name}", "admin", via="policy")
        reason = f"{row.rule}: {row.evidence}"
        with reading(self._engine) as connection:
            target = targets_by_id(connection, [row.job_id]).get(row.job_id)
        limits = StopLimits(1, self._settings.runaway.stale_minutes)
        plan = plan_stop([target] if target else [], person, reason, limits, self._now())
        if isinstance(plan, Refusal):
            if self._note(own, row, "refused", plan.why):
                refuse(self._engine, person, row.job, reason, plan, self._now(), target)
        elif own.dry_run:
            self._note(own, row, "stopped", "dry run")
        elif self._holds(row) and not self._is_exempt(own, row, plan) and self._take_turn(own, row):
            self._execute(own, row, plan)

    def _holds(self, row: FindingRow) -> bool:
        """Whether the finding is what it was a moment ago: open, put aside by nobody, and its job not being stopped by anybody."""
        with reading(self._engine) as connection:
            found = findings_by_id(connection, [row.finding_id]).get(row.finding_id)
            stopping = any(stop.job_id == row.job_id for stop in open_stops(connection))
        return found is not None and found.closed_at is None and not found.is_quiet(self._now()) and not stopping

    def _is_exempt(self, own: PolicySettings, row: FindingRow, plan: StopPlan) -> bool:
        """Whether a tag exempts the job as AWS has it now: AWS tells of a changed tag late, and nobody would be stopped for that.

        Where the tags cannot be told the job is left alone too, and looked at again later. Source: ListTags.
        """
        try:
            clients = self._reach.reading(row.account, row.region)
            clients.verify_account()
            keys = {str(tag.get("Key")).casefold() for tag in tags_of(clients, plan.targets[0].arn)}
        except AwsError as error:
            if isinstance(error, CredentialsUnusable):
                self._reach.forget()
            why = Refusal("tags_unknown", f"whether a tag exempts it could not be told: {error}")
            self._note(own, row, "failed", why.why)
            refuse(self._engine, plan.person, row.job, plan.reason, why, self._now(), plan.targets[0])
            return True
        exempt = keys & {tag.casefold() for tag in own.exempt_tags}
        if exempt:
            self._record(own, row, "failed", f"the job is exempt by its tag {min(exempt)}")
        return bool(exempt)

    def _take_turn(self, own: PolicySettings, row: FindingRow) -> bool:
        now = self._now()
        with writing(self._engine) as connection:
            return take_turn(connection, row.finding_id, own.name, now, now - HOUR, own.max_stops_per_hour)

    def _execute(self, own: PolicySettings, row: FindingRow, plan: StopPlan) -> None:
        """Carries a plan out; told is a stop of its own alone, and what did not come about is tried again."""
        result = execute(plan, self._engine, self._reach, self._now)[0]
        note = f"{result.outcome}: {result.words}"
        if result.outcome == "stopping":
            self._note(own, row, "stopped", note)
            return
        with writing(self._engine) as connection:
            give_turn_back(connection, row.finding_id, own.name)
        if result.outcome == "already_ended":
            self._record(own, row, "stopped", note)
            return
        self._note(own, row, "failed", note)
        if not result.is_done:
            log.warning("policy %s could not stop %s: %s", own.name, row.job, result.words)

    def _note(self, own: PolicySettings, row: FindingRow, step: str, note: str) -> bool:
        """Writes a step down and has it told; False, and nothing told, where another process was quicker."""
        return self._record(own, row, step, note, tell=self._tell)

    def _record(self, own: PolicySettings, row: FindingRow, step: str, note: str, tell: Tell | None = None) -> bool:
        """Writes a step down, with what is told of it, so that no crash comes between; what a person would read in the audit log too.

        A stop in earnest is there already, from the action itself.
        """
        with writing(self._engine) as connection:
            fresh = record_step(connection, row.finding_id, own.name, step, self._now(), note, dry_run=own.dry_run)
            if fresh and (step in WARNINGS or (step == "stopped" and own.dry_run)):
                append(connection, self._entry(own, row, step))
            if fresh and tell is not None:
                tell(step, own, row, connection)
        return fresh

    def _entry(self, own: PolicySettings, row: FindingRow, step: str) -> Entry:
        person = Person(f"policy {own.name}", "admin", via="policy")
        if step == "stopped":
            action, reason, words = "stop", f"{row.rule}: {row.evidence}", "it would have been stopped"
        else:
            action, reason, words = "warn", row.evidence, WARNINGS[step]
        words = f"{'dry run: ' if own.dry_run else ''}{words}"
        return Entry(self._now(), person, action, row.job, words, reason, row.account, row.region, row.team)
