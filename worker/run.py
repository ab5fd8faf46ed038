"""One run of one collector for one scope, from lease to record; whatever goes wrong ends here, in words."""

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Literal

from aws.errors import AwsError, CredentialsUnusable
from aws.meter import Count, since
from aws.session import Clients
from collectors import jobs, leftovers, metrics, prices
from collectors.batch import Batch, Batches
from collectors.books import Books
from derivations.keep import Keeper
from domain.scope import Scope
from settings import Settings
from storage.checkpoints import upsert_checkpoints
from storage.engine import Connection, Engine, writing
from storage.facts import mark_gone, record_prices, scope_id, upsert_descriptions
from storage.leases import Lease, LeaseLost, acquire, new_holder
from storage.leftover_months import record_leftover_day
from storage.leftovers import upsert_buckets, upsert_leftovers
from storage.references import upsert_references
from storage.remasking import forget_free_pages, mask_again
from storage.retention import give_up_old_records
from storage.runs import CallCount, count_calls, finish_run, note_progress, start_run, write_watermark
from storage.samples import thin_samples, upsert_samples
from storage.signals import record_signals
from storage.tuning import upsert_tuning_jobs
from worker.catalog import CATALOG
from worker.clock import Clock

NAMED_PROBLEMS = 5

Outcome = Literal["ok", "partial", "failed", "held", "lost"]

log = logging.getLogger("trainwatch.worker")


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of one run: `held` means that another process is at it, `lost` that one took over meanwhile."""

    scope: Scope
    collector: str
    outcome: Outcome
    message: str
    rows: int
    calls: int
    seconds: float


class _Stopped(Exception):
    """The process is asked to end; what was collected stays and the next run goes on from there."""


@dataclass
class _Tally:
    """What a run has done so far."""

    rows: int = 0
    changed: int = 0
    progress: str = ""
    problems: dict[str, None] = field(default_factory=dict)  # in the order in which they came, each once
    remarks: dict[str, None] = field(default_factory=dict)

    def add(self, batch: Batch, rows: int, changed: int) -> None:
        """Count a batch that is committed."""
        self.rows, self.changed, self.progress = self.rows + rows, self.changed + changed, batch.progress or self.progress
        self.problems |= dict.fromkeys(batch.problems)
        self.remarks |= dict.fromkeys(batch.remarks)


class CollectorRun:
    """A run of `collector` for the clients' target; `stopping`, when set, ends it after the transaction it is in."""

    def __init__(
        self, engine: Engine, settings: Settings, clients: Clients, collector: str, now: Clock, stopping: Event | None = None
    ) -> None:
        self._engine, self._settings, self._clients, self._collector = engine, settings, clients, collector
        self._now, self._stopping = now, stopping or Event()
        self._keeper = Keeper(engine, settings)
        self._tally = _Tally()
        self._counted_before = self._counted = clients.meter.read()

    def execute(self) -> RunReport:
        """Runs it and records how it went; never raises."""
        begun = time.monotonic()
        try:
            outcome, message = self._recorded()
        except Exception as error:
            log.exception("%s %s: the run could not be recorded", self._scope.label, self._collector)
            outcome, message = "failed", f"the run could not be recorded: {_in_words(error)}"
        seconds = time.monotonic() - begun
        calls = sum(count.calls for count in since(self._counted_before, self._clients.meter.read()))
        level = logging.WARNING if outcome in ("failed", "lost") else logging.INFO
        log.log(level, "%s %s: %s in %.1f s: %s", self._scope.label, self._collector, outcome, seconds, message)
        return RunReport(self._scope, self._collector, outcome, message, self._tally.rows, calls, seconds)

    @property
    def _scope(self) -> Scope:
        return self._clients.target.scope

    def _recorded(self) -> tuple[Outcome, str]:
        holder = new_holder()
        with writing(self._engine) as connection:
            scope_row = scope_id(connection, self._scope)
            lease = acquire(connection, scope_row, self._collector, holder, self._now())
            if isinstance(lease, str):
                return "held", f"another process collects {self._collector} here now ({lease})"
            run_id = start_run(connection, scope_row, self._collector, holder, self._now())
        try:
            outcome, message = self._collected(lease, run_id)
            self._finish(lease, run_id, outcome, message)
        except LeaseLost as error:
            return "lost", f"{error}; what was committed before stays"
        return outcome, message

    def _collected(self, lease: Lease, run_id: int) -> tuple[Outcome, str]:
        try:
            self._clients.verify_account()
            if self._collector == jobs.NAME:
                self._keeper.refresh(lambda done, total: self._still_here(lease, run_id, f"deriving anew: {done:,} of {total:,} jobs"))
            with closing(self._batches(lease.scope_row)) as batches:
                for number, batch in enumerate(batches, 1):
                    self._keep(batch, lease, run_id)
                    self._after(number)
            self._shed(lease, run_id)
            if self._collector == jobs.NAME or self._tally.changed:
                self._keeper.finish(lambda done, _: self._still_here(lease, run_id, f"deriving: {done:,} jobs"))
        except LeaseLost:
            raise
        except _Stopped:
            return "partial", self._message("stopped before it was done; the next run goes on from there")
        except AwsError as error:
            if isinstance(error, CredentialsUnusable):
                self._clients.forget()
            return "failed", self._message(str(error))
        except Exception as error:
            log.exception("%s %s: unexpected", self._scope.label, self._collector)
            return "failed", self._message(f"unexpected: {_in_words(error)}; the log has the details")
        return ("partial" if self._tally.problems else "ok"), self._message()

    def _after(self, number: int) -> None:
        if self._stopping.is_set():
            raise _Stopped
        # Teams learned early are not derived twice: looked for after the 1st, 2nd, 4th, 8th … batch.
        if number & (number - 1) == 0 and self._collector == jobs.NAME:
            self._keeper.finish()

    def _shed(self, lease: Lease, run_id: int) -> None:
        """Masks what an earlier release kept; thins samples, and gives up records of our own, that have grown old."""
        if self._collector == jobs.NAME:
            self._some_at_a_time(lease, run_id, "masking what was kept before", mask_again)
            if not self._stopping.is_set():
                forget_free_pages(self._engine)
        elif self._collector == metrics.NAME:
            self._some_at_a_time(lease, run_id, "thinning old samples", lambda connection: thin_samples(connection, self._now()))
        elif self._collector == leftovers.NAME:
            keep, words = timedelta(days=self._settings.database.keep_days), "giving up old records"
            self._some_at_a_time(lease, run_id, words, lambda connection: give_up_old_records(connection, self._now(), keep))

    def _some_at_a_time(self, lease: Lease, run_id: int, words: str, work: Callable[[Connection], int]) -> None:
        """Does what may take long, until nothing is left to do or the process is to end."""
        done, some = 0, 1
        while some and not self._stopping.is_set():
            with writing(self._engine) as connection:
                some = work(connection)
            done += some
            if some:
                self._still_here(lease, run_id, f"{words}: {done:,} rows")

    def _still_here(self, lease: Lease, run_id: int, progress: str) -> None:
        """Keeps the lease, and tells whoever watches, while a long derivation goes on."""
        with writing(self._engine) as connection:
            lease.renew(connection, self._now())
            note_progress(connection, run_id, self._tally.rows, 0, progress)

    def _batches(self, scope_row: int) -> Batches:
        return CATALOG[self._collector].batches(self._clients, Books(self._engine, scope_row), self._settings, self._now)

    def _keep(self, batch: Batch, lease: Lease, run_id: int) -> None:
        """Facts, derived rows, watermark, lease and progress in one transaction: all of it holds, or nothing does."""
        counted = self._clients.meter.read()
        with writing(self._engine) as connection:
            now = self._now()
            lease.renew(connection, now)
            rows, changed, problems = self._write(connection, batch, lease.scope_row, now)
            if batch.state is not None:
                write_watermark(connection, lease.scope_row, self._collector, batch.state)
                if self._collector == leftovers.NAME:
                    record_leftover_day(connection, now)
            self._count(connection, lease.scope_row, counted, now)
            calls = sum(count.calls for count in since(self._counted_before, counted))
            note_progress(connection, run_id, self._tally.rows + rows, calls, batch.progress or self._tally.progress)
        self._counted = counted
        self._tally.add(batch, rows, changed)
        self._tally.problems |= dict.fromkeys(problems)

    def _write(self, connection: Connection, batch: Batch, scope_row: int, now: datetime) -> tuple[int, int, list[str]]:
        """Rows seen, rows changed, and problems of a batch."""
        if batch.prices:
            return len(batch.prices), len(record_prices(connection, batch.prices, now)), []
        record_signals(connection, batch.signals)
        reported = upsert_samples(connection, batch.samples) + upsert_tuning_jobs(connection, scope_row, batch.tuning, now)
        reported += upsert_checkpoints(connection, batch.checkpoints, now) + upsert_references(connection, scope_row, batch.references, now)
        reported += upsert_leftovers(connection, scope_row, batch.leftovers, now)
        upsert_buckets(connection, scope_row, batch.buckets, now)  # after what was found in them
        if reported or batch.signals:
            return reported or len(batch.signals), 0, []
        for job_id in batch.gone:
            mark_gone(connection, job_id, now)
        if not batch.descriptions:
            return 0, 0, []
        upserted = upsert_descriptions(connection, self._scope, scope_row, batch.descriptions, now)
        self._keeper.derive(connection, upserted.changed)
        return upserted.seen, len(upserted.changed), upserted.unreadable

    def _count(self, connection: Connection, scope_row: int, counted: list[Count], now: datetime) -> None:
        fresh = since(self._counted, counted)
        count_calls(connection, scope_row, now.date(), [CallCount(*count) for count in fresh])

    def _finish(self, lease: Lease, run_id: int, outcome: Outcome, message: str) -> None:
        counted = self._clients.meter.read()
        with writing(self._engine) as connection:
            now = self._now()
            lease.renew(connection, now)
            self._count(connection, lease.scope_row, counted, now)
            total = since(self._counted_before, counted)
            calls, cost = sum(count.calls for count in total), sum(count.cost_nusd for count in total)
            recorded: Literal["ok", "partial", "failed"] = "failed" if outcome in ("held", "lost") else outcome  # type: ignore[assignment]
            finish_run(connection, run_id, now, recorded, message, self._tally.rows, calls, cost)
            lease.release(connection)
        self._counted = counted

    def _message(self, ending: str = "") -> str:
        tally = self._tally
        changed = f", {tally.changed} of them new or changed" if self._collector in (prices.NAME, jobs.NAME) else ""
        parts = [ending, f"{tally.rows:,} {CATALOG[self._collector].noun}{' seen' if changed else ''}{changed}"]
        parts += list(tally.remarks)
        parts += list(tally.problems)[:NAMED_PROBLEMS]
        if len(tally.problems) > NAMED_PROBLEMS:
            parts.append(f"and {len(tally.problems) - NAMED_PROBLEMS} more problems")
        return "; ".join(part for part in parts if part)


def _in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
