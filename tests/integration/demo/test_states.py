"""The demo shows every state that there is, at whatever moment of the hour somebody looks."""

from datetime import timedelta

import pytest

from demo.workload import workload
from domain.checkpoint import STATES
from storage.engine import reading
from storage.views.coverage import live_coverage
from tests.integration.collectors.conftest import Watch, watch
from tests.integration.collectors.watching import NOW

__all__ = ["watch"]


@pytest.mark.parametrize("minutes", [0, 25, 50])
def test_every_state_of_checkpoints_is_there(watch: Watch, minutes: int) -> None:
    now = NOW + timedelta(minutes=minutes)
    account = watch(workload(1, 150, NOW))
    account.clock.set(now)
    account.collect("jobs", "checkpoints")
    with reading(account.engine) as connection:
        found = {one.state for one in live_coverage(connection)}
    assert set(STATES) - found == {"not_needed"}, "which that list leaves out"
