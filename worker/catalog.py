"""The collectors, in the order in which they depend on each other: how each is run, and what it counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aws.session import Clients
from collectors import checkpoints, jobs, leftovers, logs, metrics, models, prices, tuning
from collectors.batch import Batches
from collectors.books import Books
from settings import Settings
from worker.clock import Clock


@dataclass(frozen=True, slots=True)
class Collector:
    """A collector. `after_jobs` says that it asks about jobs in our books, so that its first run waits for theirs."""

    name: str
    noun: str
    batches: Callable[[Clients, Books, Settings, Clock], Batches]
    permissions: tuple[str, ...]
    after_jobs: bool = False


CATALOG: Mapping[str, Collector] = {
    one.name: one
    for one in (
        Collector(
            prices.NAME, "rates",
            lambda clients, _books, _settings, now: prices.collect_prices(clients, now()), prices.REQUIRED_PERMISSIONS,
        ),
        Collector(
            jobs.NAME, "jobs",
            lambda clients, books, settings, now: jobs.collect_jobs(clients, books, settings.collect, now),
            (*jobs.REQUIRED_PERMISSIONS, *jobs.FALLBACK_PERMISSIONS),
        ),
        Collector(
            metrics.NAME, "samples",
            lambda clients, books, settings, now: metrics.collect_metrics(clients, books, settings.collect, now),
            metrics.REQUIRED_PERMISSIONS, after_jobs=True,
        ),
        Collector(
            logs.NAME, "looks",
            lambda clients, books, _settings, now: logs.collect_logs(clients, books, now), logs.REQUIRED_PERMISSIONS, after_jobs=True,
        ),
        Collector(
            tuning.NAME, "tuning jobs",
            lambda clients, books, settings, now: tuning.collect_tuning_jobs(clients, books, settings.collect, now),
            tuning.REQUIRED_PERMISSIONS, after_jobs=True,
        ),
        Collector(
            checkpoints.NAME, "looks", lambda clients, books, _settings, now: checkpoints.collect_checkpoints(clients, books, now),
            checkpoints.REQUIRED_PERMISSIONS, after_jobs=True,
        ),
        Collector(
            models.NAME, "references", lambda clients, _books, _settings, now: models.collect_models(clients, now),
            models.REQUIRED_PERMISSIONS,
        ),
        Collector(
            leftovers.NAME, "prefixes",
            lambda clients, books, settings, now: leftovers.collect_leftovers(clients, books, settings, now),
            leftovers.REQUIRED_PERMISSIONS, after_jobs=True,
        ),
    )
}  # fmt: skip
COLLECTORS = tuple(CATALOG)
