"""What campaigns do when somebody becomes a customer, and every minute."""

from __future__ import annotations

from datetime import datetime

from chalice.app import Blueprint, Rate

from chalicelib.campaigns import service
from chalicelib.campaigns.model import Cause
from chalicelib.customers.schemas import CUSTOMER_CREATED, CustomerCreated
from chalicelib.loyalty.schemas import GIFT_GIVEN, GiftGiven
from chalicelib.shared.clock import from_text
from chalicelib.shared.consumer import on_facts, on_tick
from chalicelib.shared.facts import Fact

handlers = Blueprint(__name__)


class UnknownFact(Exception):
    """This queue is for other facts; it goes to the dead letters for somebody to look at."""


@handlers.on_sqs_message(queue="campaigns", batch_size=10, name="campaigns_on_facts")
@on_facts
def campaigns_on_facts(fact: Fact, now: datetime) -> None:
    """`customer.created`: what a new customer gets is filed; imported history is not news.

    `loyalty.gift_given`: so is the mail that says so, once for each year.
    """
    if fact.type == CUSTOMER_CREATED:
        customer = CustomerCreated.model_validate(fact.data)
        if not customer.imported:
            happened_at = from_text(customer.created_at)
            service.plan(fact.type, customer.customer_id, happened_at=happened_at, now=now)
    elif fact.type == GIFT_GIVEN:
        gift = GiftGiven.model_validate(fact.data)
        cause = Cause(gift.occasion, str(gift.year), service.words_of(gift.points, gift.coupon))
        service.plan(fact.type, gift.customer_id, happened_at=fact.time, now=now, cause=cause)
    else:
        raise UnknownFact(fact.type)


@handlers.schedule(Rate(1, unit=Rate.MINUTES), name="campaigns_tick")
@on_tick
def campaigns_tick(now: datetime) -> None:
    """Send what has fallen due."""
    service.run(now)
