"""The people table: `C#{customer_id}` holds a `PROFILE`; `ID#anonymous#{anonymous_id}` holds a `LINK` to its customer.

`ID#{kind}#{value}` / `C#{customer_id}` lists whose identifier an address, a telephone number or a card is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.customers import identifiers, mail_gates, mapping
from chalicelib.customers.identifiers import Identifier
from chalicelib.customers.mail_gates import GATED
from chalicelib.customers.mapping import PROFILE, link_key, pk_of
from chalicelib.customers.model import SHARED_BY_MAX, Consent, Profile, Selves
from chalicelib.shared import ids, tombstones
from chalicelib.shared.clock import to_text
from chalicelib.shared.config import config
from chalicelib.shared.dynamo import (
    ConditionFailed,
    Item,
    TransactionRefused,
    table,
    transact,
)
from chalicelib.shared.errors import Busy
from chalicelib.shared.rounds import rounds
from chalicelib.shared.wanted import Found, Wanted, alone

MARK_LENGTH = 16
NOBODY = ""  # whom an anonymous id belongs to that too many people share

NEW = "attribute_not_exists(pk)"
AS_SEEN = "version = :seen"
FREE_OR_MINE = "attribute_not_exists(pk) OR customer_id = :me"


@dataclass(frozen=True)
class Link:
    """Whom an anonymous id belongs to, NOBODY when too many share it, and marks of who else has used it.

    Marks and not ids: they would outlive the erasure of whoever they name.
    """

    owner: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """A profile as stored (version 0: not at all), who wrote it, and whom the asked anonymous id belongs to; or erased."""

    profile: Profile
    written_by: str
    link: Link | None
    erased: bool = False

    @property
    def owner(self) -> str | None:
        return self.link.owner if self.link else None


class ProfileMoved(Exception):
    """Another write, or our own whose reply was lost, came first: load again and see which."""


class Erased(Exception):
    """This customer was erased, and nothing may make them anew."""


class GateIsNewer(Exception):
    """The mail gate holds a later word on consent than the profile, e.g. from an unsubscribe link."""

    def __init__(self, consents: dict[str, Consent]) -> None:
        super().__init__("the gate is newer")
        self.consents = consents


def load(customer_id: str, anonymous_id: str | None = None) -> Loaded:
    """The profile as it is stored, consistent. One trip, 1 read unit per 4 KB and 1 for the tombstone.

    1 more for the anonymous id's link.
    """
    return alone(wanted(customer_id, anonymous_id))


def wanted(customer_id: str, anonymous_id: str | None = None) -> Wanted[Loaded]:
    """What `load` loads, for whoever wants more in the same trip."""
    people = table("people")
    places = [people.at(pk_of(customer_id), PROFILE), people.at(*tombstones.key_of("customer", customer_id))]
    places += [people.at(*link_key(anonymous_id))] if anonymous_id else []

    def read(found: Found) -> Loaded:
        item = found.get(places[0])
        link = found.get(places[2]) if anonymous_id else None
        return Loaded(
            profile=mapping.to_profile(customer_id, item),
            written_by=item["written_by"] if item else "",
            link=Link(link["customer_id"], tuple(link.get("also", ()))) if link else None,
            erased=places[1] in found,
        )

    return Wanted(tuple(places), read)


def load_selves(customer_id: str, first: Loaded | None = None) -> Selves:
    """Every profile of the person whom an id belongs to, consistent; one of version 0 when nothing is stored.

    Whoever was erased is gone from the tombstone on, also while what was stored is still being taken away. `first` is
    what was loaded of the id itself already.

    One trip, 1 read unit per 4 KB, for who was never merged; else a trip for each id on the way to the surviving one,
    and one for the others.
    """
    for _ in rounds():
        loaded, first = first or load(customer_id), None
        asked = loaded
        while loaded.profile.merged and not loaded.erased:
            loaded = load(loaded.profile.merged.into)
        if loaded.erased:
            return Selves((Profile(customer_id),))
        head = loaded.profile
        absorbed = [each.customer_id for each in head.absorbed]
        if customer_id not in (head.customer_id, *absorbed):
            continue  # a merge was undone while we were on the way
        if not absorbed:
            return Selves((head,), asked.written_by)
        others = load_many(absorbed, consistent=True)
        if all(each in others and others[each].merged for each in absorbed):
            return Selves((head, *(others[each] for each in absorbed)), asked.written_by)
    raise Busy("the ids of this customer kept being merged and parted")


def load_many(customer_ids: Iterable[str], *, consistent: bool = False) -> dict[str, Profile]:
    """The profiles of those who have one. One trip per 100, half a read unit per 4 KB each, twice that consistent."""
    keys = [(pk_of(customer_id), PROFILE) for customer_id in customer_ids]
    found = table("people").get_many(keys, consistent=consistent)
    return {item["customer_id"]: mapping.to_profile(item["customer_id"], item) for item in found.values()}


def page(after: tuple[str, str] | None, *, limit: int) -> tuple[list[Profile], tuple[str, str] | None]:
    """The profiles among the next items of the whole table, and where to go on, None at the end.

    One trip; half a read unit for every 4 KB passed.
    """
    found, last = table("people").scan(sk=PROFILE, after=after, limit=limit)
    return [mapping.to_profile(item["customer_id"], item) for item in found], last


def erased_among(customer_ids: Iterable[str]) -> set[str]:
    """Those of the ids that were erased, consistent. One trip per 100, 1 read unit each."""
    keys = {tombstones.key_of("customer", each): each for each in customer_ids}
    return {keys[key] for key in table("people").get_many(keys, consistent=True)}


def customer_of(anonymous_id: str) -> str | None:
    """Whom an anonymous id belongs to; NOBODY where too many share it. One trip, 1 read unit."""
    link = table("people").get(*link_key(anonymous_id), consistent=True)
    return str(link["customer_id"]) if link else None


def customers_of(anonymous_ids: Iterable[str]) -> dict[str, str]:
    """As `customer_of`, of many; those that are nobody's are left out. One trip per 100, 1 read unit each."""
    keys = {link_key(each): each for each in anonymous_ids}
    found = table("people").get_many(keys, consistent=True)
    return {keys[key]: link["customer_id"] for key, link in found.items() if link["customer_id"] != NOBODY}


def having(identifier: Identifier, *, limit: int, after: str = "") -> list[str]:
    """The customer ids that have an identifier, by id, from behind `after`. One trip, consistent; 1 unit per 4 KB."""
    found = table("people").query(
        identifiers.key_of(identifier),
        after=pk_of(after) if after else "",
        prefix=pk_of(""),
        limit=limit,
        consistent=True,
    )
    return [item["customer_id"] for item in found]


def commit(before: Profile, after: Profile, *, write_id: str, unchanged: Sequence[Profile] = ()) -> None:
    """Write a profile with its links, its identifiers and its change of consent, all or nothing. One trip.

    1 write unit per KB; beside anything else 2 per KB and 2 for each of the rest. `unchanged` are other profiles that
    must still be as they were read. Raises ProfileMoved, GateIsNewer or Erased.
    """
    people = table("people")
    item = mapping.of_profile(after) | {"written_by": write_id}
    condition, values = (AS_SEEN, {":seen": before.version}) if before.version else (NEW, {})
    operations = [people.putting(item, condition=condition, values=values)]
    operations += [_alive(after.customer_id)] if not before.version else []
    operations += [
        people.checking(pk_of(each.customer_id), PROFILE, condition=AS_SEEN, values={":seen": each.version})
        for each in unchanged
    ]
    operations += _linkings(before, after) + _listings(before, after)
    changed = [each for each in GATED if after.consents.get(each) != before.consents.get(each)]
    operations += [mail_gates.operation(after.customer_id, each, after.consents[each]) for each in changed]
    assert len(changed) <= 1, "one statement changes one gated purpose at most"
    try:
        if len(operations) == 1:
            people.put(item, condition=condition, values=values)
        else:
            transact(operations)
    except ConditionFailed as failed:
        raise ProfileMoved from failed
    except TransactionRefused as refused:
        if not before.version and refused.reasons[1] == "ConditionalCheckFailed":
            raise Erased from refused
        if changed and refused.reasons[-1] == "ConditionalCheckFailed":
            raise GateIsNewer(mail_gates.consents_of(refused.old[-1])) from refused
        raise ProfileMoved from refused


def mark_of(anonymous_id: str, customer_id: str) -> str:
    """What a device remembers of somebody who is not its owner."""
    return ids.fingerprint(anonymous_id, customer_id)[:MARK_LENGTH]


def note_other(anonymous_id: str, link: Link, customer_id: str) -> None:
    """Remember that somebody else uses a device too; when too many do, it is nobody's from then on.

    One trip, 1 write unit; 4 and a unit per KB of the owner's profile when it is taken from them. A lost race is left
    to the next one who uses it.
    """
    people = table("people")
    pk, sk = link_key(anonymous_id)
    also = (*link.also, mark_of(anonymous_id, customer_id))
    as_seen = {":owner": link.owner, ":count": len(link.also)}
    condition = "customer_id = :owner AND (attribute_not_exists(also) OR size(also) = :count)"
    try:
        if len(also) < SHARED_BY_MAX:
            people.update(pk, sk, "SET also = :also", values=as_seen | {":also": also}, condition=condition)
            return
        loaded = load(link.owner)
        kept = [each for each in loaded.profile.anonymous_ids if each != anonymous_id]
        values = {":ids": kept, ":seen": loaded.profile.version, ":next": loaded.profile.version + 1}
        change = "SET anonymous_ids = :ids, version = :next"
        transact(
            [
                people.updating(
                    pk,
                    sk,
                    "SET customer_id = :nobody, also = :also",
                    values=as_seen | {":nobody": NOBODY, ":also": also},
                    condition=condition,
                ),
                people.updating(pk_of(link.owner), PROFILE, change, values=values, condition=AS_SEEN),
            ]
        )
    except (ConditionFailed, TransactionRefused):
        return


def listed(profile: Profile) -> frozenset[Identifier]:
    """The identifiers under which a profile is found."""
    return identifiers.of_profile(profile, config().shop_country)


def _alive(customer_id: str) -> dict[str, Any]:
    return table("people").checking(*tombstones.key_of("customer", customer_id), condition=NEW)


def _linkings(before: Profile, after: Profile) -> list[dict[str, Any]]:
    assert after.updated_at is not None, "a profile that is written has a time"
    linked_at = to_text(after.updated_at)
    operations = []
    for anonymous_id in after.anonymous_ids:
        pk, sk = link_key(anonymous_id)
        if anonymous_id not in before.anonymous_ids:
            item = {"pk": pk, "sk": sk, "customer_id": after.customer_id, "linked_at": linked_at}
            operations.append(
                table("people").putting(item, condition=FREE_OR_MINE, values={":me": after.customer_id})
            )
    forgotten = [each for each in before.anonymous_ids if each not in after.anonymous_ids]
    return operations + [table("people").deleting(*link_key(each)) for each in forgotten]


def _listings(before: Profile, after: Profile) -> list[dict[str, Any]]:
    names = identifiers.IDENTIFYING
    if before.external_ids == after.external_ids and all(
        before.traits.get(name) == after.traits.get(name) for name in names
    ):
        return []
    old, new = listed(before), listed(after)
    people = table("people")
    added = [people.putting(listing(each, after)) for each in sorted(new - old)]
    removed = [
        people.deleting(identifiers.key_of(each), pk_of(after.customer_id)) for each in sorted(old - new)
    ]
    return added + removed


def listing(identifier: Identifier, profile: Profile) -> Item:
    """The row by which a profile is found."""
    return {
        "pk": identifiers.key_of(identifier),
        "sk": pk_of(profile.customer_id),
        "customer_id": profile.customer_id,
    }
