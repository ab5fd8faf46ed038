"""The state behind Runaway jobs: what burns for nothing, job by job, and what can be done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import streamlit as st

from domain.findings.finding import span
from domain.findings.judge import TITLES
from domain.stopping import StopTarget
from reports.findings import RUNAWAY_COLUMNS, finding_data
from storage.views.audit import StopsSummary
from storage.views.findings import FindingRow, Unjudged
from ui import places, quieting, reads, stopping, tables, watching
from ui import words as w
from ui.freshness import freshness

MOST_CARDS = 25
SEVERITY = {"critical": ("red", ":material/error:"), "warning": ("orange", ":material/warning:"), "info": ("gray", ":material/info:")}
SAMPLE_RULES = ("idle_gpu", "idle_cpu", "hung")


@dataclass(frozen=True)
class Card:
    """One job with its open findings, gravest first, and what stopping it would mean."""

    findings: tuple[FindingRow, ...]
    target: StopTarget | None

    @property
    def first(self) -> FindingRow:
        """The gravest finding."""
        return self.findings[0]


class State:
    """What Runaway jobs shows for the teams picked; each part is read when it is first asked for, so that it fails alone."""

    def __init__(self, teams: Sequence[str], severities: Sequence[str] = (), *, quiet: bool = False) -> None:
        self.teams, self.severities, self.quiet, self.now = tuple(teams), tuple(severities), quiet, reads.now()

    @cached_property
    def findings(self) -> list[FindingRow]:
        """Open findings of the teams."""
        return watching.open_findings(self.teams)

    @cached_property
    def shown(self) -> list[list[FindingRow]]:
        """Findings by job as the filters have them, the job with the gravest and dearest first."""
        by_job: dict[int, list[FindingRow]] = {}
        for row in self.findings:
            if row.is_quiet(self.now) == self.quiet and (not self.severities or row.severity in self.severities):
                by_job.setdefault(row.job_id, []).append(row)
        return list(by_job.values())

    def cards(self, most: int) -> list[Card]:
        """The first cards, with what stopping each would mean."""
        rows = self.shown[:most]
        targets = watching.stop_targets([one[0].job_id for one in rows])
        return [Card(tuple(one), targets.get(one[0].job_id)) for one in rows]

    @cached_property
    def critical(self) -> dict[int, FindingRow]:
        """The gravest critical finding of each job that nobody has put aside."""
        found: dict[int, FindingRow] = {}
        for row in self.findings:
            if row.severity == "critical" and not row.is_quiet(self.now):
                found.setdefault(row.job_id, row)
        return found

    @property
    def waste_nusd(self) -> int:
        """Nano-dollars an hour of jobs with a critical finding."""
        return sum(row.burn_nusd_per_hour or 0 for row in self.critical.values())

    @cached_property
    def wasted_nusd(self) -> int:
        """Spent for nothing so far over all open findings, each job once, by what it wastes most."""
        most: dict[int, int] = {}
        for row in self.findings:
            most[row.job_id] = max(most.get(row.job_id, 0), row.wasted_nusd or 0)
        return sum(most.values())

    @cached_property
    def left_nusd(self) -> int:
        """What jobs with critical findings cost at most from now to their limits."""
        return sum(max(0, (row.projected_nusd or 0) - (row.accruing_nusd or 0)) for row in self.critical.values() if _both(row))

    @cached_property
    def burn_nusd(self) -> int:
        """All that burns."""
        return sum(job.accrual.burn_nusd_per_hour or 0 for job in reads.live_jobs(self.teams))

    @cached_property
    def lost_nusd(self) -> tuple[int, int]:
        """What stopping all critical ones loses, and for how many of them that is not known."""
        targets = watching.stop_targets(list(self.critical))
        lost = [target.work_lost_nusd for target in targets.values()]
        return sum(amount or 0 for amount in lost), sum(amount is None for amount in lost)

    @cached_property
    def unjudged(self) -> list[Unjudged]:
        """Live jobs whose use cannot be judged, by reason."""
        found: dict[str, Unjudged] = {}
        for one in watching.unjudged(self.teams):
            if one.rule in SAMPLE_RULES and (one.why not in found or found[one.why].jobs < one.jobs):
                found[one.why] = one
        return list(found.values())

    @cached_property
    def stopped(self) -> StopsSummary:
        """Stops of the last seven days."""
        return watching.stops_this_week()

    @cached_property
    def burn(self) -> tuple[list[datetime], list[int], list[int]]:
        """The last 24 hours: instants, what burned, and how much of that for nothing."""
        history, waste = reads.burn_history(self.teams), watching.waste_history(self.teams)
        total = [amount for _, amount in history]
        return [at for at, _ in history], total, [min(amount, whole) for (_, amount), whole in zip(waste, total, strict=True)]


def _both(row: FindingRow) -> bool:
    return row.projected_nusd is not None and row.accruing_nusd is not None


def answer(found: State) -> str:
    """What to do, in a sentence."""
    if not found.findings:
        return "**Nothing:** no live job breaks a rule." if not found.unjudged else "**Nothing that can be judged** breaks a rule."
    if not found.critical:
        count = len({row.job_id for row in found.findings})
        return f"**Nothing urgent:** {w.count(count, 'job')} with findings, none of them critical, apart from those put aside."
    lost, unknown = found.lost_nusd
    loses = f"loses at most **{w.usd(lost)}** of work" if not unknown else f"loses **{w.usd(lost)}** of work, and {unknown} of unknown"
    return f"Stopping **{w.count(len(found.critical), 'job')}** ends **{w.usd(found.waste_nusd)} an hour** of waste and {loses}."


def cards(found: State) -> list[dict[str, Any]]:
    """The few figures that matter; no sparklines, since the chart below says the same and the list must start above the fold."""
    share = w.percent(w.ratio_percent(found.waste_nusd, found.burn_nusd))
    stopped = found.stopped
    return [
        {
            "label": "Burning for nothing", "value": f"{w.usd(found.waste_nusd)}/h", "delta": f"{share} of all burn",
            "delta_color": "red" if found.waste_nusd else "gray",
            "help": "Estimate, list price: jobs with a critical finding that nobody has put aside.",
        },
        {
            "label": "Wasted so far", "value": w.usd(found.wasted_nusd), "delta": f"{w.count(len(found.findings), 'finding')} open",
            "help": "Estimate: what open findings say was spent for nothing, each job once.",
        },
        {
            "label": "If left to their limits", "value": w.usd(found.left_nusd), "delta": "more, upper bound",
            "help": "Jobs with a critical finding: rate × time left to MaxRuntimeInSeconds.",
        },
        {
            "label": "Stopped, 7 days", "value": f"{stopped.stopped:,}",
            "delta": f"≤ {w.usd(stopped.avoided_nusd)} avoided" if stopped.stopped else "by anybody",
            "delta_color": "green" if stopped.stopped else "gray",
            "help": "From here or the command line, and ended. Avoided is an upper bound.",
        },
    ]  # fmt: skip


def show_stale(found: State) -> None:
    """That the facts are old, before anybody acts on them."""
    states = reads.collector_states()
    fresh = freshness(states, found.now, reads.current_settings().collect.seconds)
    if fresh.level in ("late", "failed"):
        st.warning(
            f"{fresh.words}. Findings rest on that; jobs are looked at again before anything is stopped.", icon=":material/schedule:"
        )
    for one in found.unjudged[:3]:
        who = f"{w.count(one.jobs, 'job')} (such as {w.plain(one.example, 70)})"
        st.caption(f":gray[:material/help:] No verdict on the use of {who}: {w.plain(one.why, 300)}")


def export(found: State) -> None:
    """Every finding that the filters leave, as CSV."""
    rows = [finding_data(row, found.now) for shown in found.shown for row in shown]
    tables.download("Export", RUNAWAY_COLUMNS, lambda: [[row[name] for name in RUNAWAY_COLUMNS] for row in rows], "trainwatch-runaway.csv")


def filters() -> tuple[list[str], bool]:
    """Which severities, and whether what was put aside is shown instead."""
    severities = st.pills(
        "Severity", list(SEVERITY), selection_mode="multi", label_visibility="collapsed", key="severity", bind="query-params"
    )
    quiet = st.toggle("Put aside", key="quiet", bind="query-params", help="Findings that somebody acknowledged or snoozed")
    return list(severities), bool(quiet)


def show_card(card: Card, now: datetime) -> None:
    """One job: what it is, what is wrong, what stopping it means, and the buttons."""
    first, target = card.first, card.target
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            _link(first)
            st.caption(w.plain(", ".join(f"{kind} × {count}" for kind, count, _ in first.instances), 80))
            st.space("stretch")
            if target is not None and first.rule != "idle_warm_pool":
                stopping.show_button(target, first.rule, f"stop-{first.finding_id}", critical=first.severity == "critical")
            picked = st.menu_button(
                "",
                [*quieting.offers(card.findings), "Open job"],
                key=f"more-{first.finding_id}",
                icon=":material/more_horiz:",
                type="tertiary",
            )
        for row in card.findings:
            color, icon = SEVERITY.get(row.severity, SEVERITY["info"])
            st.markdown(f":{color}-badge[{icon} {TITLES.get(row.rule, w.plain(row.rule, 40))}] {w.plain(row.evidence)}")
        st.caption(w.md(consequence(card)))
        for row in card.findings:
            if row.is_quiet(now):
                st.caption(f":material/notifications_paused: {quieting.quiet_words(row)}")
    if picked == "Open job":
        places.open_job(first.job, first.account, first.region, w.iso_text(first.created_at))
    quieting.chosen(card.findings, picked)


def _link(row: FindingRow) -> None:
    query = {"job": row.job, "account": row.account, "region": row.region, "created": w.iso_text(row.created_at)}
    st.page_link(places.job_page(), label=f"**{w.plain(row.job, 80)}**", query_params=query, width="content")


def consequence(card: Card) -> str:
    """What stopping loses, what was wasted, what may come, how long it has run."""
    first, target = card.first, card.target
    if first.rule == "idle_warm_pool" or target is None:
        return f"Costs **{_money(first.burn_nusd_per_hour)}/h**  ·  wasted **{_money(first.wasted_nusd)}** so far"
    wasted = max((row.wasted_nusd for row in card.findings if row.wasted_nusd is not None), default=None)
    parts_ = [
        f"Stopping loses **{_money(target.work_lost_nusd)}** ({target.work_lost})",
        f"wasted **{_money(wasted)}** of **{_money(target.accruing_nusd)}** so far",
    ]
    if target.avoided_nusd is not None:
        parts_.append(f"at most **{_money(target.avoided_nusd)}** more to its limit")
    parts_.append(f"ran **{span(target.ran_seconds)}**")
    return "  ·  ".join(parts_)


def _money(amount: int | None) -> str:
    return "unknown" if amount is None else w.usd(amount)


def pick_several(found: State) -> None:
    """Several jobs at once, through the same dialog; the ten dearest at most, by setting."""
    rows = [one[0] for one in found.shown if one[0].rule != "idle_warm_pool"]
    if len(rows) < 2:
        return
    names = {f"{row.job} ({w.usd(row.burn_nusd_per_hour)}/h)": row.job_id for row in rows[:200]}
    with st.popover("Stop several", icon=":material/checklist:", type="tertiary"):
        chosen = st.multiselect("Jobs", list(names), key="several", placeholder="Choose jobs")
        most = reads.current_settings().actions.max_jobs
        if st.button("Review and stop", key="stop-several", disabled=not chosen, icon=":material/stop_circle:"):
            ids = [names[name] for name in chosen]
            targets = watching.stop_targets(ids)
            stopping.open_dialog([targets[one] for one in ids if one in targets])
        st.caption(f"At most {most} at once: [actions] max_jobs.")
