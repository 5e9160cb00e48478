"""What this room reads of mail gates and writes to them: a gate decides about mail, and agrees with the profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.customers.mapping import pk_of
from chalicelib.customers.model import EVENTS, UNSUBSCRIBE, Consent, status_of
from chalicelib.messages import gate
from chalicelib.shared.clock import from_text
from chalicelib.shared.dynamo import Item, table
from chalicelib.shared.wanted import Wanted, alone

GATED = gate.PURPOSES
ACT = "act"  # source of a withdrawal by an act that a preference repeated


def load(customer_ids: Sequence[str]) -> dict[str, dict[str, Consent]]:
    """The consents as the mail gates of these ids have them. One trip, 1 read unit each."""
    return alone(wanted(customer_ids))


def wanted(customer_ids: Sequence[str]) -> Wanted[dict[str, dict[str, Consent]]]:
    """What `load` loads, for whoever wants more in the same trip."""
    places = {each: table("engagement").at(*key_of(each)) for each in customer_ids}
    return Wanted(
        tuple(places.values()),
        lambda found: {each: consents_of(found.get(place)) for each, place in places.items()},
    )


def key_of(customer_id: str) -> tuple[str, str]:
    """Where the mail gate of an id lies."""
    return pk_of(customer_id), gate.SK


def consents_of(item: Item | None) -> dict[str, Consent]:
    """Consents out of a gate's item, as far as the gate knows them; what is said elsewhere too, the profile knows better."""
    return {
        purpose: Consent(
            status_of(granted=item[f"consent_{purpose}"]),
            from_text(item[f"consent_{purpose}_at"]),
            item.get(f"consent_{purpose}_source") or UNSUBSCRIBE,
        )
        for purpose in GATED
        if item and f"consent_{purpose}_at" in item
    }


def operation(customer_id: str, purpose: str, consent: Consent) -> dict[str, Any]:
    """The operation that tells an id's mail gate of a consent; it fails where the gate has a later word."""
    humble = consent.source == EVENTS and not consent.is_final
    return gate.consent_operation(
        customer_id, purpose, consent.is_granted, consent.at, _source(consent), humble=humble
    )


def grouping(customer_id: str, group: str) -> dict[str, Any]:
    """The operation that tells an id's mail gate of its merges."""
    return gate.grouping(customer_id, group)


def parting(
    customer_id: str, group: str, *, seen: Mapping[str, Consent], withdrawn: Mapping[str, Consent]
) -> dict[str, Any]:
    """The operation that parts an id's mail gate from others; it fails where the gate is not as `seen`."""
    return gate.parting(customer_id, group, _words(seen), _words(withdrawn))


def standing(customer_id: str, seen: Mapping[str, Consent]) -> dict[str, Any]:
    """The operation that fails where an id's mail gate is not as `seen`."""
    return gate.standing(customer_id, _words(seen))


def _source(consent: Consent) -> str:
    # A gate has to tell an act from a preference, and no more.
    return ACT if consent.acted_at else consent.source


def _words(consents: Mapping[str, Consent]) -> dict[str, gate.Word]:
    return {
        purpose: (consents[purpose].is_granted, consents[purpose].at, _source(consents[purpose]))
        for purpose in GATED
        if purpose in consents
    }
