"""Cleaning from the terminal: plan, show, apply, undo."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import click

from actions.cleaning import CleanReport, apply_plan
from actions.planning import make_plan
from actions.reach import Reach
from actions.undoing import undo_plan
from commands.frame import Failed, RefusedToAct, confirm, database, format_option, now, say, settings_of, show, whoever
from domain.access import Refusal
from reports.cleaning import CHANGE_COLUMNS, ITEM_COLUMNS, ITEM_TABLE, OBJECT_COLUMNS, object_data, plan_data
from reports.output import print_pairs, print_table
from storage.cleaning import changes_since, plan_head, plan_items, plan_objects, tallies
from storage.engine import Engine, reading


class Days(click.ParamType[int]):
    """A number of days, as `14` or `14d`."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; wrong usage for anything else."""
        text = str(value).strip().removesuffix("d")
        if not text.isdigit() or int(text) < 1:
            self.fail(f"{value!r} is no number of days; expected such as 14d", param, ctx)
        return int(text)


@click.group()
def clean() -> None:
    """What training left in S3: plan, show, apply, undo. Nothing is deleted without a plan."""


@clean.command("plan")
@click.option("--team", multiple=True, help="Only leftovers of these teams.")
@click.option("--older-than", type=Days(), help="Days, such as 30d; can only raise [clean] min_age_days.")
@click.option("--quarantine", is_flag=True, help="Tag the objects instead, for a lifecycle rule to delete them later.")
@format_option
@click.pass_context
def plan(context: click.Context, team: tuple[str, ...], older_than: int | None, quarantine: bool, form: str) -> None:
    """Decide what may go, list it object by object, and store that as a plan; nothing is changed."""
    settings, mode = settings_of(context), "quarantine" if quarantine else "delete"
    with database(settings) as engine:
        with _progress() as progress:
            plan_id = make_plan(engine, settings, Reach(settings), whoever(), now(), team, older_than, mode, progress)
        if isinstance(plan_id, Refusal):
            raise RefusedToAct(plan_id.why)
        _show_plan(engine, plan_id, form, as_objects=False)


@clean.command("show")
@click.argument("plan_id", metavar="PLAN", type=int)
@click.option("--objects", "as_objects", is_flag=True, help="Every object, with what became of it.")
@format_option
@click.pass_context
def show_plan(context: click.Context, plan_id: int, as_objects: bool, form: str) -> None:
    """A plan, prefix by prefix or object by object, and what it keeps with the reason."""
    with database(settings_of(context)) as engine:
        _show_plan(engine, plan_id, form, as_objects=as_objects)


@clean.command("apply")
@click.argument("plan_id", metavar="PLAN", type=int)
@click.option("--dry-run", is_flag=True, help="Look at every key again, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--reason", default="", help="Why, for the audit log.")
@format_option
@click.pass_context
def apply(context: click.Context, plan_id: int, dry_run: bool, yes: bool, reason: str, form: str) -> None:
    """Carry a plan out; stopped half-way, the same command goes on where it was."""
    settings = settings_of(context)
    with database(settings) as engine:
        if not (dry_run or yes):
            _confirm(engine, plan_id)
        stopping = Event()
        before = signal.signal(signal.SIGINT, lambda *_: stopping.set())
        try:
            with _progress() as progress:
                report = apply_plan(
                    engine, settings, Reach(settings), whoever(), plan_id, now, reason=reason, dry_run=dry_run, progress=progress,
                    stopping=stopping,
                )  # fmt: skip
        finally:
            signal.signal(signal.SIGINT, before)
    if isinstance(report, Refusal):
        raise RefusedToAct(report.why)
    data = report_data(report)
    if form == "table":
        print_pairs(data)
    else:
        show(data, [*data["skipped"], *data["failed"]], ("bucket", "key", "why"), form)
    if report.left or report.failed_objects:
        words = f"{report.failed_objects:,} objects failed, {report.left:,} are left"
        raise Failed(f"{words}: {report.problem or 'apply the plan again to go on'}")


@clean.command("undo")
@click.argument("plan_id", metavar="PLAN", type=int)
@click.option("--reason", default="", help="Why, for the audit log.")
@click.pass_context
def undo(context: click.Context, plan_id: int, reason: str) -> None:
    """Bring back what a plan deleted in buckets with versioning, and take its tags off."""
    settings = settings_of(context)
    with database(settings) as engine, _progress() as progress:
        report = undo_plan(engine, Reach(settings), whoever(), plan_id, now, progress, reason)
    if isinstance(report, Refusal):
        raise RefusedToAct(report.why)
    lost = f", {report.lost_objects:,} cannot be: nothing was kept of them" if report.lost_objects else ""
    say(f"{report.restored_objects:,} restored{lost}")
    if report.failed_objects:
        raise Failed(f"{report.failed_objects:,} could not be restored, so try again: {report.failed[0]}")


def report_data(report: CleanReport) -> dict[str, Any]:
    """What an apply came to, in the shape that scripts build on."""
    return {
        "plan_id": report.plan_id,
        "deleted_objects": report.deleted_objects,
        "deleted_bytes": report.deleted_bytes,
        "tagged_objects": report.tagged_objects,
        "tagged_bytes": report.tagged_bytes,
        "gone_objects": report.gone_objects,
        "skipped": [one._asdict() for one in report.skipped],
        "failed": [one._asdict() for one in report.failed],
        "skipped_objects": report.skipped_objects,
        "failed_objects": report.failed_objects,
        "left_objects": report.left,
        "dry_run": report.dry_run,
        "audit_id": report.audit_id,
    }


def _show_plan(engine: Engine, plan_id: int, form: str, *, as_objects: bool) -> None:
    with reading(engine) as connection:
        head = plan_head(connection, plan_id)
        if head is None:
            raise Failed(f"there is no plan {plan_id}; `trainwatch clean plan` makes one")
        items = plan_items(connection, plan_id)
        data = plan_data(head, items, tallies(connection, plan_id), changes_since(connection, head, items))
        objects = []
        for planned in items if as_objects else []:
            found = plan_objects(connection, plan_id, planned.number, limit=10_000_000)
            objects += [object_data(planned.item.bucket, one) for one in found]
    if as_objects:
        if form == "table":
            print_table(objects, OBJECT_COLUMNS, f"plan {plan_id}: {len(objects):,} objects")
        else:
            show(objects, objects, OBJECT_COLUMNS, form)
    elif form == "table":
        print_table(data["items"], ITEM_TABLE, f"plan {plan_id}, {head.state}: what may go", {"team": "total"} | data["total"])
        print_table(data["kept"], ("bucket", "prefix", "job", "why"), f"{len(data['kept'])} prefixes are kept")
        if data["since"] and data["since"]["changes"]:
            print_table(data["since"]["changes"], CHANGE_COLUMNS, f"what is different since plan {data['since']['plan_id']}")
    else:
        show(data, data["items"], ITEM_COLUMNS, form)


def _confirm(engine: Engine, plan_id: int) -> None:
    with reading(engine) as connection:
        head = plan_head(connection, plan_id)
        planned = tallies(connection, plan_id).get("planned")
        items = plan_items(connection, plan_id)
    is_tagging = head is not None and head.mode == "quarantine"
    count, size = (planned.objects, planned.bytes) if planned else (0, 0)
    kinds = sorted({one.item.versioning for one in items})
    say(f"plan {plan_id}: {count:,} objects, {size / 2**30:,.1f} GiB; versioning: {', '.join(kinds) or 'none'}")
    if is_tagging:
        say("objects are tagged for a lifecycle rule to delete; unfinished uploads are aborted now")
    else:
        say("only what lies in buckets with versioning enabled can be brought back")
    if not sys.stdin.isatty():
        raise RefusedToAct("not confirmed: nobody can be asked here; add --yes")
    if not confirm("Tag them?" if is_tagging else "Delete them?"):
        raise RefusedToAct("not confirmed: nothing was changed")


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Says how far it is, on one line of a terminal that ends when the block does; where nobody looks on, nothing."""
    is_seen, begun = sys.stderr.isatty(), Event()

    def show_how_far(done: int, total: int) -> None:
        if is_seen:
            begun.set()
            say(f"\r{done:,} of {total:,}", nl=False)

    try:
        yield show_how_far
    finally:
        if begun.is_set():
            say()
