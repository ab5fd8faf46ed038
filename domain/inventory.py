"""Which of a bucket's keys training left there, and as what: told from what jobs say of themselves, one key at a time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from domain.instants import EARLIEST
from domain.job_places import JobPlaces
from domain.leftovers import Kind
from domain.spans import apart

# Folders of `{S3OutputPath}/{job}/` that SageMaker itself writes. Source: the paths of artifacts in the SDK's estimator, and
# DebugHookConfig, ProfilerConfig and TensorBoardOutputConfig.
_FOLDERS: Mapping[str, Kind] = {
    "debug-output": "debugger", "rule-output": "debugger", "profiler-output": "profiler", "tensorboard-output": "tensorboard",
}  # fmt: skip
_OUTPUT = "output"
_NOBODY = "\0"  # no job has such a name
_FIELD = re.compile(r"\{(\w+)\}")


class Folder:
    """A convention for a job's own folder, such as `models/training/{job}/`; without {job}, the next component is the job."""

    def __init__(self, template: str) -> None:
        found = _FIELD.search(template)
        self.head = template[: found.start()] if found else template.rstrip("/") + "/"
        whole = template.rstrip("/") + "/"
        if "{job}" not in whole.lower():
            whole += "{job}/"
        self.is_used = bool(template.strip("/"))
        self._pattern = re.compile("".join(_as_pattern(whole)))

    def match(self, directory: str) -> tuple[str, str] | None:
        """The job's folder that holds a directory (or is it), and the component that names the job; None outside of any."""
        found = self._pattern.match(directory) if self.is_used else None
        return (found[0], found["job"]) if found else None


def _as_pattern(template: str) -> Iterator[str]:
    """A template as a regular expression: each field is one component, or a part of one."""
    position, has_job = 0, False
    for found in _FIELD.finditer(template):
        yield re.escape(template[position : found.start()])
        if found[1].lower() == "job":
            yield "(?P=job)" if has_job else "(?P<job>[^/]+)"
            has_job = True
        else:
            yield "[^/]+"
        position = found.end()
    yield re.escape(template[position:])


class Mark(NamedTuple):
    """What a key belongs to: a prefix of one kind. `job` is the component that names a job, empty where none does.

    `speaks` is the job that tells whose it is: that one, else the newest that uses the prefix.
    """

    prefix: str
    kind: Kind
    job: str
    speaks: str


class _Use(NamedTuple):
    job: str
    speaks: str
    since: datetime  # of the job that speaks
    is_over: bool


@dataclass
class Territory:
    """What training writes in one bucket, and where that is to be looked for."""

    intermediates: Folder
    artifacts: Folder
    _heads: dict[str, set[str]] = field(default_factory=dict)  # `{head}{job}/` is written by SageMaker, for these jobs
    _outputs: set[str] = field(default_factory=set)  # heads that are output paths
    _checkpoints: dict[str, _Use] = field(default_factory=dict)

    def add(self, job: JobPlaces, bucket: str) -> None:
        """Take in what a job writes in this bucket; jobs may come in any order."""
        for place, is_output in ((job.output, True), (job.debugger, False), (job.profiler, False), (job.tensorboard, False)):
            if place is not None and place.bucket == bucket and job.name:
                head = _folder(place.key)
                own = f"{head}{job.name}/"
                if self.artifacts.match(own) != (own, job.name):  # what the convention finds needs no list of jobs
                    self._heads.setdefault(head, set()).add(job.name)
                    self._outputs |= {head} if is_output else set()
        place = job.checkpoints
        if place is not None and place.bucket == bucket and place.key.strip("/"):
            self._add_use(_folder(place.key), job)

    def _add_use(self, prefix: str, job: JobPlaces) -> None:
        known = self._checkpoints.get(prefix) or _Use("", job.name, EARLIEST, is_over=False)
        named = known.job or (job.name if job.name in prefix.split("/") else "")
        speaks, since = (job.name, job.created_at) if job.created_at >= known.since else (known.speaks, known.since)
        self._checkpoints[prefix] = _Use(named, speaks, since, known.is_over or job.is_ended)

    def spans(self) -> list[str]:
        """The prefixes under which everything lies, in the order of keys; none holds another."""
        own = {folder.head for folder in (self.intermediates, self.artifacts) if folder.is_used}
        own |= {f"{head}{name}/" for head, names in self._heads.items() for name in names}
        own |= {prefix for prefix, use in self._checkpoints.items() if use.is_over}
        return apart(own)

    def mark(self, directory: str) -> Mark | None:
        """What keys right in a directory (which ends with a slash, or is empty) belong to: the closest that holds it."""
        found = list(self._by_convention(directory))
        for above in _ancestors(directory):
            names = self._heads.get(above)
            job = directory[len(above) :].partition("/")[0]
            if names is not None and job in names:
                found.append(_deeper(directory, f"{above}{job}/", job, above in self._outputs))
            use = self._checkpoints.get(above)
            if use is not None:
                found.append(Mark(above, "checkpoints", use.job, use.speaks if use.is_over else _NOBODY))
        closest = max((mark for mark in found if mark is not None), key=_closeness, default=None)
        # Where only live jobs write checkpoints there is nothing left over yet.
        return None if closest is None or closest.speaks == _NOBODY else closest

    def _by_convention(self, directory: str) -> Iterator[Mark | None]:
        found = self.artifacts.match(directory)
        if found:
            yield _deeper(directory, *found, is_output=True)
        found = self.intermediates.match(directory)
        if found:
            yield Mark(found[0], "intermediates", found[1], found[1])


def _closeness(mark: Mark) -> tuple[int, bool, bool]:
    """The longest prefix counts; of two for the same one what jobs name themselves, and what may go before what may not."""
    return len(mark.prefix), mark.kind == "checkpoints", mark.kind != "artifacts"


def _deeper(directory: str, own: str, job: str, is_output: bool) -> Mark | None:
    """A job's folder at an output path: the folders of debugger and profiler in it, the model, and what else lies there."""
    folder = directory[len(own) :].partition("/")[0]
    if folder in _FOLDERS:
        return Mark(f"{own}{folder}/", _FOLDERS[folder], job, job)
    if not is_output:
        return None
    return Mark(f"{own}{folder}/" if folder == _OUTPUT else own, "artifacts", job, job)


def _ancestors(directory: str) -> Iterator[str]:
    """The directory itself and those above it, the closest first, down to the bucket's root."""
    end = len(directory)
    while end > 0:
        yield directory[:end]
        end = directory.rfind("/", 0, end - 1) + 1
    yield ""


def _folder(key: str) -> str:
    """A prefix as a folder: with one slash at its end, or empty for the bucket's root."""
    own = key.rstrip("/")
    return f"{own}/" if own else ""


@dataclass(slots=True)
class Pile:
    """What lies under a prefix so far; `classes` are bytes by storage class."""

    mark: Mark
    objects: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    newest_at: datetime | None = None

    def add(self, size_bytes: int, storage_class: str, at: datetime) -> None:
        """Count one object."""
        self.objects += 1
        self.classes[storage_class] = self.classes.get(storage_class, 0) + size_bytes
        if self.newest_at is None or at > self.newest_at:
            self.newest_at = at

    @property
    def bytes(self) -> int:
        """All bytes."""
        return sum(self.classes.values())


class Stock:
    """Counts keys into piles while they stream by in their order; a pile is handed on once no key can fall on it any more."""

    def __init__(self, territory: Territory) -> None:
        self._territory = territory
        self._open: dict[str, Pile] = {}
        self._directory: str | None = None
        self._mark: Mark | None = None

    def add(self, key: str, size_bytes: int, storage_class: str, at: datetime) -> None:
        """Count one object, if training left it."""
        directory = key[: key.rfind("/") + 1]
        if directory != self._directory:  # keys of one directory mostly follow each other
            self._directory, self._mark = directory, self._territory.mark(directory)
        if self._mark is not None:
            pile = self._open.get(self._mark.prefix)
            if pile is None:
                pile = self._open[self._mark.prefix] = Pile(self._mark)
            pile.add(size_bytes, storage_class, at)

    def done(self, last_key: str | None = None) -> list[Pile]:
        """The piles that are complete once `last_key` was seen; all that are left without one."""
        closed = [prefix for prefix in self._open if last_key is None or not last_key.startswith(prefix)]
        return [self._open.pop(prefix) for prefix in closed]
