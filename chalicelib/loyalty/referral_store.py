"""Referrals in the ledger table.

`REFCODE#{code}`/`CODE` is whose code it is, `A#{customer_id}`/`REFCODE` which code is hers; `A#{friend}`/`REFERRAL` by which
code somebody came, once for ever; `A#{customer_id}`/`REFERRALS` counts whom she referred, in all and by month. A referral
names a code and no person: of who was erased the code leads nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.loyalty.mapping import pk_of
from chalicelib.loyalty.program import ReferralTerms
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, TransactionRefused, table, transact

CODE, REFCODE, REFERRAL, REFERRALS = "CODE", "REFCODE", "REFERRAL", "REFERRALS"
KINDS = (REFCODE, REFERRAL, REFERRALS)
NEW = "attribute_not_exists(pk)"


class ReferralsMoved(Exception):
    """Something that the decision rests on is otherwise by now: load again and decide anew."""


@dataclass(frozen=True)
class Referral:
    """By which code somebody came, what both sides were promised, and for which order they got it."""

    friend: str
    code: str
    at: datetime
    points: int
    friend_points: int
    order_id: str | None = None
    refused: str = ""  # why nobody got anything


@dataclass(frozen=True)
class Room:
    """How many more friends may come by a person's code: in `month`, and at all.

    Each friend is counted under the person's surviving id, `counted_by`, and its counts stay below these.
    """

    counted_by: str
    month: str
    left_this_month: int
    left: int
    month_below: int
    ever_below: int


def code_of(customer_ids: Sequence[str]) -> str | None:
    """The code of a person, of whichever id has one. One trip, consistent, 1 read unit each."""
    keys = [(pk_of(each), REFCODE) for each in customer_ids]
    found = table("ledger").get_many(keys, consistent=True)
    return next((str(found[key]["code"]) for key in keys if key in found), None)


def owner_of(code: str) -> str | None:
    """Whose code it is. One trip, 1 read unit."""
    item = table("ledger").get(_code_pk(code), CODE, consistent=True)
    return str(item["customer_id"]) if item else None


def give_code(customer_id: str, code: str, *, now: datetime) -> None:
    """Make a code somebody's; raises ReferralsMoved where they have one or it is somebody's. One trip, 4 write units."""
    ledger = table("ledger")
    hers = {"pk": pk_of(customer_id), "sk": REFCODE, "code": code, "at": to_text(now)}
    place = {"pk": _code_pk(code), "sk": CODE, "customer_id": customer_id}
    try:
        transact([ledger.putting(hers, condition=NEW), ledger.putting(place, condition=NEW)])
    except TransactionRefused as refused:
        raise ReferralsMoved from refused


def referral_of(customer_ids: Sequence[str]) -> Referral | None:
    """By which code a person came, under whichever id. One trip, consistent, 1 read unit each."""
    keys = [(pk_of(each), REFERRAL) for each in customer_ids]
    found = table("ledger").get_many(keys, consistent=True)
    return next((_referral(found[key]) for key in keys if key in found), None)


def room(customer_ids: Sequence[str], terms: ReferralTerms, month: str) -> Room:
    """How many more friends a person may refer, by what all their ids have. One trip, consistent, 1 read unit each."""
    found = table("ledger").get_many(((pk_of(each), REFERRALS) for each in customer_ids), consistent=True)
    own = found.pop((pk_of(customer_ids[0]), REFERRALS), {})
    name = _month_key(month)
    month_below = terms.per_month - sum(item.get(name, 0) for item in found.values())
    ever_below = terms.lifetime - sum(item["ever"] for item in found.values())
    left = ever_below - own.get("ever", 0)
    left_this_month = min(month_below - own.get(name, 0), left)
    return Room(customer_ids[0], month, max(0, left_this_month), max(0, left), month_below, ever_below)


def refer(referral: Referral, room: Room, roots: Iterable[str]) -> None:
    """Write down who came by whose code and count it, or neither; raises ReferralsMoved.

    However many come at once, the count does not pass its limits. `roots` came by nobody's code, and still do. One trip;
    4 write units and 2 for each root.
    """
    ledger = table("ledger")
    item = {
        "pk": pk_of(referral.friend),
        "sk": REFERRAL,
        "code": referral.code,
        "at": to_text(referral.at),
        "points": referral.points,
        "friend_points": referral.friend_points,
    }
    counting = ledger.updating(
        pk_of(room.counted_by),
        REFERRALS,
        "ADD ever :one, #month :one",
        names={"#month": _month_key(room.month)},
        values={":one": 1, ":ever": room.ever_below, ":lately": room.month_below},
        condition="(attribute_not_exists(ever) OR ever < :ever)"
        " AND (attribute_not_exists(#month) OR #month < :lately)",
    )
    unreferred = [ledger.checking(pk_of(each), REFERRAL, condition=NEW) for each in roots]
    try:
        transact([ledger.putting(item, condition=NEW), counting, *unreferred])
    except TransactionRefused as refused:
        raise ReferralsMoved from refused


def claim(friend: str, order_id: str) -> bool:
    """Let this order, and no other one, be what both sides are rewarded for; whether it is. One trip, 1 write unit."""
    return _set(friend, "order_id", order_id)


def refuse(friend: str, reason: str) -> None:
    """Note why nobody gets anything. One trip, 1 write unit."""
    _set(friend, "refused", reason)


def erase(customer_id: str) -> int:
    """Take away everything of referrals under an id; returns how many items. Safe to break off and repeat."""
    ledger = table("ledger")
    pk = pk_of(customer_id)
    found = ledger.get_many(((pk, sk) for sk in KINDS), consistent=True)
    removed = 0
    for (_, sk), item in found.items():
        if sk == REFCODE:
            ledger.delete(_code_pk(item["code"]), CODE)  # first, or nothing would lead there any more
        ledger.delete(pk, sk)
        removed += 1
    return removed


def _set(friend: str, name: str, value: str) -> bool:
    try:
        table("ledger").update(
            pk_of(friend),
            REFERRAL,
            f"SET {name} = :value",
            values={":value": value},
            condition=f"attribute_exists(pk) AND (attribute_not_exists({name}) OR {name} = :value)",
        )
    except ConditionFailed:
        return False
    return True


def _code_pk(code: str) -> str:
    return f"REFCODE#{code}"


def _month_key(month: str) -> str:
    return f"in_{month}"


def _referral(item: Item) -> Referral:
    return Referral(
        friend=item["pk"].partition("#")[2],
        code=item["code"],
        at=from_text(item["at"]),
        points=item["points"],
        friend_points=item["friend_points"],
        order_id=item.get("order_id"),
        refused=item.get("refused", ""),
    )
