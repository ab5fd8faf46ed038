"""The state behind Checkpoint coverage: what would be lost if spot capacity were taken back now, and how that goes over time."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd
import streamlit as st

from domain.money import NANO, known_sum, usd
from reports.checkpoints import COVERAGE_COLUMNS, job_data
from storage.views.coverage import JobCoverage, TeamCoverage
from ui import places, reads, tables, watching
from ui import words as w

C = st.column_config
MOST_BARS = 10
NAMES = {
    "fresh": "Fresh", "stale": "Stale", "never_written": "Never written", "not_configured": "Not configured", "not_yet": "Not yet",
    "unknown": "Unknown", "not_needed": "Not needed",
}  # fmt: skip
_COLORS = ["green", "orange", "red", "red", "gray", "gray", "gray"]


class State:
    """What Checkpoint coverage shows for the teams picked; each part is read when it is first asked for, so that it fails alone."""

    def __init__(self, teams: Sequence[str]) -> None:
        self.teams = tuple(teams)

    @cached_property
    def by_team(self) -> list[TeamCoverage]:
        """Coverage by team over 30 days."""
        return watching.team_coverage(self.teams)

    @cached_property
    def jobs(self) -> list[JobCoverage]:
        """Live jobs that are spot or want checkpoints, unknown ones and the most at risk first."""
        return watching.live_coverage(self.teams)

    @cached_property
    def days(self) -> dict[date, tuple[int, int]]:
        """Covered and all spot jobs by day."""
        return watching.coverage_days(self.teams)

    @property
    def spot(self) -> list[JobCoverage]:
        """The live spot jobs."""
        return [job for job in self.jobs if job.capacity == "spot"]

    @property
    def risk_nusd(self) -> int | None:
        """What losing spot capacity now would cost, as far as that is known; None where nothing of it is."""
        return known_sum(job.risk_nusd for job in self.spot)

    @property
    def unknown(self) -> int:
        """Live spot jobs of which nobody knows what they would lose."""
        return sum(job.risk_nusd is None for job in self.spot)


def answer(found: State) -> str:
    """What an interruption would cost now, in a sentence."""
    if not found.spot:
        return "No spot job runs now: there is nothing to lose."
    most = _holders(found)
    if found.risk_nusd is None:
        return f"What losing spot capacity now would cost is **not known** of any of {w.count(len(found.spot), 'spot job')}."
    unknown = f"; of {w.count(found.unknown, 'job')} nobody knows" if found.unknown else ""
    held = f"; **{most} of {len(found.spot)}** jobs hold nearly all of it" if most < len(found.spot) and found.risk_nusd else ""
    return f"Losing spot capacity now would cost **{w.usd(found.risk_nusd)} of work**{held}{unknown}."


def _holders(found: State) -> int:
    """How few of the jobs hold nine tenths of what is at risk."""
    total, sum_so_far = found.risk_nusd or 0, 0
    amounts = sorted((job.risk_nusd or 0 for job in found.spot), reverse=True)
    for number, amount in enumerate(amounts, 1):
        sum_so_far += amount
        if sum_so_far >= 0.9 * total:
            return number
    return len(amounts)


def cards(found: State) -> list[dict[str, Any]]:
    """The few figures that matter, with how coverage has gone."""
    rows = found.by_team
    jobs, covered = sum(row.spot_jobs for row in rows), sum(row.covered_jobs for row in rows)
    money, safe = known_sum(row.spot_nusd for row in rows), known_sum(row.covered_nusd for row in rows)
    lost, interruptions = known_sum(row.lost_nusd for row in rows), sum(row.interruptions for row in rows)
    untold = sum(row.untold for row in rows)
    not_fresh = sum(job.risk_nusd or 0 for job in found.spot if job.state != "fresh")
    days = [100 * part / whole if whole else None for part, whole in found.days.values()]
    known = [share for share in days if share is not None]
    return [
        {
            "label": "Work at risk now", "value": w.usd(found.risk_nusd), "delta": f"{w.usd(not_fresh)} not fresh",
            "delta_color": "red" if not_fresh else "gray",
            "help": "Estimate: time on instances since each live spot job's newest checkpoint, or its start, at its rate.",
        },
        {
            "label": "Coverage by jobs", "value": w.percent(w.ratio_percent(covered, jobs)), "delta": f"{covered:,} of {jobs:,} spot jobs",
            "chart_data": known if len(known) > 1 else None,
            "help": "Spot jobs with time in the last 30 days whose checkpoints were fresh when last seen. Line: day by day.",
        },
        {
            "label": "Coverage by dollars", "value": w.percent(w.ratio_percent(safe or 0, money or 0)), "delta": f"of {w.usd(money)}",
            "help": f"Billed and accruing of the same jobs: {w.usd_exact(safe)} of {w.usd_exact(money)}.",
        },
        {
            "label": "Work redone", "value": w.usd(lost), "delta": f"{w.count(interruptions, 'interruption')}, 30 days",
            "help": "Training done again after interruptions, since the last save before each. "
            f"Of {w.count(untold, 'interrupted job')} no save was seen.",
        },
    ]  # fmt: skip


def bars(found: State) -> list[tuple[str, float, str, bool]]:
    """The live spot jobs with most at risk as (name, dollars, words, red), most first."""
    jobs = sorted((job for job in found.spot if job.risk_nusd is not None), key=lambda job: -(job.risk_nusd or 0))[:MOST_BARS]
    return [
        (job.job, (job.risk_nusd or 0) / NANO, f"{w.usd(job.risk_nusd)}  {NAMES[job.state].lower()}", job.state != "fresh") for job in jobs
    ]


def show_teams(found: State) -> None:
    """Coverage of each team."""
    frame = pd.DataFrame(
        [
            {
                "team": tables.chip(row.team),
                "jobs": row.spot_jobs,
                "by_jobs": row.percent,
                "by_usd": row.money_percent,
                "unknown": row.unknown_jobs,
                "usd": usd(row.spot_nusd),
                "risk": usd(row.risk_nusd),
                "lost": usd(row.lost_nusd),
            }
            for row in found.by_team
        ]
    )
    if frame.empty:
        st.caption("No spot job ran in the last 30 days.")
        return
    config: dict[str, Any] = {
        "team": tables.team_column(), "jobs": C.NumberColumn("Spot jobs", width=72),
        "by_jobs": tables.share_column("Covered, by jobs", width=140),
        "by_usd": tables.share_column("Covered, by dollars", width=140),
        "unknown": C.NumberColumn("Unknown", width=72, help="Nobody could look into their bucket, or before they ended"),
        "usd": tables.money_column("Spot cost", width=90), "risk": tables.money_column("At risk now", width=90),
        "lost": tables.money_column("Redone", width=80),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config, column_order=list(config), placeholder="unknown")


def show_jobs(found: State) -> None:
    """Every live job that is spot or wants checkpoints."""
    jobs, zone, now = found.jobs, w.zone_named(st.context.timezone), reads.now()
    if not jobs:
        st.caption("No live job is spot, or runs long enough to want checkpoints.")
        return
    frame = pd.DataFrame(
        [
            {
                "job": w.cell(job.job),
                "team": tables.chip(job.team),
                "state": [NAMES[job.state]],
                "written": "never" if job.last_written_at is None else w.ago(job.last_written_at, now),
                "at": w.short_clock(job.last_written_at, zone, now.date()),
                "risk": usd(job.risk_nusd),
                "lost": w.duration(job.risk_seconds),
                "burn": usd(job.burn_nusd),
                "capacity": job.capacity.replace("_", " "),
                "said": w.cell(job.problem, 200) if job.state == "unknown" else "",
            }
            for job in jobs
        ]
    )
    config = {
        "job": {"label": "Job", "width": 290}, "team": tables.team_column(),
        "state": C.MultiselectColumn("Checkpoint", options=list(NAMES.values()), color=_COLORS, width=110),
        "written": C.TextColumn("Last written", width=90), "risk": tables.money_column("At risk", width=76),
        "lost": C.TextColumn("Work", width=70),
        "burn": tables.money_column("$/h", width=70), "capacity": C.TextColumn("Capacity", width=80), "said": C.TextColumn("Why not known"),
    }  # fmt: skip

    def open_row(place: int) -> None:
        job = jobs[place]
        places.open_job(job.job, job.account, job.region, w.iso_text(job.created_at))

    tables.clickable_table(frame, "job", "coverage-jobs", open_row, config, column_order=list(config))


def show_shared(found: State) -> None:
    """Jobs that overwrite each other's checkpoints."""
    seen: set[frozenset[str]] = set()
    for job in found.jobs:
        group = frozenset({job.job, *job.shared_with})
        if job.shared_with and group not in seen:
            seen.add(group)
            names = ", ".join(w.plain(name, 80) for name in sorted(group))
            st.markdown(
                f":orange[:material/warning:] **{len(group)} live jobs share one checkpoint path** and overwrite each other: {names}"
            )
            st.caption(w.plain(job.uri, 200))


def show_download(found: State) -> None:
    """The live jobs as CSV."""

    def rows() -> list[list[Any]]:
        data = [job_data(job) for job in found.jobs]
        return [[", ".join(one[name]) if isinstance(one[name], list) else one[name] for name in COVERAGE_COLUMNS] for one in data]

    tables.download("Export", COVERAGE_COLUMNS, rows, "trainwatch-checkpoints.csv")
