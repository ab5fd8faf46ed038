"""What pages ask of our database: each read cached under the version of the data, so that it is asked once per change.

Caches are shared by all visitors, so whatever an answer depends on is an argument, and none of these has a name that begins
with an underscore: Streamlit leaves such arguments out of the key. None of the caches grows without bound.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import streamlit as st

import settings as settings_module
from domain.attribution import UNATTRIBUTED
from domain.period import Period
from settings import Settings
from storage import migrate
from storage.engine import Engine, open_engine, reading
from storage.state import data_version
from storage.views import burn, collection, joblist, live, spend

KEPT = 256


@st.cache_resource(show_spinner=False)
def current_settings() -> Settings:
    """The settings of this server; they are read once, at its start."""
    return settings_module.load()


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """The database, brought up to date."""
    found = open_engine(current_settings().database.url)
    migrate.upgrade(found)
    return found


def version() -> int:
    """The version of the data, asked anew by every run of a page."""
    with reading(engine()) as connection:
        return data_version(connection)


def pulse() -> str:
    """Changes with the data and with every step of a collector's run: by it a page knows that what it shows is no longer new."""
    with reading(engine()) as connection:
        states = collection.collector_states(connection)
        return f"{data_version(connection)} {[(state.started_at.isoformat(), state.outcome, state.message) for state in states]}"


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def today() -> date:
    """The present UTC day, in which periods end."""
    return now().date()


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _spend_by(data: int, by: tuple[str, ...], period: Period, teams: tuple[str, ...]) -> dict[spend.Key, spend.Spend]:
    with reading(engine()) as connection:
        return spend.spend_by(connection, by, period, teams)


def spend_by(by: Sequence[str], period: Period, teams: Sequence[str] = ()) -> dict[spend.Key, spend.Spend]:
    """Spending by dimensions; see `storage.views.spend`."""
    return _spend_by(version(), tuple(by), period, tuple(teams))


def total(period: Period, teams: Sequence[str] = ()) -> spend.Spend:
    """All spending in a period, each job once."""
    return spend_by((), period, teams).get((), spend.NOTHING)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _live_jobs(data: int, teams: tuple[str, ...]) -> list[live.LiveJob]:
    with reading(engine()) as connection:
        return live.live_jobs(connection, teams)


def live_jobs(teams: Sequence[str] = ()) -> list[live.LiveJob]:
    """Jobs that have not ended, dearest per hour first."""
    return _live_jobs(version(), tuple(teams))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _burn_history(data: int, teams: tuple[str, ...], at: datetime) -> list[tuple[datetime, int]]:
    with reading(engine()) as connection:
        return burn.burn_history(connection, at, teams)


def burn_history(teams: Sequence[str] = ()) -> list[tuple[datetime, int]]:
    """Burn per hour over the last 24 hours; see `storage.views.burn`."""
    moment = now()
    return _burn_history(version(), tuple(teams), moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _dearest(data: int, period: Period, teams: tuple[str, ...], limit: int) -> list[spend.DearJob]:
    with reading(engine()) as connection:
        return spend.dearest_jobs(connection, period, teams, limit)


def dearest_jobs(period: Period, teams: Sequence[str] = (), limit: int = 60) -> list[spend.DearJob]:
    """The ended jobs that cost most within a period."""
    return _dearest(version(), period, tuple(teams), limit)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _rows(data: int, job_ids: tuple[int, ...]) -> dict[int, joblist.JobRow]:
    with reading(engine()) as connection:
        return joblist.job_rows(connection, job_ids)


def job_rows(job_ids: Sequence[int]) -> dict[int, joblist.JobRow]:
    """The rows of these jobs, by id."""
    return _rows(version(), tuple(job_ids))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _job_page(data: int, wanted: joblist.JobFilter, sort: joblist.Sort, limit: int, offset: int) -> joblist.JobPage:
    with reading(engine()) as connection:
        return joblist.list_jobs(connection, wanted, sort, limit, offset)


def job_page(wanted: joblist.JobFilter, sort: joblist.Sort, limit: int, offset: int) -> joblist.JobPage:
    """One page of jobs."""
    return _job_page(version(), wanted, sort, limit, offset)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _named(data: int, name: str) -> list[joblist.JobDetail]:
    with reading(engine()) as connection:
        return joblist.jobs_named(connection, name)


def job_rows_to_export(wanted: joblist.JobFilter, sort: joblist.Sort, limit: int) -> tuple[joblist.JobRow, ...]:
    """Many jobs at once for a download; not kept, since one answer is large and nobody asks for it twice."""
    with reading(engine()) as connection:
        return joblist.list_jobs(connection, wanted, sort, limit).rows


def jobs_named(name: str) -> list[joblist.JobDetail]:
    """Every job of a name, newest first."""
    return _named(version(), name)


@st.cache_data(max_entries=4, show_spinner=False)
def _filter_values(data: int) -> dict[str, list[str]]:
    with reading(engine()) as connection:
        return joblist.filter_values(connection)


def filter_values() -> dict[str, list[str]]:
    """What there is to filter by."""
    return _filter_values(version())


def team_ids() -> list[str]:
    """Teams in the order that gives them their colours: those of settings first, then others by name, unattributed last."""
    listed = [team.id for team in current_settings().teams]
    others = [team for team in filter_values()["teams"] if team not in listed]
    return listed + sorted(others, key=lambda team: (team == UNATTRIBUTED, team))


def team_name(team: str) -> str:
    """What people call a team."""
    return next((one.name for one in current_settings().teams if one.id == team and one.name), team)


def budgets() -> dict[str, int]:
    """Monthly budgets by team, in nano-dollars, of the teams that have one."""
    return {team.id: round(team.monthly_budget_usd * 1e9) for team in current_settings().teams if team.monthly_budget_usd}


def recent_runs() -> list[collection.Run]:
    """The newest runs; asked anew, since a run under way tells of its progress between two versions of the data."""
    with reading(engine()) as connection:
        return collection.recent_runs(connection, 60)


@st.cache_data(max_entries=4, show_spinner=False)
def _oddity_counts(data: int) -> list[collection.OddityCount]:
    with reading(engine()) as connection:
        return collection.oddity_counts(connection)


def oddity_counts() -> list[collection.OddityCount]:
    """What was unexpected in AWS's answers, by kind."""
    return _oddity_counts(version())


@st.cache_data(max_entries=4, show_spinner=False)
def _calls_since(data: int, since: date) -> list[collection.CallRow]:
    with reading(engine()) as connection:
        return collection.calls_since(connection, since)


def calls_since(since: date) -> list[collection.CallRow]:
    """Our own AWS calls since a day."""
    return _calls_since(version(), since)


def collector_states() -> list[collection.CollectorState]:
    """Each collector of each scope, with its newest run; asked anew, since freshness is what it is about."""
    with reading(engine()) as connection:
        return collection.collector_states(connection)


def has_jobs() -> bool:
    """Whether there is any job at all."""
    return _has_jobs(version())


@st.cache_data(max_entries=4, show_spinner=False)
def _has_jobs(data: int) -> bool:
    with reading(engine()) as connection:
        return collection.has_jobs(connection)
