"""Coupons in the people table: `COUPON#{code}` / `COUPON`, each of one customer and for one order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from chalicelib.questions.model import Coupon, CouponTerms
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, table

COUPON = "COUPON"
NEW = "attribute_not_exists(pk)"
REDEEMABLE = "attribute_exists(pk) AND attribute_not_exists(redeemed_at) AND expires_at > :now"


def issuing(coupon: Coupon) -> dict[str, Any]:
    """A new coupon as one operation of a transaction. 2 write units."""
    return table("people").putting(_item(coupon), condition=NEW)


def coupon(code: str) -> Coupon | None:
    """One coupon, consistent. One trip, 1 read unit."""
    item = table("people").get(*key_of(code), consistent=True)
    return _coupon(item) if item else None


def coupons(codes: Iterable[str]) -> list[Coupon]:
    """Many of them, those that are there. One trip per 100."""
    found = table("people").get_many(map(key_of, codes), consistent=True)
    return [_coupon(item) for item in found.values()]


def redeem(code: str, *, order_id: str, now: datetime) -> Coupon | None:
    """Redeem a coupon that nobody has and that has not expired; None when it is not so. One trip, 1 write unit."""
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


def erase(code: str) -> int:
    """Remove a coupon; returns whether it was there. Two trips."""
    if table("people").get(*key_of(code), consistent=True) is None:
        return 0
    table("people").delete(*key_of(code))
    return 1


def key_of(code: str) -> tuple[str, str]:
    """Where a coupon lies."""
    return f"{COUPON}#{code}", COUPON


def _item(coupon: Coupon) -> Item:
    pk, sk = key_of(coupon.code)
    return {
        "pk": pk,
        "sk": sk,
        "code": coupon.code,
        "customer_id": coupon.customer_id,
        "terms": asdict(coupon.terms),
        "issued_at": to_text(coupon.issued_at),
        "expires_at": to_text(coupon.expires_at),
    }


def _coupon(item: Item) -> Coupon:
    return Coupon(
        code=item["code"],
        customer_id=item["customer_id"],
        terms=CouponTerms(**item["terms"]),
        issued_at=from_text(item["issued_at"]),
        expires_at=from_text(item["expires_at"]),
        order_id=item.get("order_id"),
        redeemed_at=from_text(item["redeemed_at"]) if "redeemed_at" in item else None,
    )
