"""Messages over HTTP, and the facts this room publishes."""

from __future__ import annotations

from pydantic import Field

from chalicelib.messages.model import Status
from chalicelib.shared.contract import At, Out, Published, Query

MESSAGE_SENT = "message.sent"
PAGE_MAX = 100


class MessagesQuery(Query):
    limit: int = Field(default=50, ge=1, le=PAGE_MAX)
    cursor: str | None = Field(default=None, max_length=4096, description="`next_cursor` of the page before.")


class MessageAnswer(Out):
    """One message that was sent to a customer, or not."""

    message_id: str
    template: str = Field(examples=["shipment"])
    message_class: str = Field(description="transactional or promotional")
    channel: str = Field(examples=["email"])
    status: Status = Field(
        description="`sent`; `withheld`; `failed`: refused for good; `deferred`: refused for now, to be "
        "tried again; `claimed`: on its way this moment; `unknown`: nobody heard whether it was sent, so it is "
        "never sent again."
    )
    reason: str = Field(
        description="Why it was sent, e.g. `shipment_delivered`; or why not: `no_consent`, `no_address`, "
        "`unusable_address`, `suppressed`, `duplicate` (another id of the same person has it), `expired`, `outdated`, "
        "`no_answer`, or the code with which the mail service refused."
    )
    cause: str = Field(description="What it was to be sent for.", examples=["shipment_delivered"])
    at: At


class MessagesAnswer(Out):
    """Newest first, for about 400 days."""

    data: list[MessageAnswer]
    next_cursor: str | None


class MessageSent(Published):
    """Fact `message.sent`: a message was handed to its channel."""

    customer_id: str
    send_id: str
    template: str
    message_class: str = Field(description="transactional or promotional")
    channel: str
    at: str
