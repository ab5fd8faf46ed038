"""When which collector runs: every scope and collector by itself, so that none waits for another."""

import gc
import logging
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from threading import Event, current_thread, main_thread
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor as SchedulerPool
from apscheduler.schedulers.background import BackgroundScheduler

from aws.errors import AwsError
from aws.session import Clients, Target, watched
from collectors import jobs, prices
from settings import Settings
from storage.engine import Engine
from worker.catalog import CATALOG, COLLECTORS
from worker.clock import Clock, utc_now
from worker.run import CollectorRun, RunReport
from worker.telling import Teller
from worker.watch import Watch

PRICES_FIRST_SECONDS = 5.0  # so long the first look at jobs waits for rates, which else would have everything derived twice
JOBS_FIRST_SECONDS = 600.0  # and so long first looks at metrics and the like wait for jobs to ask about
TARGETS_AGAIN_SECONDS = 60.0
GARBAGE_THRESHOLD = 50_000  # of Python's default 700, which costs a seventh of a back-fill: what we make has no cycles

log = logging.getLogger("trainwatch.worker")


class _Lane:
    """One scope's collectors: each with clients of its own, so that calls are counted apart."""

    def __init__(self, engine: Engine, settings: Settings, target: Target, now: Clock, stopping: Event, teller: Teller) -> None:
        self._engine, self._settings, self._now, self._stopping = engine, settings, now, stopping
        self._clients = {collector: Clients(target) for collector in COLLECTORS}
        self._ran = {prices.NAME: Event(), jobs.NAME: Event()}
        self._watch = Watch(engine, settings, target, now, teller)
        self.target = target

    def run(self, collector: str) -> RunReport:
        """One run of one collector, then whatever follows from it: findings, policies, messages.

        The first one of jobs gives the one of prices a moment; those that ask about jobs wait for the first of these.
        """
        if collector == jobs.NAME:
            self._ran[prices.NAME].wait(PRICES_FIRST_SECONDS)
        elif CATALOG[collector].after_jobs:
            self._wait_for_jobs()
        try:
            report = CollectorRun(self._engine, self._settings, self._clients[collector], collector, self._now, self._stopping).execute()
        finally:
            if collector in self._ran:
                self._ran[collector].set()
        self._watch.after(report)
        return report

    def none_of(self, collectors: Iterable[str]) -> None:
        """There will be no run of these to wait for."""
        for collector in set(collectors) & set(self._ran):
            self._ran[collector].set()

    def _wait_for_jobs(self) -> None:
        for _ in range(round(JOBS_FIRST_SECONDS)):
            if self._stopping.is_set() or self._ran[jobs.NAME].wait(1.0):
                return


def run_once(engine: Engine, settings: Settings, only: frozenset[str] | None = None, now: Clock = utc_now) -> list[RunReport]:
    """One full pass: every scope and collector (or only those named) at the same time; one report each, failures too.

    Raises AwsError when the accounts to watch cannot be told: no credentials, no region, STS out of reach.
    """
    gc.set_threshold(GARBAGE_THRESHOLD)
    collectors = [collector for collector in COLLECTORS if only is None or collector in only]
    teller = Teller(settings, engine, now)
    lanes = [_Lane(engine, settings, target, now, Event(), teller) for target in watched(settings)]
    with closing(teller), ThreadPoolExecutor(max(1, len(lanes) * len(collectors)), thread_name_prefix="collect") as pool:
        futures: list[Future[RunReport]] = []
        for lane in lanes:
            lane.none_of(set(COLLECTORS) - set(collectors))
            futures += [pool.submit(lane.run, collector) for collector in collectors]
        return [future.result() for future in futures]


def run_forever(
    engine: Engine,
    settings: Settings,
    now: Clock = utc_now,
    stopping: Event | None = None,
    only: frozenset[str] | None = None,
) -> None:
    """Collects on schedule, or only the collectors named, until SIGTERM or SIGINT, or until `stopping` is set.

    The transactions under way are finished.
    A run that is cut short goes on from where it was the next time. Without accounts to watch yet, it says so and tries
    again each minute.
    """
    gc.set_threshold(GARBAGE_THRESHOLD)
    stopping = stopping or Event()
    with _Signals(stopping):
        targets = _targets(settings, stopping)
        if not targets:
            return
        with closing(Teller(settings, engine, now)) as teller:
            scheduler = _scheduled(targets, engine, settings, now, stopping, only, teller)
            scheduler.start()
            stopping.wait()
            scheduler.shutdown(wait=True)


def _targets(settings: Settings, stopping: Event) -> list[Target]:
    while not stopping.is_set():
        try:
            return watched(settings)
        except AwsError as error:
            log.error("%s; it is tried again in %d s", error, TARGETS_AGAIN_SECONDS)
        stopping.wait(TARGETS_AGAIN_SECONDS)
    return []


def _scheduled(
    targets: Iterable[Target],
    engine: Engine,
    settings: Settings,
    now: Clock,
    stopping: Event,
    only: frozenset[str] | None,
    teller: Teller,
) -> BackgroundScheduler:
    lanes = [_Lane(engine, settings, target, now, stopping, teller) for target in targets]
    intervals = {name: settings.collect.seconds(name) for name in COLLECTORS if only is None or name in only}
    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    scheduler = BackgroundScheduler(executors={"default": SchedulerPool(len(lanes) * len(intervals))}, job_defaults=defaults, timezone=UTC)
    for lane in lanes:
        for collector, seconds in intervals.items():
            _add(scheduler, lane, collector, seconds)
        lane.none_of(set(COLLECTORS) - set(intervals))
    return scheduler


def _add(scheduler: Any, lane: _Lane, collector: str, seconds: int) -> None:
    at_once = datetime.now(UTC)  # the scheduler's clock is the machine's, whatever the collectors' is
    name = f"{lane.target.scope.account} {lane.target.scope.region} {collector}"
    scheduler.add_job(lane.run, "interval", [collector], seconds=seconds, next_run_time=at_once, id=name, name=name)


class _Signals:
    """SIGTERM and SIGINT set the event; how they were handled before is put back at the end. Only in the main thread."""

    def __init__(self, stopping: Event) -> None:
        self._stopping = stopping
        self._before: dict[signal.Signals, Callable[..., Any] | int | None] = {}

    def __enter__(self) -> None:
        if current_thread() is main_thread():
            for one in (signal.SIGTERM, signal.SIGINT):
                self._before[one] = signal.signal(one, lambda *_: self._stopping.set())

    def __exit__(self, *_: object) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)
