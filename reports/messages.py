"""The words of messages: what has happened, what it costs, what to do, and the address of the page that shows it.

Text from AWS is data in them: on one line, without what could hide or turn other text, of bounded length, and calling nobody by name.
The address comes early in a message, since some channels cut what is long.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Literal, NamedTuple
from urllib.parse import quote, urlencode

from domain.findings.finding import rank, span
from domain.findings.judge import TITLES
from domain.instants import iso
from domain.money import usd
from storage.views.collection import CollectorState
from storage.views.findings import FindingRow
from storage.views.told import EndedStop

NAME, EVIDENCE, ADVICE = 120, 400, 250  # characters
DIGEST_LINES = 10
UNKNOWN = "not known"
_SPACE = re.compile(r"\s+")
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
# What chats take for a call to people or channels (Slack, Discord, Teams, Matrix, Mattermost, Zulip, Google Chat, Telegram, Lark and
# whoever follows them), for a link under other words, or for the address of one.
_CALLS = re.compile(
    r"(?<![\w.+\-])@|@(?=everyone|here|channel|all\b|room|team|group)|<(?=[@!#/a-z])|\](?=\()|(?:https?|ftp):(?=//)|www(?=\.)",
    re.IGNORECASE,
)


_OBJECT = "; to object, acknowledge the finding or tag the job as exempt."
_STEPS: Mapping[str, tuple[str, str, str, str]] = {  # severity, title, verb, how the sentence ends
    "warned": ("warning", "First warning", "stops", f" unless it recovers{_OBJECT}"),
    "warned_again": ("critical", "Last warning", "stops", f" unless it recovers{_OBJECT}"),
    "stopped": ("warning", "Stopped by policy", "stopped", "."),
    "refused": ("warning", "Not stopped by policy", "could not stop", "; the audit log says why."),
    "failed": ("warning", "Not stopped by policy", "could not stop", "; the audit log says why, and it tries again."),
}
_DRY = "; it is a dry run, and nothing is done."
_DRY_STEPS: Mapping[str, tuple[str, str, str, str]] = {
    "warned": ("info", "Dry run, first warning", "would stop", _DRY),
    "warned_again": ("info", "Dry run, last warning", "would stop", _DRY),
    "stopped": ("info", "Dry run, would have stopped", "would have stopped", _DRY),
    "refused": ("info", "Dry run, not stopped", "could not have stopped", _DRY),
}


class Message(NamedTuple):
    """A message to be told: plain text, `severity` as findings have it."""

    severity: str
    title: str
    body: str


class DigestItem(NamedTuple):
    """One of many messages: what kind of thing it is about, what that burns (None: nothing, or not known), and whether it is over."""

    kind: str
    severity: str
    title: str
    burn_nusd_per_hour: int | None = None
    is_over: bool = False


def finding_message(row: FindingRow, kind: Literal["opened", "escalated"], base_url: str) -> Message:
    """A finding that was opened, or that is graver than before."""
    began = row.severity.capitalize() if kind == "opened" else f"Now {row.severity}"
    lines = [*_finding_lines(row, base_url), f"Since {_utc(row.since)}, found {_utc(row.opened_at)}"]
    return Message(row.severity, f"{began}: {_about(row)}", "\n".join(lines))


def policy_message(step: str, policy: str, row: FindingRow, when: datetime | None, base_url: str, *, dry_run: bool = False) -> Message:
    """A step of a policy on a finding: warned, warned_again, stopped, refused (it may not be stopped after all) or failed (AWS did not).

    `when` is the moment of the stop. In a dry run, what would have been. The second warning is critical, since it is the last
    moment to object. Raises KeyError for another step.
    """
    severity, title, does, ending = (_DRY_STEPS if dry_run else _STEPS)[step]
    at = "" if when is None else f" at {_utc(when)}"
    lines = [f"Policy {_line(policy, NAME)} {does} this job{at}{ending}", *_finding_lines(row, base_url)]
    return Message(severity, f"{title}: {_about(row)}", "\n".join(lines))


def stop_message(stop: EndedStop, base_url: str) -> Message:
    """A stop that came to its end: who asked for it and why, and what it avoided; that the job ended by itself; or that it failed."""
    what = "tuning job" if stop.kind == "tuning_job" else "job"
    asked = f"{_line(stop.by, NAME)} asked for it at {_utc(stop.asked_at)}: {_line(stop.reason, EVIDENCE) or 'no reason given'}"
    name = _line(stop.name, NAME)
    avoided = f"Avoided, had it run to its time limit, at most: {_money(stop.avoided_nusd, ' (estimate at list price)')}"
    severity, title, words = {
        "stopped": ("info", "Stopped", f"The {what} has stopped."),
        "already_ended": ("info", "Ended by itself", f"The {what} was to be stopped, and ended by itself before that."),
    }.get(stop.state, ("critical", "Stop failed", f"The {what} was to be stopped, and runs on: stop it again."))
    lines = [
        words,
        stop_link(stop, base_url),
        asked,
        *([avoided] if stop.state == "stopped" else []),
        f"Account {stop.account}, {stop.region}",
    ]
    return Message(severity, f"{title}: {name} · {_line(stop.team, NAME)}", "\n".join(lines))


def late_message(state: CollectorState, since: datetime, now: datetime, base_url: str) -> Message:
    """A collector that has not gone well since an instant. That of jobs is critical: while it stands still nobody sees what runs away."""
    failed, never = state.outcome in ("failed", "abandoned"), state.succeeded_at is None
    lines = [
        f"It has {'never gone well, first tried' if never else 'not gone well since'} {_utc(since)} ({span(now - since)}).",
        page_link(base_url, "collectors"),
        f"Its last run began {_utc(state.started_at)}: {_line(f'{state.outcome}: {state.message}', EVIDENCE)}",
        "Data collected earlier is kept; anything based on it is equally old.",
    ]
    severity = "critical" if state.collector == "jobs" else "warning"
    return Message(severity, f"Collector {'failed' if failed else 'late'}: {_collector(state)}", "\n".join(lines))


def recovered_message(state: CollectorState, base_url: str) -> Message:
    """A collector that was reported late and goes well again."""
    since = UNKNOWN if state.succeeded_at is None else _utc(state.succeeded_at)
    lines = [f"It last went well at {since}.", page_link(base_url, "collectors")]
    return Message("info", f"Collector well again: {_collector(state)}", "\n".join(lines))


def digest_message(items: Sequence[DigestItem], page: str, base_url: str) -> Message:
    """Many messages in one: how many of which kind and severity, and the gravest and dearest of them; `page` shows them all.

    What is over comes last, and what has no figure before what has.
    """
    ordered = sorted(items, key=_gravest_first)
    counts = Counter((one.kind, one.severity) for one in ordered)
    by_severity = Counter(one.severity for one in ordered)
    more = len(ordered) - DIGEST_LINES
    lines = [
        ", ".join(f"{kind}: {count} {severity}" for (kind, severity), count in counts.most_common()),
        page_link(base_url, page),
        *(_digest_line(one) for one in ordered[:DIGEST_LINES]),
        *([f"and {more} more"] if more > 0 else []),
    ]
    summary = ", ".join(f"{count} {severity}" for severity, count in by_severity.items())
    return Message(ordered[0].severity, f"{len(ordered)} messages: {summary}", "\n".join(lines))


def job_link(base_url: str, job: str, account: str, region: str, created_at: datetime) -> str:
    """The address of a job's page; a name alone may fit several."""
    query = {"job": job, "account": account, "region": region, "created": iso(created_at)}
    return f"{page_link(base_url, 'job')}?{urlencode(query, quote_via=quote, safe='')}"


def page_link(base_url: str, page: str) -> str:
    """The address of a page."""
    return f"{base_url.rstrip('/')}/{page}"


def stop_link(stop: EndedStop, base_url: str) -> str:
    """The address that shows what was stopped: a job's own page, the audit log for a tuning job."""
    if stop.kind == "tuning_job":
        return page_link(base_url, "audit")
    return job_link(base_url, stop.name, stop.account, stop.region, stop.created_at)


def _finding_lines(row: FindingRow, base_url: str) -> list[str]:
    left = None if row.projected_nusd is None or row.accruing_nusd is None else max(0, row.projected_nusd - row.accruing_nusd)
    return [
        _line(row.evidence, EVIDENCE),
        job_link(base_url, row.job, row.account, row.region, row.created_at),
        f"Burning: {_money(row.burn_nusd_per_hour, '/h at list price')}",
        f"So far: {_money(row.accruing_nusd)}; for nothing: {_money(row.wasted_nusd)}",
        f"More until its time limit, at most: {_money(left)}",
        f"Advice: {_line(row.advice, ADVICE)}",
        f"Account {row.account}, {row.region}",
    ]


def _about(row: FindingRow) -> str:
    return f"{TITLES.get(row.rule, _line(row.rule, NAME))} · {_line(row.job, NAME)} · {_line(row.team, NAME)}"


def _collector(state: CollectorState) -> str:
    named = f"{_line(state.account_name, NAME)} ({state.account})" if state.account_name else state.account
    return f"{_line(state.collector, NAME)} of {named}, {state.region}"


def _gravest_first(item: DigestItem) -> tuple[int, bool, float, str]:
    burn = item.burn_nusd_per_hour
    return rank(item.severity), item.is_over, -inf if burn is None else -burn, item.title


def _digest_line(item: DigestItem) -> str:
    burn = "" if item.burn_nusd_per_hour is None or item.is_over else f", {_money(item.burn_nusd_per_hour, '/h at list price')}"
    return f"- {_line(item.title, NAME)}{burn}{' (over by now)' if item.is_over else ''}"


def _money(amount_nusd: int | None, label: str = " (estimate)") -> str:
    """Dollars to the cent with what they are; what is not known says so."""
    amount = usd(amount_nusd)
    return UNKNOWN if amount is None else f"${amount:,.2f}{label}"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%-d %b %Y %H:%M} UTC"


def _line(text: str, limit: int) -> str:
    """Text from AWS or people on one line: what hides or turns text made visible, no call to anybody, at most so long."""
    shown = _CALLS.sub(lambda found: f"{found[0]} ", _HIDDEN.sub("�", _SPACE.sub(" ", text.strip())))
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
