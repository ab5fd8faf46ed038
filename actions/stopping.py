"""Stops what a plan says: authorised again, looked at again, audited, then asked of AWS. The same plan twice acts once."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from actions.looking import Look, ask_to_stop, look
from actions.reach import Reach
from aws.errors import AwsError, CredentialsUnusable, CutOff, asked_again
from aws.session import Clients
from domain.access import Person, Refusal, may_act
from domain.scope import Scope
from domain.stopping import STOPPABLE_STATUSES, StopPlan, StopTarget
from domain.training_job import ENDED
from storage.audit import Entry, append
from storage.engine import Engine, writing
from storage.facts import scope_id
from storage.stops import Claim, OpenStop, advance, claim

Clock = Callable[[], datetime]
Outcome = Literal["stopping", "already_stopping", "already_ended", "refused", "failed"]
_UNDER_WAY = {"claimed": "AWS is being asked", "stopping": "it is stopping"}
log = logging.getLogger("trainwatch.actions")


@dataclass(frozen=True, slots=True)
class StopResult:
    """What became of one target, in words; statuses as AWS last said them, None where it could not be asked."""

    target: StopTarget
    outcome: Outcome
    words: str
    before: str | None
    after: str | None
    audit_id: int

    @property
    def is_done(self) -> bool:
        """Whether it is stopping, or there is nothing left to stop."""
        return self.outcome in ("stopping", "already_stopping", "already_ended")


def refuse(
    engine: Engine, person: Person, what: str, reason: str, refusal: Refusal, now: datetime, target: StopTarget | None = None
) -> int:
    """Writes down that a plan was refused, and why; returns the audit row."""
    entry = Entry(now, person, "stop", what, f"refused: {refusal.why}", reason, after={"refused": refusal.code})
    if target is not None:
        entry = replace(entry, account=target.account, region=target.region, team=target.team)
    with writing(engine) as connection:
        return append(connection, entry)


def execute(plan: StopPlan, engine: Engine, reach: Reach, now: Clock) -> list[StopResult]:
    """Stops the plan's targets one after another, each by itself; whatever AWS says of one is told in words and ends only that one.

    A plan of more targets than one action may stop is refused whole, whoever made it.
    """
    if len(plan.targets) > reach.max_jobs:
        why = f"{len(plan.targets)} jobs are more than the {reach.max_jobs} that one action may stop ([actions] max_jobs)"
        return [_Stop(target, plan, engine, reach, now).refused(why) for target in plan.targets]
    return [_Stop(target, plan, engine, reach, now).execute() for target in plan.targets]


class _Stop:
    """One target of a plan on its way."""

    def __init__(self, target: StopTarget, plan: StopPlan, engine: Engine, reach: Reach, now: Clock) -> None:
        self._target, self._plan, self._engine, self._reach, self._now = target, plan, engine, reach, now
        self._entry = Entry(
            now(), plan.person, "stop" if target.kind == "training_job" else "stop_tuning", target.arn, "asked", plan.reason,
            target.account, target.region, target.team,
        )  # fmt: skip

    def execute(self) -> StopResult:
        """Never raises for what AWS says; raises when the database cannot be written, before AWS was asked."""
        refusal = may_act(self._plan.person, self._target.team)
        if refusal is not None:
            return self.refused(refusal.why)
        try:
            clients = self._reach.of(self._target.account, self._target.region)
            self._entry = replace(self._entry, caller=clients.caller())
            seen = look(clients, self._target.kind, self._target.name)
        except AwsError as error:
            self._forget_credentials(error)
            return self.refused(f"it could not be looked at again, so nothing was done: {_in_words(error)}")
        if seen is None:
            return self._ended("AWS no longer lists it; there was nothing left to stop", None)
        if seen.created_second != int(self._target.created_at.timestamp()):
            return self.refused("another job has this name now: it was created at another time than the one you saw")
        if seen.status in ENDED:
            return self._ended(f"it had ended meanwhile ({seen.status})", seen)
        if seen.status not in STOPPABLE_STATUSES:
            return self.refused(f"it is in a state that is not known here ({seen.status}): stop it in the AWS console")
        return self._claimed(clients, seen)

    def _claimed(self, clients: Clients, seen: Look) -> StopResult:
        """The audit row and the right to ask AWS in one transaction: whoever comes second finds both."""
        target = self._target
        with writing(self._engine) as connection:
            row = scope_id(connection, Scope(target.account, target.region, clients.target.scope.name))
            audit_id = append(connection, replace(self._entry, before=_state(seen)))
            wanted = Claim(
                audit_id, row, target.kind, target.name, int(target.created_at.timestamp()), self._plan.person.name, target.team,
                target.avoided_nusd, target.work_lost_nusd,
            )  # fmt: skip
            held = claim(connection, wanted, self._now())
            if isinstance(held, OpenStop):
                words = f"{held.by} asked at {held.asked_at:%H:%M} UTC already, and {_UNDER_WAY.get(held.state, f'it is {held.state}')}"
                append(connection, replace(self._entry, at=self._now(), outcome=f"joined: {words}", follows=audit_id))
            elif held.abandoned is not None:
                words = f"abandoned: whoever asked ended before saying what came of it; taken over by entry {audit_id}"
                append(connection, replace(self._entry, at=self._now(), outcome=words, follows=held.abandoned))
        if isinstance(held, OpenStop):
            return self._result("already_stopping", words, seen, seen.status, audit_id)
        return self._asked(clients, seen, audit_id, held.stop_id)

    def _asked(self, clients: Clients, seen: Look, audit_id: int, stop_id: int) -> StopResult:
        try:
            if seen.status == "InProgress":
                ask_to_stop(clients, self._target.kind, self._target.name)
        except AwsError as error:
            self._forget_credentials(error)
            return self._not_granted(clients, seen, audit_id, stop_id, error)
        now_seen = self._look_again(clients)
        words = "it was stopping already" if seen.status == "Stopping" else "AWS was asked and stops it"
        outcome: Outcome = "already_stopping" if seen.status == "Stopping" else "stopping"
        return self._over(audit_id, stop_id, "stopping", outcome, words, seen, now_seen)

    def _not_granted(self, clients: Clients, seen: Look, audit_id: int, stop_id: int, error: AwsError) -> StopResult:
        """What an error came to, by how it is now: it may have ended, or AWS may have acted and its answer was lost."""
        words = _in_words(error)
        try:
            now_seen = look(clients, self._target.kind, self._target.name)
        except AwsError as blind:
            log.warning("after the request: %s", blind)
            return self._over(audit_id, stop_id, "failed", "failed", words, seen, None)
        if now_seen is None or now_seen.created_second != seen.created_second or now_seen.status in ENDED:
            return self._over(audit_id, stop_id, "already_ended", "already_ended", "it had ended meanwhile", seen, now_seen)
        if now_seen.status == "Stopping":
            return self._over(audit_id, stop_id, "stopping", "stopping", f"AWS stops it, though not all went well: {words}", seen, now_seen)
        return self._over(audit_id, stop_id, "failed", "failed", words, seen, now_seen)

    def _forget_credentials(self, error: AwsError) -> None:
        """Those that have proved unusable may have been renewed where they come from: the next stop reads them anew."""
        if isinstance(error, CredentialsUnusable):
            self._reach.forget()

    def _look_again(self, clients: Clients) -> Look | None:
        """How it is after the request; that this cannot be told changes nothing about what was asked."""
        try:
            return look(clients, self._target.kind, self._target.name)
        except AwsError as error:
            log.warning("after the request: %s", error)
            return None

    def _over(self, audit_id: int, stop_id: int, state: str, outcome: Outcome, words: str, before: Look, after: Look | None) -> StopResult:
        with writing(self._engine) as connection:
            said = f"{outcome}: {words}"
            append(connection, replace(self._entry, at=self._now(), outcome=said, follows=audit_id, after=_state(after) if after else None))
            advance(connection, stop_id, state, self._now(), ended=state != "stopping")
        return self._result(outcome, words, before, after.status if after else None, audit_id)

    def refused(self, why: str) -> StopResult:
        with writing(self._engine) as connection:
            audit_id = append(connection, replace(self._entry, outcome=f"refused: {why}"))
        return StopResult(self._target, "refused", why, None, None, audit_id)

    def _ended(self, words: str, seen: Look | None) -> StopResult:
        with writing(self._engine) as connection:
            audit_id = append(connection, replace(self._entry, outcome=f"already_ended: {words}", after=_state(seen) if seen else None))
        status = seen.status if seen else None
        return StopResult(self._target, "already_ended", words, status, status, audit_id)

    def _result(self, outcome: Outcome, words: str, before: Look, after: str | None, audit_id: int) -> StopResult:
        return StopResult(self._target, outcome, words, before.status, after, audit_id)


def _in_words(error: AwsError) -> str:
    """What AWS said, without promising that anybody asks again."""
    words = asked_again(error, "stop it again")
    return f"{words}; whether AWS got the request is not known" if isinstance(error, CutOff) else words


def _state(seen: Look) -> Mapping[str, Any]:
    return {"status": seen.status, "secondary_status": seen.secondary_status}
