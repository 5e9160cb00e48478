"""Coupons in the people table: `COUPON#{code}`/`COUPON`, and `C#{customer_id}`/`COUPON#{code}` by which hers are found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from chalicelib.coupons.model import CODE_LENGTH, Coupon, CouponTerms
from chalicelib.shared import codes
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, table

COUPON = "COUPON"
OF_PREFIX = "COUPON#"
OF_CUSTOMER_MAX = 1000
NEW = "attribute_not_exists(pk)"
REDEEMABLE = (
    "attribute_exists(pk) AND attribute_not_exists(redeemed_at) AND expires_at > :now"
    " AND (attribute_not_exists(valid_from) OR valid_from <= :now)"
)
TIMES = ("issued_at", "expires_at", "valid_from", "redeemed_at")


def new_code() -> str:
    """A code that nobody has and nobody can guess."""
    return codes.new(CODE_LENGTH)


def issuing(coupon: Coupon) -> list[dict[str, Any]]:
    """A new coupon as two operations of a transaction. 4 write units."""
    people = table("people")
    pk, sk = key_of(coupon.code)
    pointer = {"pk": _pk(coupon.customer_id), "sk": OF_PREFIX + coupon.code, "code": coupon.code}
    return [
        people.putting({"pk": pk, "sk": sk, **_plain(coupon)}, condition=NEW),
        people.putting(pointer, condition=NEW),
    ]


def coupon(code: str) -> Coupon | None:
    """One coupon, consistent. One trip, 1 read unit."""
    item = table("people").get(*key_of(code), consistent=True)
    return _coupon(item) if item else None


def coupons(codes: Iterable[str]) -> list[Coupon]:
    """Many of them, those that are there. Consistent; one trip per 100, none for none."""
    keys = [key_of(code) for code in codes]
    found = table("people").get_many(keys, consistent=True) if keys else {}
    return [_coupon(item) for item in found.values()]


def of_customers(customer_ids: Iterable[str]) -> list[Coupon]:
    """Every coupon of these ids. Consistent; a trip for each id and one per 100 coupons."""
    return coupons(code for each in customer_ids for code in _codes_of(each))


def redeem(code: str, *, order_id: str, now: datetime) -> Coupon | None:
    """Redeem a coupon that can be used now; None when it cannot. One trip, 1 write unit."""
    at = to_text(now)
    try:
        item = table("people").update(
            *key_of(code),
            "SET redeemed_at = :now, order_id = :order",
            values={":now": at, ":order": order_id},
            condition=REDEEMABLE,
        )
    except ConditionFailed:
        return None
    return _coupon(item)


def erase(customer_id: str) -> int:
    """Remove every coupon of a customer; returns how many. Safe to break off and repeat: what leads there goes last."""
    people = table("people")
    found = _codes_of(customer_id)
    for code in found:
        people.delete(*key_of(code))
        people.delete(_pk(customer_id), OF_PREFIX + code)
    return len(found)


def key_of(code: str) -> tuple[str, str]:
    """Where a coupon lies."""
    return f"{COUPON}#{code}", COUPON


def _pk(customer_id: str) -> str:
    return f"C#{customer_id}"


def _codes_of(customer_id: str) -> list[str]:
    found = table("people").query(_pk(customer_id), prefix=OF_PREFIX, limit=OF_CUSTOMER_MAX, consistent=True)
    return [item["code"] for item in found]


def _plain(coupon: Coupon) -> Item:
    times = {name: to_text(at) for name in TIMES if (at := getattr(coupon, name))}
    item: Item = asdict(coupon) | times
    return {name: value for name, value in item.items() if value not in (None, "", ())}


def _coupon(item: Item) -> Coupon:
    known = {name: value for name, value in item.items() if name not in ("pk", "sk")}
    times = {name: from_text(known[name]) for name in TIMES if name in known}
    terms = CouponTerms(**known["terms"])
    return Coupon(**known | times | {"terms": terms, "item_ids": tuple(known.get("item_ids", ()))})
