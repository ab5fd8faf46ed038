"""The front door: faults strike here, training operations are answered here, and the rest is handed on to moto."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from uuid import uuid4

from moto.iam.models import iam_backends

from demo.books import to_json
from demo.call import Call, Operation
from demo.clock import Clock
from demo.errors import XML_SERVICES, AwsError, xml_body
from demo.faults import Faults, worded
from demo.wire import Answer, Environ, Signed, is_head, json_body, signed

StartResponse = Callable[[str, list[tuple[str, str]]], object]
App = Callable[[Environ, StartResponse], Iterable[bytes]]
Preparation = Callable[[Environ, Signed], Answer | None]
"""Looks at a request before moto does; may answer it instead."""


OURS_ALONE: Final = frozenset({"pricing"})
"""Services that moto has nothing of: what is not answered here is not answered at all."""


class Cut(ConnectionError):
    """The connection ends in the middle of an answer, in good order or by reset."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("the answer is cut here")
        self.reset = reset


class Gateway:
    """A WSGI application in front of moto's."""

    def __init__(self, moto: App, clock: Clock, account: str) -> None:
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.operations: dict[tuple[str, str], Operation] = {}
        self.preparations: dict[str, Preparation] = {}
        self._moto = moto
        self._clock = clock
        self.account = account
        self._account_of = lru_cache(maxsize=1024)(self._looked_up)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        asked = signed(environ)
        if asked is None:
            return self._moto(environ, start_response)
        self.calls[asked.operation] += 1
        broken = None
        try:
            for fault in self.faults.striking(asked.operation):
                if fault.error is not None:
                    raise fault.error
                time.sleep(fault.seconds)
                if fault.kind != "slow":
                    broken = fault.kind
            answer = self._answer(environ, start_response, asked)
        except AwsError as error:
            return self._refuse(error, environ, asked, start_response)
        return answer if broken is None else _cut(answer, reset=broken == "reset")

    def _answer(self, environ: Environ, start_response: StartResponse, asked: Signed) -> Iterable[bytes]:
        account = self._account_of(asked.access_key)
        operation = self.operations.get((asked.service, asked.operation))
        if operation is not None:
            call = Call(asked.service, asked.operation, account, asked.region, json_body(environ), self._clock.now())
            said = operation(call)
            return _send(200, _json_type(asked), said if isinstance(said, bytes) else to_json(said), start_response)
        if asked.service in OURS_ALONE:
            raise AwsError("UnknownOperationException", f"The simulated account has no {asked.service}:{asked.operation}")
        preparation = self.preparations.get(asked.service)
        if preparation is not None:
            instead = preparation(environ, asked)
            if instead is not None:
                body = b"" if is_head(environ) else instead.body
                return _send(instead.status, "application/xml", body, start_response, instead.headers)
        # moto knows its own default account only; this header tells it which account the key belongs to.
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
        return self._moto(environ, start_response)

    def _refuse(self, error: AwsError, environ: Environ, asked: Signed, start_response: StartResponse) -> Iterable[bytes]:
        user = f"arn:aws:iam::{self._account_of(asked.access_key)}:user/demo"
        said = worded(error, asked.service, asked.operation, user)
        if asked.service in XML_SERVICES:
            body = b"" if is_head(environ) else xml_body(asked.service, said)
            return _send(said.status, "application/xml", body, start_response)
        body = to_json({"__type": said.code, "message": said.message})
        return _send(said.status, _json_type(asked), body, start_response, {"x-amzn-ErrorType": said.code})

    def _looked_up(self, access_key: str) -> str:
        for account, backends in list(iam_backends.items()):
            if any(access_key in backend.access_keys for backend in backends.values()):
                return str(account)
        return self.account


def _json_type(asked: Signed) -> str:
    return f"application/x-amz-json-{'1.0' if asked.service == 'cloudwatch' else '1.1'}"


def _send(status: int, kind: str, body: bytes, start_response: StartResponse, more: Mapping[str, str] | None = None) -> Iterable[bytes]:
    headers = {"Content-Type": kind, "Content-Length": str(len(body)), "x-amzn-RequestId": str(uuid4()), **(more or {})}
    start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
    return [body]


def _cut(answer: Iterable[bytes], *, reset: bool) -> Iterable[bytes]:
    whole = b"".join(answer)
    yield whole[: len(whole) // 2]
    raise Cut(reset=reset)
