"""The state behind Team cost: reads, sentences and tables, so that the page is layout alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from domain.instants import iso
from domain.money import NANO
from domain.period import Period
from storage.views.spend import NOTHING, DearJob, Spend
from ui import places, reads, tables
from ui.words import MINUS, cell, count, day, percent, plain, ratio_percent, shown, usd, usd_exact

C = st.column_config
DEAREST, IN_TREE = 50, 60


@dataclass(frozen=True)
class State:
    """What Team cost shows. `rows` are teams with anything in the period, dearest first; `days` end with today."""

    period: Period
    words: str
    teams: tuple[str, ...]
    today: date
    total: Spend
    before: Spend
    before_period: Period
    rows: list[tuple[str, Spend]]
    previous: Mapping[str, Spend]
    days: list[date]
    daily: Mapping[str, Mapping[date, int]]
    saved_by_day: list[int]
    spot_hours_percent: float | None
    spot_hours_percent_before: float | None


def state(period: Period, words: str, picked: Sequence[str]) -> State:
    """Everything Team cost shows for a period and the teams picked."""
    today, teams = reads.today(), tuple(picked)
    before_period = period.before()
    by_day = reads.spend_by(("team", "day"), period, teams)
    daily: dict[str, dict[date, int]] = {}
    saved: dict[date, int] = {}
    for (team, one), spend in by_day.items():
        daily.setdefault(team, {})[one] = spend.cost_nusd
        saved[one] = saved.get(one, 0) + spend.spot_savings_nusd
    days = [one for one in period.days if one <= today] or period.days
    rows = [(key[0], spend) for key, spend in reads.spend_by(("team",), period, teams).items()]
    rows.sort(key=lambda row: (-row[1].cost_nusd, -row[1].accruing_nusd, row[0]))
    return State(
        period=period,
        words=words,
        teams=teams,
        today=today,
        total=reads.total(period, teams),
        before=reads.total(before_period, teams),
        before_period=before_period,
        rows=rows,
        previous={key[0]: spend for key, spend in reads.spend_by(("team",), before_period, teams).items()},
        days=days,
        daily=daily,
        saved_by_day=[saved.get(one, 0) for one in days],
        spot_hours_percent=_spot_hours(period, teams),
        spot_hours_percent_before=_spot_hours(before_period, teams),
    )


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
    points = None
    if found.spot_hours_percent is not None and found.spot_hours_percent_before is not None:
        points = found.spot_hours_percent - found.spot_hours_percent_before
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
            "label": "Spot share of hours", "value": percent(found.spot_hours_percent),
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


def treemap_nodes(found: State) -> list[tuple[str, str, str, int, str]]:
    """Nodes of the treemap as (id, label, parent id, nano-dollars, team), jobs under the dearest model types."""
    sums: dict[tuple[str, ...], int] = {}
    for (team, project, model), spend in reads.spend_by(("team", "project", "model_type"), found.period, found.teams).items():
        if spend.cost_nusd > 0:
            for depth in (1, 2, 3):
                key = (team, project, model or "other")[:depth]
                sums[key] = sums.get(key, 0) + spend.cost_nusd
    jobs = list(_tree_jobs(found, sums))
    nodes = [(_id(key), _label(key, value), _id(key[:-1]), value, key[0]) for key, value in sums.items()]
    return nodes + jobs


def _tree_jobs(found: State, sums: Mapping[tuple[str, ...], int]) -> Iterator[tuple[str, str, str, int, str]]:
    """The dearest jobs as leaves, and what else a model type cost as one more, so that parents stay the sum of their parts."""
    dearest = reads.dearest_jobs(found.period, found.teams, IN_TREE)
    names = {job_id: row.name for job_id, row in reads.job_rows([job.job_id for job in dearest]).items()}
    rest = dict(sums)
    for job in dearest:
        key = (job.team, job.project, job.model_type or "other")
        if key in rest:
            rest[key] -= job.cost_nusd
            name = shown(names[job.job_id], 80)
            yield (
                f"{_id(key)}/{job.job_id}",
                f"{_html(name)}<br>{usd(job.cost_nusd)}",
                _id(key),
                job.cost_nusd,
                job.team,
            )
    touched = {(job.team, job.project, job.model_type or "other") for job in dearest}
    for key in touched:
        if rest.get(key, 0) > 0:
            yield f"{_id(key)}/others", f"other jobs<br>{usd(rest[key])}", _id(key), rest[key], key[0]


def _id(key: tuple[str, ...]) -> str:
    """A node's id, which the hover shows: no part of it can be taken for two, nor for HTML."""
    return "/".join(_html(shown(part, 60)).replace("/", "∕") for part in key)


def _label(key: tuple[str, ...], value: int) -> str:
    name = _html(shown(key[-1], 60))
    return f"<b>{name}</b>  {usd(value)}" if len(key) == 1 else f"{name}<br>{usd(value)}"


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def dearest_note(found: State, selected: str | None) -> str:
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
