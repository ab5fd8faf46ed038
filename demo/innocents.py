"""Jobs that a hasty rule would accuse: each looks like trouble to somebody who does not look twice, and is none."""

from dataclasses import replace
from datetime import datetime, timedelta
from math import nan
from typing import Final
from zlib import crc32

from demo.buckets import DENIED
from demo.plan import JobPlan, MetricFault, Paths
from demo.staged import saved, spot, staged, working

FAULTS: Final[tuple[tuple[MetricFault, str], ...]] = (
    ("missing", "reformer"), ("late", "longformer"), ("duplicated", "big-bird"), ("out_of_order", "performer"), ("nan", "linformer"),
)  # fmt: skip
"""The faults that samples can have, each with the model of the job that has it."""


def innocents(base: datetime) -> list[JobPlan]:
    """The innocent jobs that are alive at the full hour `base` and for some hours more."""
    return [*_plain(base), *_faulty(base), *_beginners(base), *_saving(base), *searching(base)]


def _plain(base: datetime) -> list[JobPlan]:
    busy = staged("search/retrieval/e5", "ml.g5.2xlarge", base, 5.0)
    spotted = spot(staged("algo/ranking/bst", "ml.g4dn.xlarge", base, 5.0))
    cpu = staged("algo/pricing/ridge", "ml.m5.xlarge", base, 5.0)
    silent = staged("nlp/summarize/bart", "ml.g4dn.xlarge", base, 5.0)
    full = staged("vision/segment/deeplab", "ml.g4dn.xlarge", base, 5.0)
    slowly = staged("nlp/intent/roberta", "ml.g4dn.xlarge", base, 31.1)
    return [
        busy,
        spotted,
        cpu,
        replace(silent, behaviour="silent"),
        replace(full, behaviour="saturated"),
        replace(slowly, behaviour="creeping"),
    ]


def _faulty(base: datetime) -> list[JobPlan]:
    plans = []
    for fault, model in FAULTS:
        plan = staged(f"nlp/summarize/{model}", "ml.g4dn.xlarge", base, 5.0)
        final = tuple((name, nan if fault == "nan" else value) for name, value in plan.algorithm.final_metrics)
        plans.append(replace(plan, metric_faults=frozenset({fault}), algorithm=replace(plan.algorithm, final_metrics=final)))
    return plans


def _beginners(base: datetime) -> list[JobPlan]:
    # One every twenty minutes, for each is idle in its first twenty minutes alone: at any moment of the hour there is one.
    starts = (10 / 60, -10 / 60, -30 / 60, -50 / 60)
    plans = [spot(staged("growth/creative/vit", "ml.g4dn.xlarge", base, hours)) for hours in starts]
    return [replace(plan, behaviour="warming_up", phases=working(7200.0)) for plan in plans]


def _saving(base: datetime) -> list[JobPlan]:
    """A job that was to write checkpoints and never has, and one that writes them where we may not look."""
    never = spot(staged("rc/credit/tabnet", "ml.g4dn.xlarge", base, 3.0))
    hidden = spot(staged("search/rerank/monot5", "ml.g4dn.xlarge", base, 4.0))
    return [
        replace(never, checkpoints=saved(never, stops_after_seconds=0.0)),
        replace(hidden, checkpoints=replace(saved(hidden), uri=f"s3://{DENIED}/checkpoints/{hidden.name}/")),
    ]


def searching(base: datetime) -> list[JobPlan]:
    """A tuning job in the middle of its search: twelve trials of an hour and a half, two at a time, from three hours ago on."""
    tuner = f"nlp-intent-hpo-{base - timedelta(hours=3):%y%m%d-%H%M}"
    children = []
    for number in range(12):
        ago = 3.0 - 1.6 * (number // 2) - (number % 2) / 3600
        trial = staged("nlp/intent/tinybert", "ml.g4dn.xlarge", base, ago)
        tuned = {"lr": f"{0.00003 * (number + 1):.5f}", "_tuning_objective_metric": "validation:loss"}
        reached = replace(trial.algorithm, final_metrics=(("validation:loss", round(0.52 - 0.017 * number + 0.04 * (number % 3), 4)),))
        children.append(
            replace(
                trial, name=f"{tuner}-{number + 1:03}-{crc32(tuner.encode()) + number:08x}", tuning_job=tuner, hyperparameters=tuned,
                phases=working(5400.0), algorithm=reached, tags={}, paths=Paths(trial.paths.output),
            )
        )  # fmt: skip
    return children
