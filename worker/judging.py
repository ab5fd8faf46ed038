"""Findings brought up to date after each collection, from facts that are already collected."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from domain.findings.judge import judged
from domain.findings.situation import Situation
from settings import Settings
from storage.engine import Connection, Engine, reading, writing
from storage.facts import watched_ids
from storage.findings import Change, JudgedJob, Money, close_of_ended, record_findings
from storage.views.situations import Placed, situations

Told = Callable[[Sequence[Change], Connection], None]


def judge_scope(
    engine: Engine, settings: Settings, scope_row: int, now: datetime, told: Told = lambda _changes, _connection: None
) -> list[Change]:
    """Judges every job of a scope that was looked at lately, and records what changed; older facts are not judged.

    `told` is told of the changes in the transaction that records them, so that no crash loses a message.
    """
    fresh_since = now - timedelta(minutes=settings.runaway.stale_minutes)
    longest = max([settings.runaway.diverged_minutes, *(team.diverged_minutes or 0 for team in settings.runaway.teams)])
    with reading(engine) as connection:
        placed = situations(connection, scope_row, fresh_since, timedelta(minutes=2 * longest + 360))
        watched = watched_ids(connection, scope_row)
    found = [_judged(one, settings) for one in placed]
    with writing(engine) as connection:
        changes = record_findings(connection, scope_row, found, now) + close_of_ended(connection, scope_row, watched, now)
        told(changes, connection)
    return changes


def _judged(one: Placed, settings: Settings) -> JudgedJob:
    result = judged(one.situation, settings.thresholds(one.team))
    return JudgedJob(one.job_id, one.team, result.findings, result.unjudged, money(one.situation), one.situation.now, result.silenced)


def money(situation: Situation) -> Money:
    """The job's money as findings carry it; a warm pool burns its instances' list price."""
    if not situation.job.is_live:
        return Money(None, situation.list_rate_nusd if situation.job.warm_pool_status == "Available" else None, None)
    accrued, left = situation.accruing_nusd, situation.left_nusd()
    return Money(accrued, situation.burn_nusd, None if accrued is None or left is None else accrued + left)
