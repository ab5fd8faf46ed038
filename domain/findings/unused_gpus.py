"""A host with several GPUs of which no more than one works."""

from domain.findings.finding import Finding, NoVerdict, Verdict, span
from domain.findings.hosts import gpu_window
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
    began = [found.hosts[one].held_since(lambda value, n=n: value * n <= 100) for one, n, _ in unused]  # type: ignore[misc]
    since = situation.began(RULE, instant(max(start for start in began if start is not None)))
    where = "" if len(found.hosts) == 1 else f" of algo-{number}"
    idle_percent = 100 * sum(n - 1 for _, n, _ in unused) / sum(gpus(kind) or 0 for kind in situation.hosts)
    return Finding(
        RULE, "warning", since,
        f"1 of {count} GPUs{where} does all the work: together they never passed {most:.0f}% of one in {span(instant(found.end) - since)}.",
        "Use all of its GPUs (distributed launch), or an instance with one GPU.",
        situation.spent_since(since, idle_percent),
    )  # fmt: skip
