"""Training jobs of one scope: what changed, what is alive, and on the first run the history, newest first."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from aws.errors import AccessDenied
from aws.session import Clients
from collectors import describing, listing, searching
from collectors.batch import Batch, Batches
from collectors.books import Books
from collectors.describing import created_second, describe, tags_of
from collectors.listing import ListSource
from collectors.searching import Found, SearchSource
from collectors.watermark import Descent, Watermark
from settings import Collect
from storage.facts import WatchedJob

NAME = "jobs"
SEARCH = "sagemaker:Search"
REQUIRED_PERMISSIONS = (*searching.REQUIRED_PERMISSIONS, *describing.REQUIRED_PERMISSIONS)
FALLBACK_PERMISSIONS = listing.REQUIRED_PERMISSIONS
PAGES_PER_BATCH = 5
LOOKS_PER_BATCH = 50

Clock = Callable[[], datetime]


class Source(Protocol):
    """Where jobs come from: Search, or List where Search is denied."""

    remark: str | None
    problems: list[str]

    def changed(self, since: int) -> Iterator[Found]:
        """Jobs that changed since an epoch second."""

    def created(self, upper: int, floor: int, again: bool) -> Iterator[Found]:
        """Jobs created in [floor, upper), newest first; `again` takes no job for known."""


def collect_jobs(clients: Clients, books: Books, settings: Collect, now: Clock) -> Batches:
    """Batches of job descriptions, each with the watermark that holds once it is kept; committed in between by the caller.

    First run: the history, newest first. Later: what changed, a direct look at jobs that live, whatever is left of the
    history, and once a day the last `sweep_days` again. Raises AwsError; what was handed on before holds.
    Source: Search, DescribeTrainingJob; ListTrainingJobs and ListTags where Search is denied.
    """
    collection = _Collection(clients, books, settings, now)
    try:
        yield from collection.batches(SearchSource(clients))
    except AccessDenied as error:
        if error.permission != SEARCH:
            raise
        denied = error
    else:
        return
    try:
        yield from collection.batches(ListSource(clients, books))
    except AccessDenied as error:
        raise AccessDenied(f"{denied}; what would serve instead is denied too: {error}", SEARCH) from error


class _Collection:
    """One run: the steps, and the watermark as it moves."""

    def __init__(self, clients: Clients, books: Books, settings: Collect, now: Clock) -> None:
        self._clients, self._books, self._settings, self._now = clients, books, settings, now
        self._started = now()
        written = Watermark.from_state(books.watermark(NAME))
        self._is_first = written.modified_through is None
        self._mark = written.opened(self._started, settings.history_days)

    def batches(self, source: Source) -> Batches:
        """All the steps of the run, from wherever it is."""
        if not self._is_first:
            yield from self._changes(source)
            yield from self._looks()
        if self._mark.descent:
            yield from self._descent(source, self._mark.descent)
        self._mark = self._mark.with_sweep_if_due(self._started, self._settings.sweep_days)
        if self._mark.sweep:
            yield from self._sweep(source, self._mark.sweep)
        yield self._batch([], "", source)

    def _changes(self, source: Source) -> Batches:
        started = int(self._started.timestamp())
        through = self._mark.modified_through or started
        for found in _grouped(source.changed(through)):
            if found.reached is not None:
                through = max(through, min(found.reached, started))
                self._mark = replace(self._mark, modified_through=through)
            yield self._batch(found.descriptions, "looking for changes", source)
        self._mark = replace(self._mark, modified_through=max(through, started))

    def _descent(self, source: Source, descent: Descent) -> Batches:
        for found in _grouped(source.created(*descent, again=False)):
            descent = _lowered(descent, found)
            self._mark = replace(self._mark, descent=descent)
            yield self._batch(found.descriptions, f"history down to {_day(descent.upper)}", source)
        self._mark = replace(self._mark, descent=None, swept_at=int(self._started.timestamp()))

    def _sweep(self, source: Source, sweep: Descent) -> Batches:
        for found in _grouped(source.created(*sweep, again=True)):
            sweep = _lowered(sweep, found)
            self._mark = replace(self._mark, sweep=sweep)
            yield self._batch(found.descriptions, f"daily sweep down to {_day(sweep.upper)}", source)
        self._mark = replace(self._mark, sweep=None, swept_at=int(self._started.timestamp()))

    def _looks(self) -> Batches:
        """A direct look at the jobs whose facts may still change, since the search index lags and live jobs move."""
        watched = self._books.watched()
        for start in range(0, len(watched), LOOKS_PER_BATCH):
            descriptions, gone = [], []
            try:
                for job in watched[start : start + LOOKS_PER_BATCH]:
                    described = self._look(job)
                    descriptions += [described] if described is not None else []
                    gone += [job.job_id] if described is None or created_second(described) != job.created_second else []
            except AccessDenied as error:
                problem = f"{error}; live jobs are as Search last told of them"
                yield Batch(descriptions, gone, state=self._mark.state(), problems=[problem])
                return
            yield Batch(descriptions, gone, state=self._mark.state(), progress="looking at live jobs")

    def _look(self, job: WatchedJob) -> Mapping[str, Any] | None:
        """The job as it is now, None when AWS knows it no more; the tags are those we have, unless it is another of that name."""
        described = describe(self._clients, job.name)
        if described is None:
            return None
        if created_second(described) != job.created_second:
            return described | {"Tags": tags_of(self._clients, str(described.get("TrainingJobArn")))}
        return described | {"Tags": job.description["Tags"]} if "Tags" in job.description else described

    def _batch(self, descriptions: Sequence[Mapping[str, Any]], progress: str, source: Source) -> Batch:
        remarks = [source.remark] if source.remark else []
        return Batch(descriptions, state=self._mark.state(), progress=progress, problems=tuple(source.problems), remarks=remarks)


def _grouped(found: Iterable[Found]) -> Iterator[Found]:
    """Stretches put together to what is kept in one transaction; the first by itself, so that there is soon something to see."""
    kept: list[Mapping[str, Any]] = []
    pages, limit, reached = 0, 1, None
    for stretch in found:
        kept += stretch.descriptions
        pages, reached = pages + 1, stretch.reached if stretch.reached is not None else reached
        if pages == limit:
            yield Found(kept, reached)
            kept, pages, limit = [], 0, PAGES_PER_BATCH
    if pages:
        yield Found(kept, reached)


def _lowered(descent: Descent, found: Found) -> Descent:
    """What is left of a descent once these are kept; the second reached is asked for again, for what else it may hold."""
    if found.reached is None:
        return descent
    return Descent(max(descent.floor, min(descent.upper, found.reached + 1)), descent.floor)


def _day(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d}"
