"""One host of several does nothing while the others work."""

from statistics import fmean

from domain.findings.finding import Finding, NoVerdict, Verdict, span
from domain.findings.hosts import gpu_window, idle_since, window
from domain.findings.situation import CPU, Situation, instant
from domain.findings.thresholds import Thresholds

RULE = "straggler"


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Warning when some hosts are idle for the window and at least one other is above the slow threshold."""
    if len(situation.hosts) < 2:
        return None
    threshold = limits.idle_gpu_percent
    found = gpu_window(situation, RULE, limits.idle_minutes)
    if situation.is_cpu_job():
        threshold = limits.idle_cpu_percent
        found = window(situation, RULE, limits.idle_minutes, tuple(range(1, len(situation.hosts) + 1)), CPU)
    if found is None or isinstance(found, NoVerdict):
        return found
    idle = [number for number, host in found.hosts.items() if max(host.between(found.start, found.end)) < threshold]
    busy = [
        number
        for number, host in found.hosts.items()
        if number not in idle and fmean(host.between(found.start, found.end)) >= limits.slow_gpu_percent
    ]
    if not idle or not busy:
        return None
    began = idle_since(found, idle, lambda _, value: value < threshold)
    if began is None:
        return None
    since = situation.began(RULE, instant(began), situation.hosts_from)
    names = ", ".join(f"algo-{number}" for number in idle[:3]) + ("" if len(idle) <= 3 else f" and {len(idle) - 3} more")
    return Finding(
        RULE, "warning", since,
        f"{names} of {len(found.hosts)} hosts under {threshold:g}% for {span(instant(found.end) - since)} while the others work.",
        "Look at that host's log stream; use one host fewer if the work does not spread.",
        situation.spent_since(since, situation.share_percent(dict.fromkeys(idle, 1.0))),
        instant(found.end),
    )  # fmt: skip
