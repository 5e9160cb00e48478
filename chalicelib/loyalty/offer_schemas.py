"""The part of the program that makes offers to single customers, over HTTP, and what they are answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from chalicelib.coupons.schemas import CouponAnswer, IssuedCoupon
from chalicelib.loyalty.program import INTENT_MAX
from chalicelib.shared.contract import At, Currency, Id, In, Line, MinorUnits, Out
from chalicelib.shared.errors import FieldError

LINES_MAX = 200
LEVELS_MAX = 10


class PriceDownsBody(In):
    """Something off what a customer buys often: a coupon for each such item, once in `every_days`."""

    min_purchases: int = Field(ge=2, le=100, description="Orders with the item.", examples=[4])
    within_days: int = Field(ge=1, le=730, examples=[60])
    percent_off: int = Field(ge=1, le=100, examples=[15])
    items_max: int = Field(default=3, ge=1, le=10, description="Items within `every_days`.")
    every_days: int = Field(default=30, ge=1, le=366, description="An item comes again no sooner.")
    valid_days: int = Field(default=14, ge=1, le=366)


class IncentiveLevelBody(In):
    """Minor units of the program's currency, or per cent of the cart."""

    amount: Annotated[int, Field(ge=1, le=10**9)] | None = Field(default=None, examples=[100])
    percent: Annotated[int, Field(ge=1, le=100)] | None = None


class IncentiveBody(In):
    """A coupon for who is about to buy and may yet leave it: not for who buys anyway, nor for who only looks."""

    min_intent: int = Field(default=40, ge=1, le=INTENT_MAX, description="Below it somebody only looks.")
    max_intent: int = Field(default=79, ge=1, le=INTENT_MAX, description="Above it somebody buys anyway.")
    levels: list[IncentiveLevelBody] = Field(
        min_length=1,
        max_length=LEVELS_MAX,
        description="Smallest first. What is worth least for a cart is offered.",
    )
    once_per_days: int = Field(default=30, ge=1, le=366)
    abandoned_max: int = Field(
        default=1, ge=0, le=100, description="Incentives let go by in 90 days; more, and there is none."
    )
    carts_max: int = Field(
        default=5, ge=0, le=100, description="Carts without an order in 30 days; more, and there is none."
    )
    valid_hours: int = Field(default=24, ge=1, le=24 * 90)


class OffersAnswer(Out):
    """What a customer can use now of what was offered to her alone."""

    data: list[CouponAnswer]
    reason: str = Field(
        description="offered, nothing-due, personalization-withdrawn, or no-price-downs.",
        examples=["offered"],
    )


class CartLine(In):
    item_id: Id
    quantity: int = Field(ge=1, le=1_000_000)
    price: MinorUnits = Field(description="Minor units, each.")


class IncentiveRequest(In):
    """The cart as it is."""

    currency: Currency
    total: MinorUnits | None = Field(default=None, description="Left out: what the lines add up to.")
    lines: list[CartLine] = Field(min_length=1, max_length=LINES_MAX)


class SignalAnswer(Out):
    signal: str = Field(examples=["repeats"])
    points: int


class IncentiveAnswer(Out):
    """An incentive, or why there is none."""

    incentive: IssuedCoupon | None
    reason: str = Field(
        description="offered, offered-already, no-incentive, personalization-withdrawn, not-interested, buys-anyway, "
        "buys-as-usual, abandons-carts, once-per-window, or cart-too-small.",
        examples=["offered"],
    )
    intent: int = Field(description=f"0 to {INTENT_MAX}.", examples=[56])
    lines: list[SignalAnswer] = Field(description="What the intent is made of.")


class ReferralCodeAnswer(Out):
    """A customer's own code for her friends."""

    code: str = Field(examples=["K7Q2M8RT"])
    points: int = Field(description="What she gets when a friend's first order is delivered.")
    friend_points: int = Field(description="What the friend gets.")
    left_this_month: int = Field(description="Friends she may still refer this month.")
    left: int = Field(description="Friends she may still refer at all.")


class ReferralRequest(In):
    """Whose code a new customer brought along."""

    code: Annotated[Line, Field(max_length=40, examples=["K7Q2M8RT"])]
    customer_id: Id | None = Field(default=None, description="The friend; for a secret key.")


class ReferralAnswer(Out):
    """A referral, from the friend's side."""

    customer_id: str
    code: str
    referred_at: At
    friend_points: int = Field(description="What the friend gets for the first delivered order.")
    status: str = Field(description="waiting, or rewarded.", examples=["waiting"])


def problems_of(incentive: IncentiveBody | None) -> Iterator[FieldError]:
    """What in these settings contradicts itself."""
    if incentive is None:
        return
    if incentive.max_intent < incentive.min_intent:
        yield FieldError("incentive.max_intent", "is below `min_intent`, so nobody would be in between")
    for place, level in enumerate(incentive.levels):
        if (level.amount is None) == (level.percent is None):
            yield FieldError(f"incentive.levels.{place}", "needs either amount or percent")
    amounts = [each.amount for each in incentive.levels if each.amount is not None]
    percents = [each.percent for each in incentive.levels if each.percent is not None]
    if not (_rises(amounts) and _rises(percents)):
        yield FieldError("incentive.levels", "must rise, the smallest first")


def _rises(numbers: Sequence[int]) -> bool:
    return all(one < other for one, other in pairwise(numbers))
