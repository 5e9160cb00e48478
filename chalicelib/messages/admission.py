"""Asking the gate for a person, who may have several customer ids: one gate each, asked together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from chalicelib.customers import reads as customers
from chalicelib.customers.reads import Person
from chalicelib.messages import gate, rules, store
from chalicelib.messages.model import DUPLICATE, Message, MessageClass
from chalicelib.shared.dynamo import Item


def refusal(person: Person, message: Message, *, now: datetime) -> str | None:
    """Why a message may not go out, None when it may. Raises gate.Regrouped when the person's ids changed meanwhile."""
    if not person.absorbed:
        refused_by = gate.admit(message.customer_id, message.send_key, message.message_class, now=now)
    elif _has_it(person, message, now):
        return DUPLICATE
    else:

        def agrees(gates: Mapping[str, Item]) -> bool:
            return customers.agrees(person, gate.EMAIL_MARKETING, gates)

        refused_by = gate.admit_together(
            person.customer_ids,
            customers.group_of(person),
            message.send_key,
            message.message_class,
            agrees=agrees,
            now=now,
        )
    return rules.refusal_of(refused_by, message.message_class) if refused_by is not None else None


def _has_it(person: Person, message: Message, now: datetime) -> bool:
    """Whether the same invitation went to another id of the same person. What is about an order goes to its own id."""
    if message.message_class is not MessageClass.PROMOTIONAL:
        return False
    others = [each for each in person.customer_ids if each != message.customer_id]
    return store.was_sent(others, message.send_key, now=now)
