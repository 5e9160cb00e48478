"""Merges in the people table: `MERGE#{merge_id}` / `MERGE` records one, `C#{customer_id}` / `MERGE#{merge_id}` lists it.

A merge changes how ids belong together and nothing else: profiles keep what they hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.customers import mail_gates, mapping, merging, store
from chalicelib.customers.mail_gates import grouping
from chalicelib.customers.mapping import PROFILE, pk_of
from chalicelib.customers.model import Merge, Profile, Selves
from chalicelib.customers.store import AS_SEEN, NEW
from chalicelib.shared import tombstones
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import Item, TransactionRefused, table, transact

MERGE = "MERGE"
LISTED_PREFIX = "MERGE#"
LISTED_MAX = 1000


@dataclass(frozen=True)
class Pair:
    """Both sides of a merge as stored (version 0: not at all), and the merge if it was recorded; or one was erased."""

    survivor: Profile
    taken_in: Profile
    merge: Merge | None
    erased: bool = False


class MergeMoved(Exception):
    """One of the profiles changed, or our own write whose reply was lost came first: load again and see which."""


def load(merge_id: str) -> Merge | None:
    """One merge. One trip, 1 read unit."""
    item = table("people").get(*_key(merge_id), consistent=True)
    return _merge(item) if item else None


def load_pair(survivor_id: str, taken_in_id: str, merge_id: str) -> Pair:
    """Everything that decides about a merge or its undoing. One trip, 5 read units, consistent."""
    keys = [(pk_of(survivor_id), PROFILE), (pk_of(taken_in_id), PROFILE), _key(merge_id)]
    tombs = [tombstones.key_of("customer", each) for each in (survivor_id, taken_in_id)]
    found = table("people").get_many([*keys, *tombs], consistent=True)
    record = found.get(keys[2])
    return Pair(
        mapping.to_profile(survivor_id, found.get(keys[0])),
        mapping.to_profile(taken_in_id, found.get(keys[1])),
        _merge(record) if record else None,
        erased=any(each in found for each in tombs),
    )


def load_family(pair: Pair) -> Selves | None:
    """Everybody whom the surviving side of a pair speaks for; None where that changed on the way.

    No trip for two ids, else one, 1 read unit per 4 KB of each of the others; consistent.
    """
    others = [each.customer_id for each in pair.survivor.absorbed]
    known = {pair.taken_in.customer_id: pair.taken_in}
    missing = [each for each in others if each not in known]
    known |= store.load_many(missing, consistent=True) if missing else {}
    if not all(each in known and known[each].merged for each in others):
        return None
    return Selves((pair.survivor, *(known[each] for each in others)))


def commit(pair: Pair, survivor: Profile, taken_in: Profile, merge: Merge) -> None:
    """Record a merge, with both profiles and both mail gates, or nothing; raises MergeMoved.

    One trip, 14 write units and what the profiles take.
    """
    people = table("people")
    rows = [{"pk": pk_of(each), "sk": f"{LISTED_PREFIX}{merge.merge_id}"} for each in _sides(merge)]
    operations = [
        *_moving(pair.survivor, survivor),
        *_moving(pair.taken_in, taken_in),
        people.putting(item_of(merge), condition=NEW),
        *(people.putting(row | {"merge_id": merge.merge_id}) for row in rows),
        grouping(survivor.customer_id, group_of(survivor)),
        grouping(taken_in.customer_id, group_of(taken_in)),
        # Whoever is being erased is taken in by nobody and takes in nobody.
        *(
            people.checking(*tombstones.key_of("customer", each.customer_id), condition=NEW)
            for each in (pair.survivor, pair.taken_in)
            if each.version
        ),
    ]
    _transact(operations)


def commit_undo(
    pair: Pair,
    after: tuple[Profile, Profile],
    merge: Merge,
    *,
    selves: Selves,
    gates: Mapping[str, merging.Consents],
    carried: Mapping[str, merging.Consents],
) -> None:
    """Record that a merge was undone, with both profiles and gates, or nothing; raises MergeMoved.

    Everything that `selves` and their gates were told must still stand: what is withdrawn meanwhile counts for both
    sides. `carried` is what each side's gate has to learn. A profile that the merge itself had made is taken away again
    unless somebody has spoken of it since. One trip; 10 write units and what the profiles take, and 4 for each further
    id of the person.
    """
    people = table("people")
    sides = ((pair.survivor, after[0]), (pair.taken_in, after[1]))
    others = [each for each in selves.profiles if each.customer_id not in _sides(merge)]
    operations = [
        *(operation for side in sides for operation in _parting(*side, merge)),
        people.putting(item_of(merge), condition="attribute_exists(pk) AND attribute_not_exists(undone_at)"),
        *(
            mail_gates.parting(each, group_of(side), seen=gates[each], withdrawn=carried[each])
            for side in after
            for each in [side.customer_id]
        ),
        *(people.checking(*tombstones.key_of("customer", each), condition=NEW) for each in _sides(merge)),
        *(
            people.checking(
                pk_of(each.customer_id), PROFILE, condition=AS_SEEN, values={":seen": each.version}
            )
            for each in others
        ),
        *(mail_gates.standing(each.customer_id, gates[each.customer_id]) for each in others),
    ]
    _transact(operations)


def group_of(profile: Profile) -> str:
    """What a mail gate knows of its customer's merges: enough to notice that it is to be asked for another group."""
    if profile.merged:
        return f"in {profile.merged.into}"
    return merging.group_of(profile.absorbed)


def merges_of(customer_id: str) -> list[str]:
    """Every merge that an id took part in, undone ones too. One trip, consistent."""
    found = table("people").query(pk_of(customer_id), prefix=LISTED_PREFIX, limit=LISTED_MAX, consistent=True)
    return [item["merge_id"] for item in found]


def load_merges(merge_ids: Sequence[str]) -> list[Merge]:
    """Many merges, those that are there. One trip per 100, 1 read unit each."""
    found = table("people").get_many(map(_key, merge_ids), consistent=True)
    return [_merge(found[_key(each)]) for each in merge_ids if _key(each) in found]


def forget(merge: Merge) -> None:
    """Take a merge's record away with its rows. One trip."""
    people = table("people")
    rows = [(pk_of(each), f"{LISTED_PREFIX}{merge.merge_id}") for each in _sides(merge)]
    transact([people.deleting(*key) for key in (_key(merge.merge_id), *rows)])


def merge_of(item: Item) -> Merge | None:
    """The merge that an item of the people table records, None for any other item."""
    return _merge(item) if item["sk"] == MERGE else None


def _moving(before: Profile, after: Profile) -> list[dict[str, Any]]:
    """Only how the id belongs to others changes, and what it takes along; the rest is another writer's."""
    people = table("people")
    if not before.version:
        # Nobody has spoken of this id; it needs a profile to be merged.
        item = mapping.of_profile(after) | {"written_by": ""}
        return [
            people.putting(item, condition=NEW),
            people.checking(*tombstones.key_of("customer", after.customer_id), condition=NEW),
        ]
    values: dict[str, Any] = {":seen": before.version, ":next": after.version}
    sets, removes = ["version = :next"], []
    item = mapping.of_profile(after)
    told = ("consents", "consent_history", "updated_at") if after.consents != before.consents else ()
    for name, value in (
        ("merged", item.get("merged")),
        ("absorbed", item.get("absorbed")),
        *((name, item[name]) for name in told),
    ):
        if value:
            sets.append(f"{name} = :{name}")
            values[f":{name}"] = value
        else:
            removes.append(name)
    change = f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else "")
    return [people.updating(pk_of(after.customer_id), PROFILE, change, values=values, condition=AS_SEEN)]


def _parting(before: Profile, after: Profile, merge: Merge) -> list[dict[str, Any]]:
    if before.customer_id in merge.made and before.version == 1 and after.consents == before.consents:
        key = pk_of(before.customer_id), PROFILE
        return [table("people").deleting(*key, condition=AS_SEEN, values={":seen": before.version})]
    return _moving(before, after)


def _transact(operations: list[dict[str, Any]]) -> None:
    try:
        transact(operations)
    except TransactionRefused as refused:
        raise MergeMoved from refused


def _sides(merge: Merge) -> tuple[str, str]:
    return merge.survivor, merge.absorbed


def _key(merge_id: str) -> tuple[str, str]:
    return f"MERGE#{merge_id}", MERGE


def item_of(merge: Merge) -> Item:
    """The item of a merge."""
    pk, sk = _key(merge.merge_id)
    item: Item = {
        "pk": pk,
        "sk": sk,
        "merge_id": merge.merge_id,
        "survivor": merge.survivor,
        "absorbed": merge.absorbed,
        "reason": merge.reason,
        "merged_by": merge.merged_by,
        "merged_at": to_text(merge.merged_at),
        "fingerprint": merge.fingerprint,
        "made": [*merge.made],
    }
    if merge.undone_at:
        item |= {"undone_at": to_text(merge.undone_at), "undone_by": merge.undone_by}
    return item


def _merge(item: Item) -> Merge:
    return Merge(
        merge_id=item["merge_id"],
        survivor=item["survivor"],
        absorbed=item["absorbed"],
        reason=item["reason"],
        merged_by=item["merged_by"],
        merged_at=from_text(item["merged_at"]),
        fingerprint=item["fingerprint"],
        made=tuple(item["made"]),
        undone_at=_moment(item.get("undone_at")),
        undone_by=item.get("undone_by", ""),
    )


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None
