"""What other rooms may ask about coupons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib.coupons import store
from chalicelib.coupons.model import Coupon
from chalicelib.shared.clock import to_text

__all__ = ["Coupon", "coupons", "export_of", "newest"]


def coupons(codes: Iterable[str]) -> list[Coupon]:
    """Those of these coupons that are there. Consistent; one trip per 100, none for none."""
    return store.coupons(codes)


def newest(customer_ids: Iterable[str]) -> list[Coupon]:
    """Every coupon of a person, the newest first. Consistent; a trip for each id and one per 100 coupons."""
    found = store.of_customers(customer_ids)
    return sorted(found, key=lambda each: (each.issued_at, each.code), reverse=True)


def export_of(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, Any]:  # noqa: ARG001
    """Every coupon of one person, as plain JSON."""
    return {"coupons": [_plain(each) for each in newest(customer_ids)]}


def _plain(each: Coupon) -> dict[str, Any]:
    return {
        "code": each.code,
        "customer_id": each.customer_id,
        "title": each.terms.title,
        "percent": each.terms.percent,
        "amount": each.terms.amount,
        "currency": each.terms.currency,
        "origin": each.origin,
        "cause": each.cause,
        "item_ids": list(each.item_ids),
        "category": each.category,
        "issued_at": to_text(each.issued_at),
        "valid_from": to_text(each.valid_from) if each.valid_from else None,
        "expires_at": to_text(each.expires_at),
        "order_id": each.order_id,
        "redeemed_at": to_text(each.redeemed_at) if each.redeemed_at else None,
    }
