"""The ledger over HTTP, and the facts it publishes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.coupons.schemas import IssuedCoupon
from chalicelib.loyalty.model import POINTS_PER_ENTRY_MAX
from chalicelib.shared.contract import (
    At,
    Currency,
    Id,
    In,
    Line,
    MinorUnits,
    Moment,
    Money,
    Out,
    Published,
    Query,
)

POINTS_ACCRUED = "loyalty.points_accrued"
POINTS_CONFIRMED = "loyalty.points_confirmed"
POINTS_REDEEMED = "loyalty.points_redeemed"
POINTS_REVERSED = "loyalty.points_reversed"
POINTS_EXPIRING = "loyalty.points_expiring"
POINTS_EXPIRED = "loyalty.points_expired"
TIER_CHANGED = "loyalty.tier_changed"
ORDER_REFUNDED = "loyalty.order_refunded"
GIFT_GIVEN = "loyalty.gift_given"

HOLD_SECONDS_MAX = 7 * 24 * 3600
LINES_MAX = 200
Points = Annotated[int, Field(ge=1, le=POINTS_PER_ENTRY_MAX)]


class DryRun(Query):
    dry_run: bool = Field(default=False, description="Answer exactly what would happen, and do nothing.")


class AccrualRequest(In):
    """Points to give beside what orders earn by themselves: a number, or what the program gives for an action."""

    points: Points | None = Field(default=None, examples=[120])
    action: str | None = Field(
        default=None, max_length=40, description="An action the program rewards.", examples=["review"]
    )
    reason: Line = Field(examples=["survey"])
    pending_until: Moment | None = Field(default=None, description="Left out: they can be used at once.")


class RulePointsAnswer(Out):
    rule: str = Field(examples=["spend"])
    points: int


class DatedPoints(Out):
    points: int
    on: str = Field(examples=["2027-11-30"])


class NextTier(Out):
    name: str
    missing_points: int | None = Field(description="To earn in the window; null where spending counts.")
    missing_amount: int | None = Field(
        description="To spend in the window, minor units; null where points count."
    )


class TierAnswer(Out):
    name: str | None = Field(description="Null: none yet.", examples=["gold"])
    until: str | None = Field(description="The last day it is sure, grace included.", examples=["2027-11-30"])
    benefits: list[str]
    next: NextTier | None = Field(description="Null at the top.")


class BalanceAnswer(Out):
    """What a customer has."""

    active_points: int = Field(description="Can be used now.")
    pending_points: int = Field(default=0, description="Earned, not yet usable.")
    reserved_points: int = Field(default=0, description="Held for a redemption.")
    negative_points: int = Field(default=0, description="Owed after a refund; later points repay it.")
    lifetime_points: int = Field(description="Ever earned, less what was taken back.")
    tier: TierAnswer | None = Field(default=None, description="Null where the program has no tiers.")
    expiring: list[DatedPoints] = Field(description="Active points by their last day, earliest first.")
    pending: list[DatedPoints] = Field(default=[], description="By the first day they can be used.")
    version: int = Field(description="Grows by one with every entry.")


class AccrualAnswer(Out):
    entry_id: str = Field(examples=["key:survey-2026-u1"])
    points: int
    status: Literal["active", "pending"]
    rules: list[RulePointsAnswer] = Field(description="Which rule gave how many points.")
    balance: BalanceAnswer


class RedemptionRequest(In):
    """Points to hold, or the reward they are to buy. Confirm or release; unconfirmed they return by themselves."""

    points: Points | None = Field(default=None, examples=[500])
    reward_id: Annotated[Line, Field(max_length=40)] | None = Field(
        default=None, description="Costs what the program says; confirmed, it is a coupon."
    )
    order_id: Id | None = Field(default=None, description="What they are to pay for; kept with the entry.")
    hold_seconds: int = Field(default=900, ge=60, le=HOLD_SECONDS_MAX)


class ConfirmRequest(In):
    points: Points | None = Field(
        default=None, description="Fewer than are held; the others return. Left out: all."
    )


class RedemptionAnswer(Out):
    redemption_id: str
    status: Literal["reserved", "confirmed", "released"]
    points: int = Field(description="Held, spent, or returned.")
    expires_at: At | None = Field(default=None, description="When an unconfirmed hold returns.")
    coupon: IssuedCoupon | None = Field(default=None, description="What a confirmed reward is.")
    balance: BalanceAnswer


class RefundLine(In):
    line_id: Id | None = Field(default=None, description="Or the item, where only one line has it.")
    item_id: Id | None = None
    quantity: int = Field(ge=1, le=1_000_000)


class RefundRequest(In):
    """What of an order was given back: some lines, some amount, or (neither) everything that is left."""

    order_id: Id
    lines: list[RefundLine] | None = Field(default=None, min_length=1, max_length=LINES_MAX)
    amount: Money | None = None
    reason: Line = Field(default="refund", examples=["damaged"])


class TakenAnswer(Out):
    """Where the points came from."""

    pending: int
    lots: int = Field(description="Active points of the order's own month.")
    active: int = Field(description="Other active points.")
    negative: int = Field(description="Spent before; owed now, and repaid by later points.")
    expired: int = Field(description="Over already, so nothing is taken.")


class RefundAnswer(Out):
    entry_id: str
    points: int = Field(description="Taken back in all.")
    taken: TakenAnswer
    balance: BalanceAnswer


class QuoteLine(In):
    item_id: Id
    quantity: int = Field(ge=1, le=1_000_000)
    price: MinorUnits = Field(description="Minor units, each.")


class QuoteRequest(In):
    """A cart, and perhaps whose."""

    customer_id: Id | None = Field(default=None, description="Their tier counts too. For a secret key.")
    currency: Currency
    total: MinorUnits | None = Field(default=None, description="Left out: what the lines add up to.")
    lines: list[QuoteLine] = Field(min_length=1, max_length=LINES_MAX)


class StepAnswer(Out):
    rule: str
    spend_more: int = Field(description="Minor units.", examples=[620])
    points: int = Field(description="More than now.", examples=[50])


class QuoteAnswer(Out):
    """What a cart would earn now. Caps and stamps are not in it: they are the customer's at the time of the order."""

    points: int
    rules: list[RulePointsAnswer]
    next_steps: list[StepAnswer] = Field(
        description="Spend so much more for so many more points; nearest first."
    )


class EntriesQuery(Query):
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=4096, description="`next_cursor` of the page before.")


class EntryAnswer(Out):
    entry_id: str
    customer_id: str = Field(description="The id it was earned under.")
    kind: str = Field(
        description="accrue, confirm, mature, reserve, redeem, release, refund, expire, tier, ..."
    )
    points: int = Field(description="Given above 0, taken below; what is only moved is told as it is.")
    reason: str
    at: At
    rules: list[RulePointsAnswer]
    moves: dict[str, int] = Field(
        description="Both legs: what it changed of `lot`, `pending`, `held` and `owed`, and the shop's side; they add "
        "up to 0. Counts (`month`, `stamp`, ...) are told beside them."
    )
    number: int = Field(description="Its place among the account's entries.")


class EntriesAnswer(Out):
    data: list[EntryAnswer]
    next_cursor: str | None


class PointsChanged(Published):
    """Facts `loyalty.points_*`: one entry was added."""

    customer_id: str
    entry_id: str
    points: int = Field(description="How many, never below 0.")
    reason: str
    active_points: int = Field(description="The balance right after this entry.")
    pending_until: str = ""
    on: str = Field(default="", description="Of points that expire: their last day.")


class PointsAccrued(PointsChanged):
    """Fact `loyalty.points_accrued`: points were given, to be used at once or later."""


class PointsConfirmed(PointsChanged):
    """Fact `loyalty.points_confirmed`: points that waited can be used."""


class PointsRedeemed(PointsChanged):
    """Fact `loyalty.points_redeemed`: points were spent."""


class PointsReversed(PointsChanged):
    """Fact `loyalty.points_reversed`: points were taken back, with what they were earned by."""


class PointsExpiring(PointsChanged):
    """Fact `loyalty.points_expiring`: points are over after the day `on`, unless they are used."""


class PointsExpired(PointsChanged):
    """Fact `loyalty.points_expired`: points are over since the day `on`."""


class OrderRefunded(Published):
    """Fact `loyalty.order_refunded`: some of an order was given back, whether or not points were taken for it."""

    customer_id: str
    order_id: str
    entry_id: str


class TierChanged(Published):
    """Fact `loyalty.tier_changed`."""

    customer_id: str
    entry_id: str
    tier: str | None
    until: str | None = Field(default=None, description="Its last month, `YYYY-MM`.")


class GiftGiven(Published):
    """Fact `loyalty.gift_given`: somebody got what the program gives once a year; its points are accrued beside it."""

    customer_id: str
    occasion: str = Field(description="birthday or anniversary")
    year: int
    points: int
    coupon: str = Field(default="", description="The code of one that was given.")
