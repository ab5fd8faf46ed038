"""A host with several GPUs of which no more than one works."""

from domain.findings.finding import Finding, NoVerdict, Verdict, span
from domain.findings.hosts import gpu_window, idle_since
from domain.findings.situation import Situation, instant
from domain.findings.thresholds import Thresholds
from domain.instances import gpus

RULE = "unused_gpus"


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Warning when a multi-GPU host's summed use never exceeds one GPU's worth in the window."""
    found = gpu_window(situation, RULE, limits.slow_minutes)
    if found is None or isinstance(found, NoVerdict):
        return found
    unused: list[tuple[int, int, float]] = []
    for number, host in found.hosts.items():
        count = gpus(situation.hosts[number - 1]) or 0
        most = max(host.between(found.start, found.end)) * count
        if count > 1 and most <= 100:
            unused.append((number, count, most))
    if not unused:
        return None
    number, count, most = unused[0]
    counts = {one: n for one, n, _ in unused}
    began = idle_since(found, tuple(counts), lambda one, value: value * counts[one] <= 100)
    if began is None:
        return None
    since = situation.began(RULE, instant(began), situation.hosts_from)
    where = "" if len(found.hosts) == 1 else f" of algo-{number}"
    idle_percent = situation.share_percent({one: (n - 1) / n for one, n in counts.items()})
    return Finding(
        RULE, "warning", since,
        f"{count} GPUs{where} did the work of one: together never over {most:.0f}% of one GPU in {span(instant(found.end) - since)}.",
        "Use all of its GPUs (distributed launch), or an instance with one GPU.",
        situation.spent_since(since, idle_percent),
        instant(found.end),
    )  # fmt: skip
