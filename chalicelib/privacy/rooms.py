"""Every room that keeps something of a person: how it forgets, and how it tells.

A new room that stores anything of a customer is added here; the privacy checks fail until it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from chalicelib.activity import reads as activity_reads
from chalicelib.activity import service as activity
from chalicelib.campaigns import reads as campaigns_reads
from chalicelib.campaigns import service as campaigns
from chalicelib.coupons import reads as coupons_reads
from chalicelib.coupons import service as coupons
from chalicelib.customers import reads as customers_reads
from chalicelib.customers import service as customers
from chalicelib.desk import reads as desk_reads
from chalicelib.desk import service as desk
from chalicelib.feedback import reads as feedback_reads
from chalicelib.feedback import service as feedback
from chalicelib.loyalty import reads as loyalty_reads
from chalicelib.loyalty import service as loyalty
from chalicelib.messages import reads as messages_reads
from chalicelib.messages import service as messages
from chalicelib.orders import erasing as orders
from chalicelib.orders import reads as orders_reads
from chalicelib.privacy import export_store, files
from chalicelib.privacy.model import Subject
from chalicelib.questions import reads as questions_reads
from chalicelib.questions import service as questions

Erase = Callable[[Subject, datetime], Mapping[str, int]]
ExportOf = Callable[[tuple[str, ...], tuple[str, ...]], dict[str, Any]]


def _customers(who: Subject, now: datetime) -> Mapping[str, int]:
    return customers.erase(who.customer_ids, who.anonymous_ids, now=now)


def _messages(who: Subject, now: datetime) -> Mapping[str, int]:
    return messages.erase(who.customer_ids, who.anonymous_ids, now=now, final=who.final)


def _campaigns(who: Subject, now: datetime) -> Mapping[str, int]:
    return campaigns.erase(who.customer_ids, who.anonymous_ids, now=now)


def _activity(who: Subject, now: datetime) -> Mapping[str, int]:
    return activity.erase(who.customer_ids, who.anonymous_ids, now=now)


def _desk(who: Subject, now: datetime) -> Mapping[str, int]:
    return desk.erase(who.customer_ids, who.anonymous_ids, now=now)


def _feedback(who: Subject, now: datetime) -> Mapping[str, int]:
    return feedback.erase(who.customer_ids, who.anonymous_ids, now=now)


def _questions(who: Subject, now: datetime) -> Mapping[str, int]:
    return questions.erase(who.customer_ids, who.anonymous_ids, now=now)


def _coupons(who: Subject, now: datetime) -> Mapping[str, int]:
    return coupons.erase(who.customer_ids, who.anonymous_ids, now=now)


def _orders(who: Subject, now: datetime) -> Mapping[str, int]:
    return orders.erase(
        who.customer_ids, who.anonymous_ids, now=now, pseudonym=who.pseudonym, final=who.final
    )


def _loyalty(who: Subject, now: datetime) -> Mapping[str, int]:
    return loyalty.erase(who.customer_ids, who.anonymous_ids, now=now, pseudonym=who.pseudonym)


def _exports(who: Subject, now: datetime) -> Mapping[str, int]:  # noqa: ARG001
    found = [(each, export_id) for each in who.customer_ids for export_id in export_store.ids_of(each)]
    for customer_id, export_id in found:
        files.delete(files.address_of(export_id))
        export_store.forget(export_id)
        if who.final:  # what leads there stays until nobody can be making the document any more
            export_store.forget_pointer(customer_id, export_id)
    return {"bucket.exports": len(found) if who.final else 0}


# In this order: the profile first, so that nobody is found by their id any more; their ids stand in the erasure.
ERASERS: dict[str, Erase] = {
    "customers": _customers,
    "messages": _messages,
    "campaigns": _campaigns,
    "exports": _exports,
    "activity": _activity,
    "desk": _desk,
    "feedback": _feedback,
    "questions": _questions,
    "coupons": _coupons,
    "orders": _orders,
    "loyalty": _loyalty,
}

EXPORTERS: dict[str, ExportOf] = {
    "customers": customers_reads.export_of,
    "activity": activity_reads.export_of,
    "orders": orders_reads.export_of,
    "loyalty": loyalty_reads.export_of,
    "messages": messages_reads.export_of,
    "campaigns": campaigns_reads.export_of,
    "desk": desk_reads.export_of,
    "feedback": feedback_reads.export_of,
    "questions": questions_reads.export_of,
    "coupons": coupons_reads.export_of,
}
