"""The nouns of coupons: what one is worth, whose it is, and why it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.shared.errors import Conflict

CODE_LENGTH = 16  # 80 random bits
ITEMS_MAX = 100

ISSUED, REDEEMED, EXPIRED = "issued", "redeemed", "expired"

# Why it was issued: for an answer, for points, for what she buys often, at the tipping point, as a present.
Origin = Literal["questions", "reward", "price_down", "incentive", "gift"]


class CouponUsed(Conflict):
    code, title = "coupon-used", "This coupon was redeemed"


class CouponExpired(Conflict):
    code, title = "coupon-expired", "This coupon has expired"


class CouponTooEarly(Conflict):
    code, title = "coupon-too-early", "This coupon cannot be used yet"


class CouponOfAnother(Conflict):
    code, title = "coupon-of-another", "This coupon is another customer's"


class CouponForOtherItems(Conflict):
    """What is in the cart is not what the coupon is for; `item_ids` and `category` say what it is for."""

    code, title = "coupon-for-other-items", "This coupon is for other items"


@dataclass(frozen=True)
class CouponTerms:
    """What a coupon is worth: `percent` off, or `amount` minor units of `currency` off, or what its title says."""

    title: str
    title_ja: str | None
    valid_days: int
    percent: int | None = None
    amount: int | None = None
    currency: str | None = None

    def title_in(self, language: str) -> str:
        """The title for `ja` or `en`; without a Japanese one the other serves."""
        return self.title_ja if language == "ja" and self.title_ja else self.title


@dataclass(frozen=True)
class Coupon:
    """One coupon of one customer, good for one order.

    `cause` names what it was issued for within its origin, e.g. the reward. It is for `item_ids` or for what lies below
    `category`, or for everything; it can be used from `valid_from` on, or at once, and before `expires_at`.
    """

    code: str
    customer_id: str
    terms: CouponTerms
    issued_at: datetime
    expires_at: datetime
    origin: Origin = "questions"
    cause: str = ""
    item_ids: tuple[str, ...] = ()
    category: str | None = None
    valid_from: datetime | None = None
    order_id: str | None = None
    redeemed_at: datetime | None = None

    def status(self, now: datetime) -> str:
        """`issued`, `redeemed` or `expired`."""
        if self.redeemed_at is not None:
            return REDEEMED
        return EXPIRED if self.expires_at <= now else ISSUED

    def is_open(self, now: datetime) -> bool:
        """Whether it can be used now."""
        return self.status(now) == ISSUED and (self.valid_from is None or self.valid_from <= now)
