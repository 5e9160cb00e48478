"""What the room does when answers were given, and when a visitor turned out to be a customer."""

from __future__ import annotations

from datetime import datetime

from chalice.app import Blueprint

from chalicelib.customers.schemas import CUSTOMER_LINKED, CustomerLinked
from chalicelib.questions import service
from chalicelib.questions.schemas import ProfileAnswered
from chalicelib.shared.consumer import on_facts
from chalicelib.shared.facts import Fact

handlers = Blueprint(__name__)


@handlers.on_sqs_message(queue="questions", batch_size=10, name="questions_on_facts")
@on_facts
def questions_on_facts(fact: Fact, now: datetime) -> None:
    """`customer.linked`: what the visitor answered is the customer's now. `profile.answered`: finish what it earned."""
    if fact.type == CUSTOMER_LINKED:
        linked = CustomerLinked.model_validate(fact.data)
        service.settle(linked.customer_id, None, now=now)
        return
    answered = ProfileAnswered.model_validate(fact.data)
    service.settle(answered.customer_id, answered.anonymous_id, now=now)
