"""Reads one event out of the JSON an SDK sent: its envelope, its time, its free-form parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import to_json

from chalicelib.activity import rules
from chalicelib.activity.external_ids import read_external_ids
from chalicelib.activity.model import EVENT_BYTES_MAX, Draft, EventType, Said
from chalicelib.activity.schemas import BODIES, EventBody, check_fields, is_text
from chalicelib.customers.schemas import check_traits
from chalicelib.shared import ids, problems
from chalicelib.shared.errors import FieldError, InvalidInput

TYPES: tuple[EventType, ...] = get_args(EventType)
NAME_LENGTH_MAX = 200
# What an SDK writes anew each time it sends the same event.
WRITTEN_WHEN_SENT = frozenset({"sentAt", "receivedAt", "writeKey", "_metadata"})


@dataclass(frozen=True)
class Sending:
    """What all events of one request share."""

    trusted: bool
    now: datetime
    sent_at: datetime | None = None
    context: Mapping[str, Any] | None = None


def read(event: Any, sending: Sending, event_type: EventType | None = None) -> Draft:
    """The entry an event becomes; raises InvalidInput naming every wrong field by its path inside the event."""
    if not isinstance(event, dict):
        raise InvalidInput.of("event", "must be an object")
    if check_writable(event) > EVENT_BYTES_MAX:
        raise InvalidInput.of("event", f"may have {EVENT_BYTES_MAX} bytes of JSON at most")
    kind = event_type or _type_of(event)
    try:
        body = BODIES[kind].model_validate(event)
    except ValidationError as error:
        raise problems.of_validation(error) from None
    return rules.draft(_said(kind, body, event, sending), trusted=sending.trusted)


def check_writable(values: Mapping[str, Any]) -> int:
    """How many bytes these are as JSON; raises InvalidInput naming what cannot be written, as half a character."""
    try:
        return len(to_json(values))
    except ValueError:
        wrong = check_fields(
            "", {name: None if isinstance(each, dict) else each for name, each in values.items()}
        )
        for name, each in values.items():
            wrong += check_fields(name, each) if isinstance(each, dict) and is_text(name) else []
        raise _refusal(wrong) from None


def _type_of(event: Mapping[str, Any]) -> EventType:
    for each in TYPES:
        if event.get("type") == each:
            return each
    raise InvalidInput.of("type", "must be one of " + ", ".join(TYPES))


def _said(kind: EventType, body: EventBody, event: dict[str, Any], sending: Sending) -> Said:
    context = body.context or sending.context or {}
    parts: dict[str, Any] = {name: getattr(body, name, None) for name in ("previous_id", "group_id")}
    wrong: list[FieldError] = []
    properties, traits = getattr(body, "properties", {}), getattr(body, "traits", {})
    wrong += check_fields("properties", properties)
    consents: dict[str, bool] = {}
    external_ids: tuple[tuple[str, str], ...] = ()
    if kind == "identify":
        external_ids = read_external_ids(context, wrong) if sending.trusted else ()
        traits = _with_context(traits, context)
        consents = _consents(context, wrong) if sending.trusted else {}
        wrong += check_traits(traits)
    else:
        wrong += check_fields("traits", traits)
    if wrong:
        raise _refusal(wrong)
    timestamp = body.timestamp or body.original_timestamp
    return Said(
        type=kind,
        at=rules.happened_at(kind, timestamp, body.sent_at or sending.sent_at, now=sending.now),
        message_id=body.message_id or _own_id(event, sending.now, is_timed=timestamp is not None),
        customer_id=body.user_id,
        anonymous_id=body.anonymous_id,
        event=_name(body, properties),
        channel=rules.channel_of(kind, body.channel, context),
        properties=properties,
        traits=traits,
        consents=consents,
        external_ids=external_ids,
        **parts,
    )


def _refusal(wrong: list[FieldError]) -> InvalidInput:
    return InvalidInput(f"{wrong[0].field}: {wrong[0].message}", fields=wrong[: problems.FIELDS_SHOWN_MAX])


def _name(body: EventBody, properties: Mapping[str, Any]) -> str:
    for value in (getattr(body, "event", None), getattr(body, "name", None), properties.get("name")):
        if isinstance(value, str):
            return " ".join(value.split())[:NAME_LENGTH_MAX]
    return ""


def _with_context(traits: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    # Every SDK sends these two with an identify; as traits they have a source and a time like all else.
    found = {name: context.get(name) for name in ("locale", "timezone")}
    usable = {name: value for name, value in found.items() if value and not check_traits({name: value})}
    return usable | traits


def _consents(context: Mapping[str, Any], wrong: list[FieldError]) -> dict[str, bool]:
    consent = context.get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if preferences is None:
        return {}
    path = "context.consent.categoryPreferences"
    if not isinstance(preferences, dict):
        wrong.append(FieldError(path, "must be an object"))
        return {}
    wrong += [
        FieldError(f"{path}.{name}"[:100], "must be true or false")
        for name, value in preferences.items()
        if not isinstance(value, bool)
    ]
    return preferences


def _own_id(event: Mapping[str, Any], now: datetime, *, is_timed: bool) -> str:
    # A retry repeats the event with its time. Without a time, two equal events may well be two visits.
    if not is_timed:
        return f"received:{ids.new(now)}"
    lasting = {name: value for name, value in event.items() if name not in WRITTEN_WHEN_SENT}
    return f"content:{ids.fingerprint(to_json(lasting).decode())}"
