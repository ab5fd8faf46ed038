"""The list of jobs: its filters, which live in the address, and its pages, which the database cuts."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from domain.instants import iso
from domain.money import NANO
from storage.views.joblist import COUNT_LIMIT, JobFilter, JobPage, JobRow, Sort
from ui import places, reads, tables
from ui.words import cell, count, plain, short_clock, zone_named

C = st.column_config
PAGE_SIZE = 50
DOWNLOAD_LIMIT = 5000
PERIODS = {"Last 7 days": 7, "Last 30 days": 30, "Last 90 days": 90, "All time": None}
SORTS: dict[str, Sort] = {"Newest first": "newest", "Dearest first": "dearest", "Longest first": "longest"}
PRICES = {"Any price": None, "Unpriced": "unpriced", "Derived": "derived"}
DEFAULT_PERIOD, DEFAULT_SORT = "Last 30 days", "Newest first"


def filters() -> tuple[JobFilter, Sort]:
    """Filters on everything; each has its name in the address. A change of any goes back to the first page."""
    values, teams = reads.filter_values(), reads.team_ids()
    looks: dict[str, Any] = {"bind": "query-params", "label_visibility": "collapsed", "on_change": _first_page}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input(
            "Name", placeholder="Part of a name", key="name", icon=":material/search:", width="stretch", max_chars=63, **looks
        )
        days = st.selectbox("Created", list(PERIODS), index=list(PERIODS).index(DEFAULT_PERIOD), key="created_in", width=150, **looks)
        price = st.selectbox("Price", list(PRICES), key="price", width=130, **looks)
        sort = st.selectbox("Sort", list(SORTS), key="sort", width=150, **looks)

    def several(label: str, key: str, options: list[str]) -> tuple[str, ...]:
        return tuple(st.multiselect(label, options, key=key, placeholder=label, width=140, **looks))

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        wanted = JobFilter(
            teams=several("Team", "team", teams),
            projects=several("Project", "project", values["projects"]),
            statuses=several("Status", "status", values["statuses"]),
            capacities=several("Capacity", "capacity", values["capacities"]),
            instance_types=several("Instance type", "instance_type", values["instance_types"]),
            modes=several("Mode", "mode", values["modes"]),
            basis=PRICES[price or "Any price"],
            text=(text or "").strip(),
            since=_since(PERIODS[days or DEFAULT_PERIOD]),
        )
    return wanted, SORTS[sort or DEFAULT_SORT]


def _first_page() -> None:
    if "page" in st.session_state:
        st.session_state["page"] = 1


def _since(days: int | None) -> datetime | None:
    """So many days ago, to the whole hour, so that two runs of the page within one ask the same question of the cache."""
    return reads.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=days) if days else None


def read(wanted: JobFilter, sort: Sort) -> JobPage:
    """The page of jobs that the address asks for; a number beyond the last shows the last."""
    asked = str(st.session_state.get("page") or st.query_params.get("page", "1"))
    number = max(1, int(asked)) if asked.isdecimal() else 1
    page = reads.job_page(wanted, sort, PAGE_SIZE, (number - 1) * PAGE_SIZE)
    if not page.rows and page.total:
        page = reads.job_page(wanted, sort, PAGE_SIZE, (_pages(page) - 1) * PAGE_SIZE)
    return page


def _pages(page: JobPage) -> int:
    return max(1, -(-min(page.total, COUNT_LIMIT) // PAGE_SIZE))


def answer(page: JobPage, wanted: JobFilter) -> str:
    """How many jobs fit, in a sentence."""
    many = f"more than {COUNT_LIMIT:,} jobs" if page.total > COUNT_LIMIT else count(page.total, "job")
    when = "of all time" if wanted.since is None else f"created since {wanted.since:%-d %b %Y %H:%M} UTC"
    named = f" with “{plain(wanted.text)}” in the name" if wanted.text else ""
    return f"**{many}** {when}{named}{'; the first 10,000 can be paged through' if page.total > COUNT_LIMIT else ''}."


def show(page: JobPage) -> None:
    """The table; a click on a name opens the job."""
    zone, today = zone_named(st.context.timezone), reads.today()
    frame = pd.DataFrame([_row(row) | {"created": short_clock(row.created_at, zone, today)} for row in page.rows])
    config = {
        "job": {"label": "Job", "width": 282},
        "team": tables.team_column(),
        "status": C.TextColumn("Status", width=84),
        "billed": tables.money_column(
            "Billed", help="Ended jobs at list price; empty while a job runs, or where no price is known", width=78
        ),
        "accruing": tables.money_column("Accruing", help="Running jobs: an estimate", width=76),
        "capacity": C.TextColumn("Capacity", width=78),
        "instance": C.TextColumn("Instance", width=128),
        "created": C.TextColumn("Created", help="In your zone", width=92),
        "hours": C.NumberColumn("Instance hours", format="%,.1f", help="Training seconds × instances", width=110),
        "project": C.TextColumn("Project", width=90),
        "note": C.TextColumn("Basis", width=80, help="unpriced: no price is known; derived: from the job's stamps"),
    }
    order = list(config)

    def open_row(place: int) -> None:
        row = page.rows[place]
        places.open_job(row.name, row.account, row.region, iso(row.created_at) or "")

    tables.clickable_table(frame, "job", "jobs_table", open_row, config, height="content", column_order=order)
    st.caption(f"Times in your zone ({plain(st.context.timezone or 'UTC')}); in the CSV they are UTC.")


def _row(row: JobRow) -> dict[str, Any]:
    instances = sum(number for _, number, _ in row.instances)
    seconds = row.live.accrual.seconds if row.live else row.training_seconds
    accruing = row.live.accrual.accruing_nusd if row.live else None
    return {
        "job": cell(row.name),
        "team": tables.chip(row.team),
        "project": cell(row.project, 60),
        "status": row.status,
        "billed": None if row.cost_nusd is None else row.cost_nusd / NANO,
        "accruing": None if accruing is None else accruing / NANO,
        "note": row.basis if row.basis in ("unpriced", "derived") else "",
        "hours": None if seconds is None else seconds * instances / 3600,
        "capacity": row.capacity.replace("_", " "),
        "instance": ", ".join(f"{kind} × {number}" for kind, number, _ in row.instances),
    }


def pager(page: JobPage) -> None:
    """Numbers of pages, in the address as `page`."""
    if page.total > PAGE_SIZE:
        st.pagination(_pages(page), key="page", bind="query-params")


def show_download(wanted: JobFilter, sort: Sort, total: int) -> None:
    """The filtered list as CSV, up to a bound that the button says."""
    columns = (
        "name", "team", "project", "model_type", "status", "capacity", "mode", "instances", "created", "started", "ended",
        "training_seconds", "billable_seconds", "billed_usd", "accruing_usd", "spot_savings_usd", "basis", "price_source", "account",
        "region", "arn",
    )  # fmt: skip

    def rows() -> Iterator[tuple[Any, ...]]:
        for row in reads.job_rows_to_export(wanted, sort, DOWNLOAD_LIMIT):
            cells = _row(row)
            yield (
                row.name, row.team, row.project, row.model_type, row.status, row.capacity, row.mode, cells["instance"],
                iso(row.created_at), iso(row.started_at), iso(row.ended_at), row.training_seconds, row.billable_seconds,
                cells["billed"], cells["accruing"], None if row.spot_savings_nusd is None else row.spot_savings_nusd / NANO,
                row.basis, row.price_source, row.account, row.region, row.arn,
            )  # fmt: skip

    label = "CSV" if total <= DOWNLOAD_LIMIT else f"CSV of the first {DOWNLOAD_LIMIT:,}"
    tables.download(label, columns, rows, "jobs.csv")
