"""Situations as the rules are told of them, made from a few facts; for tests of findings.

A job here has run for six hours, on instances that cost $2 an hour, unless a test says otherwise.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import nan
from typing import Any, NamedTuple

from domain.findings.finding import Finding, NoVerdict, Verdict
from domain.findings.series import Series
from domain.findings.situation import CPU, GPU, Checkpoint, Family, Signal, Situation, epoch
from domain.findings.thresholds import Thresholds
from domain.money import divided, nusd
from domain.running import accrual
from domain.training_job import TrainingJob, training_job_from
from tests.descriptions import at, description

NOW = at(6)
LIMITS = Thresholds()
SAMPLE_RULES = ("idle_gpu", "hung", "slow_gpu", "unused_gpus", "straggler", "idle_cpu")
SAVES = {"S3Uri": "s3://acme-sm-rc-fraud/checkpoints/one/"}


class Case(NamedTuple):
    """A situation in which a rule fires, and under which thresholds."""

    situation: Situation
    limits: Thresholds = LIMITS


def ago(minutes: float, now: datetime = NOW) -> datetime:
    """An instant some minutes before the last look."""
    return now - timedelta(minutes=minutes)


def transitions(*steps: tuple[str, float]) -> list[dict[str, Any]]:
    """Secondary statuses as AWS lists them, each from some hours after noon until the next begins."""
    ends = [start for _, start in steps[1:]] + [None]
    return [
        {"Status": status, "StartTime": at(start), "EndTime": None if end is None else at(end), "StatusMessage": ""}
        for (status, start), end in zip(steps, ends, strict=True)
    ]


def live(*steps: tuple[str, float], started: float | None = 0, spot: bool = False, **members: Any) -> TrainingJob:
    """A live job in the last of its steps; without any it has been Training since noon. `started` None: not on instances yet."""
    steps = steps or (("Starting", -0.1), ("Training", 0))
    facts: dict[str, Any] = {
        "SecondaryStatus": steps[-1][0],
        "SecondaryStatusTransitions": transitions(*steps),
        "TrainingStartTime": None if started is None else at(started),
    }
    return training_job_from(description(created=-0.1, ran=None, spot_share=1.0 if spot else None, **facts | members))


def seen(job: TrainingJob | None = None, *, now: datetime = NOW, rate_usd: str | None = "2", share: float = 1.0, **facts: Any) -> Situation:
    """A job's situation with its money worked out as views do; `rate_usd` is the list price of its whole cluster per hour.

    Its own metrics have just been looked at, where it has any, unless a test says otherwise.
    """
    job = job or live()
    facts = ({"metrics_checked_at": now} if "metrics" in facts else {}) | facts
    ran, rate = tuple(job.running_intervals(now)), None if rate_usd is None else nusd(rate_usd)
    estimate = accrual(ran, job.capacity, rate, share, waiting=job.is_waiting)
    factor = {"spot": round(share * 1_000_000), "plan": 0}.get(job.capacity, 1_000_000)
    return Situation(
        now=now,
        job=job,
        ran=ran,
        rate_nusd=None if rate is None else divided(rate * factor, 1_000_000),
        burn_nusd=estimate.burn_nusd_per_hour,
        accruing_nusd=estimate.accruing_nusd,
        list_rate_nusd=rate,
        **facts,
    )


def ended(situation: Situation, status: str = "Completed") -> Situation:
    """The same, of a job that has just ended."""
    return replace(situation, job=replace(situation.job, status=status, secondary_status=status, ended_at=situation.now))


def moved_to(situation: Situation, secondary_status: str, status: str = "InProgress") -> Situation:
    """The same, of a job that is in another status since a minute ago."""
    row = situation.job.transitions[-1]._replace(status=secondary_status, start=ago(1, situation.now))
    job = replace(situation.job, status=status, secondary_status=secondary_status, transitions=(*situation.job.transitions, row))
    return replace(situation, job=job)


def levels(*pieces: tuple[float, int], until: datetime = NOW, every: int = 60) -> Series:
    """Samples some seconds apart, the newest at `until`: of each (value, how many) in turn."""
    values = [value for value, count in pieces for _ in range(count)]
    end = epoch(until)
    return Series([end - every * back for back in reversed(range(len(values)))], values)


def without(series: Series, start: datetime, end: datetime) -> Series:
    """The same without the samples between two instants, both of which keep theirs."""
    kept = [(time, value) for time, value in zip(series.times, series.values, strict=True) if not epoch(start) < time < epoch(end)]
    return Series([time for time, _ in kept], [value for _, value in kept])


def on_hosts(*series: Series, metric: str = GPU) -> dict[tuple[int, str], Series]:
    """Series of algo-1, algo-2 and so on."""
    return {(number, metric): one for number, one in enumerate(series, 1)}


def finding(verdict: Verdict) -> Finding:
    """The verdict, which has to be a finding."""
    assert isinstance(verdict, Finding), verdict
    return verdict


def no_verdict(verdict: Verdict) -> str:
    """Why there is no verdict, which there must not be."""
    assert isinstance(verdict, NoVerdict), verdict
    return verdict.why


def _hung() -> Situation:
    return seen(series=on_hosts(levels((97, 240))), logs=Signal(ago(130), NOW))


def _straggler() -> Situation:
    return seen(live(count=2), series=on_hosts(levels((80, 150), (0, 91)), levels((80, 241))))


def _idle_warm_pool() -> Situation:
    pool = {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 600}
    job = training_job_from(description(created=0, waited=0, ran=5, WarmPoolStatus=pool))
    return replace(seen(job), burn_nusd=None, accruing_nusd=None)


THRASHED = (
    ("Downloading", 0), ("Training", 0.25), ("Interrupted", 1), ("Downloading", 1.1), ("Training", 1.35),
    ("Interrupted", 2), ("Downloading", 2.1), ("Training", 2.35), ("Interrupted", 3), ("Downloading", 3.1), ("Training", 3.35),
)  # fmt: skip

FIRING: Mapping[str, Callable[[], Case]] = {
    "over_runtime": lambda: Case(seen(family=Family(7, 7200))),
    "near_limit": lambda: Case(seen(live(StoppingCondition={"MaxRuntimeInSeconds": 23_400}))),
    "no_limit": lambda: Case(seen(now=at(14))),
    "idle_gpu": lambda: Case(seen(series=on_hosts(levels((80, 150), (0, 91))))),
    "hung": lambda: Case(_hung()),
    "slow_gpu": lambda: Case(seen(series=on_hosts(levels((12, 240))))),
    "unused_gpus": lambda: Case(
        seen(live(instance_type="ml.g5.12xlarge"), series=on_hosts(levels((300, 120), (90, 121))))  # it has four
    ),
    "straggler": lambda: Case(_straggler()),
    "idle_cpu": lambda: Case(
        seen(live(instance_type="ml.m5.xlarge"), series=on_hosts(levels((320, 150), (8, 91)), metric=CPU))  # it has four cores
    ),
    "stuck": lambda: Case(seen(live(("Starting", -0.1), ("Downloading", 0)))),
    "spot_thrash": lambda: Case(seen(live(*THRASHED, spot=True))),
    "diverged": lambda: Case(seen(metrics={"train:loss": levels((0.4, 120), (nan, 91))})),
    "over_budget": lambda: Case(seen(), Thresholds(max_job_nusd=nusd("10"))),
    "checkpoint_stopped": lambda: Case(
        seen(live(spot=True, CheckpointConfig=SAVES), checkpoint=Checkpoint("stale", ago(90), 1200, NOW))
    ),
    "checkpoint_shared": lambda: Case(seen(live(CheckpointConfig=SAVES), shares_checkpoints_with=("rc-fraud-other",))),
    "idle_warm_pool": lambda: Case(_idle_warm_pool()),
}  # fmt: skip
"""For each rule a situation in which it fires, and no other rule does."""
