"""Use cases of coupons: show them, redeem one, forget them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.catalog import reads as catalog
from chalicelib.coupons import reads, rules, store
from chalicelib.coupons.model import (
    Coupon,
    CouponExpired,
    CouponForOtherItems,
    CouponOfAnother,
    CouponTooEarly,
    CouponUsed,
)
from chalicelib.coupons.schemas import CouponAnswer, CouponsAnswer, RedeemBody, shown
from chalicelib.customers import reads as customers
from chalicelib.shared import codes
from chalicelib.shared.errors import NotFound


def coupon(code: str, *, language: str, now: datetime) -> CouponAnswer:
    """One coupon, by its code however it was typed; raises NotFound. One trip."""
    return _shown(_found(code), language, now)


def coupons(customer_id: str, *, own: bool, language: str, now: datetime) -> CouponsAnswer:
    """Every coupon of a customer, the newest first; raises Moved and Gone. Three trips."""
    found = reads.newest(customers.asked_for(customer_id, own=own))
    return CouponsAnswer(data=[_shown(each, language, now) for each in found])


def redeem(code: str, asked: RedeemBody, *, language: str, now: datetime) -> CouponAnswer:
    """Use a coupon for one order; the same order again gets the same answer.

    Raises NotFound, CouponOfAnother, CouponForOtherItems, CouponUsed, CouponTooEarly and CouponExpired. Two to five trips.
    """
    found = _found(code)
    customer_id = asked.customer_id
    if found.customer_id != customer_id and customers.head(found.customer_id) != customers.head(customer_id):
        raise CouponOfAnother
    if asked.item_ids is not None:
        _check_items(found, asked.item_ids)
    redeemed = store.redeem(found.code, order_id=asked.order_id, now=now)
    if redeemed is None:
        redeemed = _found(code)
        if redeemed.order_id != asked.order_id:
            raise _refusal(redeemed, now)
    return _shown(redeemed, language, now)


def erase(
    customer_ids: Sequence[str],
    anonymous_ids: Sequence[str],  # noqa: ARG001
    *,
    now: datetime,  # noqa: ARG001
) -> dict[str, int]:
    """Take away every coupon of these ids. Safe to break off and repeat."""
    return {"coupons.coupons": sum(map(store.erase, customer_ids))}


def _check_items(found: Coupon, item_ids: Sequence[str]) -> None:
    items = catalog.items(item_ids) if found.category else {}
    if not rules.is_for(found, item_ids, {each: item.categories for each, item in items.items()}):
        extra = {"item_ids": list(found.item_ids), "category": found.category}
        raise CouponForOtherItems(extra=extra)


def _refusal(found: Coupon, now: datetime) -> Exception:
    if found.redeemed_at is not None:
        return CouponUsed()
    return CouponExpired() if found.expires_at <= now else CouponTooEarly()


def _found(code: str) -> Coupon:
    found = store.coupon(codes.read(code))
    if found is None:
        raise NotFound("no coupon has this code")
    return found


def _shown(found: Coupon, language: str, now: datetime) -> CouponAnswer:
    return shown(found, language=language, status=found.status(now))
