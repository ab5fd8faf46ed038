"""What is truly wrong with a job, rule by rule, by its plan alone: nothing here has seen a sample, a log or a listing."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Final, NamedTuple

from demo.behaviour import hangs_at, shown
from demo.case import Case
from demo.hosts import SLOW_PERCENT, hosts
from demo.objects import checkpoints_at
from demo.surroundings import family_of, prefix, team_of

MARGIN: Final = timedelta(minutes=10)
"""How near to its threshold a job is judged a matter of minutes."""
ENOUGH_RUNS: Final = 5
DEFAULT_LIMIT: Final = timedelta(days=1)
LONG_LIMIT: Final = timedelta(days=5)
STUCK_AFTER: Final = {
    "Starting": timedelta(minutes=30), "Pending": timedelta(minutes=120), "Downloading": timedelta(minutes=60),
    "Uploading": timedelta(minutes=60), "Stopping": timedelta(minutes=30),
}  # fmt: skip


class Verdict(NamedTuple):
    """Whether a rule applies, and whether that is a matter of minutes."""

    holds: bool
    close: bool = False


NO: Final = Verdict(False)


def over_runtime(case: Case) -> Verdict:
    """Longer on instances than twice the 95th percentile of its family's completed runs, of which there are five."""
    family = family_of(case.plan)
    runs = sorted(case.context.runs.get(family, ())) if family is not None else []
    if len(runs) < ENOUGH_RUNS:
        return NO
    rank = 0.95 * (len(runs) - 1)
    between = runs[int(rank)] + (runs[ceil(rank)] - runs[int(rank)]) * (rank % 1)
    nearest = runs[ceil(0.95 * len(runs)) - 1]
    # Between the two ways to take a percentile either answer is right.
    least, most = timedelta(seconds=2 * min(between, nearest)), timedelta(seconds=2 * nearest)
    return Verdict(case.ran > most, least - MARGIN <= case.ran <= most + MARGIN)


def near_limit(case: Case) -> Verdict:
    """90 % of the runtime allowed is used, or of the time that a spot job may take in all."""
    limits = case.plan.limits
    if "StoppingCondition" in case.plan.overrides:
        return NO
    ran = _over(case.ran, timedelta(seconds=0.9 * limits.max_runtime_seconds))
    if not case.plan.spot or limits.max_wait_seconds is None:
        return ran
    return _either(ran, _over(case.now - case.plan.created_at, timedelta(seconds=0.9 * limits.max_wait_seconds)))


def no_limit(case: Case) -> Verdict:
    """Over twelve hours under the default limit, or under one of more than five days."""
    limit = timedelta(seconds=case.plan.limits.max_runtime_seconds)
    if "StoppingCondition" in case.plan.overrides or not (limit == DEFAULT_LIMIT or limit > LONG_LIMIT):
        return NO
    return _over(case.ran, timedelta(hours=12))


def idle_gpu(case: Case) -> Verdict:
    """Every GPU host idle for half an hour of training."""
    return _shows(case, "idle", timedelta(minutes=30)) if case.gpu_counts else NO


def hung(case: Case) -> Verdict:
    """GPUs busy with nothing for an hour and a half: all that once moved has stopped, and something had."""
    hangs, began = hangs_at(case.plan, case.life), case.first_trained_at
    moved = hangs is not None and began is not None and hangs > began
    return _shows(case, "hung", timedelta(minutes=90)) if case.gpu_counts and moved else NO


def slow_gpu(case: Case) -> Verdict:
    """GPUs little used for an hour of training, on a host where that is more than one GPU's worth or all there is."""
    counts = case.gpu_counts
    return _shows(case, "slow", timedelta(hours=1)) if counts and not any(map(_spares_gpus, counts)) else NO


def unused_gpus(case: Case) -> Verdict:
    """Several GPUs, for an hour of training never more than one GPU's worth of work."""
    one = _shows(case, "one_gpu", timedelta(hours=1)) if any(count > 1 for count in case.gpu_counts) else NO
    slow = _shows(case, "slow", timedelta(hours=1)) if any(map(_spares_gpus, case.gpu_counts)) else NO
    return _either(one, slow)


def straggler(case: Case) -> Verdict:
    """One host of several idle for half an hour of training."""
    return _shows(case, "straggler", timedelta(minutes=30)) if case.plan.cluster.instance_count > 1 else NO


def idle_cpu(case: Case) -> Verdict:
    """A job without GPUs that has been idle for half an hour of training."""
    return _shows(case, "idle", timedelta(minutes=30)) if hosts(case.plan) and not case.gpu_counts else NO


def stuck(case: Case) -> Verdict:
    """Longer in a phase than the phase should take."""
    limit = STUCK_AFTER.get(case.step.status)
    return NO if limit is None else _over(case.now - case.step.start, limit)


def spot_thrash(case: Case) -> Verdict:
    """Interrupted three times, or longer without instances than in training, and half an hour at least."""
    taken = case.interruptions
    often = _since(taken[2], case.now) if len(taken) > 2 else NO
    return _either(often, _over(case.waited, max(case.trained, timedelta(minutes=30))))


def diverged(case: Case) -> Verdict:
    """A loss that explodes, for half an hour; or one no better for twelve hours than in the twelve before."""
    showing = shown(case.plan, case.life)
    if not case.plan.algorithm.metrics or showing is None or case.step.status != "Training":
        return NO
    if case.plan.behaviour != "plateau":
        return _shows(case, "diverged", timedelta(minutes=30))
    # As soon as the earlier twelve hours have reached the level that the later ones keep, one may say so already.
    flat = case.now - showing[0]
    return Verdict(flat >= timedelta(hours=24), timedelta(hours=12) - MARGIN <= flat <= timedelta(hours=24) + MARGIN)


def over_budget(case: Case) -> Verdict:
    """The list price of its instances so far, at a spot job's billable share, is more than its team lets one job cost."""
    cap, hourly = case.context.caps_usd.get(team_of(case.plan) or ""), case.hourly_usd
    if cap is None or hourly is None:
        return NO
    listed = hourly * Decimal(case.ran.total_seconds()) / 3600
    share = Decimal(str(case.plan.billable_share)) if case.plan.spot else Decimal(1)
    # While a spot job lives nobody knows its share: it may be taken for a third less, or for nothing off at all.
    least, most = (listed * share * 2 / 3, listed) if case.plan.spot else (listed, listed)
    some = hourly / 6 + cap / 50
    return Verdict(listed * share > cap, least - some <= cap <= most + some)


def checkpoint_stopped(case: Case) -> Verdict:
    """A spot job that wrote checkpoints, and for twice its rhythm and half an hour has written none, nor will."""
    plan, saved = case.plan, case.plan.checkpoints
    written = [at for at in checkpoints_at(plan, case.life) if at <= case.now]
    if not plan.spot or saved is None or not written:
        return NO
    gaps = [later - earlier for earlier, later in zip(written[-3:], written[-2:], strict=False)]
    rhythm = timedelta(seconds=saved.every_seconds)
    limit, most = (max(2 * one, timedelta(minutes=30)) for one in (rhythm, max([rhythm, *gaps])))
    age, stopped = case.now - written[-1], _writes_no_more(case)
    shared = case.context.live_on.get(prefix(saved.uri), 0) > 1
    # A wait for capacity is no stop, yet from outside the newest file is as old as if it were one.
    close = limit - MARGIN <= age and (not stopped or age <= most + MARGIN or shared)
    return Verdict(stopped and age > limit, close)


def checkpoint_shared(case: Case) -> Verdict:
    """Another live job saves to the same place."""
    saved = case.plan.checkpoints
    return Verdict(saved is not None and case.context.live_on.get(prefix(saved.uri), 0) > 1)


def idle_warm_pool(case: Case) -> Verdict:
    """A pool that has been kept for a quarter of an hour, and nobody has taken."""
    pool, kept = case.plan.warm_pool, case.now - case.life.ended_at
    if pool is None or case.life.started_at is None or not timedelta(0) <= kept < timedelta(seconds=pool.retained_seconds):
        return NO
    return _over(kept, timedelta(minutes=15))


def _writes_no_more(case: Case) -> bool:
    saved, hangs = case.plan.checkpoints, hangs_at(case.plan, case.life)
    if saved is not None and saved.stops_after_seconds is not None and case.trained.total_seconds() > saved.stops_after_seconds:
        return True
    return hangs is not None and case.now > hangs


def _spares_gpus(count: int) -> bool:
    """Whether a slow job's host with so many GPUs could do with one."""
    return count > 1 and count * sum(SLOW_PERCENT) <= 100


def _shows(case: Case, behaviour: str, window: timedelta) -> Verdict:
    """Whether the job trains and has shown the behaviour for the window, in this stretch of training."""
    showing, began, step = shown(case.plan, case.life), case.first_trained_at, case.step
    if case.plan.behaviour != behaviour or showing is None or began is None or step.status != "Training":
        return NO
    certain = max(showing[0], step.start) + window
    # Where the stretch follows an interruption, samples from before it may be counted, or not.
    possible = max(showing[0], began) + window
    return Verdict(case.now >= certain, possible - MARGIN <= case.now <= certain + MARGIN)


def _since(at: datetime, now: datetime) -> Verdict:
    return Verdict(now >= at, abs(now - at) <= MARGIN)


def _over(value: timedelta, limit: timedelta) -> Verdict:
    return Verdict(value > limit, abs(value - limit) <= MARGIN)


def _either(*verdicts: Verdict) -> Verdict:
    if any(one.holds and not one.close for one in verdicts):
        return Verdict(True)
    return Verdict(any(one.holds for one in verdicts), any(one.close for one in verdicts))


WHILE_LIVE: Final[Mapping[str, Callable[[Case], Verdict]]] = {
    judge.__name__: judge
    for judge in (
        over_runtime, near_limit, no_limit, idle_gpu, hung, slow_gpu, unused_gpus, straggler, idle_cpu, stuck,
        spot_thrash, diverged, over_budget, checkpoint_stopped, checkpoint_shared,
    )
}  # fmt: skip
AFTER_THE_END: Final[Mapping[str, Callable[[Case], Verdict]]] = {idle_warm_pool.__name__: idle_warm_pool}
