"""Checkpoint coverage: how much of spot work could be resumed, by team and day, and what interruptions have cost already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, or_, select

from domain.checkpoint import CheckpointFacts, CheckpointState, checkpoint_state, cost_of, risk_seconds
from domain.findings.situation import Situation
from domain.money import divided, known_sum
from storage.checkpoints import read_checkpoints
from storage.schema import jobs
from storage.schema_objects import checkpoints
from storage.views.live import LiveJob, live_jobs
from storage.views.situations import situations_of

PERIOD = timedelta(days=30)


@dataclass(slots=True)
class TeamCoverage:
    """A team's spot jobs with time in the period: how many, what they cost, how much of that is covered, and what is at risk now.

    Money is the sum of what is known, and None where nothing of it is. `unknown_jobs` are those whose state nobody could see,
    `unpriced_jobs` those without a price, `unknown_risks` the live ones of which nobody knows what they would lose. `lost_nusd` is
    what was trained again after interruptions, `untold` how many interrupted jobs we cannot say that of.
    """

    team: str
    spot_jobs: int = 0
    covered_jobs: int = 0
    unknown_jobs: int = 0
    unpriced_jobs: int = 0
    unknown_risks: int = 0
    spot_nusd: int | None = 0
    covered_nusd: int | None = 0
    risk_nusd: int | None = 0
    interruptions: int = 0
    lost_nusd: int | None = 0
    untold: int = 0

    @property
    def percent(self) -> float | None:
        """Covered jobs among all; None without any."""
        return 100 * self.covered_jobs / self.spot_jobs if self.spot_jobs else None

    @property
    def money_percent(self) -> float | None:
        """Covered money among all; None without any, or where it is not known."""
        return 100 * self.covered_nusd / self.spot_nusd if self.spot_nusd and self.covered_nusd is not None else None


@dataclass(frozen=True, slots=True)
class JobCoverage:
    """A live job with its checkpoint state: where it saves, how much lies there, and what would be lost now; None where not known."""

    job_id: int
    job: str
    account: str
    region: str
    created_at: datetime
    team: str
    capacity: str
    state: CheckpointState
    uri: str | None
    objects: int | None
    bytes: int | None
    last_written_at: datetime | None
    rhythm_seconds: int | None
    risk_seconds: int | None
    risk_nusd: int | None
    burn_nusd: int | None
    problem: str
    shared_with: tuple[str, ...] = field(default=())


class _Row(NamedTuple):
    team: str
    first: date
    last: date
    cost_nusd: int | None
    state: str
    lost_nusd: int | None
    interruptions: int


def team_coverage(connection: Connection, now: datetime, teams: Sequence[str] = ()) -> list[TeamCoverage]:
    """Each team's coverage over the last 30 days, the one with most spot money first."""
    rows: dict[str, list[_Row]] = {}
    for row in _rows(connection, now, teams):
        rows.setdefault(row.team, []).append(row)
    risks: dict[str, list[int | None]] = {}
    for job in live_coverage(connection, teams):
        if job.capacity == "spot":
            risks.setdefault(job.team, []).append(job.risk_nusd)
    found = [_team(team, rows.get(team, []), risks.get(team, [])) for team in rows.keys() | risks.keys()]
    return sorted(found, key=lambda one: (-(one.spot_nusd or 0), one.team))


def _team(team: str, rows: Sequence[_Row], risks: Sequence[int | None]) -> TeamCoverage:
    covered = [row for row in rows if row.state == "fresh"]
    interrupted = [row.lost_nusd for row in rows if row.interruptions]
    return TeamCoverage(
        team,
        spot_jobs=len(rows),
        covered_jobs=len(covered),
        unknown_jobs=sum(row.state == "unknown" for row in rows),
        unpriced_jobs=sum(row.cost_nusd is None for row in rows),
        unknown_risks=sum(risk is None for risk in risks),
        spot_nusd=known_sum(row.cost_nusd for row in rows),
        covered_nusd=known_sum(row.cost_nusd for row in covered),
        risk_nusd=known_sum(risks),
        interruptions=sum(row.interruptions for row in rows),
        lost_nusd=known_sum(interrupted),
        untold=sum(lost is None for lost in interrupted),
    )


def coverage_days(connection: Connection, now: datetime, teams: Sequence[str] = ()) -> dict[date, tuple[int, int]]:
    """Covered jobs and all spot jobs with time on each UTC day of the last 30, in order."""
    first = (now - PERIOD).date() + timedelta(days=1)
    days = {first + timedelta(days=offset): (0, 0) for offset in range((now.date() - first).days + 1)}
    for row in _rows(connection, now, teams):
        day = max(row.first, first)
        while day <= row.last and day in days:
            covered, whole = days[day]
            days[day] = covered + (row.state == "fresh"), whole + 1
            day += timedelta(days=1)
    return days


def live_coverage(connection: Connection, teams: Sequence[str] = ()) -> list[JobCoverage]:
    """Every live job that is spot or wants checkpoints, the most money at risk first, what is not known before that."""
    live = [job for job in live_jobs(connection, teams) if job.started_at is not None]
    ids = [job.job_id for job in live]
    placed, known = situations_of(connection, ids), read_checkpoints(connection, ids)
    rows = [_live(job, placed[job.job_id].situation, known.get(job.job_id)) for job in live]
    wanted = [row for row in rows if row.capacity == "spot" or row.state != "not_needed"]
    return sorted(wanted, key=lambda row: (row.risk_nusd is not None, -(row.risk_nusd or 0), row.job))


def _live(job: LiveJob, situation: Situation, facts: CheckpointFacts | None) -> JobCoverage:
    state = checkpoint_state(situation.job, situation.ran, facts)
    seconds = risk_seconds(situation.job, situation.ran, facts)
    saved = situation.checkpoint
    return JobCoverage(
        job.job_id, job.name, job.account, job.region, job.created_at, job.team, job.capacity, state, situation.job.checkpoint_uri,
        facts.objects if facts else None, facts.bytes if facts else None, saved.last_written_at if saved else None,
        saved.rhythm_seconds if saved else None, seconds, cost_of(seconds, situation.rate_nusd), job.accrual.burn_nusd_per_hour,
        facts.problem if facts else "nobody has looked yet", situation.shares_checkpoints_with,
    )  # fmt: skip


def _rows(connection: Connection, now: datetime, teams: Sequence[str]) -> Iterable[_Row]:
    """Spot jobs with time in the last 30 days, with the state that was found last."""
    table, since = jobs.c, datetime.combine((now - PERIOD).date() + timedelta(days=1), time(), UTC)
    statement = (
        select(
            table.id, table.team, table.started_at, table.ended_at, table.cost_nusd, table.compute_nusd, table.training_seconds,
            table.interruptions, table.is_live, checkpoints.c.state, checkpoints.c.lost_seconds,
        )
        .outerjoin(checkpoints, checkpoints.c.job_id == table.id)
        .where(table.capacity == "spot", table.started_at.is_not(None), or_(table.ended_at >= since, table.is_live))
    )  # fmt: skip
    if teams:
        statement = statement.where(table.team.in_(teams))
    live = {job.job_id: job for job in live_jobs(connection, teams)}
    for row in connection.execute(statement):
        yield _row(row, live, now)


def _row(row: Any, live: Mapping[int, LiveJob], now: datetime) -> _Row:
    one = live.get(row.id)
    cost = one.accrual.accruing_nusd if one else row.cost_nusd
    seconds = one.accrual.seconds if one else row.training_seconds
    spent = one.accrual.accruing_nusd if one else row.compute_nusd
    lost: int | None = None if row.interruptions else 0
    if row.interruptions and row.lost_seconds is not None and spent is not None:
        lost = divided(spent * row.lost_seconds, seconds) if row.lost_seconds and seconds else 0
    last = (row.ended_at or now).date()
    return _Row(row.team, row.started_at.date(), last, cost, row.state or "unknown", lost, row.interruptions)
