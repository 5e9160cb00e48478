"""What several ids of one person say together, pure: nothing is copied from one to the other, so nothing is to undo.

Each id keeps what was said to it. The person is the fold of them all: of each trait the last word, of each consent the
last word since the merge, and of what was said before it the most restrictive one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import zip_longest

from chalicelib.customers import rules
from chalicelib.customers.model import EVENTS, SELVES_MAX, Absorption, Consent, Profile, Selves
from chalicelib.shared.errors import Conflict

Consents = Mapping[str, Consent]
NEVER = datetime.max.replace(tzinfo=UTC)


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
        consents=agreed(
            head.customer_id, head.absorbed, {each.customer_id: each.consents for each in selves.profiles}
        ),
        consent_history=rules.add_to_history(
            {}, *(evidence for each in selves.profiles for evidence in _heard(each))
        ),
        anonymous_ids=_devices(reversed(oldest_first)),
        created_at=min(filter(None, (each.created_at for each in selves.profiles)), default=None),
        updated_at=max(filter(None, (each.updated_at for each in selves.profiles)), default=None),
        confirmed=any(each.confirmed for each in selves.profiles),
        changed_by=_last_editor(selves),
        external_ids=tuple(dict.fromkeys(known for each in oldest_first for known in each.external_ids)),
    )


def heeding(selves: Selves, gates: Mapping[str, Consents]) -> Selves:
    """The same with what each id's mail gate learnt later than its profile."""
    heeding = (rules.heed_gate(each, gates.get(each.customer_id, {})) for each in selves.profiles)
    return replace(selves, profiles=tuple(heeding))


def oldest(selves: Selves) -> str:
    """The id that somebody had first."""
    return min(
        selves.profiles,
        key=lambda each: (each.created_at is None, each.created_at or NEVER, each.customer_id),
    ).customer_id


def agreed(
    customer_id: str, absorbed: tuple[Absorption, ...], consents: Mapping[str, Consents]
) -> dict[str, Consent]:
    """What a person agreed to, by the consents that each of their ids has. `absorbed` are the surviving id's."""
    folded = dict(consents.get(customer_id, {}))
    taken_in = [each for each in absorbed if each.into == customer_id]
    for each in sorted(taken_in, key=lambda absorption: (absorption.at, absorption.merge_id)):
        others = agreed(each.customer_id, absorbed, consents)
        folded = fold_consents(folded, others, merged_at=each.at)
    return folded


def fold_consents(ours: Consents, theirs: Consents, *, merged_at: datetime) -> dict[str, Consent]:
    """Consents of two ids that were merged then: the last word since, else the most restrictive one before."""
    folded = dict(ours)
    for purpose, other in theirs.items():
        folded[purpose] = _stricter(folded[purpose], other, merged_at) if purpose in folded else other
    return folded


def _devices(profiles: Iterable[Profile]) -> tuple[str, ...]:
    """The devices of all ids, the ones linked last to each at the end: whoever takes some takes them from there."""
    ranks = zip_longest(*(reversed(each.anonymous_ids) for each in profiles))
    newest_first = dict.fromkeys(linked for rank in ranks for linked in rank if linked is not None)
    return tuple(reversed(newest_first))


def _last_editor(selves: Selves) -> str:
    edited = [each for each in selves.profiles if each.changed_by and each.updated_at]
    return max(edited, key=lambda each: (each.updated_at, each.customer_id)).changed_by if edited else ""


def _heard(profile: Profile) -> list[Consents]:
    return [
        {purpose: consent} for purpose, evidence in profile.consent_history.items() for consent in evidence
    ] + [profile.consents]


def _stricter(one: Consent, other: Consent, merged_at: datetime) -> Consent:
    first, last = sorted((one, other), key=rules.consent_order)
    if first.status == last.status:
        # What was withdrawn by an act stays so, whatever a page repeats later.
        acted_at = max(filter(None, (first.last_act, last.last_act)), default=None)
        return replace(last, acted_at=acted_at) if last.source == EVENTS else last
    if last.at <= merged_at or (last.source == EVENTS and first.is_final):
        return first if last.is_granted else last
    return last


def joined(survivor: Profile, taken_in: Profile, *, merge_id: str, at: datetime) -> tuple[Profile, Profile]:
    """Both profiles after one took in the other; what they hold stays where it is. Both must be surviving ids.

    Raises Conflict when the person would have more ids than anybody reads at once.
    """
    absorption = Absorption(taken_in.customer_id, survivor.customer_id, merge_id, at)
    absorbed = (*survivor.absorbed, absorption, *taken_in.absorbed)
    if len(absorbed) + 1 > SELVES_MAX:
        raise Conflict(f"one person may have {SELVES_MAX} customer ids at most")
    return (
        replace(survivor, absorbed=absorbed, version=survivor.version + 1),
        replace(taken_in, merged=absorption, version=taken_in.version + 1),
    )


def parted(survivor: Profile, taken_in: Profile) -> tuple[Profile, Profile]:
    """Both profiles after a merge was undone: the one that was taken in takes its own absorbed ids along."""
    gone = {taken_in.customer_id, *(each.customer_id for each in taken_in.absorbed)}
    left = tuple(each for each in survivor.absorbed if each.customer_id not in gone)
    return (
        replace(survivor, absorbed=left, version=survivor.version + 1),
        replace(taken_in, merged=None, version=taken_in.version + 1),
    )


def merge_moment(earlier: Iterable[datetime], now: datetime) -> datetime:
    """When a merge counts: after every consent and merge before it, also where a sender's clock was fast."""
    return max([now, *(at + rules.TICK for at in earlier)])


def group_of(absorbed: Iterable[Absorption]) -> str:
    """The merges behind a surviving id as one text: it differs whenever the person does."""
    return " ".join(each.merge_id for each in absorbed)
