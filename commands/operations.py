"""Operations from the terminal: what runs away, tuning jobs, stop, and the audit log."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NoReturn

import click

from actions.looking import look
from actions.reach import Reach
from actions.stopping import StopResult, execute, refuse
from aws.errors import AwsError, asked_again
from commands.frame import Failed, RefusedToAct, confirm, database, format_option, now, say, say_if_empty, settings_of, show, whoever
from domain.access import Person, Refusal
from domain.findings.finding import span
from domain.stopping import StopLimits, StopPlan, StopTarget, chosen, plan_stop
from reports.actions import AUDIT_COLUMNS, AUDIT_TABLE, STOP_COLUMNS, audit_data, stop_data
from reports.checkpoints import COVERAGE_COLUMNS, COVERAGE_TABLE, TEAM_TABLE, coverage_data
from reports.findings import RUNAWAY_COLUMNS, RUNAWAY_TABLE, finding_data
from reports.output import print_table
from reports.tuning import TUNING_COLUMNS, TUNING_TABLE, tuning_data
from settings import Settings
from storage.engine import Engine, reading
from storage.views.audit import audit_rows
from storage.views.collection import data_as_of
from storage.views.coverage import live_coverage, team_coverage
from storage.views.findings import open_findings, unjudged_counts
from storage.views.targets import job_targets, tuning_targets
from storage.views.tuning import tuning_rows

POLL_SECONDS = 5.0
LOOKS_THAT_FAIL = 12  # in a row: a minute


@click.command()
@click.option("--team", multiple=True, help="Only these teams.")
@format_option
@click.pass_context
def runaway(context: click.Context, team: tuple[str, ...], form: str) -> None:
    """What runs away right now: critical findings first, then the dearest."""
    with database(settings_of(context)) as engine, reading(engine) as connection:
        say_if_empty(connection)
        rows = [finding_data(row, now()) for row in open_findings(connection, team)]
        unjudged, as_of = unjudged_counts(connection, team), data_as_of(connection)
    rules: dict[str, list[str]] = {}
    for one in unjudged:
        rules.setdefault(f"{one.why} ({one.jobs:,} jobs, such as {one.example})", []).append(one.rule)
    for why, of in sorted(rules.items()):
        say(f"no verdict ({', '.join(sorted(of))}): {why}")
    if form == "table":
        seen = f"as of {as_of:%Y-%m-%d %H:%M} UTC" if as_of else "nothing was collected yet"
        print_table(rows, RUNAWAY_TABLE, f"{len(rows)} open findings; money is an estimate at list price; {seen}")
    else:
        show(rows, rows, RUNAWAY_COLUMNS, form)


@click.command()
@click.option("--team", multiple=True, help="Only these teams.")
@format_option
@click.pass_context
def tuning(context: click.Context, team: tuple[str, ...], form: str) -> None:
    """Tuning jobs: what each search cost and reached."""
    with database(settings_of(context)) as engine, reading(engine) as connection:
        say_if_empty(connection)
        rows = [tuning_data(row) for row in tuning_rows(connection, team)]
    if form == "table":
        print_table(rows, TUNING_TABLE, f"{len(rows)} tuning jobs; cost is billed, accruing an estimate")
    else:
        show(rows, rows, TUNING_COLUMNS, form)


@click.command()
@click.option("--team", multiple=True, help="Only these teams.")
@format_option
@click.pass_context
def checkpoints(context: click.Context, team: tuple[str, ...], form: str) -> None:
    """What an interruption would cost: coverage by team, and every live job that is spot or wants checkpoints."""
    with database(settings_of(context)) as engine, reading(engine) as connection:
        say_if_empty(connection)
        found = coverage_data(team_coverage(connection, now(), team), live_coverage(connection, team))
    if form == "table":
        print_table(found["teams"], TEAM_TABLE, "spot jobs with time in the last 30 days; work at risk is an estimate at list price")
        print_table(found["jobs"], COVERAGE_TABLE, f"{len(found['jobs'])} live jobs")
    else:
        show(found, found["jobs"], COVERAGE_COLUMNS, form)


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True, help="The newest so many.")
@click.option("--search", "text", default="", help="A part of the target, the person, the action or the reason.")
@format_option
@click.pass_context
def audit(context: click.Context, limit: int, text: str, form: str) -> None:
    """Who did what: every action and every refusal, newest first."""
    with database(settings_of(context)) as engine, reading(engine) as connection:
        rows = [audit_data(row) for row in audit_rows(connection, limit, text=text)]
    if form == "table":
        print_table(rows, AUDIT_TABLE)
    else:
        show(rows, rows, AUDIT_COLUMNS, form)


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME|ARN…")
@click.option("--tuning", "is_tuning", is_flag=True, help="The names are those of tuning jobs.")
@click.option("--account", help="Where a name lives in several accounts.")
@click.option("--region", help="Where a name lives in several regions.")
@click.option("--created", help="Creation time, as `jobs` shows it, where a name was used again.")
@click.option("--reason", required=True, help="Why; the owner and the audit log will read it.")
@click.option("--dry-run", is_flag=True, help="Say what would be stopped, and stop nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--wait", is_flag=True, help="Wait until everything has stopped.")
@format_option
@click.pass_context
def stop(
    context: click.Context,
    names: tuple[str, ...],
    is_tuning: bool,
    account: str | None,
    region: str | None,
    created: str | None,
    reason: str,
    dry_run: bool,
    yes: bool,
    wait: bool,
    form: str,
) -> None:
    """Stop training jobs, or tuning jobs, and follow them."""
    settings, person = settings_of(context), whoever()
    with database(settings) as engine:
        audited = None if dry_run else engine  # what only asks what would be is no action, refused or not
        targets = [_target(_found(engine, name, is_tuning, (account, region, created)), audited, person, name, reason) for name in names]
        plan = _plan(audited, settings, person, targets, reason)
        if dry_run:
            _show_stops(
                [stop_data(target, plan, {"before": target.status}) for target in plan.targets], form, "nothing was stopped: dry run"
            )
            return
        if not yes:
            _confirm(plan)
        reach = Reach(settings)
        results = execute(plan, engine, reach, now)
        if wait:
            results = _waited(engine, reach, plan, results)
        _show_stops([_result_data(plan, one) for one in results], form, "stops")
    _end(results)
    unseen = [one.target.name for one in results if wait and _is_open(one)]
    if unseen:
        raise Failed(f"{', '.join(unseen)}: AWS was asked to stop it, but whether it has stopped could not be seen; see `trainwatch audit`")


def _found(engine: Engine, name: str, is_tuning: bool, place: tuple[str | None, str | None, str | None]) -> list[StopTarget]:
    with reading(engine) as connection:
        say_if_empty(connection)
        return tuning_targets(connection, name, *place) if is_tuning else job_targets(connection, name, *place)


def _target(found: Sequence[StopTarget], audited: Engine | None, person: Person, name: str, reason: str) -> StopTarget:
    one = chosen(found, name)
    if isinstance(one, Refusal):
        _refuse(audited, person, name, reason, one)
    return one


def _plan(audited: Engine | None, settings: Settings, person: Person, targets: Sequence[StopTarget], reason: str) -> StopPlan:
    limits = StopLimits(settings.actions.max_jobs, settings.runaway.stale_minutes)
    plan = plan_stop(targets, person, reason, limits, now())
    if isinstance(plan, Refusal):
        _refuse(audited, person, ", ".join(target.arn for target in targets), reason, plan, targets[0] if len(targets) == 1 else None)
    return plan


def _refuse(audited: Engine | None, person: Person, what: str, reason: str, refusal: Refusal, target: StopTarget | None = None) -> NoReturn:
    if audited is not None:
        refuse(audited, person, what, reason, refusal, now(), target)
    raise RefusedToAct(refusal.why)


def _confirm(plan: StopPlan) -> None:
    """Shows what will happen and asks; refused where nobody can be asked, or says no."""
    for target in plan.targets:
        burn = "unknown" if target.burn_nusd is None else f"${target.burn_nusd / 1e9:,.2f}/h"
        lost = "unknown" if target.work_lost_nusd is None else f"${target.work_lost_nusd / 1e9:,.2f}"
        say(f"{target.name} ({target.team}, {target.instances}): {target.status}, running {span(target.ran_seconds)}")
        say(f"  burning {burn}; stopping loses {lost}: {target.work_lost}")
    for words in (*plan.consequences, *plan.warnings):
        say(f"  ! {words}")
    if not sys.stdin.isatty():
        raise RefusedToAct("not confirmed: nobody can be asked here; add --yes")
    if not confirm(f"Stop {len(plan.targets)} job{'' if len(plan.targets) == 1 else 's'}?"):
        raise RefusedToAct("not confirmed: nothing was stopped")


def _waited(engine: Engine, reach: Reach, plan: StopPlan, results: Sequence[StopResult]) -> list[StopResult]:
    """The results with the status at the end; the worker writes that end down, as for every stop.

    What cannot be looked at so many times in a row is waited for no longer, and its status stays what it was.
    """
    waiting = list(results)
    unseen = Counter[int]()
    while open_ones := [place for place, one in enumerate(waiting) if _is_open(one) and unseen[place] < LOOKS_THAT_FAIL]:
        time.sleep(POLL_SECONDS)
        for place in open_ones:
            one = waiting[place]
            target = one.target
            try:
                seen = look(reach.of(target.account, target.region), target.kind, target.name)
            except AwsError as error:
                unseen[place] += 1
                last = unseen[place] == LOOKS_THAT_FAIL
                how = "it is no longer waited for; the worker follows it, see `trainwatch audit`" if last else "it is looked at again"
                say(f"{target.name}: {asked_again(error, how)}")
                continue
            unseen[place] = 0
            waiting[place] = replace(one, after=seen.status if seen else "Gone")
            say(f"{target.name}: {waiting[place].after}")
    return waiting


def _is_open(one: StopResult) -> bool:
    """Whether it is stopping as far as anybody knows; right after the request AWS may not have said how it is."""
    return one.outcome in ("stopping", "already_stopping") and one.after in (None, "Stopping")


def _result_data(plan: StopPlan, one: StopResult) -> dict[str, Any]:
    said = {"before": one.before, "after": one.after, "outcome": one.outcome, "words": one.words, "audit_id": one.audit_id}
    return stop_data(one.target, plan, said)


def _show_stops(rows: list[dict[str, Any]], form: str, title: str) -> None:
    """One stop is one object, several are a list."""
    if form == "table":
        print_table(rows, ("job", "team", "before", "after", "burn_usd_per_hour", "work_lost_usd", "avoided_usd", "words"), title)
    else:
        show(rows[0] if len(rows) == 1 else rows, rows, STOP_COLUMNS, form)


def _end(results: Sequence[StopResult]) -> None:
    """The exit code: refused before failed, since whoever is refused has to change something."""
    refused = [one for one in results if one.outcome == "refused"]
    failed = [one for one in results if one.outcome == "failed"]
    if refused:
        raise RefusedToAct(f"{refused[0].target.name}: {refused[0].words}")
    if failed:
        raise Failed(f"{failed[0].target.name}: {failed[0].words}")


COMMANDS = (runaway, checkpoints, tuning, stop, audit)
