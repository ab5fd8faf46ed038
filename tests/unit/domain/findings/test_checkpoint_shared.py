"""Checkpoints shared: two live jobs save to the same place."""

import pytest

from domain.findings import checkpoint_shared
from domain.findings.situation import Situation
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, SAVES, ended, finding, live, seen


def shared(*others: str) -> Situation:
    return seen(live(CheckpointConfig=SAVES), shares_checkpoints_with=others)


def test_two_live_jobs_on_one_prefix_overwrite_each_other() -> None:
    found = finding(checkpoint_shared.judge(FIRING["checkpoint_shared"]().situation, LIMITS))
    assert (found.severity, found.since, found.wasted_nusd) == ("warning", at(0), 0)
    assert "share a place with those of rc-fraud-other:" in found.evidence


def test_two_others_are_named_and_more_are_counted() -> None:
    assert "of one, two: " in finding(checkpoint_shared.judge(shared("one", "two"), LIMITS)).evidence
    assert "of one, two and 2 more: " in finding(checkpoint_shared.judge(shared("one", "two", "three", "four"), LIMITS)).evidence


def test_a_prefix_of_its_own_is_no_matter() -> None:
    assert checkpoint_shared.judge(shared(), LIMITS) is None


def test_a_job_that_has_not_started_shares_since_it_was_created() -> None:
    job = live(("Starting", -0.1), started=None, CheckpointConfig=SAVES)
    assert finding(checkpoint_shared.judge(seen(job, shares_checkpoints_with=("one",)), LIMITS)).since == at(-0.1)


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_overwrites_nothing_any_more(status: str) -> None:
    assert checkpoint_shared.judge(ended(shared("one"), status), LIMITS) is None


def test_on_demand_and_spot_overwrite_alike() -> None:
    finding(checkpoint_shared.judge(seen(live(spot=True, CheckpointConfig=SAVES), shares_checkpoints_with=("one",)), LIMITS))
