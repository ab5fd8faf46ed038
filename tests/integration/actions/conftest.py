"""A desk to act from: a simulated account that is in the books, and all that happens to its jobs in sight."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from actions.following import follow_stops
from actions.reach import Reach
from actions.stopping import StopResult, execute
from aws.session import watched
from demo.books import Entry
from demo.call import Call, Operation
from demo.plan import DEFAULT_ACCOUNT, DEFAULT_REGION, JobPlan
from demo.server import Server
from domain.access import Person
from domain.stopping import StopLimits, StopPlan, StopTarget, chosen, plan_stop
from storage.engine import reading
from storage.stops import OpenStop, open_stops
from storage.views.audit import AuditRow, audit_rows
from storage.views.targets import job_targets, tuning_targets
from tests.integration.collectors.conftest import Watch, watch
from tests.integration.collectors.watching import HOUR, Watched, lasting, plan

__all__ = ["watch"]

ADMIN = Person("ann@example.com", "admin", via="sign-in")
OPERATOR = Person("olga@example.com", "operator", frozenset({"rc"}), "sign-in")
LIMITS = StopLimits(10, 15)
WHY = "hung since midnight"
NAME = "rc-fraud-gnn-20261120-090000"
OTHER_ACCOUNT, OTHER_REGION = "222222222222", "eu-west-1"
TWO_ACCOUNTS: Mapping[str, Any] = {
    "regions": [DEFAULT_REGION],
    "accounts": [
        {"id": DEFAULT_ACCOUNT},
        {
            "id": OTHER_ACCOUNT,
            "role_arn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/trainwatch-reader",
            "action_role_arn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/trainwatch-operator",
        },
    ],
}

Hook = Callable[[Call], None]


def running(name: str = NAME, created: timedelta = 3 * HOUR, **members: Any) -> JobPlan:
    """A job of team rc that runs for two days more."""
    return plan(name, created, **({"phases": lasting(50)} | members))


def neighbours() -> list[JobPlan]:
    """Jobs that no stop of NAME may touch: namesakes elsewhere, others of the team, and some that have ended or are stopping."""
    return [
        running(account=OTHER_ACCOUNT),
        running(region=OTHER_REGION),
        running("rc-fraud-gnn-20261120-0900000"),
        running("rc-fraud-gnn-20261120-09000"),
        running("nlp-llm-sft-20261120-100000", 2 * HOUR, tags={"Team": "nlp", "Project": "llm"}),
        plan("rc-fraud-ended", 20 * HOUR),
        running("rc-fraud-stopping", stop_takes_seconds=1e6, stop_requested_at=plan().created_at + HOUR),
    ]


class Desk:
    """An account, our books on it, and the one who acts."""

    def __init__(self, account: Watched) -> None:
        self.account, self.clock, self.engine, self.settings = account, account.clock, account.engine, account.settings
        self.aws: Server = account.aws
        self.reach = Reach(account.settings)
        self._watched = watched(account.settings)

    def collect(self, *collectors: str) -> None:
        """A run of these collectors in every account and region that is watched: by default, of those that have something to find."""
        has_tuners = any(entry.plan.tuning_job for entry in self.aws._books.entries())
        for target in self._watched:
            clients = self.account.clients("jobs", target)  # made once, since that takes longer than all the calls
            for collector in collectors or ("jobs", *(["tuning"] if has_tuners else [])):
                self.account._clients[target, collector] = clients
                report = self.account.run(collector, target=target)
                assert report.outcome == "ok", report

    def target(self, name: str = NAME, **where: str) -> StopTarget:
        """The one job of a name, as the books have it."""
        with reading(self.engine) as connection:
            one = chosen(job_targets(connection, name, **where), name)
        assert isinstance(one, StopTarget), one
        return one

    def tuner(self, name: str) -> StopTarget:
        """The one tuning job of a name, as the books have it."""
        with reading(self.engine) as connection:
            one = chosen(tuning_targets(connection, name), name)
        assert isinstance(one, StopTarget), one
        return one

    def plan(self, *targets: StopTarget, person: Person = OPERATOR) -> StopPlan:
        """The plan to stop these, or the job NAME."""
        made = plan_stop(targets or [self.target()], person, WHY, LIMITS, self.clock.now())
        assert isinstance(made, StopPlan), made
        return made

    def execute(self, made: StopPlan) -> list[StopResult]:
        """Carries a plan out at the time of the clock."""
        return execute(made, self.engine, self.reach, self.clock.now)

    def stop(self, *targets: StopTarget, person: Person = OPERATOR) -> StopResult:
        """Plans a stop of one, and carries it out."""
        return self.execute(self.plan(*targets, person=person))[0]

    def follow(self, scope_row: int = 1) -> list[OpenStop]:
        """Follows the stops of a scope, from what is in the books."""
        return follow_stops(self.engine, scope_row, self.clock.now())

    def entry(self, name: str = NAME, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION) -> Entry:
        """The newest job of a name in the simulated account."""
        found = [one for one in self.aws._books.shard(account, region) if one.plan.name == name]
        return found[-1]

    def status(self, name: str = NAME, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION) -> object:
        """What AWS says of the job now."""
        return self.entry(name, account, region).status(self.clock.now())

    def statuses(self) -> dict[tuple[str, str, str, datetime], tuple[object, datetime | None]]:
        """Of every job there is, its status now, and whether anybody has asked to stop it."""
        now = self.clock.now()
        return {
            (one.plan.account, one.plan.region, one.plan.name, one.plan.created_at): (one.status(now), one.stop_requested_at)
            for one in self.aws._books.entries()
        }

    def asked(self) -> int:
        """How often AWS was asked to stop anything."""
        return self.aws.calls["StopTrainingJob"] + self.aws.calls["StopHyperParameterTuningJob"]

    def before(self, operation: str, hook: Hook) -> None:
        """From now on something happens right before AWS carries an operation out, in the middle of the request."""
        operations = self.aws._gateway.operations
        real: Operation = operations["sagemaker", operation]

        def hooked(call: Call) -> Any:
            hook(call)
            return real(replace(call, now=self.clock.now()))

        operations["sagemaker", operation] = hooked

    def audit(self) -> list[AuditRow]:
        """The audit log, newest first."""
        with reading(self.engine) as connection:
            return audit_rows(connection)

    def events(self) -> list[str]:
        """The outcomes of the newest action, oldest first."""
        return [outcome for _, outcome in self.audit()[0].events]

    def open_stops(self) -> list[OpenStop]:
        """The stops that have not come to their end."""
        with reading(self.engine) as connection:
            return open_stops(connection)


Sit = Callable[..., Desk]


@pytest.fixture
def sit(watch: Watch) -> Iterator[Sit]:
    """Opens the account of a test with these jobs, or with NAME and its neighbours, and takes them into the books."""

    def open_desk(plans: Sequence[JobPlan] | None = None, engine: Engine | None = None, **sections: Any) -> Desk:
        found = [running(), *neighbours()] if plans is None else plans
        desk = Desk(watch(found, engine, **sections))
        desk.collect()
        desk.aws.calls.clear()
        return desk

    return open_desk
