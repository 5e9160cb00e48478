"""Moto as an embedded AWS: one lock around every call, because plain moto loses updates under threads."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import moto
from moto.core import botocore_stubber

from chalicelib.shared import aws
from chalicelib.shared.config import config
from infrastructure.tables import create_table_requests

SECRET = {"X-Api-Key": "sk_test_local"}
NEARBY: Any = {"LocationConstraint": "ap-northeast-1"}
PUBLISHABLE = {"X-Api-Key": "pk_test_local"}

_one_at_a_time = threading.RLock()
_carry = botocore_stubber.BotocoreStubber.__call__


def _locked(self: Any, event_name: str, request: Any, **kwargs: Any) -> Any:
    if getattr(request, "already_answered", False):
        return None  # botocore asks every listener; what a faulty wire has answered must not happen as well
    with _one_at_a_time:
        return _carry(self, event_name, request, **kwargs)


botocore_stubber.BotocoreStubber.__call__ = _locked  # type: ignore[method-assign]


@contextmanager
def embedded_aws() -> Iterator[Any]:
    """Every table, the bus and a verified sender; yields the DynamoDB client the service itself uses."""
    with moto.mock_aws():
        aws.forget_clients()
        client = aws.client("dynamodb")
        for request in create_table_requests().values():
            client.create_table(**request)
        aws.client("events").create_event_bus(Name=config().bus)
        aws.client("s3").create_bucket(Bucket=config().exports, CreateBucketConfiguration=NEARBY)
        aws.client("sesv2").create_email_identity(EmailIdentity=config().mail_from)
        yield client
        aws.forget_clients()


class Api:
    """The app's HTTP door, called as the gateway calls it."""

    def __enter__(self) -> Self:
        from chalice.test import Client

        import app

        self._client = Client(app.app)
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, trace)

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: str
    ) -> Any:
        """An answer with `status_code`, `headers`, `body` and, when it is JSON, `json_body`."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        given = {"Content-Type": "application/json"} | (SECRET if headers is None else headers) | more
        return self._client.http.request(method, path, headers=given, body=sent)

    def get(self, path: str, headers: dict[str, str] | None = None, **more: str) -> Any:
        return self.request("GET", path, None, headers, **more)

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: str) -> Any:
        return self.request("POST", path, body, headers, **more)

    def put(self, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: str) -> Any:
        return self.request("PUT", path, body, headers, **more)

    def patch(self, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: str) -> Any:
        return self.request("PATCH", path, body, headers, **more)

    def delete(self, path: str, headers: dict[str, str] | None = None, **more: str) -> Any:
        return self.request("DELETE", path, None, headers, **more)
