"""What a rule answers: a finding with its evidence, or that it cannot be judged; and the words of both."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that holds of a job: since when, evidence in words with numbers, what to do, and nano-dollars spent for nothing so far.

    `wasted_nusd` is None where it is not known. Evidence and advice are our own words; names in them are AWS's text. `as_of` is the
    newest of the evidence where that may be older than the last look at the job.
    """

    rule: str
    severity: Severity
    since: datetime
    evidence: str
    advice: str
    wasted_nusd: int | None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """A rule that cannot be judged now, and why. Missing data is never evidence, for nor against."""

    rule: str
    why: str


Verdict = Finding | NoVerdict | None


def rank(severity: str) -> int:
    """0 for the gravest."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def span(length: timedelta | float) -> str:
    """A length of time in words: `47 min`, `11 h 17`, `2 d 3 h`; seconds where it is given as a number."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    minutes = max(0, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02}"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def number(value: float) -> str:
    """A measured number in few digits."""
    return f"{value:,.0f}" if 100 <= abs(value) < 1e6 else f"{value:.3g}"
