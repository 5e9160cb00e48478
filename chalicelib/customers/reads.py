"""What other rooms may ask about people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.customers import erasing, mail_gates, mapping, merges, merging, rules, store
from chalicelib.customers.likeness import common_sign
from chalicelib.customers.model import Person
from chalicelib.shared.dynamo import Item
from chalicelib.shared.errors import Gone, Moved

__all__ = [
    "Person",
    "agrees",
    "asked_for",
    "asked_person",
    "common_sign",
    "customer_of",
    "experiment_unit",
    "export_of",
    "group_of",
    "head",
    "is_erased",
    "is_known",
    "key_of",
    "owner_of",
    "owners_of",
    "page",
    "person",
]


def person(customer_id: str) -> Person | None:
    """Who somebody is, asked by any of their ids; None when nobody has said. Consistent.

    One trip, 1 read unit; one or two trips more where ids were merged. `consents` are the profile's; whether a message
    may go out is for the mail gate to say, at the moment of sending.
    """
    selves = store.load_selves(customer_id)
    if selves.head.version:
        return rules.person(merging.whole(selves))
    return rules.nobody(customer_id) if store.erased_among([customer_id]) else None


def page(after: tuple[str, str] | None, *, limit: int) -> tuple[list[Person], tuple[str, str] | None]:
    """The persons among the next items of the whole table, each by the surviving id, and where to go on; None at the end.

    For named runs. Profiles that only a browser has begun are left out. One trip, half a read unit for every 4 KB
    passed; more for those who were merged.
    """
    profiles, last = store.page(after, limit=limit)
    heads = [each for each in profiles if each.confirmed and not each.merged]
    found = [person(each.customer_id) if each.absorbed else rules.person(each) for each in heads]
    return [each for each in found if each and not each.erased], last


def key_of(customer_id: str) -> tuple[str, str]:
    """Where a page that is to go on behind somebody begins."""
    return mapping.pk_of(customer_id), mapping.PROFILE


def is_known(customer_id: str) -> bool:
    """Whether anybody has said anything of a customer, or they did anything. One to three trips, 2 to 4 read units."""
    return person(customer_id) is not None or merges.is_seen(customer_id)


def head(customer_id: str) -> str:
    """The surviving id of somebody, which is the given one unless it was merged into another. As `person`."""
    known = person(customer_id)
    return known.head if known else customer_id


def asked_for(customer_id: str, *, own: bool = False) -> tuple[str, ...]:
    """The ids over which what is asked of one customer is read, the surviving one first. As `person`.

    For somebody who asks for one id: raises Moved for one that was merged into another, unless it is a customer's
    `own` token, and Gone for one that was erased.
    """
    known = asked_person(customer_id, own=own)
    return known.customer_ids if known else (customer_id,)


def asked_person(customer_id: str, *, own: bool = False) -> Person | None:
    """The person of `asked_for`, None when nobody has said who they are."""
    known = person(customer_id)
    if known is None:
        return None
    if known.erased:
        raise Gone
    if known.head != customer_id and not own:
        raise Moved(variables={"customer_id": known.head})
    return known


def experiment_unit(customer_id: str) -> str:
    """The id that decides which arm of an experiment somebody is in: of all ids of the person the oldest. As `person`.

    A merge moves only the younger one to the older one's arm, and undoing it moves them back.
    """
    return merging.oldest(store.load_selves(customer_id))


def agrees(person: Person, purpose: str, gates: Mapping[str, Item]) -> bool:
    """Whether a person agreed to a purpose, by the mail gates of all their ids."""
    heard = {customer_id: mail_gates.consents_of(gate) for customer_id, gate in gates.items()}
    consent = merging.agreed(person.head, person.absorbed, heard).get(purpose)
    return consent is not None and consent.is_granted


def group_of(person: Person) -> str:
    """What the mail gate of a person's surviving id shows of their merges."""
    return merging.group_of(person.absorbed)


def is_erased(customer_ids: Iterable[str]) -> set[str]:
    """Those of the ids that were erased. One trip per 100, 1 read unit each, consistent."""
    return store.erased_among(customer_ids)


def customer_of(anonymous_id: str) -> str | None:
    """The customer id an anonymous id was linked to by somebody trusted. One trip, 1 read unit.

    It may be merged into another since; `person` tells.
    """
    return store.customer_of(anonymous_id) or None


def owners_of(anonymous_ids: Iterable[str]) -> dict[str, str]:
    """As `customer_of`, of many; those that are nobody's are left out. One trip per 100, 1 read unit each."""
    return store.customers_of(anonymous_ids)


def owner_of(anonymous_id: str) -> str | None:
    """As `customer_of`, but empty for a device that so many people use that what happens on it is nobody's."""
    return store.customer_of(anonymous_id)


def export_of(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, Any]:  # noqa: ARG001
    """Every profile of one person and every merge of their ids, as plain JSON. A few trips."""
    return erasing.everything(customer_ids)
