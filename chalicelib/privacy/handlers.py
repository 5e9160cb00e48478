"""What privacy does when somebody was erased or wants a copy, and every minute."""

from __future__ import annotations

from datetime import datetime

from chalice.app import Blueprint, Rate

from chalicelib.customers.schemas import CUSTOMER_ERASED, EXPORT_REQUESTED, CustomerErased, ExportRequested
from chalicelib.privacy import exports, service
from chalicelib.shared.consumer import on_facts, on_tick
from chalicelib.shared.facts import Fact

handlers = Blueprint(__name__)


class UnknownFact(Exception):
    """This queue is for other facts; it goes to the dead letters for somebody to look at."""


@handlers.on_sqs_message(queue="privacy", batch_size=1, name="privacy_on_facts")
@on_facts
def privacy_on_facts(fact: Fact, now: datetime) -> None:
    """`customer.erased`: work the erasure off. `customer.export_requested`: make the copy."""
    if fact.type == CUSTOMER_ERASED:
        service.run(CustomerErased.model_validate(fact.data).erasure_id, now=now)
    elif fact.type == EXPORT_REQUESTED:
        exports.make(ExportRequested.model_validate(fact.data).export_id, now=now)
    else:
        raise UnknownFact(fact.type)


@handlers.schedule(Rate(1, unit=Rate.MINUTES), name="privacy_tick")
@on_tick
def privacy_tick(now: datetime) -> None:
    """Go on with erasures: the second sweep, and what a run left when it died."""
    service.run_open(now)
