"""Messages over HTTP, and the facts this room publishes."""

from __future__ import annotations

from pydantic import Field

from chalicelib.shared.contract import In

MESSAGE_SENT = "message.sent"


class MessageSent(In):
    """Fact `message.sent`: a message was handed to its channel."""

    customer_id: str
    send_id: str
    template: str
    message_class: str = Field(description="transactional or promotional")
    channel: str
    at: str
