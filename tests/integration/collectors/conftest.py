"""Accounts to watch, for the tests of collectors and of the worker."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine

from demo.plan import JobPlan
from tests.integration.collectors.watching import Watched

Watch = Callable[..., Watched]


@pytest.fixture
def watch(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Makes the one account of a test, with credentials that reach it and few retries, since tests do not wait."""
    made: list[Watched] = []

    def make(plans: Sequence[JobPlan] = (), engine: Engine | None = None, **sections: Any) -> Watched:
        account = Watched(plans, engine or sqlite_engine, **sections)
        made.append(account)
        environment = {
            "AWS_ENDPOINT_URL": account.aws.url,
            "AWS_ACCESS_KEY_ID": "AKIADEMO",
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_REGION": "us-east-1",
            "AWS_RETRY_MODE": "standard",
            "AWS_MAX_ATTEMPTS": "2",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return account

    yield make
    for account in made:
        account.aws.close()
