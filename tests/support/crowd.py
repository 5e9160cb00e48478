"""The service on a real DynamoDB protocol, with many callers at once and a wire that misbehaves by the dice."""

from __future__ import annotations

import os
import random
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from chalicelib.shared import aws, tokens
from chalicelib.shared.config import config
from infrastructure.tables import create_table_requests
from local.emulator import CREDENTIALS, REGION, Emulator
from local.settings import read as read_settings
from tests.support.environment import ENVIRONMENT
from tests.support.faults import FAULTS, FaultyWire

ENDPOINT = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB")  # read before any test takes it away
FULL = "full" in (
    os.environ.get("KOKYAKU_CHECK"),
    os.environ.get("KOKYAKU_SIMULATE", "").replace("long", "full"),
)


class Forgetful(Emulator):
    """An embedded AWS whose state nobody needs afterwards."""

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"PERSIST_STATE": "0"}


class Dice(FaultyWire):
    """About one request of `one_in` meets a fault, which one the seed says; any thread may send. 0 is a healthy wire."""

    def __init__(self, client: Any, seed: int, one_in: int = 10) -> None:
        super().__init__(client, carry=lambda _, request: client._endpoint.http_session.send(request))
        self.one_in = one_in
        self.faults = 0
        self._random = random.Random(seed)
        self._throwing = threading.Lock()

    def next_fault(self) -> str:
        """What the dice say."""
        with self._throwing:
            if not self.one_in or self._random.randrange(self.one_in):
                return "ok"
            self.faults += 1
            return self._random.choice(FAULTS[1:])


@contextmanager
def dynamodb(folder: Path) -> Iterator[str]:
    """The address of the DynamoDB that `AWS_ENDPOINT_URL_DYNAMODB` names, or of an embedded AWS of our own."""
    if ENDPOINT:
        yield ENDPOINT
        return
    with Forgetful(read_settings().emulator_python, folder) as emulator:
        yield emulator.endpoint


@contextmanager
def tables(endpoint: str) -> Iterator[Any]:
    """Every table under names of this run alone; yields the service's own client."""
    run = f"kokyaku-check-{uuid.uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as patch, ExitStack() as after:
        for name, value in (ENVIRONMENT | CREDENTIALS).items():
            if not (ENDPOINT and name.startswith("AWS_") and name in os.environ):
                patch.setenv(name, value.replace("kokyaku-test", run))
        patch.setenv(
            "AWS_DEFAULT_REGION", os.environ.get("AWS_DEFAULT_REGION", REGION) if ENDPOINT else REGION
        )
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        after.callback(_forget)
        _forget()
        client = aws.client("dynamodb")
        for request in create_table_requests(run).values():
            client.create_table(**request)
            after.callback(client.delete_table, TableName=request["TableName"])
        for request in create_table_requests(run).values():
            client.get_waiter("table_exists").wait(TableName=request["TableName"], WaiterConfig={"Delay": 1})
        after.enter_context(mock.patch("botocore.endpoint.time.sleep"))  # the SDK's; our own pauses stay
        yield client


def at_once(commands: Sequence[Callable[[], Any]], threads: int) -> list[Any]:
    """What each command returned or raised, in their order; `threads` of them at a time, all let go together."""
    ready = threading.Barrier(threads)

    def started() -> None:
        ready.wait()

    def play(command: Callable[[], Any]) -> Any:
        try:
            return command()
        except BaseException as error:  # a crash is a result here, not an accident
            return error

    with ThreadPoolExecutor(threads, initializer=started) as pool:
        return list(pool.map(play, commands))


def _forget() -> None:
    config.cache_clear()
    aws.forget_clients()
    tokens.key_ring.cache_clear()
