"""What two sides of a person take along when a merge is undone, pure.

Each keeps what it was told. A withdrawal besides was the whole person's: nobody knows which of the two meant it, so it
counts for both, as if it had been said to either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from chalicelib.customers import merging, rules
from chalicelib.customers.merging import Consents
from chalicelib.customers.model import Absorption, Consent, Profile, Selves

ALWAYS = datetime.min.replace(tzinfo=UTC)


def carried(selves: Selves, undone: Absorption) -> dict[str, dict[str, Consent]]:
    """The consents that change with an undoing, by the surviving id of each side.

    A withdrawal counts for the other side when it was said while this merge and those that led from its id to the
    side's surviving one were in force, and the id has not granted it again. `selves` heed their mail gates.
    """
    ins = {each.customer_id: each for each in selves.head.absorbed}
    taken_in = {undone.customer_id, *(each.customer_id for each in selves.of(undone.customer_id).absorbed)}
    changes: dict[str, dict[str, Consent]] = {}
    for root, other in ((undone.into, undone.customer_id), (undone.customer_id, undone.into)):
        told: dict[str, Consent] = {}
        for profile in selves.profiles:
            if (profile.customer_id in taken_in) == (other == undone.customer_id):
                since = _together_since(profile.customer_id, other, ins, undone)
                told = _all_heard(told, _withdrawn(profile.consents, since))
        known = selves.of(root).consents
        heard = _all_heard(known, told)
        changes[root] = {purpose: each for purpose, each in heard.items() if known.get(purpose) != each}
    return changes


def keeping(profile: Profile, changes: Consents, now: datetime) -> Profile:
    """The profile with consents that it takes along."""
    if not changes:
        return profile
    replaced = {purpose: profile.consents[purpose] for purpose in changes if purpose in profile.consents}
    return replace(
        profile,
        consents={**profile.consents, **changes},
        consent_history=rules.add_to_history(profile.consent_history, replaced, changes),
        updated_at=now,
    )


def _together_since(
    customer_id: str, root: str, ins: Mapping[str, Absorption], undone: Absorption
) -> datetime:
    """Since when what was told to this id was told to both sides; `root` is the surviving id of its own."""
    since = undone.at
    while customer_id != root:
        since = max(since, ins[customer_id].at)
        customer_id = ins[customer_id].into
    return since


def _withdrawn(consents: Consents, since: datetime) -> dict[str, Consent]:
    found = {purpose: each for purpose, each in consents.items() if not each.is_granted and each.at > since}
    return {
        # An act from before is the one side's alone.
        purpose: replace(each, acted_at=None) if each.acted_at and each.acted_at <= since else each
        for purpose, each in found.items()
    }


def _all_heard(known: Consents, told: Consents) -> dict[str, Consent]:
    return merging.fold_consents(known, told, merged_at=ALWAYS)
