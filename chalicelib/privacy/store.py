"""Tombstones and erasures in the people table.

`GONE#{hash of an id}` / `ERASED` is a tombstone; `ERASURE#{erasure_id}`/`RECEIPT` an erasure, with
`ERASURES`/`OPEN#{erasure_id}` while it runs. The settings table holds `SENSITIVE`/`CURRENT`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.messages import gate
from chalicelib.privacy.model import DONE, RUNNING, Erasure, Subject, Tombstone, Who
from chalicelib.shared import tombstones as tombstones_at
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, TransactionRefused, table, transact
from chalicelib.shared.wanted import Wanted

RECEIPT, OPEN_PREFIX = "RECEIPT", "OPEN#"
OPEN_PARTITION = "ERASURES"
SENSITIVE_KEY = ("SENSITIVE", "CURRENT")
NEW = "attribute_not_exists(pk)"
OPERATIONS_MAX = 100  # of one transaction
OPEN_READ_MAX = 100


class Moved(Exception):
    """Somebody erased, merged or changed one of these ids first, or our own write's reply was lost: look again."""


# --- tombstones


def tombstones(who: Iterable[Who], *, consistent: bool = False) -> dict[Who, Tombstone]:
    """Who of these was erased, and when. One trip per 100; half a read unit each, twice that when consistent."""
    keys = {tombstone_key(each): each for each in who}
    found = table("people").get_many(keys, consistent=consistent)
    return {
        keys[key]: Tombstone(from_text(item["erased_at"]), item.get("erasure_id", ""))
        for key, item in found.items()
    }


def tombstone_key(who: Who) -> tuple[str, str]:
    """Where a tombstone stands."""
    return tombstones_at.key_of(*who)


# --- erasures


def begin(erasure: Erasure, versions: Mapping[str, int]) -> None:
    """Put up the tombstones, close the mail gates and open the erasure, all or nothing; raises Moved.

    `versions` are those of the person's profiles, whose ids were read after them.
    One trip; 2 write units for each id and gate and 4 more. A person of very many ids gets the last tombstones from
    `add_ids`.
    """
    people = table("people")
    operations = [
        people.putting(_item(erasure), condition=NEW),
        people.putting(
            {
                "pk": OPEN_PARTITION,
                "sk": f"{OPEN_PREFIX}{erasure.erasure_id}",
                "erasure_id": erasure.erasure_id,
            }
        ),
        # Orders keep this name: what still arrives for them is for somebody erased, and so is dropped.
        people.putting(_tombstone(("customer", erasure.subject.pseudonym), erasure, erasure_id="")),
    ]
    for customer_id in erasure.subject.customer_ids:
        operations += [
            people.putting(_tombstone(("customer", customer_id), erasure), condition=NEW),
            gate.closing(customer_id),
            # No id has joined or left the person since they were looked up.
            people.checking(
                *_profile_key(customer_id),
                condition="version = :seen" if versions.get(customer_id) else NEW,
                values={":seen": versions[customer_id]} if versions.get(customer_id) else None,
            ),
        ]
    operations += [
        people.putting(_tombstone(("anonymous", each), erasure)) for each in erasure.subject.anonymous_ids
    ]
    try:
        transact(operations[:OPERATIONS_MAX])
    except TransactionRefused as refused:
        raise Moved from refused


def profile_versions(customer_ids: Iterable[str]) -> dict[str, int]:
    """The versions of the profiles that are there. One trip per 100, 1 read unit each."""
    keys = {_profile_key(each): each for each in customer_ids}
    found = table("people").get_many(keys, consistent=True)
    return {keys[key]: item["version"] for key, item in found.items()}


def add_ids(erasure: Erasure, subject: Subject) -> None:
    """Put up what tombstones are missing, close the gates, and remember the ids. A few trips for each id."""
    for customer_id in subject.customer_ids:
        transact([gate.closing(customer_id)])
        _raise_tombstone(("customer", customer_id), erasure)
    for anonymous_id in subject.anonymous_ids:
        _raise_tombstone(("anonymous", anonymous_id), erasure)
    table("people").update(
        *_key(erasure.erasure_id),
        "SET customer_ids = :customers, anonymous_ids = :anonymous",
        values={":customers": list(subject.customer_ids), ":anonymous": list(subject.anonymous_ids)},
    )


def load(erasure_id: str) -> Erasure | None:
    """An erasure as it is this second. One trip, 1 read unit."""
    item = table("people").get(*_key(erasure_id), consistent=True)
    return _erasure(item) if item else None


def open_ids() -> list[str]:
    """The erasures that are not done. One trip."""
    found = table("people").query(OPEN_PARTITION, prefix=OPEN_PREFIX, limit=OPEN_READ_MAX, consistent=True)
    return [item["erasure_id"] for item in found]


def note_step(erasure_id: str, step: str, items: dict[str, int]) -> None:
    """Remember that a step is through, and what it removed; once, whoever says it first. One trip, 1 write unit."""
    names = {"#items": "items"} | {f"#s{place}": store for place, store in enumerate(items)}
    values: dict[str, Any] = {":step": step, ":steps": [step]}
    changes = ["steps = list_append(steps, :steps)"]
    for place, store in enumerate(items):
        changes.append(f"#items.#s{place} = if_not_exists(#items.#s{place}, :zero) + :n{place}")
        values |= {f":n{place}": items[store], ":zero": 0}
    try:
        table("people").update(
            *_key(erasure_id),
            "SET " + ", ".join(changes),
            names=names if items else None,
            values=values,
            condition="attribute_exists(pk) AND NOT contains(steps, :step)",
        )
    except ConditionFailed:
        return  # another run of the same erasure was here, or our own reply was lost


def note_sweep(erasure_id: str, *, now: datetime) -> None:
    """Remember when the first sweep was through. One trip, 1 write unit."""
    table("people").update(
        *_key(erasure_id), "SET swept_at = if_not_exists(swept_at, :now)", values={":now": to_text(now)}
    )


def finish(erasure_id: str, *, now: datetime) -> None:
    """Close an erasure, and forget whose it was. One trip; doing it again changes nothing."""
    people = table("people")
    try:
        transact(
            [
                people.updating(
                    *_key(erasure_id),
                    "SET #status = :done, finished_at = :now REMOVE customer_ids, anonymous_ids, pseudonym",
                    names={"#status": "status"},
                    values={":done": DONE, ":now": to_text(now), ":running": RUNNING},
                    condition="#status = :running",
                ),
                people.deleting(OPEN_PARTITION, f"{OPEN_PREFIX}{erasure_id}"),
            ]
        )
    except TransactionRefused as refused:
        if "TransactionConflict" in refused.reasons:
            raise  # neither run has done it yet, perhaps: the next tick looks again


# --- settings


def sensitive_wanted() -> Wanted[list[str] | None]:
    """The categories the shop named, None when it named none. 1 read unit."""
    place = table("settings").at(*SENSITIVE_KEY)
    return Wanted((place,), lambda found: list(found[place]["categories"]) if place in found else None)


def save_sensitive(categories: Sequence[str]) -> None:
    """Replace them. One trip, 1 write unit."""
    pk, sk = SENSITIVE_KEY
    table("settings").put({"pk": pk, "sk": sk, "categories": list(categories)})


def _profile_key(customer_id: str) -> tuple[str, str]:
    return f"C#{customer_id}", "PROFILE"


def _key(erasure_id: str) -> tuple[str, str]:
    return f"ERASURE#{erasure_id}", RECEIPT


def _raise_tombstone(who: Who, erasure: Erasure) -> None:
    try:
        table("people").put(_tombstone(who, erasure), condition=NEW)
    except ConditionFailed:
        return  # it stands


def _tombstone(who: Who, erasure: Erasure, *, erasure_id: str | None = None) -> Item:
    pk, sk = tombstone_key(who)
    named = erasure.erasure_id if erasure_id is None else erasure_id
    item: Item = {"pk": pk, "sk": sk, "erased_at": to_text(erasure.requested_at)}
    return item | ({"erasure_id": named} if named else {})


def _item(erasure: Erasure) -> Item:
    pk, sk = _key(erasure.erasure_id)
    return {
        "pk": pk,
        "sk": sk,
        "erasure_id": erasure.erasure_id,
        "status": erasure.status,
        "requested_at": to_text(erasure.requested_at),
        "customer_ids": list(erasure.subject.customer_ids),
        "anonymous_ids": list(erasure.subject.anonymous_ids),
        "pseudonym": erasure.subject.pseudonym,
        "items": {},
        "steps": [],
    }


def _erasure(item: Item) -> Erasure:
    return Erasure(
        erasure_id=item["erasure_id"],
        subject=Subject(
            tuple(item.get("customer_ids", ())),
            tuple(item.get("anonymous_ids", ())),
            item.get("pseudonym", ""),
        ),
        requested_at=from_text(item["requested_at"]),
        status=item["status"],
        swept_at=from_text(item["swept_at"]) if "swept_at" in item else None,
        finished_at=from_text(item["finished_at"]) if "finished_at" in item else None,
        items=item["items"],
        steps=frozenset(item["steps"]),
    )
