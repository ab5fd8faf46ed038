"""The objective or a loss is no number any more, has exploded, or has stopped getting better."""

import re
from math import isfinite

from domain.findings.finding import Finding, NoVerdict, Verdict, number, span
from domain.findings.series import Series
from domain.findings.situation import Situation, epoch, instant
from domain.findings.thresholds import Thresholds

RULE = "diverged"
LOSS = re.compile(r"loss|rmse|mse|mae|perplexity|(?:^|[:_\-])(?:nll|error|wer|cer)(?:$|[:_\-])", re.IGNORECASE)
EXPLODED_TIMES, EXPLODED_MINUTES = 10.0, 30
ADVICE = "More hours will not improve its result: stop it, lower the learning rate or go back to its best checkpoint."


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Critical for NaN, infinity or a tenfold loss over half an hour; warning when a loss is no better than a window before.

    Judged are the tuning job's objective, and metrics whose names say loss or error; of others nobody knows which way is better.
    """
    if situation.training_since is None:
        return None
    judged = {name: minimise for name in situation.metrics if (minimise := _minimise(name, situation)) is not None}
    if not judged:
        return None
    verdicts = [_of_one(name, situation.metrics[name], minimise, situation, limits) for name, minimise in sorted(judged.items())]
    findings = [one for one in verdicts if isinstance(one, Finding)]
    if findings:
        return min(findings, key=lambda one: (one.severity != "critical", one.since))
    return next((one for one in verdicts if isinstance(one, NoVerdict)), None)


def _minimise(name: str, situation: Situation) -> bool | None:
    """Whether less of a metric is better; None where that is not known."""
    if situation.objective is not None and situation.objective.metric == name:
        return situation.objective.minimise
    return True if LOSS.search(name) else None


def _of_one(name: str, series: Series, minimise: bool, situation: Situation, limits: Thresholds) -> Verdict:
    if not series.times:
        return NoVerdict(RULE, f"no value of {name}: {situation.no_samples_because}")
    return _not_a_number(name, series, situation) or _exploded(name, series, minimise, situation) or _flat(
        name, series, minimise, situation, limits
    )  # fmt: skip


def _not_a_number(name: str, series: Series, situation: Situation) -> Verdict:
    began = series.held_since(lambda value: not isfinite(value), gap=None)
    if began is None:
        return None
    looked = situation.metrics_checked_at
    if looked is None or not situation.looked_lately(looked):
        return NoVerdict(RULE, "nobody has looked at its training metrics lately")
    seen = min(instant(began), situation.now)
    since, value = situation.began(RULE, seen, situation.metrics_from), f"{series.values[-1]:g}".replace("nan", "NaN")
    words = f"{name} has been {value} since {seen:%d %b %H:%M} UTC."
    return Finding(RULE, "critical", since, words, ADVICE, situation.spent_since(since), looked)


def _exploded(name: str, series: Series, minimise: bool, situation: Situation) -> Verdict:
    """Ten times its best for half an hour and more; only for metrics of which less is better, and whose best is above 0."""
    best = min((value for value in series.values if isfinite(value)), default=0.0)
    if not minimise or best <= 0 or situation.newest([series]) is None:
        return None
    began = series.held_since(lambda value: value > EXPLODED_TIMES * best, gap=None)
    if began is None or series.times[-1] - began < EXPLODED_MINUTES * 60:
        return None
    since = situation.began(RULE, instant(began), situation.metrics_from)
    words = f"{name} is at {number(series.values[-1])}, {number(series.values[-1] / best)} times its best of {number(best)}."
    return Finding(RULE, "critical", since, words, ADVICE, situation.spent_since(since), instant(series.times[-1]))


def _flat(name: str, series: Series, minimise: bool, situation: Situation, limits: Thresholds) -> Verdict:
    """No better in the middle of the last window than in that of the window before it: single lucky values do not count."""
    length = limits.diverged_minutes * 60
    end = situation.newest([series])
    started = situation.job.started_at
    if started is None or epoch(situation.now) - epoch(started) < 2 * length:
        return None
    if end is None:
        return NoVerdict(RULE, f"its newest value of {name} is too old")  # whether it hangs is for `hung` to judge
    if series.times[0] > end - 2 * length + 600:
        return None
    recent, before = series.middle(end - length, end), series.middle(end - 2 * length, end - length - 1)
    if recent is None or before is None:
        return NoVerdict(RULE, f"too few samples of {name}")
    if (recent < before) if minimise else (recent > before):
        return None
    since = situation.began(RULE, instant(end - length))
    words = f"{name} has got no better for {span(instant(end) - since)}: {number(recent)} after {number(before)}."
    return Finding(RULE, "warning", since, words, ADVICE, situation.spent_since(since), instant(end))
