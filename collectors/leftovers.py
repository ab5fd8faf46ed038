"""What training left in S3: an inventory of every bucket that jobs name, by prefix, kind, job and team."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aws.errors import AwsError, CredentialsUnusable
from aws.session import Clients
from collectors.batch import Batch, Batches
from collectors.books import Books
from collectors.s3 import BUCKET_PERMISSIONS, UPLOAD_PERMISSIONS, SeenBucket, Upload, bucket_seen, listed, parts_bytes, unfinished
from domain.attribution import Directory, Evidence
from domain.inventory import Folder, Mark, Pile, Stock, Territory
from domain.job_places import job_places
from domain.spans import common_folder
from settings import ConventionSettings, Settings
from storage.engine import reading
from storage.leftovers import BucketRow, LeftoverRow, is_storable, learned_teams, stored_places, teams_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAME = "leftovers"
REQUIRED_PERMISSIONS = (*BUCKET_PERMISSIONS, *UPLOAD_PERMISSIONS)
JOBS_A_READ = 1000
ROWS_A_BATCH, PAGES_A_BATCH, UPLOADS_A_BATCH = 1000, 10, 25  # few enough to keep the lease
MOST_PAGES = 10_000  # of one bucket: ten million objects, which take five cents and about half an hour
MOST_PARTS = 2000  # ListParts of a run, one an upload

Clock = Callable[[], datetime]
Steps = Generator[Batch, None, BucketRow]


@dataclass(frozen=True, slots=True)
class Claim:
    """A bucket that jobs name, with what they write there; `is_own` says that jobs of this very scope do."""

    territory: Territory
    is_own: bool


def collect_leftovers(clients: Clients, books: Books, settings: Settings, now: Clock) -> Batches:
    """Batches of prefixes as they are found, and of each bucket once it was looked through; memory does not grow with objects.

    Buckets that jobs of the scope name are looked at, and those of our account that jobs of another account in the region
    name. One that keeps us out is a state in words, and the rest goes on.
    Source: ListObjectsV2, ListMultipartUploads, ListParts.
    """
    moment = now()
    claims = _claims(books, clients.target.scope.region, settings.conventions)
    inventory = _Inventory(clients, books, settings, now)
    for name in sorted(claims):
        yield from inventory.bucket(name, claims[name])
    yield Batch(state={"through": moment.isoformat()}, problems=tuple(inventory.problems), remarks=tuple(inventory.remarks))


def _claims(books: Books, region: str, conventions: ConventionSettings) -> dict[str, Claim]:
    """What jobs of a region write in which buckets; the books are read in pieces, and only places are kept."""
    folders = Folder(conventions.intermediate_prefix), Folder(conventions.artifact_prefix)
    territories: dict[str, Territory] = {}
    own: set[str] = set()
    last = 0
    while True:
        with reading(books.engine) as connection:
            rows = stored_places(connection, region, last, JOBS_A_READ)
        if not rows:
            return {name: Claim(territory, name in own) for name, territory in territories.items()}
        for row in rows:
            job = job_places(row.description, is_gone=row.is_gone)
            for name in job.buckets:
                territories.setdefault(name, Territory(*folders)).add(job, name)
                own |= {name} if row.scope_id == books.scope_row else set()
        last = rows[-1].job_id


class _Inventory:
    """One run: its problems and remarks in words, and how many calls for parts it has left."""

    def __init__(self, clients: Clients, books: Books, settings: Settings, now: Clock) -> None:
        self._clients, self._books, self._now = clients, books, now
        with reading(books.engine) as connection:
            teams = settings.known_teams or learned_teams(connection)
        self._directory = Directory(teams, settings.naming)
        self._parts_left = MOST_PARTS
        self.problems: dict[str, None] = {}
        self.remarks: dict[str, None] = {}

    def bucket(self, name: str, claim: Claim) -> Batches:
        """Everything that training left in one bucket."""
        seen = bucket_seen(self._clients, name, self._now())
        if seen.standing != "open" and not claim.is_own:
            return  # the look of whoever's jobs name it says so
        if seen.standing == "failed":
            self.problems[f"bucket {name}: {seen.row.problem}"] = None
        elif seen.row.problem:
            self.remarks[f"bucket {name}: {seen.row.problem}"] = None
        self.problems |= dict.fromkeys(seen.unknown)
        row = seen.row
        if seen.client is not None:
            spans = claim.territory.spans()
            row = yield from self._objects(seen, claim.territory, spans)
            row = yield from self._uploads(seen, row, claim.territory, spans)
        yield Batch(buckets=[row], progress=f"looked at bucket {name}")

    def _objects(self, seen: SeenBucket, territory: Territory, spans: Sequence[str]) -> Steps:
        """The bucket's objects; what becomes of its row."""
        assert seen.client is not None  # noqa: S101 - whoever calls has seen to it
        stock, rows, name = Stock(territory), list[LeftoverRow](), seen.row.name
        pages = listed(seen.client, name, spans, self._clients.where)
        for number in range(MOST_PAGES + 1):
            try:
                page = next(pages, None)
            except CredentialsUnusable:
                raise
            except AwsError as error:
                self.problems[f"bucket {name}: {error}"] = None
                return seen.row._replace(problem=str(error))
            if page is None:
                yield Batch(leftovers=[*rows, *self._rows(name, stock.done())])
                return seen.row._replace(whole=True)
            for one in page:
                stock.add(one.key, one.bytes, one.storage_class, one.modified_at)
            rows += self._rows(name, stock.done(page[-1].key)) if page else []
            if len(rows) >= ROWS_A_BATCH or number % PAGES_A_BATCH == PAGES_A_BATCH - 1:
                yield Batch(leftovers=rows, progress=f"bucket {name}: {number + 1:,} pages listed")
                rows = []
        yield Batch(leftovers=rows)
        problem = f"what training wrote there takes more than {MOST_PAGES:,} calls to list; only the first part was looked at"
        problem += ": see very large buckets in docs/operator.md"
        self.problems[f"bucket {name}: {problem}"] = None
        return seen.row._replace(problem=problem)

    def _uploads(self, seen: SeenBucket, row: BucketRow, territory: Territory, spans: Sequence[str]) -> Steps:
        """The bucket's unfinished uploads, which lie where its objects do."""
        assert seen.client is not None  # noqa: S101 - as above
        piles: dict[str, Pile] = {}
        try:
            for page in unfinished(seen.client, row.name, common_folder(spans), self._clients.where):
                for number, upload in enumerate(page):
                    mark = territory.mark(upload.key[: upload.key.rfind("/") + 1])
                    size = self._parts(seen.client, row.name, upload) if mark else None
                    if mark is not None and size is not None:
                        piles.setdefault(mark.prefix, Pile(mark)).add(size, upload.storage_class, upload.begun_at)
                    if number % UPLOADS_A_BATCH == 0:
                        yield Batch(progress=f"bucket {row.name}: unfinished uploads")
        except CredentialsUnusable:
            raise
        except AwsError as error:
            self.problems[f"bucket {row.name}: {error}; its unfinished uploads are as they were known"] = None
            return row
        yield Batch(leftovers=list(self._rows(row.name, (_as_uploads(pile) for pile in piles.values()))))
        return row._replace(uploads_whole=True)

    def _parts(self, client: "S3Client", bucket: str, upload: Upload) -> int | None:
        """The bytes of an upload; None where it is none any more, 0 where there are too many to ask."""
        if self._parts_left <= 0:
            self.remarks[f"bucket {bucket}: how large some unfinished uploads are was not asked, for there are too many"] = None
            return 0
        self._parts_left -= 1
        return parts_bytes(client, bucket, upload, self._clients.where)

    def _rows(self, bucket: str, piles: Iterable[Pile]) -> Iterator[LeftoverRow]:
        """Piles as they are kept, with whose they are."""
        found = list(piles)
        if not found:
            return
        with reading(self._books.engine) as connection:
            teams = teams_of(connection, self._clients.target.scope.region, (pile.mark.speaks for pile in found))
        for pile in found:
            mark = pile.mark
            team = teams.get(mark.speaks) or self._team(bucket, mark)
            row = LeftoverRow(bucket, mark.prefix, mark.kind, mark.job, team, pile.objects, pile.bytes, pile.classes, pile.newest_at)
            if is_storable(row):
                yield row
            else:
                self.remarks[f"bucket {bucket}: prefixes with characters that no database takes were left out"] = None

    def _team(self, bucket: str, mark: Mark) -> str:
        """The team of what no job in our books is named for: by name, else by bucket."""
        return self._directory.attribute(Evidence(mark.job, {}, None, None, bucket)).team


def _as_uploads(pile: Pile) -> Pile:
    return Pile(pile.mark._replace(kind="uploads"), pile.objects, pile.classes, pile.newest_at)
