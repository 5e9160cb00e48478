"""The people table: `C#{customer_id}` holds a `PROFILE`; `ID#anonymous#{anonymous_id}` holds a `LINK` to its customer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.customers.model import (
    UNSUBSCRIBE,
    Absorption,
    Consent,
    Profile,
    Selves,
    Trait,
    status_of,
)
from chalicelib.messages import gate
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import TRIES_MAX, ConditionFailed, Item, TransactionRefused, table, transact
from chalicelib.shared.errors import Busy

PROFILE, LINK, ERASED = "PROFILE", "LINK", "ERASED"
GATED = gate.PURPOSES

NEW = "attribute_not_exists(pk)"
AS_SEEN = "version = :seen"
FREE_OR_MINE = "attribute_not_exists(pk) OR customer_id = :me"


@dataclass(frozen=True)
class Loaded:
    """A profile as stored (version 0: not at all), who wrote it, and whom the asked anonymous id belongs to."""

    profile: Profile
    written_by: str
    owner: str | None


class ProfileMoved(Exception):
    """Another write, or our own whose reply was lost, came first: load again and see which."""


class GateIsNewer(Exception):
    """The mail gate holds a later word on consent than the profile, e.g. from an unsubscribe link."""

    def __init__(self, consents: dict[str, Consent]) -> None:
        super().__init__("the gate is newer")
        self.consents = consents


def load(customer_id: str, anonymous_id: str | None = None) -> Loaded:
    """The profile, consistent. One trip, 1 read unit per 4 KB, 1 more for the anonymous id's link."""
    keys = [(_pk(customer_id), PROFILE)] + ([_link_key(anonymous_id)] if anonymous_id else [])
    found = table("people").get_many(keys, consistent=True)
    item = found.get(keys[0])
    link = found.get(keys[1]) if anonymous_id else None
    return Loaded(
        profile=_profile(customer_id, item),
        written_by=item["written_by"] if item else "",
        owner=link["customer_id"] if link else None,
    )


def load_selves(customer_id: str) -> Selves:
    """Every profile of the person whom an id belongs to, consistent; one of version 0 when nothing is stored.

    One trip, 1 read unit per 4 KB, for who was never merged; else a trip for each id on the way to the surviving one,
    and one for the others.
    """
    for _ in range(TRIES_MAX):
        head = load(customer_id).profile
        while head.merged:
            head = load(head.merged.into).profile
        ids = [each.customer_id for each in head.absorbed]
        if customer_id not in (head.customer_id, *ids):
            continue  # a merge was undone while we were on the way
        if not ids:
            return Selves((head,))
        found = table("people").get_many([(_pk(each), PROFILE) for each in ids], consistent=True)
        others = [_profile(each, found.get((_pk(each), PROFILE))) for each in ids]
        if all(each.merged for each in others):
            return Selves((head, *others))
    raise Busy("the ids of this customer kept being merged and parted")


def erased_among(customer_ids: Iterable[str]) -> set[str]:
    """Those of the ids that were erased, consistent. One trip per 100, 1 read unit each."""
    found = table("people").get_many(((_pk(each), ERASED) for each in customer_ids), consistent=True)
    return {pk.removeprefix("C#") for pk, _ in found}


def load_many(customer_ids: Iterable[str]) -> dict[str, Profile]:
    """The profiles of those who have one. One trip per 100, half a read unit per 4 KB each."""
    found = table("people").get_many((_pk(customer_id), PROFILE) for customer_id in customer_ids)
    return {item["customer_id"]: _profile(item["customer_id"], item) for item in found.values()}


def customer_of(anonymous_id: str) -> str | None:
    """Whom an anonymous id belongs to. One trip, 1 read unit."""
    link = table("people").get(*_link_key(anonymous_id), consistent=True)
    return link["customer_id"] if link else None


def commit(before: Profile, after: Profile, *, write_id: str) -> None:
    """Write a profile with its new link and its change of consent, all or nothing. One trip.

    1 write unit per KB; with a link or a consent for a channel 2 per KB and 2 for each of them. Raises ProfileMoved
    or GateIsNewer.
    """
    people = table("people")
    item = _item(after) | {"written_by": write_id}
    condition, values = (AS_SEEN, {":seen": before.version}) if before.version else (NEW, {})
    operations = [people.putting(item, condition=condition, values=values)]
    links = [each for each in after.anonymous_ids if each not in before.anonymous_ids]
    operations += [_linking(each, after) for each in links]
    changed = [each for each in GATED if after.consents.get(each) != before.consents.get(each)]
    operations += [
        gate.consent_operation(
            after.customer_id, each, after.consents[each].is_granted, after.consents[each].at
        )
        for each in changed
    ]
    assert len(changed) <= 1, "one statement changes one gated purpose at most"
    try:
        if len(operations) == 1:
            people.put(item, condition=condition, values=values)
        else:
            transact(operations)
    except ConditionFailed as failed:
        raise ProfileMoved from failed
    except TransactionRefused as refused:
        if changed and refused.reasons[-1] == "ConditionalCheckFailed":
            raise GateIsNewer(gate_consents(refused.old[-1])) from refused
        raise ProfileMoved from refused


def load_gate(customer_id: str) -> dict[str, Consent]:
    """The consents as the mail gate has them. One trip, 1 read unit."""
    return gate_consents(table("engagement").get(_pk(customer_id), gate.SK, consistent=True))


def gate_consents(item: Item | None) -> dict[str, Consent]:
    """Consents out of a gate's item. What the gate knows and a profile does not is an unsubscription."""
    return {
        purpose: Consent(
            status_of(granted=item[f"consent_{purpose}"]),
            from_text(item[f"consent_{purpose}_at"]),
            item.get(f"consent_{purpose}_source", UNSUBSCRIBE),
        )
        for purpose in GATED
        if item and f"consent_{purpose}_at" in item
    }


def import_profiles(profiles: Sequence[Profile], *, write_id: str) -> int:
    """Write the profiles that are not there yet, with their gates; returns how many. Safe to repeat.

    Per 100 profiles one trip to look and eight to write. Not for use while the same customers speak for themselves.
    """
    existing = load_many(profile.customer_id for profile in profiles)
    fresh = [profile for profile in profiles if profile.customer_id not in existing]
    # Gates first: a run that dies in between finds these customers missing, and writes both again.
    table("engagement").put_many([_gate_item(profile) for profile in fresh])
    table("people").put_many([_item(profile) | {"written_by": write_id} for profile in fresh])
    return len(fresh)


def _linking(anonymous_id: str, profile: Profile) -> dict[str, Any]:
    pk, sk = _link_key(anonymous_id)
    assert profile.updated_at is not None, "a profile that is written has a time"
    return table("people").putting(
        {"pk": pk, "sk": sk, "customer_id": profile.customer_id, "linked_at": to_text(profile.updated_at)},
        condition=FREE_OR_MINE,
        values={":me": profile.customer_id},
    )


def _pk(customer_id: str) -> str:
    return f"C#{customer_id}"


def _link_key(anonymous_id: str) -> tuple[str, str]:
    return f"ID#anonymous#{anonymous_id}", LINK


def _item(profile: Profile) -> Item:
    assert profile.created_at is not None, "a profile that is written has a beginning"
    assert profile.updated_at is not None, "a profile that is written has a time"
    traits = {name: [trait.value, trait.source, to_text(trait.at)] for name, trait in profile.traits.items()}
    return {
        "pk": _pk(profile.customer_id),
        "sk": PROFILE,
        "customer_id": profile.customer_id,
        "version": profile.version,
        # One text, because a trait may be any JSON, also with fractions, which the store does not take.
        "traits": json.dumps(traits, ensure_ascii=False, separators=(",", ":")),
        "consents": {purpose: _consent_item(consent) for purpose, consent in profile.consents.items()},
        "anonymous_ids": list(profile.anonymous_ids),
        "created_at": to_text(profile.created_at),
        "updated_at": to_text(profile.updated_at),
        "confirmed": profile.confirmed,
        "imported": profile.imported,
        **({"merged": _absorption_item(profile.merged)} if profile.merged else {}),
        **({"absorbed": [*map(_absorption_item, profile.absorbed)]} if profile.absorbed else {}),
    }


def _profile(customer_id: str, item: Item | None) -> Profile:
    if item is None:
        return Profile(customer_id)
    traits: Mapping[str, Any] = json.loads(item["traits"])
    return Profile(
        customer_id=customer_id,
        version=item["version"],
        traits={name: Trait(value, source, from_text(at)) for name, (value, source, at) in traits.items()},
        consents={
            purpose: replace(Consent(**each), at=from_text(each["at"]))
            for purpose, each in item["consents"].items()
        },
        anonymous_ids=tuple(item["anonymous_ids"]),
        created_at=from_text(item["created_at"]),
        updated_at=from_text(item["updated_at"]),
        confirmed=item["confirmed"],
        imported=item["imported"],
        merged=_absorption(item["merged"]) if "merged" in item else None,
        absorbed=tuple(map(_absorption, item.get("absorbed", ()))),
    )


def _absorption_item(absorption: Absorption) -> dict[str, Any]:
    return {
        "customer_id": absorption.customer_id,
        "into": absorption.into,
        "merge_id": absorption.merge_id,
        "at": to_text(absorption.at),
    }


def _absorption(item: Mapping[str, Any]) -> Absorption:
    return Absorption(item["customer_id"], item["into"], item["merge_id"], from_text(item["at"]))


def _consent_item(consent: Consent) -> dict[str, Any]:
    item: dict[str, str] = {"status": consent.status, "at": to_text(consent.at), "source": consent.source}
    return item | ({"wording_version": consent.wording_version} if consent.wording_version else {})


def _gate_item(profile: Profile) -> Item:
    item: Item = {"pk": _pk(profile.customer_id), "sk": gate.SK}
    for purpose in GATED:
        if purpose in profile.consents:
            item[f"consent_{purpose}"] = profile.consents[purpose].is_granted
            item[f"consent_{purpose}_at"] = to_text(profile.consents[purpose].at)
    return item
