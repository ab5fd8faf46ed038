"""Times and descriptions as AWS sends them, however odd."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws.answers import with_times
from aws.timestamps import timestamp_from

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "sent",
    [
        NOON.timestamp(), int(NOON.timestamp()), str(NOON.timestamp()), "2026-11-20T12:00:00Z", "2026-11-20T12:00:00",
        "2026-11-20T13:00:00+01:00",
    ],
)  # fmt: skip
def test_a_time_is_read_in_every_form_that_aws_sends(sent: object) -> None:
    assert timestamp_from(sent) == NOON


@pytest.mark.parametrize("sent", ["yesterday", "", 1e30, -1e30, float("nan"), float("inf"), None, [], {}])
def test_what_is_no_time_is_handed_back_rather_than_refused(sent: object) -> None:
    assert timestamp_from(sent) is sent


@given(st.one_of(st.floats(), st.integers(), st.text(), st.booleans(), st.none()))
def test_no_time_whatever_raises(sent: object) -> None:
    found = timestamp_from(sent)
    assert found is sent or (isinstance(found, datetime) and found.tzinfo is UTC)


def test_times_are_read_at_the_top_and_in_lists_and_the_rest_is_kept() -> None:
    sent: dict[str, Any] = {
        "CreationTime": NOON.timestamp(),
        "FailureReason": None,
        "SecondaryStatusTransitions": [{"Status": "Training", "StartTime": NOON.timestamp(), "EndTime": None}, None, "odd"],
        "HyperParameters": {"StartTime": "5"},
        "NewMember": {"Anything": [1, {"EndTime": 1.5}]},
    }
    assert with_times(sent) == {
        "CreationTime": NOON,
        "SecondaryStatusTransitions": [{"Status": "Training", "StartTime": NOON, "EndTime": None}, None, "odd"],
        "HyperParameters": {"StartTime": "5"},
        "NewMember": {"Anything": [1, {"EndTime": 1.5}]},
    }
