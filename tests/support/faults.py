"""A wire that misbehaves: throttling, errors, lost replies and crashes at chosen AWS calls, and a baton between threads."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.models import botocore_stubber

FAULTS = (
    "ok",
    "throttle",
    "server_error",
    "conflict",
    "never_sent",
    "reply_lost",
    "crash_before",
    "crash_after",
)

Carry = Callable[[str, Any], Any]


class Crash(BaseException):
    """The function was killed here. No `except Exception` sees it."""


def through_moto(event_name: str, request: Any) -> Any:
    """Carry a request to moto, as its own hook would."""
    assert isinstance(botocore_stubber, BotocoreStubber)
    return botocore_stubber(event_name, request)


class FaultyWire:
    """Sits on botocore's before-send event of one client; below it the SDK's own retries still run.

    `plan` is a list of faults, one taken for each request that goes out; an empty plan is a healthy wire. `gate` is
    called before each request and may hold it. `requests` counts what was asked to go out.
    """

    def __init__(self, client: Any, service: str = "dynamodb", carry: Carry = through_moto) -> None:
        self.plan: list[str] = []
        self.gate: Callable[[], None] = lambda: None
        self.requests = 0
        self._carry = carry
        client.meta.events.register_first(f"before-send.{service}", self)

    def __call__(self, event_name: str, request: Any, **_: Any) -> AWSResponse | None:
        self.gate()
        self.requests += 1
        fault = self.next_fault()
        if fault == "throttle":
            return _answer(request, 400, "ProvisionedThroughputExceededException")
        if fault == "server_error":
            return _answer(request, 500, "InternalServerError")
        if fault == "conflict" and b"TransactItems" in request.body:
            count = len(json.loads(request.body)["TransactItems"])
            return _answer(
                request,
                400,
                "TransactionCanceledException",
                CancellationReasons=[{"Code": "TransactionConflict"}] * count,
            )
        if fault == "never_sent":
            raise ConnectTimeoutError(endpoint_url=request.url)
        if fault == "crash_before":
            raise Crash
        if fault in ("reply_lost", "crash_after"):
            self._carry(event_name, request)  # the write happens, nobody hears of it
            raise ReadTimeoutError(endpoint_url=request.url) if fault == "reply_lost" else Crash()
        return None

    def next_fault(self) -> str:
        """What is to happen to the request that goes out now."""
        return self.plan.pop(0) if self.plan else "ok"


class Baton:
    """Runs commands in threads of which only one ever moves; `order` says who moves at each AWS call."""

    def __init__(self, order: Sequence[bool]) -> None:
        self._order = list(order)
        self._turns = [threading.Semaphore(0), threading.Semaphore(0)]
        self._done = [False, False]
        self._current = threading.local()

    def gate(self) -> None:
        """Give the turn back before an AWS call and wait for the next one."""
        me = getattr(self._current, "number", None)
        if me is not None:
            self._pass_on()
            self._turns[me].acquire()

    def run(self, first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
        """Both results, in order; a result is what the command returned, or what it raised."""
        results: list[Any] = [None, None]

        def play(number: int, command: Callable[[], Any]) -> None:
            self._current.number = number
            self._turns[number].acquire()
            try:
                results[number] = command()
            except BaseException as error:  # a crash is a result here, not an accident
                results[number] = error
            self._done[number] = True
            self._pass_on()

        threads = [threading.Thread(target=play, args=(n, c)) for n, c in enumerate((first, second))]
        for thread in threads:
            thread.start()
        self._pass_on()
        for thread in threads:
            thread.join()
        return results

    def _pass_on(self) -> None:
        wanted = int(self._order.pop(0)) if self._order else 0
        for number in (wanted, 1 - wanted):
            if not self._done[number]:
                self._turns[number].release()
                return


def _answer(request: Any, status: int, code: str, **more: Any) -> AWSResponse:
    request.already_answered = True
    body = json.dumps(
        {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "injected", **more}
    ).encode()
    headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "injected"}
    return AWSResponse(request.url, status, headers, _Body(body))


class _Body:
    """The raw response botocore reads from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._content

    def read(self, *_: Any) -> bytes:
        return self._content
