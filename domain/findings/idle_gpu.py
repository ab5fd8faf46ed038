"""Every GPU host has done nothing for the whole window, while the job says that it trains."""

from domain.findings.finding import Finding, NoVerdict, Verdict, span
from domain.findings.hosts import gpu_window, idle_since
from domain.findings.situation import Situation, instant
from domain.findings.thresholds import Thresholds

RULE = "idle_gpu"


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Critical while every GPU host stays under the idle threshold; the busiest host is the one that is judged."""
    found = gpu_window(situation, RULE, limits.idle_minutes)
    if found is None or isinstance(found, NoVerdict):
        return found
    if not all(value < limits.idle_gpu_percent for host in found.hosts.values() for value in host.between(found.start, found.end)):
        return None
    began = idle_since(found, tuple(found.hosts), lambda _, value: value < limits.idle_gpu_percent)
    if began is None:
        return None
    since = situation.began(RULE, instant(began), situation.hosts_from)
    who = {1: "Its GPU host", 2: "Both hosts"}.get(len(found.hosts), f"All {len(found.hosts)} hosts")
    return Finding(
        RULE, "critical", since,
        f"{who} under {limits.idle_gpu_percent:g}% GPU for {span(instant(found.end) - since)}, while the job says it is training.",
        "Look at its logs for what it waits for (data, a lock, another host); stop it if it will not go on by itself.",
        situation.spent_since(since),
        instant(found.end),
    )  # fmt: skip
