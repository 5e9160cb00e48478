"""Events in and the timeline out, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalice.app import Blueprint
from pydantic import BaseModel, ValidationError

from chalicelib.activity import parsing, reading, service
from chalicelib.activity.model import EVENT_BYTES_MAX, EventType
from chalicelib.activity.reading import Sending
from chalicelib.activity.schemas import (
    AliasBody,
    BatchBody,
    GroupBody,
    IdentifyBody,
    IngestAnswer,
    PageBody,
    TimelineAnswer,
    TimelineQuery,
    TrackBody,
    time_of,
)
from chalicelib.shared import access, problems
from chalicelib.shared.access import Caller
from chalicelib.shared.errors import InvalidInput
from chalicelib.shared.http import BATCH_BYTES_MAX, Call, endpoint

# The browser SDK sends text/plain, which needs no preflight.
MEDIA_TYPES = ("application/json", "text/plain")
RULE = access.ROUTES["POST /v1/batch"]

View = Callable[[Call[None, None]], IngestAnswer]
Decorator = Callable[[View], View]

routes = Blueprint(__name__)


def _event(signature: str, body: type[BaseModel]) -> Decorator:
    return endpoint(
        routes,
        signature,
        body=body,
        answer=IngestAnswer,
        media_types=MEDIA_TYPES,
        bytes_max=EVENT_BYTES_MAX,
        raw=True,
    )


@_event("POST /v1/track", TrackBody)
@_event("POST /v1/t", TrackBody)
def track(call: Call[None, None]) -> IngestAnswer:
    """Something a customer or visitor did."""
    return _take_one(call, "track")


@_event("POST /v1/identify", IdentifyBody)
@_event("POST /v1/i", IdentifyBody)
def identify(call: Call[None, None]) -> IngestAnswer:
    """Who somebody is: their traits, and with a secret key their consents and their device."""
    return _take_one(call, "identify")


@_event("POST /v1/page", PageBody)
@_event("POST /v1/p", PageBody)
def page(call: Call[None, None]) -> IngestAnswer:
    """A page of the web site was looked at."""
    return _take_one(call, "page")


@_event("POST /v1/screen", PageBody)
@_event("POST /v1/s", PageBody)
def screen(call: Call[None, None]) -> IngestAnswer:
    """A screen of the app was looked at."""
    return _take_one(call, "screen")


@_event("POST /v1/group", GroupBody)
@_event("POST /v1/g", GroupBody)
def group(call: Call[None, None]) -> IngestAnswer:
    """Somebody belongs to a company or another group."""
    return _take_one(call, "group")


@_event("POST /v1/alias", AliasBody)
@_event("POST /v1/a", AliasBody)
def alias(call: Call[None, None]) -> IngestAnswer:
    """A visitor seen before turned out to be this customer (secret key only; from a browser it is just noted)."""
    return _take_one(call, "alias")


def _batch(signature: str) -> Decorator:
    return endpoint(
        routes,
        signature,
        body=BatchBody,
        answer=IngestAnswer,
        media_types=MEDIA_TYPES,
        bytes_max=BATCH_BYTES_MAX,
        raw=True,
    )


@_batch("POST /v1/batch")
@_batch("POST /v1/import")
@_batch("POST /v1/b")
def batch(call: Call[None, None]) -> IngestAnswer:
    """Many events at once. Each is judged alone; what is sent again is counted as a duplicate and does nothing."""
    caller, document = _open(call)
    try:
        body = BatchBody.model_validate(document)
    except ValidationError as error:
        raise problems.of_validation(error) from None
    context = body.context if isinstance(body.context, dict) else {}
    reading.check_writable({"context": context})
    sending = Sending(caller.is_trusted, call.now, time_of(body.sent_at), context)
    return service.take_batch(body.batch, sending)


@endpoint(
    routes,
    "GET /v1/customers/{customer_id}/timeline",
    me="GET /v1/me/timeline",
    query=TimelineQuery,
    answer=TimelineAnswer,
    headers=("Accept-Language",),
)
def read_timeline(call: Call[None, TimelineQuery], customer_id: str) -> TimelineAnswer:
    """Everything that happened with a customer on every channel, newest first, linked devices included."""
    own = call.caller.customer_id is not None
    return service.timeline(customer_id, call.query, own=own, language=call.language, now=call.now)


def _take_one(call: Call[None, None], event_type: EventType) -> IngestAnswer:
    caller, event = _open(call)
    return service.take_one(event, event_type, Sending(caller.is_trusted, call.now))


def _open(call: Call[None, None]) -> tuple[Caller, dict[str, Any]]:
    """Who is calling and the JSON object they sent. Nobody's body is judged before we know whose it is."""
    # What an SDK compressed, the gateway has already unpacked; it leaves the Content-Encoding header as it was.
    if any(call.headers.get(name) for name in ("x-api-key", "authorization")):
        return access.admit(RULE, call.headers, now=call.now), parsing.read_object(call.raw)
    try:
        document = parsing.read_object(call.raw)
    except InvalidInput:
        access.admit(RULE, call.headers, now=call.now)  # nobody: no key could be read
        raise
    return access.admit(RULE, call.headers, now=call.now, write_key=_write_key(document)), document


def _write_key(document: Mapping[str, Any]) -> str | None:
    """The key a body carries: its own, else that of its first event, where the browser SDK puts it."""
    key = document.get("writeKey")
    if key is None and isinstance(document.get("batch"), list) and document["batch"]:
        first = document["batch"][0]
        key = first.get("writeKey") if isinstance(first, Mapping) else None
    return key if isinstance(key, str) and key.isascii() else None
