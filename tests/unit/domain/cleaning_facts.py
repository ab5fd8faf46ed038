"""Facts to clean by, plain unless a test says otherwise, and the one answer that most tests ask for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.cleaning import (
    CleanFacts,
    CleanItem,
    CleanJob,
    keep_reason,
    plan_clean,
)
from domain.cleaning_paths import folder
from domain.leftovers import Bucket, Kind, Leftover
from domain.s3 import Location

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AGE = 14
HERE, THERE = ("111111111111", "us-east-1"), ("222222222222", "us-east-1")


def job(name: str = "job-1", scope: tuple[str, str] = HERE, ended: float | None = 50, **changes: Any) -> CleanJob:
    """A job that completed long ago and writes its models to bucket `b`; `ended` days ago."""
    plain = CleanJob(
        name=name,
        arn=f"arn:aws:sagemaker:{scope[1]}:{scope[0]}:training-job/{name}",
        account=scope[0],
        region=scope[1],
        created_at=NOW - 60 * DAY,
        ended_at=None if ended is None else NOW - ended * DAY,
        status="Completed",
        is_live=False,
        team="rc",
        points_at=(),
        artifact=None,
        checkpoints=None,
        outputs=(Location("b", "models/artifacts/"),),
    )
    return replace(plain, **changes)


def live(name: str = "live", **changes: Any) -> CleanJob:
    """A job that runs."""
    return job(name, ended=None, **{"status": "InProgress", "is_live": True, "outputs": (), **changes})


def left(prefix: str = "models/training/job-1/", kind: Kind = "intermediates", name: str = "job-1", **changes: Any) -> Leftover:
    """Something old that lies in bucket `b`."""
    plain = Leftover("b", prefix, kind, name, "rc", *HERE, 3, 300, {"STANDARD": 300}, NOW - 50 * DAY, NOW - HOUR)
    return replace(plain, **changes)


def bucket(name: str = "b", **changes: Any) -> Bucket:
    """An ordinary bucket without versions, looked at an hour ago."""
    return replace(Bucket(name, *HERE, "off", object_lock=False, encrypted="none", problem="", looked_at=NOW - HOUR), **changes)


def known(*jobs: CleanJob, leftovers: tuple[Leftover, ...] = (left(),), **changes: Any) -> CleanFacts:
    """Fresh facts about both accounts."""
    fresh = {HERE: NOW - HOUR, THERE: NOW - HOUR}
    plain = CleanFacts(
        leftovers, jobs, {}, fresh, fresh, (HERE, THERE), {"b": bucket(), "c": bucket("c")}, frozenset(), "models/artifacts/"
    )
    return replace(plain, **changes)


def why_kept(facts: CleanFacts, days: int = AGE) -> str:
    """Why the first leftover stays, which it must; and that no object in it may go either."""
    made, first = plan_clean(facts, days, NOW), facts.leftovers[0]
    (kept,) = [one for one in made.kept if (one.bucket, one.prefix, one.job) == (first.bucket, first.prefix, first.job)]
    assert keep_reason(first.bucket, f"{folder(first.prefix)}x", NOW - 50 * DAY, facts, days, NOW, None)
    return kept.why


def item_of(facts: CleanFacts, days: int = AGE) -> CleanItem:
    """The only item, which there must be; what lies in it may go."""
    made = plan_clean(facts, days, NOW)
    assert [one.why for one in made.kept] == []
    (item,) = made.items
    assert keep_reason(item.bucket, f"{item.prefix}x", NOW - 50 * DAY, facts, days, NOW, item) is None
    return item
