"""When which collector runs: every scope and collector by itself, so that none waits for another."""

import gc
import logging
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
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
from worker.run import COLLECTORS, Clock, CollectorRun, RunReport

PRICES_FIRST_SECONDS = 5.0  # so long the first look at jobs waits for rates, which else would have everything derived twice
TARGETS_AGAIN_SECONDS = 60.0
GARBAGE_THRESHOLD = 50_000  # of Python's default 700, which costs a seventh of a back-fill: what we make has no cycles

log = logging.getLogger("trainwatch.worker")


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


class _Lane:
    """One scope's collectors: each with clients of its own, so that calls are counted apart."""

    def __init__(self, engine: Engine, settings: Settings, target: Target, now: Clock, stopping: Event) -> None:
        self._engine, self._settings, self._now, self._stopping = engine, settings, now, stopping
        self._clients = {collector: Clients(target) for collector in COLLECTORS}
        self._prices_ran = Event()
        self.target = target

    def run(self, collector: str) -> RunReport:
        """One run of one collector. The first one of jobs gives the one of prices a moment, if there is one."""
        if collector == jobs.NAME:
            self._prices_ran.wait(PRICES_FIRST_SECONDS)
        try:
            run = CollectorRun(self._engine, self._settings, self._clients[collector], collector, self._now, self._stopping)
            return run.execute()
        finally:
            if collector == prices.NAME:
                self._prices_ran.set()

    def no_prices(self) -> None:
        """There will be no run of prices to wait for."""
        self._prices_ran.set()


def run_once(engine: Engine, settings: Settings, only: frozenset[str] | None = None, now: Clock = utc_now) -> list[RunReport]:
    """One full pass: every scope and collector (or only those named) at the same time; one report each, failures too.

    Raises AwsError when the accounts to watch cannot be told: no credentials, no region, STS out of reach.
    """
    gc.set_threshold(GARBAGE_THRESHOLD)
    collectors = [collector for collector in COLLECTORS if only is None or collector in only]
    lanes = [_Lane(engine, settings, target, now, Event()) for target in watched(settings)]
    with ThreadPoolExecutor(max(1, len(lanes) * len(collectors)), thread_name_prefix="collect") as pool:
        futures: list[Future[RunReport]] = []
        for lane in lanes:
            if prices.NAME not in collectors:
                lane.no_prices()
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
        scheduler = _scheduled(targets, engine, settings, now, stopping, only)
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
    targets: Iterable[Target], engine: Engine, settings: Settings, now: Clock, stopping: Event, only: frozenset[str] | None
) -> BackgroundScheduler:
    lanes = [_Lane(engine, settings, target, now, stopping) for target in targets]
    intervals = {prices.NAME: settings.collect.prices_seconds, jobs.NAME: settings.collect.jobs_seconds}
    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    scheduler = BackgroundScheduler(executors={"default": SchedulerPool(len(lanes) * len(intervals))}, job_defaults=defaults, timezone=UTC)
    for lane in lanes:
        for collector, seconds in intervals.items():
            if only is None or collector in only:
                _add(scheduler, lane, collector, seconds)
        if only is not None and prices.NAME not in only:
            lane.no_prices()
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
