"""GPUs spin without moving while everything that once moved has stopped: a deadlock that looks like work."""

from datetime import datetime, timedelta

from domain.findings.finding import Finding, NoVerdict, Verdict, span
from domain.findings.hosts import Window, gpu_window, idle_since
from domain.findings.situation import Situation, instant
from domain.findings.thresholds import Thresholds

RULE = "hung"
FLAT_PERCENT = 5.0  # real work makes a GPU's use move by more than this within an hour and a half


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Critical when GPUs are flat and high for the window and each signal that ever moved has been still for as long.

    A signal that never existed is no evidence, and at least one must have existed; one that cannot be looked at leaves no verdict.
    """
    found = gpu_window(situation, RULE, limits.hung_minutes)
    if found is None or isinstance(found, NoVerdict):
        return found
    if not _flat_and_high(found, limits.hung_gpu_percent):
        return None
    moved = last_moves(situation)
    if isinstance(moved, NoVerdict):
        return moved
    length = timedelta(minutes=limits.hung_minutes)
    if any(looked - last < length for last, looked in moved.values()):
        return None
    flat = idle_since(found, tuple(found.hosts), lambda _, value: value >= limits.hung_gpu_percent)
    seen = max([last for last, _ in moved.values()] + ([instant(flat)] if flat is not None else []))
    since = situation.began(RULE, seen, situation.hosts_from)
    level = min(min(host.between(found.start, found.end)) for host in found.hosts.values())
    words = ", ".join(f"no {name}" for name in moved)
    return Finding(
        RULE, "critical", since,
        f"GPU flat at {level:.0f}% while {words} has moved for {span(instant(found.end) - since)}.",
        "Hosts that wait for each other spin like this; take a stack dump if you can, then stop it.",
        situation.spent_since(since),
        min([instant(found.end)] + [looked for _, looked in moved.values()]),
    )  # fmt: skip


def _flat_and_high(found: Window, threshold: float) -> bool:
    for host in found.hosts.values():
        values = host.between(found.start, found.end)
        if min(values) < threshold or max(values) - min(values) > FLAT_PERCENT:
            return False
    return True


def last_moves(situation: Situation) -> dict[str, tuple[datetime, datetime]] | NoVerdict:
    """When each thing that ever moved last did, and when somebody last looked: it has been still for so long as is known."""
    moves: dict[str, tuple[datetime, datetime]] = {}
    last = max((series.times[-1] for series in situation.metrics.values() if series.times), default=None)
    if last is not None:
        looked = situation.metrics_checked_at
        if looked is None or not situation.looked_lately(looked):
            return NoVerdict(RULE, "nobody has looked at its training metrics lately")
        moves["training metric"] = instant(last), looked
    if situation.logs is None or not situation.looked_lately(situation.logs.checked_at):
        return NoVerdict(RULE, "nobody has looked lately when it last logged")
    if situation.logs.last_at is not None:
        moves["log line"] = situation.logs.last_at, situation.logs.checked_at
    saved, started = situation.checkpoint, situation.job.started_at
    if saved is None and situation.job.checkpoint_uri is not None:
        return NoVerdict(RULE, "nobody has looked at its checkpoints yet")
    if saved is not None and saved.state == "unknown":
        return NoVerdict(RULE, "its checkpoints cannot be listed")
    if saved is not None and saved.last_written_at is not None and started is not None and saved.last_written_at >= started:
        if not situation.looked_lately(saved.checked_at):
            return NoVerdict(RULE, "nobody has looked at its checkpoints lately")
        moves["checkpoint"] = saved.last_written_at, saved.checked_at
    if not moves:
        return NoVerdict(RULE, "it has never logged, reported a metric or written a checkpoint")
    return moves
