"""What mail does when others say something happened, and what it tells others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalice.app import Blueprint

from chalicelib.messages import news, store
from chalicelib.messages.model import EMAIL
from chalicelib.messages.schemas import MESSAGE_SENT, MessageSent
from chalicelib.orders.schemas import SHIPMENT_STATUS_CHANGED, ShipmentStatusChanged
from chalicelib.shared.clock import to_text
from chalicelib.shared.consumer import Change, on_facts, relay
from chalicelib.shared.facts import Fact

handlers = Blueprint(__name__)


class NotSettled(Exception):
    """The mail is not out yet; its fact has to come again."""


class UnknownFact(Exception):
    """This queue is for other facts; it goes to the dead letters for somebody to look at."""


@handlers.on_sqs_message(queue="messages", batch_size=10, name="messages_on_facts")
@on_facts
def messages_on_facts(fact: Fact, now: datetime) -> None:
    """`shipment.status_changed`: the customer gets one mail about it."""
    if fact.type != SHIPMENT_STATUS_CHANGED:
        raise UnknownFact(fact.type)
    outcome = news.tell_of_shipment(ShipmentStatusChanged.model_validate(fact.data), now=now)
    if not outcome.is_final:
        raise NotSettled(outcome.value)


@handlers.on_dynamodb_record(
    stream_arn="engagement", batch_size=100, starting_position="TRIM_HORIZON", name="engagement_relay"
)
@relay
def engagement_relay(change: Change) -> Sequence[Fact]:
    """A message that was handed to its channel is `message.sent`."""
    send = store.just_sent(change.old, change.new)
    if send is None:
        return []
    data = MessageSent(
        customer_id=send.customer_id,
        send_id=send.send_id,
        template=send.template,
        message_class=send.message_class.value,
        channel=EMAIL,
        at=to_text(send.at),
    )
    return [
        Fact(
            id=f"{MESSAGE_SENT}:{send.customer_id}#{send.send_key}",
            type=MESSAGE_SENT,
            subject=f"customers/{send.customer_id}",
            time=send.at,
            data=data.model_dump(),
            hops=2,
        )
    ]
