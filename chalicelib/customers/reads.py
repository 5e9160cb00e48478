"""What other rooms may ask about people."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.customers import rules, store
from chalicelib.customers.model import Person

__all__ = ["Person", "customer_of", "people", "person"]


def person(customer_id: str) -> Person | None:
    """Who somebody is, None when nobody trusted has said. One trip, 1 read unit, consistent.

    `consents` are the profile's; whether a message may go out is for the mail gate to say, at the moment of sending.
    """
    profile = store.load(customer_id).profile
    return rules.person(profile) if profile.version else None


def people(customer_ids: Iterable[str]) -> dict[str, Person]:
    """Many persons by id; those without a profile are left out. One trip per 100, half a read unit each."""
    return {
        customer_id: rules.person(profile) for customer_id, profile in store.load_many(customer_ids).items()
    }


def customer_of(anonymous_id: str) -> str | None:
    """The customer an anonymous id was linked to by somebody trusted. One trip, 1 read unit."""
    return store.customer_of(anonymous_id)
