"""What several ids of one person say together, pure: nothing is copied from one to the other, so nothing is to undo.

Each id keeps what was said to it. The person is the fold of them all: of each trait the last word, of each consent the
last word since the merge, and of what was said before it the most restrictive one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from chalicelib.customers import rules
from chalicelib.customers.model import Consent, Profile, Selves

Consents = Mapping[str, Consent]


def whole(selves: Selves) -> Profile:
    """The person as one profile, under the surviving id and with its version."""
    head = selves.head
    if len(selves.profiles) == 1:
        return head
    traits = head.traits
    for each in selves.profiles[1:]:
        traits = rules.merge_traits(traits, each.traits)
    oldest_first = sorted(selves.profiles, key=lambda each: (each is head, each.customer_id))
    return replace(
        head,
        traits=traits,
        consents=_consents_of(head.customer_id, selves),
        anonymous_ids=tuple(dict.fromkeys(linked for each in oldest_first for linked in each.anonymous_ids)),
        created_at=min(filter(None, (each.created_at for each in selves.profiles)), default=None),
        updated_at=max(filter(None, (each.updated_at for each in selves.profiles)), default=None),
        confirmed=any(each.confirmed for each in selves.profiles),
    )


def fold_consents(ours: Consents, theirs: Consents, *, merged_at: datetime) -> dict[str, Consent]:
    """Consents of two ids that were merged then: the last word since, else the most restrictive one before."""
    folded = dict(ours)
    for purpose, other in theirs.items():
        folded[purpose] = _stricter(folded[purpose], other, merged_at) if purpose in folded else other
    return folded


def _consents_of(customer_id: str, selves: Selves) -> dict[str, Consent]:
    own = {each.customer_id: each.consents for each in selves.profiles}
    folded = dict(own[customer_id])
    taken_in = [each for each in selves.head.absorbed if each.into == customer_id]
    for each in sorted(taken_in, key=lambda absorption: (absorption.at, absorption.merge_id)):
        folded = fold_consents(folded, _consents_of(each.customer_id, selves), merged_at=each.at)
    return folded


def _stricter(one: Consent, other: Consent, merged_at: datetime) -> Consent:
    last = max(one, other, key=rules.consent_order)
    if last.at > merged_at or one.status == other.status:
        return last
    return other if one.is_granted else one
