"""Jobs in trouble right now: for each rule about runaway jobs one or more that deserve it and no other, and innocent ones."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from demo.innocents import innocents
from demo.plan import MAX_RUNTIME, MAX_WAIT, Interruption, JobPlan, Limits, Phases, WarmPool
from demo.staged import (
    DOWNLOADING_SECONDS,
    STARTING_SECONDS,
    UPLOADING_SECONDS,
    saved,
    spot,
    staged,
    working,
)

Trouble = Callable[[datetime], list[JobPlan]]
"""Makes the jobs that deserve a rule at the full hour it is given, and for some hours more."""
HOUR: Final = 3600


def troubles(now: datetime) -> list[JobPlan]:
    """The jobs in trouble at `now`, with what they need around them, and the innocent ones; the same all through an hour."""
    base = full_hour(now)
    return [plan for make in TROUBLES.values() for plan in make(base)] + innocents(base)


def full_hour(now: datetime) -> datetime:
    """The last full hour, in UTC."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def over_runtime(base: datetime) -> list[JobPlan]:
    """A family whose ten runs took an hour at most, and one that has run for six."""
    runs = [_run(base, number) for number in range(10)]
    return [*runs, staged("rc/credit/scorecard", "ml.m5.xlarge", base, 6.0)]


def near_limit(base: datetime) -> list[JobPlan]:
    """93 % of the runtime used; and 92 % of what a spot job may wait, most of which it did before it began."""
    allowed = 110 * HOUR
    plan = staged("search/retrieval/two-tower", "ml.g4dn.xlarge", base, (0.93 * allowed + STARTING_SECONDS) / HOUR)
    limited = replace(
        plan, phases=working(allowed - DOWNLOADING_SECONDS), limits=Limits(allowed), ending=MAX_RUNTIME, checkpoints=saved(plan)
    )
    waited = spot(staged("vision/ocr/pix2struct", "ml.g4dn.xlarge", base, 92.0))
    phases = working(40 * HOUR - STARTING_SECONDS - DOWNLOADING_SECONDS, pending_seconds=60 * HOUR)
    return [limited, replace(waited, phases=phases, limits=Limits(96 * HOUR, 100 * HOUR), ending=MAX_WAIT)]


def no_limit(base: datetime) -> list[JobPlan]:
    """Fourteen hours under the default limit, and under one of six days."""
    default = staged("search/rerank/mono-t5", "ml.g4dn.xlarge", base, 14.0)
    longest = staged("nlp/intent/setfit", "ml.g4dn.xlarge", base, 14.0)
    return [replace(default, limits=Limits()), replace(longest, limits=Limits(6 * 86_400))]


def idle_gpu(base: datetime) -> list[JobPlan]:
    """Two hosts, neither of which has had anything to do for four hours."""
    return [replace(staged("vision/detect/rtmdet", "ml.g4dn.xlarge", base, 5.0, count=2), behaviour="idle")]


def hung(base: datetime) -> list[JobPlan]:
    """GPU at 100 %, and neither a metric nor a line nor a checkpoint for four hours."""
    plan = staged("nlp/summarize/pegasus", "ml.g5.2xlarge", base, 5.0)
    return [replace(plan, behaviour="hung", checkpoints=saved(plan))]


def slow_gpu(base: datetime) -> list[JobPlan]:
    """One GPU that waits for its data most of the time."""
    return [replace(staged("growth/creative/blip", "ml.g5.2xlarge", base, 5.0), behaviour="slow")]


def unused_gpus(base: datetime) -> list[JobPlan]:
    """Four GPUs paid for, one used."""
    return [replace(staged("vision/segment/mask2former", "ml.g5.12xlarge", base, 5.0), behaviour="one_gpu")]


def straggler(base: datetime) -> list[JobPlan]:
    """Two hosts, one of which has stopped working."""
    return [replace(staged("rc/fraud/graphsage", "ml.g4dn.xlarge", base, 5.0, count=2), behaviour="straggler")]


def idle_cpu(base: datetime) -> list[JobPlan]:
    """A CPU host with nothing to do."""
    return [replace(staged("algo/pricing/elasticnet", "ml.m5.xlarge", base, 5.0), behaviour="idle")]


def stuck(base: datetime) -> list[JobPlan]:
    """One job in each phase that takes too long."""
    pending = replace(staged("nlp/llm/phi-lora", "ml.g5.2xlarge", base, 5.0), phases=working(2 * HOUR, pending_seconds=13 * HOUR))
    starting = replace(staged("nlp/llm/gemma-lora", "ml.g4dn.xlarge", base, 2.0), phases=Phases(starting_seconds=10.0 * HOUR))
    downloading = replace(staged("vision/ocr/craft", "ml.g4dn.xlarge", base, 3.0), phases=Phases(downloading_seconds=11.0 * HOUR))
    uploading = replace(
        staged("search/retrieval/contriever", "ml.g4dn.xlarge", base, 3.0),
        phases=Phases(training_seconds=3300.0, uploading_seconds=10.0 * HOUR),
    )
    stopping = replace(
        staged("growth/ltv/deepfm", "ml.g4dn.xlarge", base, 5.0),
        stop_requested_at=base - timedelta(minutes=50),
        stop_takes_seconds=9.0 * HOUR,
    )
    return [pending, starting, downloading, uploading, stopping]


def spot_thrash(base: datetime) -> list[JobPlan]:
    """Interrupted four times; and once, for longer than it has trained."""
    often = spot(staged("algo/ranking/din", "ml.g4dn.xlarge", base, 6.0))
    taken = tuple(Interruption(hour * HOUR, 600.0) for hour in (1, 2, 3, 4))
    long = replace(spot(staged("algo/project/resnext", "ml.g4dn.xlarge", base, 12.0)), checkpoints=None)
    once = (Interruption(0.5 * HOUR, 10.75 * HOUR),)
    return [replace(often, interruptions=taken), replace(long, interruptions=once, phases=working(9.25 * HOUR))]


def diverged(base: datetime) -> list[JobPlan]:
    """A loss that explodes, and one that has been flat for thirty hours."""
    exploding = staged("search/rerank/splade-v3", "ml.g4dn.xlarge", base, 6.0)
    flat = staged("nlp/intent/fasttext-cnn", "ml.g4dn.xlarge", base, 31.1)
    return [replace(exploding, behaviour="diverged"), replace(flat, behaviour="plateau")]


def over_budget(base: datetime) -> list[JobPlan]:
    """Twenty hours on an instance far too dear for its team."""
    return [staged("growth/uplift/transtee", "ml.p3.8xlarge", base, 20.0)]


def checkpoint_stopped(base: datetime) -> list[JobPlan]:
    """Spot that saved its work for an hour, and has not for four."""
    plan = spot(staged("rc/credit/ft-transformer", "ml.g4dn.xlarge", base, 5.0))
    return [replace(plan, checkpoints=saved(plan, stops_after_seconds=3700.0))]


def checkpoint_shared(base: datetime) -> list[JobPlan]:
    """Two jobs that overwrite each other."""
    first = spot(staged("vision/detect/detr", "ml.g4dn.xlarge", base, 4.0))
    second = spot(staged("vision/detect/detr", "ml.g4dn.xlarge", base, 3.0))
    return [first, replace(second, checkpoints=first.checkpoints)]


def idle_warm_pool(base: datetime) -> list[JobPlan]:
    """A pool that nobody has used since its job ended 50 minutes ago, to be kept for six hours."""
    training = 2.0 * HOUR
    lived = STARTING_SECONDS + DOWNLOADING_SECONDS + training + UPLOADING_SECONDS
    plan = staged("growth/creative/siglip", "ml.g4dn.xlarge", base, (lived + 50 * 60) / HOUR)
    return [replace(plan, phases=working(training), warm_pool=WarmPool(21_600, 21_600))]


def _run(base: datetime, number: int) -> JobPlan:
    """One of the family's runs of the last weeks."""
    plan = staged("rc/credit/scorecard", "ml.m5.xlarge", base, 30.0 + 41 * number)
    return replace(plan, phases=working(2400.0 + 120 * number))


TROUBLES: Final[Mapping[str, Trouble]] = {
    make.__name__: make
    for make in (
        over_runtime, near_limit, no_limit, idle_gpu, hung, slow_gpu, unused_gpus, straggler, idle_cpu, stuck,
        spot_thrash, diverged, over_budget, checkpoint_stopped, checkpoint_shared, idle_warm_pool,
    )
}  # fmt: skip
"""What makes the jobs of each rule, by the rule's name."""
