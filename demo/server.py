"""The simulated AWS account as an HTTP server on this machine."""

import os
import socket
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from threading import Thread
from types import TracebackType
from typing import Self

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from demo.books import Books
from demo.buckets import BUCKETS, BucketState
from demo.clock import Clock, SystemClock
from demo.cloudwatch import CloudWatch
from demo.costexplorer import CostExplorer
from demo.faults import Faults
from demo.gateway import Cut, Gateway
from demo.logs import Logs
from demo.plan import DEFAULT_ACCOUNT, DEFAULT_REGION, JobPlan
from demo.pricelist import PriceList
from demo.prices import Price, shipped
from demo.registry import Registry
from demo.s3 import S3
from demo.sagemaker import SageMaker
from demo.seeding import Seed, seed
from demo.shelves import Shelves
from demo.tuning import Tuning
from demo.wire import Environ

HOST = "127.0.0.1"
POLL_SECONDS = 0.02
"""How soon a server notices that it is being closed; tests open and close many."""


class Server:
    """A running simulated account; `close` it, or use it as a context manager."""

    def __init__(self, gateway: Gateway, books: Books, clock: Clock, prices: Sequence[Price], port: int, region: str) -> None:
        self.clock = clock
        self.account = gateway.account
        self.region = region
        self.buckets: dict[str, BucketState] = dict(BUCKETS)
        self._books = books
        self._gateway = gateway
        self._sagemaker = SageMaker(books)
        self._price_list = PriceList(prices)
        self._shelves = Shelves(books.entries, self.buckets)
        self._connect()
        self._http = make_server(HOST, port, gateway, threaded=True, request_handler=_Handler)
        self._thread = Thread(target=self._http.serve_forever, args=(POLL_SECONDS,), name="demo-aws", daemon=True)
        self._thread.start()

    def _connect(self) -> None:
        operations = self._gateway.operations
        for part in (self._sagemaker.operations(), Tuning(self._books).operations(), Registry(self._books).operations()):
            operations |= {("sagemaker", name): operation for name, operation in part.items()}
        for service, part in (("cloudwatch", CloudWatch(self._books).operations()), ("logs", Logs(self._books).operations())):
            operations |= {(service, name): operation for name, operation in part.items()}
        operations["pricing", "GetProducts"] = self._price_list.get_products
        bill = CostExplorer(self._books, self._price_list, self._gateway.account)
        operations["ce", "GetCostAndUsage"] = bill.get_cost_and_usage
        self._gateway.preparations["s3"] = S3(self._shelves, self.clock, self.buckets).prepare

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL has to be."""
        return f"http://{HOST}:{self._http.server_port}"

    @property
    def plans(self) -> tuple[JobPlan, ...]:
        """The plan of every job, those of the future and the deleted ones too, by creation within each account."""
        return tuple(entry.plan for entry in self._books.entries())

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self._gateway.faults

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was called; `clear` it to count anew."""
        return self._gateway.calls

    @property
    def prices(self) -> Sequence[Price]:
        """What the Price List answers with, and Cost Explorer bills by."""
        return self._price_list.prices

    @prices.setter
    def prices(self, prices: Sequence[Price]) -> None:
        self._price_list.prices = prices

    @property
    def search_lag(self) -> timedelta:
        """How far Search is behind the other operations."""
        return self._sagemaker.index_lag

    @search_lag.setter
    def search_lag(self, lag: timedelta) -> None:
        self._sagemaker.index_lag = lag

    def add(self, plan: JobPlan) -> None:
        """Give the account one more job."""
        self._books.add(plan)

    def seed(self, bucket: str, objects: Iterable[Seed]) -> int:
        """Put many objects into a bucket at once, which is made if it is not there; returns how many."""
        now = self.clock.now()
        self._shelves.bring_up_to(now, bucket)
        self._shelves.make(bucket, self.account, self.region, now)
        return seed(bucket, objects)

    def warm(self) -> None:
        """Render every job that has ended, so that the first Search over them is as quick as the next."""
        now = self.clock.now()
        for entry in self._books.entries():
            if entry.plan.created_at <= now:
                entry.fragment(now)

    def close(self) -> None:
        """Stop serving and forget everything, in moto's services too."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        _forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def start(
    plans: Iterable[JobPlan],
    clock: Clock | None = None,
    port: int = 0,
    account: str = DEFAULT_ACCOUNT,
    region: str = DEFAULT_REGION,
    prices: Sequence[Price] | None = None,
) -> Server:
    """A server over the jobs planned, on any free port unless one is given.

    `account` is whose the credentials are that nobody assumed a role for, and who pays; `region` is only what
    `Server.region` tells a client to use, for every plan has its own. Moto keeps its state per process, so one server at
    a time: starting another forgets what the last one held.
    """
    _forget()
    clock = clock or SystemClock()
    books = Books(plans)
    gateway = Gateway(DomainDispatcherApplication(create_backend_app), clock, account)
    return Server(gateway, books, clock, shipped() if prices is None else prices, port, region)


def _forget() -> None:
    moto_api_backend.reset()


class _Handler(MotoRequestHandler):
    # Headers and body go out in two writes; with Nagle's algorithm the second may wait for the first's acknowledgement.
    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: Environ | None = None) -> None:
        """End a cut answer by reset where that is wanted: closing with no time to linger sends one."""
        if isinstance(error, Cut) and error.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: a benchmark's thousands of requests would drown what matters."""
