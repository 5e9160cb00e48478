"""What other rooms may ask about people."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.customers import merging, rules, store
from chalicelib.customers.model import Person

__all__ = ["Person", "customer_of", "head", "is_erased", "people", "person"]


def person(customer_id: str) -> Person | None:
    """Who somebody is, asked by any of their ids; None when nobody has said. Consistent.

    One trip, 1 read unit; one or two trips more where ids were merged. `consents` are the profile's; whether a message
    may go out is for the mail gate to say, at the moment of sending.
    """
    selves = store.load_selves(customer_id)
    if selves.head.version:
        return rules.person(merging.whole(selves))
    return rules.nobody(customer_id) if store.erased_among([customer_id]) else None


def people(customer_ids: Iterable[str]) -> dict[str, Person]:
    """Many persons by the id asked for; those without a profile are left out.

    One trip per 100, half a read unit each; more for those who were merged.
    """
    found = {}
    for customer_id, profile in store.load_many(customer_ids).items():
        is_one = not (profile.merged or profile.absorbed)
        known = rules.person(profile) if is_one else person(customer_id)
        if known is not None:
            found[customer_id] = known
    return found


def head(customer_id: str) -> str:
    """The surviving id of somebody, which is the given one unless it was merged into another. As `person`."""
    known = person(customer_id)
    return known.head if known else customer_id


def is_erased(customer_ids: Iterable[str]) -> set[str]:
    """Those of the ids that were erased. One trip per 100, 1 read unit each, consistent."""
    return store.erased_among(customer_ids)


def customer_of(anonymous_id: str) -> str | None:
    """The customer id an anonymous id was linked to by somebody trusted. One trip, 1 read unit.

    It may be merged into another since; `person` tells.
    """
    return store.customer_of(anonymous_id)
