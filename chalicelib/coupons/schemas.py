"""Coupons over HTTP."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.coupons.model import ITEMS_MAX, Coupon, CouponTerms, Origin
from chalicelib.shared.contract import At, Id, In, Out


class MoneyShown(Out):
    amount: int
    currency: str


class CouponAnswer(Out):
    """A coupon as it is this second."""

    code: str = Field(examples=["7KQ2M8RT4WZX1B9D"])
    customer_id: str
    title: str
    percent: int | None
    amount: MoneyShown | None
    origin: Origin = Field(description="Why it was issued.")
    item_ids: list[str] = Field(description="What it is for; empty: everything, or the category.")
    category: str | None = Field(description="It is for what lies below.")
    status: str = Field(examples=["issued", "redeemed", "expired"])
    issued_at: At
    valid_from: At | None = Field(description="Null: at once.")
    expires_at: At
    order_id: str | None
    redeemed_at: At | None


class CouponsAnswer(Out):
    """A customer's coupons, the newest first."""

    data: list[CouponAnswer]


class IssuedCoupon(Out):
    """A coupon that a request has earned, in both languages: the same request again gets the same text."""

    code: str | None = Field(description="Null in a dry run.", examples=["7KQ2M8RT4WZX1B9D"])
    title: str
    title_ja: str | None
    percent: int | None
    amount: MoneyShown | None
    item_ids: list[str]
    category: str | None
    expires_at: At


class RedeemBody(In):
    """The order a coupon is used for, and whose it is."""

    customer_id: Id
    order_id: Id
    item_ids: Annotated[list[Id], Field(min_length=1, max_length=ITEMS_MAX)] | None = Field(
        default=None, description="What is ordered: a coupon for other items is refused then."
    )


def money_of(terms: CouponTerms) -> MoneyShown | None:
    """The amount a coupon takes off, where it is one."""
    if terms.amount is None or terms.currency is None:
        return None
    return MoneyShown(amount=terms.amount, currency=terms.currency)


def issued(coupon: Coupon, *, dry_run: bool = False) -> IssuedCoupon:
    """A coupon as the request that earned it is answered."""
    return IssuedCoupon(
        code=None if dry_run else coupon.code,
        title=coupon.terms.title,
        title_ja=coupon.terms.title_ja,
        percent=coupon.terms.percent,
        amount=money_of(coupon.terms),
        item_ids=list(coupon.item_ids),
        category=coupon.category,
        expires_at=coupon.expires_at,
    )


def shown(coupon: Coupon, *, language: str, status: str) -> CouponAnswer:
    """A coupon as it is now."""
    return CouponAnswer(
        code=coupon.code,
        customer_id=coupon.customer_id,
        title=coupon.terms.title_in(language),
        percent=coupon.terms.percent,
        amount=money_of(coupon.terms),
        origin=coupon.origin,
        item_ids=list(coupon.item_ids),
        category=coupon.category,
        status=status,
        issued_at=coupon.issued_at,
        valid_from=coupon.valid_from,
        expires_at=coupon.expires_at,
        order_id=coupon.order_id,
        redeemed_at=coupon.redeemed_at,
    )
