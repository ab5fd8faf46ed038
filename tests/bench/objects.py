"""How much memory an inventory of a million objects takes: against an S3 that makes its listings up as they are asked for."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit
from xml.sax.saxutils import escape

from aws.session import Clients, Target
from collectors.books import Books
from collectors.leftovers import collect_leftovers
from domain.scope import Scope
from settings import Settings
from storage import migrate
from storage.engine import open_engine, reading, writing
from storage.facts import scope_id, upsert_descriptions
from storage.leftovers import leftovers_found, upsert_buckets, upsert_leftovers
from tests.bench.memory import peak_bytes

Row = tuple[str, str, str, bool]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCOPE = Scope("123456789012", "us-east-1")
BUCKET = "acme-sm-rc-fraud"
OBJECTS_A_JOB = 500
LIMIT_MB = 300
SERVE = "import sys; from tests.bench.objects import serve; serve(int(sys.argv[1]))"
COLLECT = "import sys; from tests.bench.objects import collect_and_measure; collect_and_measure(sys.argv[1], int(sys.argv[2]))"


def job_name(number: int) -> str:
    """The names of jobs, in the order of keys."""
    return f"rc-fraud-gnn-{number:06}"


def key(number: int) -> str:
    """The bucket's object number so and so, in order."""
    return f"models/training/{job_name(number // OBJECTS_A_JOB)}/output/predictions-{number % OBJECTS_A_JOB:05}.parquet"


class _Handler(BaseHTTPRequestHandler):
    """S3 as far as an inventory asks, with `objects` objects that are nowhere."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes
    objects = 0

    def do_HEAD(self) -> None:
        self._send(b"")

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "list-type" in query:
            self._send(self._page(int(query.get("continuation-token", ["0"])[0]), query.get("prefix", [""])[0]))
        elif "uploads" in query:
            self._send(b"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
        elif "versioning" in query:
            self._send(b"<VersioningConfiguration/>")
        else:
            self._send(b"<Error><Code>ObjectLockConfigurationNotFoundError</Code><Message>none</Message></Error>", 404)

    def _page(self, start: int, prefix: str) -> bytes:
        has = self.objects if key(0).startswith(prefix) else 0
        end = min(start + 1000, has)
        rows = "".join(
            f"<Contents><Key>{quote(key(number))}</Key><LastModified>2026-09-01T10:00:{number % 60:02}.000Z</LastModified>"
            f"<ETag>&quot;{number:032x}&quot;</ETag><Size>{1000 + number % 7}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for number in range(start, end)
        )
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{end}</NextContinuationToken>" if end < has else ""
        return f"<ListBucketResult><Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix>{more}{rows}</ListBucketResult>".encode()

    def _send(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amz-bucket-region", SCOPE.region)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def serve(objects: int) -> None:
    """Prints its address, and serves until its standard input ends."""
    _Handler.objects = objects
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


@contextmanager
def served(objects: int) -> Iterator[dict[str, str]]:
    """Such an S3 in a process of its own; the environment that reaches it."""
    command = [sys.executable, "-c", SERVE, str(objects)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip() if process.stdout else ""
        try:
            yield os.environ | {
                "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": SCOPE.region,
            }  # fmt: skip
        finally:
            process.terminate()


def collect_and_measure(path: str, jobs: int) -> None:
    """One inventory into a new database; prints what it found, its seconds and the peak of memory as JSON."""
    engine = open_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    with writing(engine) as connection:
        row = scope_id(connection, SCOPE)
        for start in range(0, jobs, 1000):
            upsert_descriptions(connection, SCOPE, row, [_described(number) for number in range(start, min(start + 1000, jobs))], NOW)
    started = time.perf_counter()
    clients = Clients(Target(SCOPE))
    for batch in collect_leftovers(clients, Books(engine, row), Settings(), lambda: NOW):
        assert not batch.problems, batch.problems
        with writing(engine) as connection:
            upsert_leftovers(connection, row, batch.leftovers, NOW)
            upsert_buckets(connection, row, batch.buckets, NOW)
    seconds = time.perf_counter() - started
    peak = peak_bytes()  # before anything is read back
    calls = sum(count.calls for count in clients.meter.read() if count.operation == "s3:ListObjectsV2")
    with reading(engine) as connection:
        found = leftovers_found(connection)
    said = {"objects": sum(one.objects for one in found), "prefixes": len(found), "calls": calls}
    print(json.dumps(said | {"seconds": seconds, "peak_bytes": peak}))


def _described(number: int) -> dict[str, object]:
    created = NOW - timedelta(days=60, seconds=number)
    return {
        "TrainingJobName": job_name(number),
        "TrainingJobStatus": "Completed",
        "CreationTime": created,
        "LastModifiedTime": created,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models/artifacts/"},
    }


def listing_memory(objects: int = 1_000_000) -> list[Row]:
    """Rows for the table: the collector's peak of memory over so many objects, and the list calls that they take."""
    with tempfile.TemporaryDirectory(prefix="trainwatch-objects-") as folder, served(objects) as environment:
        command = [sys.executable, "-c", COLLECT, str(Path(folder) / "objects.db"), str(objects // OBJECTS_A_JOB)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    one = json.loads(done.stdout.splitlines()[-1])
    assert one["objects"] == objects, one
    peak, calls, most = one["peak_bytes"] / 1e6, one["calls"], objects // 1000 + 10
    words = f"{peak:.0f} MB ({one['prefixes']:,} prefixes, {one['seconds']:.0f} s)"
    return [
        (f"Collector's peak memory, inventory of {objects:,} objects", words, f"< {LIMIT_MB} MB", peak < LIMIT_MB),
        (f"S3 list calls for {objects:,} objects", f"{calls:,}", f"≤ {most:,}", calls <= most),
    ]
