"""Events over HTTP in Segment's format, the timeline, and the facts this room publishes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation

from chalicelib.activity.model import BATCH_EVENTS_MAX, KINDS, MESSAGE_ID_LENGTH_MAX, PAGE_MAX, EventType
from chalicelib.shared import clock
from chalicelib.shared.contract import At, Id, In, Line, Moment, Out, Published, Query, check_json
from chalicelib.shared.errors import FieldError

ACTIVITY_RECORDED = "activity.recorded"
FIELD_LENGTH_MAX = 100


def _time(value: Any) -> Any:
    if value is None or isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("must be an RFC 3339 time, e.g. 2026-11-01T09:00:00Z")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be an RFC 3339 time, e.g. 2026-11-01T09:00:00Z") from None


def _message_id(value: str | None) -> str | None:
    if value is not None and len(value) > MESSAGE_ID_LENGTH_MAX:
        raise ValueError(f"must have 1 to {MESSAGE_ID_LENGTH_MAX} characters")
    return value


def _nobody(value: Any) -> Any:
    return value if value != "" else None  # SDKs send "" for "not known"


def _nothing(value: Any) -> Any:
    return {} if value is None else value


Time = Annotated[Moment | None, BeforeValidator(_time)]
Person = Annotated[Id | None, BeforeValidator(_nobody)]
MessageId = Annotated[Id | None, AfterValidator(_message_id), BeforeValidator(_nobody)]
Free = Annotated[dict[str, Any], BeforeValidator(_nothing)]
EventName = Annotated[Line, Field(max_length=200)]


class _Envelope(BaseModel):
    """What Segment's SDKs wrap around an event; fields we do not know are theirs to send and ours to ignore."""

    model_config = ConfigDict(
        extra="ignore", strict=True, frozen=True, allow_inf_nan=False, defer_build=True, populate_by_name=True
    )


class EventBody(_Envelope):
    """One event in Segment's HTTP format. `userId` or `anonymousId` says whose it is."""

    type: Any = Field(default=None, description="In a batch: " + ", ".join(get_args(EventType)) + ".")
    message_id: MessageId = Field(
        default=None,
        alias="messageId",
        description="Sent again with the same id, an event counts once. Without one, its own content and "
        "`timestamp` stand for it; an event with neither counts each time it is sent.",
    )
    user_id: Person = Field(default=None, alias="userId", description="The shop's own customer id.")
    anonymous_id: Person = Field(default=None, alias="anonymousId", description="A device or browser.")
    timestamp: Time = Field(default=None, description="When it happened; the time of receipt if left out.")
    original_timestamp: Time = Field(default=None, alias="originalTimestamp")
    sent_at: Time = Field(
        default=None, alias="sentAt", description="Shows how far the sender's clock is ahead."
    )
    channel: Any = Field(
        default=None, description="web, app, store, phone, ...; found from `context` if left out."
    )
    context: Free = Field(default_factory=dict)
    write_key: Any = Field(
        default=None, alias="writeKey", description="The API key, where no header carries it."
    )


class TrackBody(EventBody):
    """Something the customer did."""

    event: EventName = Field(examples=["Product Viewed"])
    properties: Free = Field(default_factory=dict)


class IdentifyBody(EventBody):
    """Who the customer is. With a secret key it also links `anonymousId`, and `context.consent` counts."""

    traits: Free = Field(default_factory=dict)


class PageBody(EventBody):
    """A page or screen was looked at."""

    name: Annotated[EventName | None, BeforeValidator(_nobody)] = None
    category: Annotated[EventName | None, BeforeValidator(_nobody)] = None
    properties: Free = Field(default_factory=dict)


class GroupBody(EventBody):
    """The customer belongs to a company or another group."""

    group_id: Id = Field(alias="groupId")
    traits: Free = Field(default_factory=dict)


class AliasBody(EventBody):
    """`previousId`, an anonymous id, turned out to be `userId`."""

    previous_id: Id = Field(alias="previousId")


BODIES: dict[EventType, type[EventBody]] = {
    "track": TrackBody,
    "identify": IdentifyBody,
    "page": PageBody,
    "screen": PageBody,
    "group": GroupBody,
    "alias": AliasBody,
}


def _batch(value: Any) -> Any:
    if not isinstance(value, list) or not 1 <= len(value) <= BATCH_EVENTS_MAX:
        raise ValueError(f"must be a list of 1 to {BATCH_EVENTS_MAX} events")
    return value


class BatchBody(_Envelope):
    """Many events, each with its `type`. Each is judged alone; the answer names those that were refused."""

    batch: Annotated[
        SkipValidation[list[TrackBody | IdentifyBody | PageBody | GroupBody | AliasBody]],
        AfterValidator(_batch),
    ]
    sent_at: Any = Field(
        default=None, alias="sentAt", description="When the batch left; see an event's `sentAt`."
    )
    context: Any = Field(default=None, description="For events that bring none of their own.")
    write_key: Any = Field(
        default=None, alias="writeKey", description="The API key, where no header carries it."
    )


class RefusedField(Out):
    field: str = Field(examples=["properties.product_id"])
    message: str


class RefusedEvent(Out):
    index: int = Field(description="Its place in the batch, from 0.")
    message_id: str | None
    errors: list[RefusedField]


class IngestAnswer(Out):
    """What became of the events; what is not refused is stored."""

    success: bool = True
    accepted: int
    duplicates: int = Field(description="Already stored by an earlier call; nothing was done again.")
    refused: list[RefusedEvent]


def _kinds(value: str) -> str:
    unknown = sorted(set(value.split(",")) - set(KINDS))
    if unknown:
        raise ValueError("must be among " + ", ".join(KINDS) + ", joined by commas")
    return value


class TimelineQuery(Query):
    kind: Annotated[str, Field(max_length=500, examples=["order,message"]), AfterValidator(_kinds)] | None = (
        Field(default=None, description="Only these kinds, joined by commas.")
    )
    channel: str | None = Field(default=None, pattern="^[a-z][a-z0-9_]{0,39}$", examples=["web"])
    limit: int = Field(default=50, ge=1, le=PAGE_MAX)
    cursor: str | None = Field(default=None, max_length=4096, description="`next_cursor` of the page before.")


class TimelineItem(Out):
    id: str
    kind: str = Field(description="view, cart, order, delivery, points, message, page, ...")
    channel: str = Field(description="web, app, store, email, ...")
    at: At
    title: str = Field(
        description="One line for people.", examples=["Viewed WHITE HANGING HEART T-LIGHT HOLDER"]
    )
    trusted: bool = Field(description="False: a browser said so, and nobody has confirmed it.")
    details: dict[str, Any]


class TimelineAnswer(Out):
    """Newest first. A page may be short, even empty, while `next_cursor` leads on: rare kinds are looked for in steps."""

    data: list[TimelineItem]
    next_cursor: str | None


class OrderLine(In):
    """One line of a completed order."""

    item_id: str
    quantity: int
    price: int = Field(description="Minor units, each.")
    gift: bool = False


class OrderDetails(In):
    """`details` of `activity.recorded` for a trusted `Order Completed`: amounts in minor units of `currency`."""

    order_id: str
    currency: str
    total: int = Field(description="What the customer paid.")
    discount: int = 0
    tax: int = 0
    shipping_cost: int = 0
    coupon: str | None = None
    gift: bool = Field(default=False, description="The whole order is for somebody else.")
    store_id: str = Field(default="", description="Where it was bought; empty: online.")
    lines: list[OrderLine]


class RefundedLine(In):
    """How many of an item came back."""

    item_id: str
    quantity: int
    price: int | None = None
    gift: bool = False


class RefundDetails(In):
    """`details` of `activity.recorded` for a trusted `Order Refunded`: products, an amount, or neither for the whole."""

    order_id: str
    currency: str = Field(description="Empty where no amount is named.")
    total: int | None = Field(default=None, description="Minor units that were given back.")
    lines: list[RefundedLine] | None = None


class ActivityRecorded(Published):
    """Fact `activity.recorded`: one touchpoint entered the timeline."""

    entry_id: str
    customer_id: str | None
    anonymous_id: str | None
    kind: str = Field(description="view, cart, order, identify, page, ...")
    event: str = Field(description="The event's own name, e.g. `Order Completed`; GA4's names as Segment's.")
    channel: str
    at: str
    trusted: bool = Field(description="Sent with a secret key; a publishable key's event is a hint.")
    item_ids: list[str]
    details: dict[str, Any] = Field(
        description="For a trusted `Order Completed`: OrderDetails; for an `Order Refunded`: RefundDetails."
    )


def time_of(value: Any) -> datetime | None:
    """A time that a batch carries for all its events, None when it is not one: no event is to blame for it."""
    try:
        moment = _time(value)
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None:
        return None
    return moment if clock.EARLIEST <= moment < clock.LATEST else None


def check_fields(name: str, values: dict[str, Any]) -> list[FieldError]:
    """What nothing should store among free-form values: too deep, not finite, control characters; each by name."""
    problems = []
    for key, value in values.items():
        if not is_text(key):
            problems.append(FieldError(name or "event", "a name in it may not be stored as text"))
            continue
        try:
            check_json(value)
        except ValueError as error:
            path = f"{name}.{key}" if name else key
            problems.append(FieldError(path[:FIELD_LENGTH_MAX], str(error)))
    return problems


def is_text(value: Any) -> bool:
    """Whether this is a text, and one that may be stored and answered."""
    if not isinstance(value, str):
        return False
    try:
        check_json(value)
    except ValueError:
        return False
    return True
