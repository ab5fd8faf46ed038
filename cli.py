"""The `trainwatch` command: as thin as a page. Results go to stdout, everything else to stderr.

Exit codes: 0 done · 1 failed, one line on stderr says why and what to do · 2 wrong usage · 3 refused.
"""

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

import processes
from aws.errors import AwsError
from commands import cleaning, operations, policy
from commands.frame import DAY, Failed, database, format_option, now, say, say_if_empty, settings_of, show
from derivations.keep import rederive as rederive_all
from domain.period import Period, first_of_next_month
from reports.cost import SPEND_COLUMNS, cost_report
from reports.jobs import JOB_COLUMNS, job_data, job_page_data
from reports.logs import log_to_stderr
from reports.output import print_pairs, print_table
from storage import backup, migrate
from storage.engine import reading
from storage.views.joblist import JobFilter, each_job, jobs_named
from worker import checkup, schedule
from worker.catalog import COLLECTORS

JOB_TABLE = (
    "name",
    "team",
    "project",
    "status",
    "capacity",
    "instances",
    "started",
    "cost_usd",
    "accruing_usd",
    "burn_usd_per_hour",
    "basis",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--config", type=click.Path(path_type=Path), envvar="TRAINWATCH_CONFIG", help="Settings file; else ./trainwatch.toml.")
@click.version_option(package_name="trainwatch")
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Cost and operations dashboard for Amazon SageMaker Training."""
    log_to_stderr()
    context.obj = config


@main.command()
@click.option("--port", default=8501, show_default=True)
@click.option("--headless", is_flag=True, help="Do not open a browser.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another account.")
@click.option("--jobs", default=1500, show_default=True, help="Jobs over 90 days.")
def demo(port: int, headless: bool, seed: int, jobs: int) -> None:
    """A simulated account, its collectors and the dashboard; nothing leaves this machine."""
    sys.exit(processes.demo(port=port, headless=headless, seed=seed, jobs=jobs))


@main.command()
@click.option("--port", default=8501, show_default=True)
@click.option("--address", default="127.0.0.1", show_default=True, help="0.0.0.0 to be reached from other machines.")
@click.option("--no-collect", is_flag=True, help="Only the dashboard; collectors run elsewhere.")
@click.pass_context
def serve(context: click.Context, port: int, address: str, no_collect: bool) -> None:
    """The dashboard, with the collectors beside it."""
    settings = settings_of(context)
    with database(settings):
        pass  # a database that cannot be used is said here, once, rather than by each process
    sys.exit(processes.serve(context.obj, port=port, address=address, collect=not no_collect))


@main.command()
@click.option("--once", is_flag=True, help="One full pass, then end.")
@click.option("--only", help="Collectors to run, such as jobs,prices.")
@click.pass_context
def collect(context: click.Context, once: bool, only: str | None) -> None:
    """Collectors on their schedule, or one full pass."""
    settings = settings_of(context)
    chosen = frozenset(name.strip() for name in only.split(",")) if only else None
    unknown = sorted((chosen or frozenset()) - set(COLLECTORS))
    if unknown:
        raise click.BadParameter(f"there is no collector {unknown[0]!r}; choose from {', '.join(COLLECTORS)}", param_hint="--only")
    with database(settings) as engine:
        if not once:
            logging.getLogger("trainwatch").setLevel(logging.INFO)  # a service says what it does; one pass says it at its end
            schedule.run_forever(engine, settings, only=chosen)
            return
        try:
            reports = schedule.run_once(engine, settings, chosen, now)
        except AwsError as error:
            raise Failed(str(error)) from error
    for report in reports:
        say(f"{report.scope.label} {report.collector}: {report.outcome}: {report.message}")
    failed = [report for report in reports if report.outcome == "failed"]
    if failed:
        raise Failed(f"{len(failed)} of {len(reports)} runs failed: {failed[0].message}")


@main.command()
@click.option(
    "--by",
    default="team",
    show_default=True,
    help="team,project,model_type,instance_type,capacity,status,mode,account,region,day,month",
)
@click.option("--from", "start", type=DAY, help="First UTC day; else the first of this month.")
@click.option("--to", "end", type=DAY, help="UTC day after the last; else the first of the month after --from.")
@click.option("--team", multiple=True, help="Only these teams.")
@format_option
@click.pass_context
def cost(context: click.Context, by: str, start: datetime | None, end: datetime | None, team: tuple[str, ...], form: str) -> None:
    """What was spent, by team or whatever else."""
    names = [name.strip() for name in by.split(",") if name.strip()]
    first = start.date() if start else now().date().replace(day=1)
    try:
        period = Period(first, end.date() if end else first_of_next_month(max(first, now().date()) if start else first))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with database(settings_of(context)) as engine, reading(engine) as connection:
        say_if_empty(connection)
        try:
            report = cost_report(connection, names, period, team or None)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--by") from error
    columns = (*names, *SPEND_COLUMNS)
    as_of = report["as_of"] or "never"
    title = f"{period.start} up to {period.end} (UTC days), billed at list price; accruing is an estimate; as of {as_of}"
    if form == "table":
        print_table(report["rows"], columns, title, report["total"])
    else:
        show(report, report["rows"], columns, form)


@main.command()
@click.option("--team", multiple=True)
@click.option("--project", multiple=True)
@click.option("--status", multiple=True, help="InProgress, Completed, Failed, Stopping, Stopped.")
@click.option("--capacity", multiple=True, type=click.Choice(["on_demand", "spot", "plan", "serverless"]))
@click.option("--instance-type", multiple=True)
@click.option("--name", "text", default="", help="A part of the name.")
@click.option("--since", type=DAY, help="Created on or after this UTC day.")
@click.option("--until", type=DAY, help="Created before this UTC day.")
@click.option("--limit", type=click.IntRange(min=1), help="The newest so many.")
@format_option
@click.pass_context
def jobs(
    context: click.Context,
    team: tuple[str, ...],
    project: tuple[str, ...],
    status: tuple[str, ...],
    capacity: tuple[str, ...],
    instance_type: tuple[str, ...],
    text: str,
    since: datetime | None,
    until: datetime | None,
    limit: int | None,
    form: str,
) -> None:
    """Jobs, newest first."""
    wanted = JobFilter(
        teams=team, projects=project, statuses=status, capacities=capacity, instance_types=instance_type, text=text,
        since=since and since.replace(tzinfo=UTC), until=until and until.replace(tzinfo=UTC),
    )  # fmt: skip
    with database(settings_of(context)) as engine, reading(engine) as connection:
        say_if_empty(connection)
        found = [job_data(detail) for detail in each_job(connection, wanted, limit)]
    if form == "table":
        print_table(found, JOB_TABLE, f"{len(found):,} jobs; cost is billed, accruing an estimate")
    else:
        show(found, found, JOB_COLUMNS, form)


@main.command()
@click.argument("name")
@click.option("--account")
@click.option("--region")
@click.option("--created", help="Creation time, as `jobs` shows it, where a name was used again.")
@format_option
@click.pass_context
def job(context: click.Context, name: str, account: str | None, region: str | None, created: str | None, form: str) -> None:
    """Everything about one job."""
    with database(settings_of(context)) as engine, reading(engine) as connection:
        found = [job_page_data(detail) for detail in jobs_named(connection, name)]
    wanted = {"account": account, "region": region, "created": created}
    fitting = [one for one in found if all(one[key] == value for key, value in wanted.items() if value)]
    if not fitting:
        raise Failed(f"there is no job {name!r} in the books; `trainwatch jobs --name PART` finds names")
    if len(fitting) > 1:
        several = "; ".join(f"--account {one['account']} --region {one['region']} --created {one['created']}" for one in fitting)
        raise Failed(f"{len(fitting)} jobs are named {name!r}; say which: {several}")
    if form == "table":
        print_pairs(fitting[0])
    else:
        show(fitting[0], fitting, tuple(fitting[0]), form)


@main.command()
@click.pass_context
def rederive(context: click.Context) -> None:
    """Rebuild every derived table from the facts, without one AWS call."""
    settings = settings_of(context)
    with database(settings) as engine:
        count = rederive_all(engine, settings, _progress)
    say(f"derived {count:,} jobs anew")


@main.command()
@format_option
@click.pass_context
def doctor(context: click.Context, form: str) -> None:
    """Credentials, each permission by name, database, clock and freshness: what fails, and the fix."""
    checks = [check._asdict() for check in checkup.examine(settings_of(context), now)]
    if form == "table":
        print_table(checks, checkup.Check._fields)
    else:
        show(checks, checks, checkup.Check._fields, form)
    if not all(check["ok"] for check in checks):
        raise Failed("something needs attention: see the rows that are not ok")


@main.group()
def db() -> None:
    """The database: upgrade, backup, check."""


@db.command("upgrade")
@click.pass_context
def db_upgrade(context: click.Context) -> None:
    """Create the tables, or bring them up to date."""
    with database(settings_of(context)) as engine:
        say(f"the database is at schema {migrate.upgrade(engine)}")


@db.command("backup")
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_context
def db_backup(context: click.Context, path: Path) -> None:
    """Write a consistent copy while everything runs (SQLite)."""
    with database(settings_of(context)) as engine:
        backup.write(engine, path)
    say(f"wrote {path}")


@db.command("check")
@click.pass_context
def db_check(context: click.Context) -> None:
    """Look whether the database is sound and its sums add up."""
    with database(settings_of(context)) as engine:
        problems = backup.problems(engine)
    for problem in problems:
        say(problem)
    if problems:
        raise Failed("the database is not sound; `trainwatch rederive` rebuilds every sum from the facts")
    say("sound: the file, its schema and every sum")


def _progress(done: int, total: int) -> None:
    say(f"\r{done:,} of {total:,}", nl=done >= total)


for command in (*operations.COMMANDS, cleaning.clean, policy.policy):
    main.add_command(command)


if __name__ == "__main__":
    main()
