"""What other rooms may ask about privacy: who was erased, and what is sensitive."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chalicelib.privacy import store
from chalicelib.privacy.model import PSEUDONYM_PREFIX, SENSITIVE_CATEGORIES, Who
from chalicelib.shared.wanted import Found, Wanted, alone

__all__ = ["PSEUDONYM_PREFIX", "Who", "erased", "is_erased", "sensitive_categories", "sensitive_wanted"]


def erased(who: Iterable[Who]) -> dict[Who, datetime]:
    """Who of these was erased, and when; `who` are `("customer", id)` and `("anonymous", id)`.

    One trip per 100 ids, half a read unit each. A tombstone put up this very moment may be missed; what is written then
    is taken away by the erasure's second sweep.
    """
    return {each: tombstone.erased_at for each, tombstone in store.tombstones(who).items()}


def is_erased(customer_id: str) -> bool:
    """Whether a customer was erased. One trip, half a read unit."""
    return bool(erased([("customer", customer_id)]))


def sensitive_categories() -> frozenset[str]:
    """The categories of traits that need a consent of their own. One trip, 1 read unit."""
    return alone(sensitive_wanted())


def sensitive_wanted() -> Wanted[frozenset[str]]:
    """What `sensitive_categories` reads, for whoever wants more in the same trip."""
    stored = store.sensitive_wanted()

    def read(found: Found) -> frozenset[str]:
        named = stored.read(found)
        return frozenset(SENSITIVE_CATEGORIES if named is None else named)

    return Wanted(stored.places, read)
