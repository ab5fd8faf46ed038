"""`trainwatch doctor`: what stands between this machine and figures that can be trusted, one row a thing, with the fix."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from actions.looking import try_to_stop
from aws.errors import AccessDenied, AwsError
from aws.session import Clients, Target, acting, watched
from collectors.permissions import HELPFUL, NO_SUCH_JOB, OPTIONAL, PROBES, seconds_ahead_of_aws, try_permission
from domain.scope import Scope
from settings import Settings
from storage import migrate
from storage.engine import DatabaseUnusable, Engine, open_engine, reading
from storage.views.collection import CollectorState, collector_states
from worker.channels import check_channels

CLOCK_LIMIT_SECONDS = 60  # AWS refuses signatures that are five minutes off
LATE_FACTOR = 3
STOP = "sagemaker:StopTrainingJob"


class Check(NamedTuple):
    """One thing that was looked at: whether it is well, what was found, and what to do where it is not."""

    check: str
    ok: bool
    detail: str
    fix: str = ""


def examine(settings: Settings, now: Callable[[], datetime]) -> list[Check]:
    """Looks at the database, the credentials, each permission in each scope, the clock and the freshness of each scope."""
    checks = list(_database(settings, now))
    checks += [
        Check(f"channel of {who}", ok, words, "" if ok else "see docs/notifications.md") for who, ok, words in check_channels(settings)
    ]
    try:
        targets = watched(settings)
    except AwsError as error:
        return [*checks, Check("credentials", ok=False, detail=str(error), fix=str(error).rpartition(": ")[2])]
    for target in targets:
        checks += _scope(target, now)
    return checks


def _database(settings: Settings, now: Callable[[], datetime]) -> Iterator[Check]:
    try:
        engine = open_engine(settings.database.url)
        found, newest = migrate.version(engine)
    except DatabaseUnusable as error:
        yield Check("database", ok=False, detail=str(error), fix="set [database] url to a database this release can use")
        return
    if found != newest:
        state = "empty" if found is None else f"at schema {found}"
        yield Check("database", ok=False, detail=f"{state}; this release writes schema {newest}", fix="run: trainwatch db upgrade")
        return
    yield Check("database", ok=True, detail=f"{engine.dialect.name}, schema {found}")
    yield from _freshness(engine, settings, now())


def _freshness(engine: Engine, settings: Settings, now: datetime) -> Iterator[Check]:
    with reading(engine) as connection:
        states = collector_states(connection)
    if not states:
        yield Check("freshness", ok=False, detail="nothing was ever collected", fix="run: trainwatch collect --once")
    for state in states:
        yield _fresh(state, timedelta(seconds=settings.collect.seconds(state.collector)), now)


def _fresh(state: CollectorState, interval: timedelta, now: datetime) -> Check:
    name = f"freshness of {state.collector}, {Scope(state.account, state.region, state.account_name).label}"
    if state.outcome == "failed":
        return Check(name, ok=False, detail=state.message, fix="mend what the message names; the next run tries again")
    if state.succeeded_at is None or now - state.succeeded_at > LATE_FACTOR * interval + timedelta(minutes=5):
        seen = "never" if state.succeeded_at is None else f"{state.succeeded_at:%Y-%m-%d %H:%M} UTC"
        return Check(name, ok=False, detail=f"last went well: {seen}", fix="start the collectors: trainwatch collect (or serve)")
    return Check(name, ok=True, detail=f"{state.succeeded_at:%Y-%m-%d %H:%M} UTC, {state.rows} rows")


def _scope(target: Target, now: Callable[[], datetime]) -> Iterator[Check]:
    clients, label = Clients(target), target.scope.label
    try:
        clients.verify_account()
        ahead = seconds_ahead_of_aws(clients, now().timestamp())
    except AwsError as error:
        yield Check(f"credentials, {label}", ok=False, detail=str(error), fix=str(error).rpartition(": ")[2])
        return
    yield Check(f"credentials, {label}", ok=True, detail=target.role_arn or "the credentials at hand")
    fine = abs(ahead) <= CLOCK_LIMIT_SECONDS
    yield Check(f"clock, {label}", ok=fine, detail=f"{ahead:+.0f} s against AWS", fix="" if fine else "set this machine's clock by NTP")
    for permission in PROBES:
        yield _permission(clients, permission)
    yield _stop_permission(target)


def _stop_permission(target: Target) -> Check:
    """Whether jobs can be stopped from here: a role for actions is an offer, not a need."""
    clients = Clients(acting(target))
    name = f"{STOP}, {clients.where}"
    try:
        try_to_stop(clients, NO_SUCH_JOB)
    except AccessDenied:
        fix = f"attach deploy/operator-policy.json to {target.action_role_arn or 'a role and name it action_role_arn'}"
        return Check(name, ok=target.action_role_arn is None, detail="denied; jobs cannot be stopped from here", fix=fix)
    except AwsError as error:
        return Check(name, ok=False, detail=str(error), fix=str(error).rpartition(": ")[2])
    return Check(name, ok=True, detail="allowed")


def _permission(clients: Clients, permission: str) -> Check:
    name = f"{permission}, {clients.where}"
    try:
        try_permission(clients, permission)
    except AccessDenied as error:
        spare = permission in OPTIONAL | HELPFUL
        return Check(
            name,
            ok=spare,
            detail=_spared(permission) if spare else str(error),
            fix=f"add {permission} to the role",
        )
    except AwsError as error:
        return Check(name, ok=False, detail=str(error), fix=str(error).rpartition(": ")[2])
    return Check(name, ok=True, detail="allowed")


def _spared(permission: str) -> str:
    return "denied; what it tells is shown as unknown" if permission in HELPFUL else "denied; not needed while Search is allowed"
