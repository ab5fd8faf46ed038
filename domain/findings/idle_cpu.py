"""A job without accelerators whose hosts have done nothing for the whole window."""

from domain.findings.finding import Finding, NoVerdict, Verdict, span
from domain.findings.hosts import idle_since, window
from domain.findings.situation import CPU, Situation, instant
from domain.findings.thresholds import Thresholds

RULE = "idle_cpu"


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Critical while every host of a CPU job stays under the idle threshold of its cores."""
    if not situation.is_cpu_job():
        return None
    found = window(situation, RULE, limits.idle_minutes, tuple(range(1, len(situation.hosts) + 1)), CPU)
    if found is None or isinstance(found, NoVerdict):
        return found
    if not all(value < limits.idle_cpu_percent for host in found.hosts.values() for value in host.between(found.start, found.end)):
        return None
    began = idle_since(found, tuple(found.hosts), lambda _, value: value < limits.idle_cpu_percent)
    if began is None:
        return None
    since = situation.began(RULE, instant(began), situation.hosts_from)
    who = "Its host" if len(found.hosts) == 1 else f"All {len(found.hosts)} hosts"
    return Finding(
        RULE, "critical", since,
        f"{who} under {limits.idle_cpu_percent:g}% CPU for {span(instant(found.end) - since)}, while the job says it is training.",
        "Look at its logs for what it waits for; stop it if it will not go on by itself.",
        situation.spent_since(since),
        instant(found.end),
    )  # fmt: skip
