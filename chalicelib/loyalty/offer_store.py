"""What was offered to whom, in the ledger table: `A#{customer_id}`/`OFFERS` and `INCENTIVES`, one item of each.

The mark and the coupon are written in one transaction, so a window never has two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.coupons import store as coupons
from chalicelib.coupons.model import Coupon
from chalicelib.loyalty.mapping import pk_of
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import Item, TransactionRefused, table, transact

Kind = Literal["OFFERS", "INCENTIVES"]
KINDS: tuple[Kind, ...] = ("OFFERS", "INCENTIVES")
KEPT = 50  # the latest of one customer; more than fit into any window that is looked back on
NEW = "attribute_not_exists(pk)"
AS_SEEN = "version = :seen"


class MarksMoved(Exception):
    """Another request, or our own whose reply was lost, came first: load again and see which."""


@dataclass(frozen=True)
class Mark:
    """One coupon that was offered: for which item, or for a cart; when, and its code."""

    item_id: str
    at: datetime
    code: str


@dataclass(frozen=True)
class Marks:
    """Everything of one kind that was offered to one id, latest last. `version` is 0 while nothing is stored."""

    customer_id: str
    kind: Kind
    version: int = 0
    given: tuple[Mark, ...] = ()


def load(customer_ids: Sequence[str], kind: Kind) -> list[Marks]:
    """The marks of all ids of a person, in their order. One trip, consistent, 1 read unit each."""
    found = table("ledger").get_many(((pk_of(each), kind) for each in customer_ids), consistent=True)
    return [_marks(each, kind, found.get((pk_of(each), kind))) for each in customer_ids]


def issue(marks: Marks, issued: Sequence[Coupon]) -> None:
    """Issue coupons and mark them, or neither; raises MarksMoved. One trip; 2 write units and 4 for each coupon."""
    given = [*marks.given, *(Mark(_item_of(each), each.issued_at, each.code) for each in issued)]
    item = {
        "pk": pk_of(marks.customer_id),
        "sk": marks.kind,
        "version": marks.version + 1,
        "given": [[each.item_id, to_text(each.at), each.code] for each in given[-KEPT:]],
    }
    condition, values = (AS_SEEN, {":seen": marks.version}) if marks.version else (NEW, None)
    mark = table("ledger").putting(item, condition=condition, values=values)
    try:
        transact([mark, *(operation for each in issued for operation in coupons.issuing(each))])
    except TransactionRefused as refused:
        raise MarksMoved from refused


def erase(customer_id: str) -> int:
    """Take both kinds away; returns how many items there were. Two trips, and one for each."""
    ledger = table("ledger")
    keys = [(pk_of(customer_id), kind) for kind in KINDS]
    found = ledger.get_many(keys, consistent=True)
    for key in found:
        ledger.delete(*key)
    return len(found)


def _item_of(coupon: Coupon) -> str:
    return coupon.item_ids[0] if coupon.item_ids else ""


def _marks(customer_id: str, kind: Kind, item: Item | None) -> Marks:
    if item is None:
        return Marks(customer_id, kind)
    given = tuple(Mark(item_id, from_text(at), code) for item_id, at, code in item["given"])
    return Marks(customer_id, kind, item["version"], given)
