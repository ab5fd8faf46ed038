"""A GPU host that works, at a fraction of what it is paid for."""

from datetime import timedelta
from statistics import fmean

from domain.findings.finding import Finding, NoVerdict, Verdict, span
from domain.findings.hosts import gpu_window
from domain.findings.hung import last_moves
from domain.findings.situation import Situation, instant
from domain.findings.thresholds import Thresholds

RULE = "slow_gpu"


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Info when a host's mean lies between the idle threshold and the slow one for the window, while work moves on.

    Where everything that ever moved has stood still for the window, it is not slow, and this rule says nothing.
    """
    found = gpu_window(situation, RULE, limits.slow_minutes)
    if found is None or isinstance(found, NoVerdict):
        return found
    means = {number: fmean(host.between(found.start, found.end)) for number, host in found.hosts.items()}
    slow = {number: mean for number, mean in means.items() if limits.idle_gpu_percent <= mean < limits.slow_gpu_percent}
    if not slow:
        return None
    moved, window = last_moves(situation), timedelta(minutes=limits.slow_minutes)
    if not isinstance(moved, NoVerdict) and all(looked - last >= window for last, looked in moved.values()):
        return None
    host = min(slow, key=lambda number: slow[number])
    where = "Its GPUs" if len(means) == 1 else f"The GPUs of algo-{host}"
    length = instant(found.end) - instant(found.start)
    return Finding(
        RULE, "info", instant(found.start),
        f"{where} did {slow[host]:.0f}% of what they can over the last {span(length)}.",
        "Look whether loading data is what it waits for: more loader workers, larger batches, or a smaller instance.",
        None,
        instant(found.end),
    )  # fmt: skip
