"""What API Gateway does to a request before the app sees it, and what it answers by itself."""

from __future__ import annotations

import base64
import json
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, unquote

from chalice.app import Chalice, Response
from chalice.local import CustomLocalChalice, LambdaContext, LocalChalice

from chalicelib.shared import problems
from chalicelib.shared.http import SAFETY_HEADERS

STAGE = "local"
BODY_BYTES_MAX = 10 * 1024 * 1024  # API Gateway's own limit
WINDOW_BITS = {"gzip": 31, "deflate": 15}  # zlib's names of the two formats


@dataclass(frozen=True)
class Sent:
    """A request as it came over the wire; header names in lower case."""

    method: str
    target: str  # path and query, still percent-encoded
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)


@dataclass(frozen=True)
class Reply:
    """An answer ready for the wire."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Gateway:
    """Turns requests into the events that the deployed function gets, and its answers back."""

    def __init__(self, app: Chalice) -> None:
        self._app = _threaded(app)
        self._routes = {tuple(path.split("/")[1:]): path for path in app.routes}

    def handle(self, sent: Sent) -> Reply:
        """Answer one request as the deployed API would."""
        request_id = str(uuid.uuid4())
        found = self._match(sent.path)
        if found is None:
            return refusal(404, request_id)
        route, variables = found
        methods = self._app.routes[route]
        if sent.method == "OPTIONS" and "OPTIONS" not in methods:
            return _preflight(methods)
        if sent.method not in methods:
            return refusal(404, request_id)
        problem_status, sent = _unpacked(sent)
        if problem_status:
            return refusal(problem_status, request_id)
        context = LambdaContext(function_name="kokyaku-local", memory_size=512)
        answer = self._app(_event(sent, route, variables, request_id), context)
        return _reply(answer)

    def _match(self, path: str) -> tuple[str, dict[str, str]] | None:
        """The route of a path and its variables, decoded; written words win over variables, as at the gateway."""
        segments = path.removesuffix("/").split("/")[1:]
        best: tuple[int, str, dict[str, str]] | None = None
        for pattern, route in self._routes.items():
            if len(pattern) != len(segments):
                continue
            pairs = list(zip(pattern, segments, strict=True))
            if any(not _is_variable(want) and want != got for want, got in pairs):
                continue
            variables = {want[1:-1]: unquote(got) for want, got in pairs if _is_variable(want)}
            if all(variables.values()) and (best is None or len(variables) < best[0]):
                best = (len(variables), route, variables)
        return None if best is None else best[1:]


def refusal(status: int, request_id: str = "") -> Reply:
    """What the gateway says by itself, in the shape of every other problem and readable by browsers."""
    request_id = request_id or str(uuid.uuid4())
    reply = problem(problems.of_status(status, request_id))
    return Reply(
        reply.status, reply.body, SAFETY_HEADERS | {"X-Correlation-Id": request_id} | dict(reply.headers)
    )


def problem(response: Response) -> Reply:
    """One of the service's problem documents, ready for the wire."""
    assert isinstance(response.body, str)
    headers = {name: str(value) for name, value in response.headers.items()}
    return Reply(response.status_code, response.body.encode(), headers)


def _unpacked(sent: Sent) -> tuple[int, Sent]:
    """The request with its body decompressed (the header stays, as at the gateway), or the status of what is wrong."""
    coding = sent.headers.get("content-encoding", "identity").strip().lower()
    if coding == "identity" or not sent.body:
        return 0, sent
    if coding not in WINDOW_BITS:
        return 415, sent
    unpacking = zlib.decompressobj(WINDOW_BITS[coding])
    try:
        body = unpacking.decompress(sent.body, BODY_BYTES_MAX + 1)  # a small body may hold a very large one
    except zlib.error:
        return 415, sent
    if len(body) > BODY_BYTES_MAX:
        return 413, sent
    return (0, replace(sent, body=body)) if unpacking.eof else (415, sent)


def _is_variable(segment: str) -> bool:
    return segment.startswith("{")


def _event(sent: Sent, route: str, variables: dict[str, str], request_id: str) -> dict[str, Any]:
    query = sent.query
    return {
        "resource": route,
        "path": sent.path,
        "httpMethod": sent.method,
        "headers": dict(sent.headers),
        "multiValueHeaders": {name: [value] for name, value in sent.headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": variables or None,
        "stageVariables": None,
        "requestContext": {
            "requestId": request_id,
            "stage": STAGE,
            "httpMethod": sent.method,
            "resourcePath": route,
            "path": sent.path,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": sent.headers.get("user-agent", "")},
        },
        # In base64, so that not one byte of it changes on the way.
        "body": base64.b64encode(sent.body).decode() if sent.body else None,
        "isBase64Encoded": bool(sent.body),
    }


def _reply(answer: Mapping[str, Any]) -> Reply:
    body = answer.get("body") or ""
    if answer.get("isBase64Encoded"):
        content = base64.b64decode(body)
    else:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = {name: str(value) for name, value in answer["headers"].items()}
    for name, values in answer.get("multiValueHeaders", {}).items():
        headers[name] = ", ".join(map(str, values))
    return Reply(answer["statusCode"], content, headers)


def _preflight(methods: Mapping[str, Any]) -> Reply:
    crossing = {method: entry.cors for method, entry in methods.items() if entry.cors is not None}
    headers = {"Access-Control-Allow-Methods": ",".join([*sorted(crossing), "OPTIONS"])}
    for cors in crossing.values():  # Chalice makes sure that all methods of a path agree
        headers |= {name: str(value) for name, value in cors.get_access_control_headers().items()}
    return Reply(200, b"", headers)


def _threaded(app: Chalice) -> Chalice:
    """Keep the app's current request per thread: Chalice itself has one for all, as in a Lambda there is one thread."""
    if not isinstance(app, CustomLocalChalice):
        CustomLocalChalice.__bases__ = (LocalChalice, app.__class__)
        app.__class__ = CustomLocalChalice
    return app
