"""One server per test, because a test changes its account."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from demo.plan import JobPlan
from tests.integration.demo.account import Account

Open = Callable[..., Account]


@pytest.fixture
def open_account() -> Iterator[Open]:
    """Opens an account with the given plans, and closes it after the test."""
    opened: list[Account] = []

    def opener(plans: Sequence[JobPlan] = ()) -> Account:
        opened.append(Account(plans))
        return opened[-1]

    yield opener
    for account in opened:
        account.server.close()
