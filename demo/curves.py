"""What a job's log says of its own metrics, minute by minute: curves that fall, rise, explode or stop moving."""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Final

from demo.behaviour import shown
from demo.hosts import noise
from demo.plan import JobPlan
from demo.timeline import Life

RISING: Final = ("auc", "acc", "accuracy", "f1", "qini", "ndcg", "map")

Curve = Callable[[float], float]
"""A metric's value, less its noise, by the minutes since the start."""


def rises(metric: str) -> bool:
    """Whether more of the metric is better."""
    return metric.rpartition(":")[2].lower() in RISING


def training_samples(plan: JobPlan, life: Life, metric: str, minutes: Sequence[int]) -> tuple[list[int], list[float]]:
    """The minutes in which the job says something of a metric of its own, and what; once it hangs, it says nothing."""
    showing = shown(plan, life)
    if life.started_at is None:
        return [], []
    start = life.started_at.timestamp() / 60
    turn = showing[0].timestamp() / 60 if showing is not None else float("inf")
    if plan.behaviour == "hung":
        minutes = [minute for minute in minutes if minute < turn]
    usual, unusual, spread = _usual(metric), _unusual(plan, metric, turn - start), 0.01 if rises(metric) else 0.02
    curves = ((unusual if minute >= turn else usual)(max(0.0, minute - start)) for minute in minutes)
    noises = noise(f"{plan.name}:0:{metric}", minutes)
    return list(minutes), [round(value + spread * one, 6) for value, one in zip(curves, noises, strict=True)]


def _usual(metric: str) -> Curve:
    # A power of the time, as losses go: after four days, half a day still makes it some percent better.
    if rises(metric):
        return lambda age: 0.93 - 0.4 / sqrt(1 + age / 45)
    return lambda age: 0.2 + 2.2 / sqrt(1 + age / 45)


def _unusual(plan: JobPlan, metric: str, turned_at: float) -> Curve:
    usual = _usual(metric)
    if plan.behaviour == "diverged":
        return lambda age: 10.0 ** min(30.0, age / 20)
    if plan.behaviour == "plateau":
        # It creeps back a little, so that no later stretch is better than an earlier one by the luck of the noise.
        worse = -0.00001 if rises(metric) else 0.00001
        return lambda age: usual(turned_at) + worse * (age - turned_at)
    if plan.behaviour == "creeping":
        return (lambda age: min(0.9, 0.6 + 0.00003 * age)) if rises(metric) else (lambda age: max(0.2, 1.4 - 0.00007 * age))
    return usual
