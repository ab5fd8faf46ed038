"""The state behind Team cost: reads, sentences and tables, so that the page is layout alone."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd
import streamlit as st

from domain.instants import iso
from domain.money import NANO
from domain.period import Period
from storage.views.spend import NOTHING, DearJob, Spend
from ui import places, reads, tables
from ui.overview import by_day
from ui.words import MINUS, cell, count, day, percent, plain, ratio_percent, usd, usd_exact

C = st.column_config
DEAREST = 50


class State:
    """What Team cost shows for a period and the teams picked; each part is read when first asked for, so that it fails alone."""

    def __init__(self, period: Period, words: str, teams: Sequence[str]) -> None:
        self.period, self.words, self.teams, self.today = period, words, tuple(teams), reads.today()
        self.before_period = period.before()
        self.days = [one for one in period.days if one <= self.today] or period.days

    @cached_property
    def total(self) -> Spend:
        """The whole period."""
        return reads.total(self.period, self.teams)

    @cached_property
    def before(self) -> Spend:
        """The whole period before."""
        return reads.total(self.before_period, self.teams)

    @cached_property
    def rows(self) -> list[tuple[str, Spend]]:
        """Teams with anything in the period, dearest first."""
        rows = [(key[0], spend) for key, spend in reads.spend_by(("team",), self.period, self.teams).items()]
        return sorted(rows, key=lambda row: (-row[1].cost_nusd, -row[1].accruing_nusd, row[0]))

    @cached_property
    def previous(self) -> dict[str, Spend]:
        """The teams of the period before."""
        return {key[0]: spend for key, spend in reads.spend_by(("team",), self.before_period, self.teams).items()}

    @cached_property
    def _by_day(self) -> Mapping[tuple[Any, ...], Spend]:
        return reads.spend_by(("team", "day"), self.period, self.teams)

    @cached_property
    def daily(self) -> dict[str, dict[date, int]]:
        """Billed nano-dollars by team and day."""
        return by_day(self._by_day)

    @cached_property
    def saved_by_day(self) -> list[int]:
        """What spot saved on each day."""
        saved: dict[date, int] = {}
        for (_, one), spend in self._by_day.items():
            saved[one] = saved.get(one, 0) + spend.spot_savings_nusd
        return [saved.get(one, 0) for one in self.days]

    @cached_property
    def spot_hours_percent(self) -> tuple[float | None, float | None]:
        """Spot's share of instance hours, in the period and in the one before."""
        return _spot_hours(self.period, self.teams), _spot_hours(self.before_period, self.teams)


def _spot_hours(period: Period, teams: Sequence[str]) -> float | None:
    by_capacity = reads.spend_by(("capacity",), period, teams)
    spot = by_capacity.get(("spot",), NOTHING).instance_seconds
    return ratio_percent(spot, sum(spend.instance_seconds for spend in by_capacity.values()))


def compared(found: State) -> str:
    """The period of comparison, in words."""
    first, last = found.before_period.start, date.fromordinal(found.before_period.end.toordinal() - 1)
    if first == last:
        return day(last)
    return f"{first.day}–{day(last)}" if first.month == last.month and first.year == last.year else f"{day(first)} – {day(last)}"


def answer(found: State) -> str:
    """What was spent, how that compares, and who makes most of the difference."""
    if not found.rows:
        return "No job ran on these days."
    change = found.total.cost_nusd - found.before.cost_nusd
    share = ratio_percent(abs(change), found.before.cost_nusd)
    more = "more" if change >= 0 else "less"
    than = f"**{usd(abs(change))}{'' if share is None else f' ({percent(share)})'} {more}** than {compared(found)}"
    driver = _driver(found, change)
    return f"**{usd(found.total.cost_nusd)}** billed {found.words}, {than}{driver}."


def _driver(found: State, change: int) -> str:
    """The team that moved most in the direction of the whole, where that says something."""
    teams = {team for team, _ in found.rows} | set(found.previous)
    if len(teams) < 2 or not change:
        return ""
    current = dict(found.rows)
    moves = {team: current.get(team, NOTHING).cost_nusd - found.previous.get(team, NOTHING).cost_nusd for team in teams}
    team = max(moves, key=lambda one: moves[one] if change > 0 else -moves[one])
    verb = "adds" if change > 0 else "is down"
    return f"; **{plain(team, 40)}** alone {verb} **{usd(abs(moves[team]))}**" if moves[team] * change > 0 else ""


def cards(found: State) -> list[dict[str, Any]]:
    """Billed, accruing, saved by spot and the spot share of hours, each against the period before."""
    total, before, versus = found.total, found.before, f"vs {compared(found)}"
    change = ratio_percent(total.cost_nusd - before.cost_nusd, before.cost_nusd)
    days = [sum(values.get(one, 0) for values in found.daily.values()) / NANO for one in found.days]
    listed, listed_before = (ratio_percent(one.spot_savings_nusd, one.list_nusd) for one in (total, before))
    live = len(reads.live_jobs(found.teams))
    spot, spot_before = found.spot_hours_percent
    points = None if spot is None or spot_before is None else spot - spot_before
    bars = {"chart_type": "bar"}
    return [
        {
            "label": "Billed", "value": usd(total.cost_nusd), "delta": percent(change, sign=True), "delta_description": versus,
            "chart_data": days if len(days) > 13 else None, **bars,
            "help": f"Ended jobs at list price: {usd_exact(total.cost_nusd)} (compute {usd_exact(total.compute_nusd)}, warm pools "
            f"{usd_exact(total.warm_pool_nusd)}, ML storage {usd_exact(total.storage_nusd)}); {usd_exact(before.cost_nusd)} before. "
            f"After discounts: {usd_exact(total.effective_nusd)}.",
        },
        {
            "label": "Accruing", "value": usd(total.accruing_nusd), "delta": f"{count(live, 'job')} running",
            "help": f"What running jobs have cost on these days: an estimate, not in billed. {usd_exact(total.accruing_nusd)}.",
        },
        {
            "label": "Saved by spot", "value": usd(total.spot_savings_nusd), "delta": f"{percent(listed)} of list",
            "delta_description": f"{percent(listed_before)} before",
            "chart_data": [one / NANO for one in found.saved_by_day] if len(found.days) > 13 else None, **bars,
            "help": f"{usd_exact(total.spot_savings_nusd)}. AWS's formula: 1 − billable ÷ training seconds, on spot jobs alone.",
        },
        {
            "label": "Spot share of hours", "value": percent(spot),
            "delta": "no comparison" if points is None else f"{_signed(round(points))} pt",
            "delta_description": versus, "help": "Instance hours of spot jobs among all instance hours.",
        },
    ]  # fmt: skip


def _signed(points: int) -> str:
    return f"{MINUS if points < 0 else '+' if points else '±'}{abs(points)}"


def show_teams(found: State) -> str | None:
    """The table of teams; returns the one selected."""
    budgets, rows = reads.budgets(), found.rows
    whole = found.total.cost_nusd
    budget = [100 * spend.cost_nusd / budgets[team] if team in budgets else None for team, spend in rows]
    frame = pd.DataFrame(
        {
            "team": [tables.chip(team) for team, _ in rows],
            "name": [cell(reads.team_name(team), 60) for team, _ in rows],
            "billed": [_known(spend) for _, spend in rows],
            "change": [(spend.cost_nusd - found.previous.get(team, NOTHING).cost_nusd) / NANO for team, spend in rows],
            "share": [ratio_percent(spend.cost_nusd, whole) for _, spend in rows],
            "budget": budget,
            "saved": [spend.spot_savings_nusd / NANO for _, spend in rows],
            "accruing": [spend.accruing_nusd / NANO for _, spend in rows],
            "jobs": [spend.jobs for _, spend in rows],
            "unpriced": [spend.unpriced_jobs or None for _, spend in rows],
            "days": [[found.daily.get(team, {}).get(one, 0) / NANO for one in found.days[-31:]] for team, _ in rows],
        }
    )
    month = found.period.start.day == 1 and any(one is not None for one in budget)
    order = [name for name in frame.columns if (name != "budget" or month) and (name != "unpriced" or found.total.unpriced_jobs)]
    config = {
        "team": tables.team_column(),
        "name": C.TextColumn("Name", width=90),
        "billed": C.NumberColumn("Billed", format="$%,.2f", width=80, help="Ended jobs at list price; empty where no job has a price"),
        "change": C.NumberColumn("Change, $", format="%+,.2f", help=f"Billed, in dollars, against {compared(found)}", width=80),
        "share": tables.share_column("Share", width=85),
        "budget": C.ProgressColumn("Budget used", format="%d%%", min_value=0, max_value=100, width=90, help="Of the month's budget"),
        "saved": tables.money_column("Spot saved", width=80),
        "accruing": tables.money_column("Accruing", width=76, help="Running jobs, an estimate; not in billed"),
        "jobs": C.NumberColumn("Jobs", help="With any time on these days", width=48),
        "unpriced": C.NumberColumn("Unpriced", help="Jobs without a known price: their cost is not in billed", width=66),
        "days": C.BarChartColumn("By day", width=84, color="gray"),
    }
    event = st.dataframe(
        frame, hide_index=True, on_select="rerun", selection_mode="single-row", key="teams_table", column_config=config,
        column_order=order, placeholder="",
    )  # fmt: skip
    chosen = event["selection"]["rows"]
    return rows[chosen[0]][0] if chosen and chosen[0] < len(rows) else None


def _known(spend: Spend) -> float | None:
    """Billed dollars; None where no job has a price, since 0 would say that they cost nothing."""
    return None if spend.jobs and spend.unpriced_jobs == spend.jobs else spend.cost_nusd / NANO


def dearest_note(selected: str | None) -> str:
    """Whose jobs are listed."""
    return f"Billed on these days{f', team {plain(selected, 40)}' if selected else ''}; ended jobs alone"


def show_dearest(found: State, selected: str | None) -> None:
    """The dearest jobs of the period, of one team where one is selected; each opens its page."""
    dearest = reads.dearest_jobs(found.period, (selected,) if selected else found.teams, DEAREST)
    rows = reads.job_rows([job.job_id for job in dearest])
    if not dearest:
        st.caption("No job of these teams that ended with time in this period has a price.")
        return
    frame = pd.DataFrame([_job_row(job, rows[job.job_id]) for job in dearest])
    config = {
        "job": {"label": "Job", "width": 340},
        "team": tables.team_column(),
        "billed": tables.money_column("Billed", help="On these days"),
        "project": "Project",
        "model": "Model type",
        "capacity": C.TextColumn("Capacity", width=90),
        "status": C.TextColumn("Status", width=90),
        "instance": "Instance",
    }

    def open_row(place: int) -> None:
        row = rows[dearest[place].job_id]
        places.open_job(row.name, row.account, row.region, iso(row.created_at) or "")

    tables.clickable_table(frame, "job", "dearest_job", open_row, config)


def _job_row(job: DearJob, row: Any) -> dict[str, Any]:
    return {
        "job": cell(row.name),
        "team": tables.chip(job.team),
        "billed": job.cost_nusd / NANO,
        "project": cell(job.project, 60),
        "model": cell(job.model_type, 60) if job.model_type else "",
        "capacity": row.capacity.replace("_", " "),
        "status": row.status,
        "instance": ", ".join(f"{kind} × {number}" for kind, number, _ in row.instances),
    }


def show_download(found: State) -> None:
    """The period's spending by team, project and model type as CSV."""
    columns = (
        "team", "project", "model_type", "jobs", "instance_hours", "billed_usd", "accruing_usd", "spot_savings_usd", "unpriced_jobs",
    )  # fmt: skip

    def rows() -> Iterator[tuple[Any, ...]]:
        found_rows = reads.spend_by(("team", "project", "model_type"), found.period, found.teams).items()
        for key, spend in sorted(found_rows, key=lambda row: -row[1].cost_nusd):
            money = (_known(spend), spend.accruing_nusd / NANO, spend.spot_savings_nusd / NANO)
            yield (*key, spend.jobs, round(spend.instance_seconds / 3600, 2), *money, spend.unpriced_jobs)

    last = date.fromordinal(found.period.end.toordinal() - 1)
    tables.download("CSV", columns, rows, f"team-cost-{found.period.start}-{last}.csv")
