"""What pages ask of our database about operations: findings, stops, what could be stopped, tuning jobs, the audit log.

As in `ui.reads`, each read is cached under the version of the data, and whatever an answer depends on is an argument.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import streamlit as st

from domain.cleaning_diff import ItemChange
from domain.findings.series import Series
from domain.leftovers import Bucket
from domain.stopping import StopTarget
from storage import cleaning, leftover_months, messages
from storage.engine import reading
from storage.leftovers import buckets_known
from storage.samples import read_series
from storage.stops import OpenStop, open_stops_by_identity
from storage.views import audit, burn, coverage, findings, targets, tuning
from ui.reads import KEPT, engine, now, version

WEEK = timedelta(days=7)
SERIES_BACK = timedelta(days=7)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _open_findings(data: int, teams: tuple[str, ...]) -> list[findings.FindingRow]:
    with reading(engine()) as connection:
        return findings.open_findings(connection, teams)


def open_findings(teams: Sequence[str] = ()) -> list[findings.FindingRow]:
    """Open findings, critical ones first, then by what each burns."""
    return _open_findings(version(), tuple(teams))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _unjudged(data: int, teams: tuple[str, ...]) -> list[findings.Unjudged]:
    with reading(engine()) as connection:
        return findings.unjudged_counts(connection, teams)


def unjudged(teams: Sequence[str] = ()) -> list[findings.Unjudged]:
    """What cannot be judged of live jobs, and why."""
    return _unjudged(version(), tuple(teams))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _waste(data: int, teams: tuple[str, ...], at: datetime) -> list[tuple[datetime, int]]:
    with reading(engine()) as connection:
        return burn.waste_history(connection, at, teams)


def waste_history(teams: Sequence[str] = ()) -> list[tuple[datetime, int]]:
    """What burned for nothing over the last 24 hours, at the moments of `reads.burn_history`."""
    moment = now()
    return _waste(version(), tuple(teams), moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _targets(data: int, job_ids: tuple[int, ...]) -> dict[int, StopTarget]:
    with reading(engine()) as connection:
        return targets.targets_by_id(connection, job_ids)


def stop_targets(job_ids: Sequence[int]) -> dict[int, StopTarget]:
    """What stopping each of these jobs would mean."""
    return _targets(version(), tuple(job_ids))


def tuning_target(name: str, account: str, region: str, created: str | None) -> StopTarget | None:
    """What stopping a tuning job would mean; asked anew, since it is asked for once, right before that."""
    with reading(engine()) as connection:
        found = targets.tuning_targets(connection, name, account, region, created)
    return found[0] if found else None


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _findings_of(data: int, job_id: int) -> tuple[list[findings.FindingRow], dict[str, str]]:
    with reading(engine()) as connection:
        return findings.findings_of(connection, job_id), findings.unjudged_of(connection, job_id)


def findings_of(job_id: int) -> tuple[list[findings.FindingRow], dict[str, str]]:
    """Every finding there has been on a job, and the rules that cannot be judged of it, with the reason."""
    return _findings_of(version(), job_id)


@st.cache_data(max_entries=16, show_spinner=False)
def _series(data: int, job_id: int, since: datetime) -> dict[tuple[int, str], Series]:
    with reading(engine()) as connection:
        hosts = read_series(connection, [job_id], since, own=False).get(job_id, {})
        return hosts | read_series(connection, [job_id], since, own=True).get(job_id, {})


def series_of(job_id: int, until: datetime) -> dict[tuple[int, str], Series]:
    """What a job's hosts and its own metrics reported in the week before an instant, by (host, metric); host 0 is the job."""
    return _series(version(), job_id, until - SERIES_BACK)


def stops_under_way() -> dict[tuple[str, str, str, str, int], OpenStop]:
    """What was asked to stop and has not stopped, by kind, account, region, name and creation; asked anew: it changes by clicks."""
    with reading(engine()) as connection:
        return open_stops_by_identity(connection)


@st.cache_data(max_entries=8, show_spinner=False)
def _stops_since(data: int, since: datetime) -> audit.StopsSummary:
    with reading(engine()) as connection:
        return audit.stops_since(connection, since)


def stops_this_week() -> audit.StopsSummary:
    """Stops that came to their end in the last seven days, to the hour."""
    return _stops_since(version(), (now() - WEEK).replace(minute=0, second=0, microsecond=0))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _tuning(data: int, teams: tuple[str, ...]) -> list[tuning.TuningRow]:
    with reading(engine()) as connection:
        return tuning.tuning_rows(connection, teams)


def tuning_rows(teams: Sequence[str] = ()) -> list[tuning.TuningRow]:
    """Tuning jobs, live ones first."""
    return _tuning(version(), tuple(teams))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _audit(data: int, limit: int, offset: int, text: str) -> list[audit.AuditRow]:
    with reading(engine()) as connection:
        return audit.audit_rows(connection, limit, offset, text)


def audit_rows(limit: int, offset: int = 0, text: str = "") -> list[audit.AuditRow]:
    """Actions and refusals, newest first."""
    return _audit(version(), limit, offset, text)


def untold_messages() -> list[messages.Untold]:
    """Messages of the last week that did not reach their channel, newest first."""
    with reading(engine()) as connection:
        return messages.recent_problems(connection, now() - WEEK)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _team_coverage(data: int, teams: tuple[str, ...], at: datetime) -> list[coverage.TeamCoverage]:
    with reading(engine()) as connection:
        return coverage.team_coverage(connection, at, teams)


def team_coverage(teams: Sequence[str] = ()) -> list[coverage.TeamCoverage]:
    """How much of each team's spot work of the last 30 days could be resumed."""
    return _team_coverage(version(), tuple(teams), now().replace(minute=0, second=0, microsecond=0))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _live_coverage(data: int, teams: tuple[str, ...]) -> list[coverage.JobCoverage]:
    with reading(engine()) as connection:
        return coverage.live_coverage(connection, teams)


def live_coverage(teams: Sequence[str] = ()) -> list[coverage.JobCoverage]:
    """Live jobs that are spot or want checkpoints."""
    return _live_coverage(version(), tuple(teams))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _coverage_days(data: int, teams: tuple[str, ...], at: datetime) -> dict[date, tuple[int, int]]:
    with reading(engine()) as connection:
        return coverage.coverage_days(connection, at, teams)


def coverage_days(teams: Sequence[str] = ()) -> dict[date, tuple[int, int]]:
    """Covered and all spot jobs of each of the last 30 days."""
    return _coverage_days(version(), tuple(teams), now().replace(minute=0, second=0, microsecond=0))


@st.cache_data(max_entries=4, show_spinner=False)
def _leftover_costs(data: int, at: datetime) -> list[leftover_months.LeftoverMonth]:
    with reading(engine()) as connection:
        return leftover_months.leftover_months(connection, at)


def leftover_costs() -> list[leftover_months.LeftoverMonth]:
    """What training left in S3, by team and kind, with what it costs a month."""
    return _leftover_costs(version(), now().replace(minute=0, second=0, microsecond=0))


def leftovers_before(teams: Sequence[str] = ()) -> tuple[date, int] | None:
    """What leftovers cost a month four weeks ago, or when they were first looked at after that, with the day; None without any before."""
    with reading(engine()) as connection:
        return leftover_months.leftovers_since(connection, (now() - 4 * WEEK).date(), teams)


def buckets() -> list[Bucket]:
    """Every bucket that was looked at, by name."""
    with reading(engine()) as connection:
        return sorted(buckets_known(connection).values(), key=lambda one: one.name)


def deleted_since(teams: Sequence[str] = ()) -> cleaning.Tally:
    """What was deleted since the buckets were last looked at, and so is still counted; asked anew."""
    with reading(engine()) as connection:
        return cleaning.deleted_since_looked(connection, teams)


def clean_plans() -> list[cleaning.PlanHead]:
    """The newest plans to clean; asked anew, since they change by clicks."""
    with reading(engine()) as connection:
        return cleaning.plan_heads(connection)


def clean_plan(plan_id: int) -> tuple[list[cleaning.PlannedItem], dict[str, cleaning.Tally]]:
    """The items of a plan, and how many of its objects are in which state."""
    with reading(engine()) as connection:
        return cleaning.plan_items(connection, plan_id), cleaning.tallies(connection, plan_id)


def clean_changes(head: cleaning.PlanHead, items: Sequence[cleaning.PlannedItem]) -> tuple[cleaning.PlanHead, list[ItemChange]] | None:
    """The plan before, and what is different since."""
    with reading(engine()) as connection:
        return cleaning.changes_since(connection, head, items)


def could_come_back(plan_id: int) -> bool:
    """Whether objects of a plan are known to lie under our delete markers."""
    with reading(engine()) as connection:
        return cleaning.has_markers(connection, plan_id)


def clean_objects(plan_id: int, number: int, limit: int) -> list[cleaning.PlannedObject]:
    """The first objects of an item of a plan."""
    with reading(engine()) as connection:
        return cleaning.plan_objects(connection, plan_id, number, limit=limit)
