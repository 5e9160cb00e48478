"""What a warm request costs beside its DynamoDB calls: CPU time, beside that of a bare Chalice handler doing the same."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSResponse
from chalice.app import Chalice
from chalice.local import LambdaContext

REQUESTS = 200
ROUNDS = 9

SECRET = {"x-api-key": "sk_test_local"}
ITEM = "/v1/items/{item_id}"


@dataclass(frozen=True)
class Warm:
    """One request: CPU time in microseconds, and as a ratio to its floor."""

    name: str
    microseconds: float
    floor: str
    ratio: float


def warm() -> list[Warm]:
    """Requests that touch no store, and one that reads from a store which answers at once. About ten seconds."""
    from chalicelib.shared import aws

    client = aws.client("dynamodb")
    answer_for_the_store(client)
    cases = _cases(client)
    for call in cases.values():
        call()  # models are built by their first use
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, call in cases.items():
            started = time.process_time()
            for _ in range(REQUESTS):
                call()
            times[name].append((time.process_time() - started) / REQUESTS * 1e6)
    found = {name: statistics.median(each) for name, each in times.items()}
    floors = {name: "bare: one read" if "one read" in name else "bare: no store" for name in found}
    return [Warm(name, found[name], floor, found[name] / found[floor]) for name, floor in floors.items()]


def _cases(client: Any) -> dict[str, Callable[[], Any]]:
    import app

    bare = Chalice("bare")

    @bare.route("/nothing")
    def nothing() -> dict[str, str]:
        return {"status": "ok"}

    @bare.route("/read")
    def read() -> dict[str, str]:
        client.get_item(TableName="t", Key={"pk": {"S": "i1"}, "sk": {"S": "ITEM"}})
        return {"status": "not there"}

    wrong = request("PUT", ITEM, body=b'{"title": 5}', item_id="i1")
    return {
        "bare: no store": _call(bare, 200, request("GET", "/nothing")),
        "health": _call(app.app, 200, request("GET", "/v1/health")),
        "refused: no key": _call(app.app, 401, request("GET", ITEM, headers={}, item_id="i1")),
        "refused: a wrong body": _call(app.app, 400, wrong),
        "bare: one read": _call(bare, 200, request("GET", "/read")),
        "item that is not there, one read": _call(app.app, 404, request("GET", ITEM, item_id="i1")),
    }


def _call(app: Chalice, status: int, sent: tuple[dict[str, Any], Any]) -> Callable[[], None]:
    def call() -> None:
        answer = app(*sent)
        assert answer["statusCode"] == status, answer

    return call


def request(
    method: str, route: str, *, headers: dict[str, str] = SECRET, body: bytes = b"", **variables: str
) -> tuple[dict[str, Any], Any]:
    """The event and context of one request as the gateway hands them over."""
    event = {
        "resource": route,
        "path": route.format(**variables),
        "httpMethod": method,
        "headers": headers | {"content-type": "application/json"},
        "multiValueHeaders": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": variables or None,
        "stageVariables": None,
        "requestContext": {"requestId": "r1", "resourcePath": route, "httpMethod": method, "identity": {}},
        "body": body.decode() or None,
        "isBase64Encoded": False,
    }
    return event, LambdaContext(function_name="api", memory_size=512)


def answer_for_the_store(client: Any) -> None:
    """Let every call of a DynamoDB client be answered at once: nothing is there."""
    body = json.dumps({"Items": [], "Count": 0, "Responses": {}}).encode()

    def answer(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, 200, {"content-type": "application/x-amz-json-1.0"}, _Raw(body))

    client.meta.events.register_first("before-send.dynamodb", answer)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._body
