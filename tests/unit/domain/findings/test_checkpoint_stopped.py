"""Checkpoints stopped: a live spot job wrote checkpoints and has stopped doing so."""

from datetime import datetime
from typing import Any

import pytest

from domain.findings import checkpoint_stopped
from domain.findings.finding import Finding
from domain.findings.situation import Checkpoint, Situation
from tests.situations import FIRING, LIMITS, NOW, SAVES, ago, ended, finding, live, no_verdict, seen

LAST = ago(90)


def saved(
    state: str = "stale", last: datetime | None = LAST, rhythm: int | None = 1200, looked: datetime = NOW, **members: Any
) -> Situation:
    facts: dict[str, Any] = {"spot": True, "CheckpointConfig": SAVES}
    return seen(live(**facts | members), checkpoint=Checkpoint(state, last, rhythm, looked))


def test_no_checkpoint_for_an_hour_and_a_half_is_too_long_after_one_every_twenty_minutes() -> None:
    found = finding(checkpoint_stopped.judge(FIRING["checkpoint_stopped"]().situation, LIMITS))
    assert (found.severity, found.since) == ("warning", ago(50))  # twice twenty minutes after the last one
    assert found.evidence == "No checkpoint for 1 h 30; before, one came every 20 min."


def test_nothing_is_wasted_until_capacity_is_taken_back() -> None:
    assert finding(checkpoint_stopped.judge(saved(), LIMITS)).wasted_nusd == 0


def test_half_an_hour_is_the_least_however_quick_the_rhythm() -> None:
    assert finding(checkpoint_stopped.judge(saved(rhythm=60), LIMITS)).since == ago(60)


def test_a_single_checkpoint_has_no_rhythm() -> None:
    found = finding(checkpoint_stopped.judge(saved(rhythm=None), LIMITS))
    assert (found.since, found.evidence) == (ago(60), "No checkpoint for 1 h 30.")


@pytest.mark.parametrize("state", ["fresh", "not_yet", "never_written", "not_configured", "not_needed"])
def test_only_what_was_written_and_grew_stale_has_stopped(state: str) -> None:
    assert checkpoint_stopped.judge(saved(state), LIMITS) is None


def test_stale_without_a_write_is_no_evidence() -> None:
    assert checkpoint_stopped.judge(saved(last=None), LIMITS) is None


def test_a_prefix_that_cannot_be_listed_leaves_no_verdict() -> None:
    assert "could not be listed" in no_verdict(checkpoint_stopped.judge(saved("unknown", None, None), LIMITS))


def test_a_prefix_that_nobody_has_looked_at_leaves_no_verdict() -> None:
    job = live(spot=True, CheckpointConfig=SAVES)
    assert "has not been looked at" in no_verdict(checkpoint_stopped.judge(seen(job), LIMITS))


def test_a_job_on_demand_or_without_checkpoints_is_not_judged() -> None:
    assert checkpoint_stopped.judge(saved(spot=False), LIMITS) is None
    assert checkpoint_stopped.judge(saved(CheckpointConfig=None), LIMITS) is None


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_is_not_judged(status: str) -> None:
    assert checkpoint_stopped.judge(ended(saved(), status), LIMITS) is None


def test_without_a_price_it_is_as_urgent() -> None:
    job = live(spot=True, CheckpointConfig=SAVES)
    found = finding(checkpoint_stopped.judge(seen(job, rate_usd=None, checkpoint=Checkpoint("stale", ago(90), 1200, NOW)), LIMITS))
    assert (found.severity, found.wasted_nusd) == ("warning", 0)


def test_what_was_stale_when_somebody_looked_six_hours_ago_may_have_moved_since() -> None:
    assert not isinstance(checkpoint_stopped.judge(saved(last=ago(400), looked=ago(300)), LIMITS), Finding)
