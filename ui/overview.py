"""The state behind Overview: reads and sentences, so that the page is layout alone."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Any

import pandas as pd
import streamlit as st

from domain.findings.judge import TITLES
from domain.forecast import month_end_forecast
from domain.instants import iso
from domain.money import NANO
from domain.period import Period, period_named
from storage.views.findings import FindingRow
from storage.views.live import LiveJob
from storage.views.spend import NOTHING, Spend
from ui import places, reads, tables, watching
from ui.runaway import SEVERITY
from ui.words import cell, count, day, iso_text, md, percent, plain, ratio_percent, usd, usd_exact


class State:
    """What Overview shows for the teams picked; each part is read when it is first asked for, so that it fails alone."""

    def __init__(self, teams: Sequence[str]) -> None:
        self.teams, self.today = tuple(teams), reads.today()
        self.days = period_named("14d", self.today).days
        self._month = period_named("month", self.today)

    @cached_property
    def month(self) -> Spend:
        """The month to date."""
        return reads.total(self._month, self.teams)

    @cached_property
    def live(self) -> list[LiveJob]:
        """Running jobs, dearest per hour first."""
        return reads.live_jobs(self.teams)

    @cached_property
    def findings(self) -> list[FindingRow]:
        """Open findings that nobody has put aside."""
        moment = reads.now()
        return [row for row in watching.open_findings(self.teams) if not row.is_quiet(moment)]

    @cached_property
    def burn(self) -> list[tuple[datetime, int]]:
        """Burn per hour over the last 24 hours."""
        return reads.burn_history(self.teams)

    @cached_property
    def daily(self) -> dict[str, dict[date, int]]:
        """Billed nano-dollars by team and day of the last 14."""
        return by_day(reads.spend_by(("team", "day"), Period(self.days[0], self._month.end), self.teams))

    @cached_property
    def month_days(self) -> list[Spend]:
        """Each day of the month to date."""
        found = reads.spend_by(("day",), self._month, self.teams)
        return [found.get((one,), NOTHING) for one in self._month.days]

    @cached_property
    def forecast_nusd(self) -> int:
        """Where the month will end."""
        recent = reads.total(_last_whole_days(self.today), self.teams).cost_nusd
        return month_end_forecast(self.month.cost_nusd, self.month.accruing_nusd, recent, self.today)

    @property
    def budget_nusd(self) -> int | None:
        """What the teams picked may spend in the month; None where none has a budget."""
        budgets = [budget for team, budget in reads.budgets().items() if not self.teams or team in self.teams]
        return sum(budgets) if budgets else None

    @property
    def burn_nusd(self) -> int:
        """Nano-dollars an hour of all running jobs whose price is known."""
        return sum(job.accrual.burn_nusd_per_hour or 0 for job in self.live)

    @property
    def unpriced(self) -> int:
        """Running jobs whose burn is not known."""
        return sum(job.accrual.burn_nusd_per_hour is None for job in self.live)


def by_day(by_team: Mapping[tuple[Any, ...], Spend]) -> dict[str, dict[date, int]]:
    """Billed nano-dollars by team and day out of spending by both."""
    daily: dict[str, dict[date, int]] = {}
    for (team, one), spend in by_team.items():
        daily.setdefault(team, {})[one] = spend.cost_nusd
    return daily


def _last_whole_days(today: date) -> Period:
    """The 14 UTC days up to yesterday."""
    return Period(date.fromordinal(today.toordinal() - 14), today)


def answer(found: State) -> str:
    """Whether we are all right, in a sentence."""
    burning = f"{count(len(found.live), 'job')} {'burns' if len(found.live) == 1 else 'burn'} **{usd(found.burn_nusd)} an hour**"
    if not found.live:
        burning = "nothing is running"
    if found.budget_nusd is None:
        return f"**{usd(found.month.cost_nusd)}** billed this month, heading for **{usd(found.forecast_nusd)}**; {burning}."
    over = found.forecast_nusd - found.budget_nusd
    if over > 0:
        return f"Heading for **{usd(found.forecast_nusd)}**, **{usd(over)} over** the month's {usd(found.budget_nusd)}; {burning}."
    return f"On budget for the month, **{usd(found.forecast_nusd)} of {usd(found.budget_nusd)}**; {burning}."


def cards(found: State) -> list[dict[str, Any]]:
    """The few figures that matter, each with its comparison."""
    burning = [rate / NANO for _, rate in found.burn]
    day_before = found.burn[0][1] if found.burn else 0
    total, running = 0.0, []
    for one in found.month_days:
        total += one.cost_nusd / NANO
        running.append(total)
    saved = [one.spot_savings_nusd / NANO for one in found.month_days]
    listed = ratio_percent(found.month.spot_savings_nusd, found.month.list_nusd)
    return [
        {
            "label": "Burn now", "value": f"{usd(found.burn_nusd)}/h",
            "delta": f"{count(found.unpriced, 'job')} unpriced" if found.unpriced else f"{usd(day_before)}/h a day ago",
            "delta_color": "orange" if found.unpriced else "gray", "chart_data": burning,
            "help": f"Estimate, list price: {usd_exact(found.burn_nusd)} an hour. Rate × instances of running jobs, spot at each team's "
            "recent billable share. Line: the last 24 hours.",
        },
        {
            "label": "Month to date", "value": usd(found.month.cost_nusd), "delta": f"{usd(found.month.accruing_nusd, sign=True)} accruing",
            "chart_data": running if len(running) > 1 else None,
            "help": f"Billed, ended jobs, UTC days since {day(found.today.replace(day=1))}: {usd_exact(found.month.cost_nusd)}. "
            f"Accruing is what still runs, an estimate: {usd_exact(found.month.accruing_nusd)}.",
        },
        {"label": "Month-end forecast", "value": usd(found.forecast_nusd), **_against_budget(found)},
        {
            "label": "Saved by spot", "value": usd(found.month.spot_savings_nusd), "delta": f"{percent(listed)} of list price",
            "chart_data": saved if len(saved) > 13 else None, "chart_type": "bar",
            "help": f"{usd_exact(found.month.spot_savings_nusd)} this month. AWS's formula: 1 − billable ÷ training seconds, "
            "on spot jobs alone.",
        },
        _findings_card(found),
    ]  # fmt: skip


def _findings_card(found: State) -> dict[str, Any]:
    """How many findings are open, the critical ones first."""
    critical = sum(row.severity == "critical" for row in found.findings)
    others = len(found.findings) - critical
    burn = sum({row.job_id: row.burn_nusd_per_hour or 0 for row in found.findings if row.severity == "critical"}.values())
    return {
        "label": "Critical findings", "value": f"{critical:,}",
        "delta": f"{usd(burn)}/h for nothing" if critical else f"{others:,} lesser ones",
        "delta_color": "red" if critical else "gray",
        "help": f"Open findings on live jobs: {critical:,} critical, {others:,} lesser. Runaway jobs has each with its evidence.",
    }  # fmt: skip


def _against_budget(found: State) -> dict[str, Any]:
    text = (
        f"Billed {usd_exact(found.month.cost_nusd)}, accruing {usd_exact(found.month.accruing_nusd)}, and for each day left the mean of "
        "the last 14 whole days."
    )
    if found.budget_nusd is None:
        return {"delta": "no budget set", "help": text}
    over = found.forecast_nusd - found.budget_nusd
    words = f"{usd(abs(over))} {'over' if over > 0 else 'under'} budget"
    return {
        "delta": words,
        "delta_color": "red" if over > 0 else "green",
        "help": f"{text} Budget {usd_exact(found.budget_nusd)}.",
    }


def running_note(found: State) -> str:
    """How many of how many, and that amounts are estimates."""
    if not found.live:
        return ""
    return f"{min(5, len(found.live))} of {len(found.live)} running; accruing, an estimate"


def show_dearest(jobs: Sequence[LiveJob]) -> None:
    """A table of live jobs of which each opens its page."""
    rows = pd.DataFrame(
        {
            "job": [cell(job.name) for job in jobs],
            "team": [tables.chip(job.team) for job in jobs],
            "burn": [_dollars(job.accrual.burn_nusd_per_hour) for job in jobs],
            "accruing": [_dollars(job.accrual.accruing_nusd) for job in jobs],
            "used": [job.limit_used_percent for job in jobs],
            "status": [job.secondary_status or job.status for job in jobs],
            "instance": [", ".join(f"{kind} × {number}" for kind, number, _ in job.instances) for job in jobs],
        }
    )
    config = {
        "job": {"label": "Job", "width": 340},
        "team": tables.team_column(),
        "burn": tables.money_column("$/h", help="Estimate at list price while the job runs; empty where no price is known", width=78),
        "accruing": tables.money_column("Accruing", help="Estimate: time on instances × list price", width=90),
        "used": tables.share_column("Time limit used", width=130),
        "status": st.column_config.TextColumn("State", width=100),
        "instance": st.column_config.TextColumn("Instance"),
    }

    def open_row(row: int) -> None:
        job = jobs[row]
        places.open_job(job.name, job.account, job.region, iso(job.created_at) or "")

    tables.clickable_table(rows, "job", "dearest_job", open_row, config)


def _dollars(amount_nusd: int | None) -> float | None:
    return None if amount_nusd is None else amount_nusd / NANO


def show_findings(found: State) -> None:
    """The dearest open findings, with the way to all of them."""
    for row in found.findings[:5]:
        color, icon = SEVERITY.get(row.severity, SEVERITY["info"])
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f":{color}-badge[{icon} {TITLES.get(row.rule, plain(row.rule, 40))}]", width="content")
            query = {"job": row.job, "account": row.account, "region": row.region, "created": iso_text(row.created_at)}
            st.page_link(places.job_page(), label=plain(row.job, 70), query_params=query, width="content")
            st.caption(md(f"{usd(row.burn_nusd_per_hour)}/h · {plain(row.evidence, 120)}"), width="stretch")
    st.page_link(places.runaway_page(), label=f"All {len(found.findings):,} findings", icon=":material/local_fire_department:")
