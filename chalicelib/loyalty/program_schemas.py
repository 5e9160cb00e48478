"""The program over HTTP: every way a shop can reward, and what contradicts itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Discriminator, Field

from chalicelib.loyalty.model import POINTS_PER_ENTRY_MAX
from chalicelib.loyalty.offer_schemas import IncentiveBody, PriceDownsBody, problems_of
from chalicelib.shared.contract import Currency, Id, In, Line, MinorUnits, Out
from chalicelib.shared.errors import FieldError, InvalidInput

RULES_MAX = 50
SPENDING = ("amount", "basket", "items")


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as Asia/Tokyo") from None
    return value


Name = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,39}$", examples=["spend"])]
Points = Annotated[int, Field(ge=1, le=POINTS_PER_ENTRY_MAX, examples=[50])]
Day = Annotated[date, Field(strict=False, examples=["2026-12-01"])]
Zone = Annotated[str, Field(max_length=64, examples=["Asia/Tokyo"]), AfterValidator(_zone)]
Percent = Annotated[int, Field(ge=1, le=10_000)]
Ids = Annotated[list[Id], Field(max_length=500)]
Categories = Annotated[list[Line], Field(max_length=100, examples=[["home/candles"]])]


class ScopeBody(In):
    """Which lines count. Nothing named is all; exceptions win; a category counts with everything below it."""

    item_ids: Ids = Field(default_factory=list)
    categories: Categories = Field(default_factory=list)
    except_item_ids: Ids = Field(default_factory=list)
    except_categories: Categories = Field(default_factory=list)


class CapBody(In):
    """The most that one rule gives a customer."""

    per_event: Points | None = None
    per_day: Points | None = Field(
        default=None, description="In a day of the program's zone, by when it is given."
    )
    lifetime: Points | None = None


class _Earn(In):
    name: Name = Field(
        description="What the rule is called in answers and entries; keep it when you change the rule."
    )
    cap: CapBody = Field(default_factory=CapBody)
    starts_on: Day | None = None
    ends_on: Day | None = Field(
        default=None, description="The last day; both are days of the program's zone."
    )


class AmountRule(_Earn):
    """Points for every full amount spent."""

    kind: Literal["amount"]
    points: Points
    per_amount: int = Field(ge=1, le=10**9, description="Minor units that earn `points`.", examples=[100])
    minimum: MinorUnits = Field(default=0, description="Below it nothing is earned. Minor units.")
    rounding: Literal["down", "half_up", "up"] = Field(default="down", description="Of amount / per_amount.")
    scope: ScopeBody = Field(default_factory=ScopeBody)


class StepBody(In):
    amount: int = Field(
        ge=1, le=10**12, description="Minor units from which on it is reached.", examples=[5000]
    )
    points: Points


class BasketRule(_Earn):
    """Points by how much is bought at once: the highest step reached counts."""

    kind: Literal["basket"]
    steps: list[StepBody] = Field(min_length=1, max_length=20)
    scope: ScopeBody = Field(default_factory=ScopeBody)


class ItemsRule(_Earn):
    """Points for each piece of certain items or categories."""

    kind: Literal["items"]
    points: Points
    scope: ScopeBody


class StampsRule(_Earn):
    """A stamp card: points for every `every`-th visit (at most one a day and store) or purchase."""

    kind: Literal["stamps"]
    every: int = Field(ge=2, le=1000, examples=[5])
    counts: Literal["visits", "purchases"] = "visits"
    points: Points


class ActionRule(_Earn):
    """Points for something done, such as a review; say it with `action` in an accrual."""

    kind: Literal["action"]
    action: Name = Field(examples=["review"])
    points: Points


EarnBody = Annotated[AmountRule | BasketRule | ItemsRule | StampsRule | ActionRule, Discriminator("kind")]


class MultiplierBody(In):
    """In its days, spending rules give this percentage of their points; 200 doubles. Rounded down."""

    name: Name
    percent: Percent = Field(examples=[200])
    rules: list[Name] = Field(
        default_factory=list, max_length=RULES_MAX, description="Empty: every spending rule."
    )
    starts_on: Day | None = None
    ends_on: Day | None = None
    weekdays: list[Annotated[int, Field(ge=0, le=6)]] = Field(
        default_factory=list, max_length=7, description="Monday is 0. Empty: every day."
    )


class LevelBody(In):
    name: Name = Field(examples=["gold"])
    threshold: int = Field(ge=1, le=10**12, description="Of the metric, within the window.")
    earn_percent: Annotated[int, Field(ge=100, le=1000)] = Field(
        default=100, description="Of what spending rules give."
    )
    benefits: list[Line] = Field(default_factory=list, max_length=20, examples=[["free shipping"]])


class TiersBody(In):
    """Tiers by what orders earned or cost in the last `window_months` calendar months, this one included."""

    levels: list[LevelBody] = Field(min_length=1, max_length=10, description="Lowest first.")
    metric: Literal["points", "spend"] = "points"
    window_months: int = Field(default=12, ge=1, le=24)
    valid_months: int = Field(
        default=12, ge=1, le=36, description="Whole months a tier lasts after the month it was reached in."
    )
    downgrade: Literal["none", "one_step", "full"] = Field(
        default="full", description="What happens then: kept, one level down, or what the window gives."
    )
    grace_months: int = Field(default=0, ge=0, le=12)


class RewardBody(In):
    """What points buy: a single-use coupon of one customer."""

    reward_id: Name
    title: Line
    title_ja: Line
    points: Points
    percent_off: Annotated[int, Field(ge=1, le=100)] | None = None
    amount_off: Annotated[int, Field(ge=1, le=10**9)] | None = Field(default=None, description="Minor units.")
    currency: Currency | None = Field(default=None, description="Of `amount_off`.")
    valid_days: int = Field(default=90, ge=1, le=730)
    per_customer: Annotated[int, Field(ge=1, le=1000)] | None = None
    in_total: Annotated[int, Field(ge=1, le=10**9)] | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None


class GiftBody(In):
    """Given once a year, on the customer's own day and in their own zone; 29 February is kept on the 28th."""

    occasion: Literal["birthday", "anniversary"]
    points: int = Field(default=0, ge=0, le=POINTS_PER_ENTRY_MAX, examples=[100])
    reward_id: Name | None = Field(default=None, description="A reward whose coupon is given, for no points.")


class ReferralBody(In):
    """What both sides get when the friend's first order is delivered, and how often one customer may refer."""

    points: Points
    friend_points: Points
    per_month: int = Field(default=5, ge=1, le=1000)
    lifetime: int = Field(default=50, ge=1, le=100_000)


class ProgramBody(In):
    """How the shop rewards. What is left out is as in the example of the answer: nothing but spending earns."""

    currency: Currency = Field(description="Orders in another currency earn nothing.")
    timezone: Zone = Field(default="UTC", description="Where days and months begin and end.")
    earn: list[EarnBody] = Field(min_length=1, max_length=RULES_MAX)
    stacking: Literal["sum", "best"] = Field(
        default="sum",
        description="Of the spending rules of one order: all, or the one that gives most. Stamps add.",
    )
    multipliers: list[MultiplierBody] = Field(default_factory=list, max_length=RULES_MAX)
    multiplier_stacking: Literal["best", "product"] = Field(
        default="best", description="Of those that run at once: the highest, or one after the other."
    )
    pending_days: int = Field(
        default=0, ge=0, le=180, description="Days until an order's points can be used; 0 is at once."
    )
    confirm_on_delivery: bool = Field(default=True, description="Earlier, when every parcel was delivered.")
    expiry_months: int = Field(
        default=12, ge=1, le=120, description="Whole months after the month of earning.", examples=[12]
    )
    expiry: Literal["fixed", "sliding"] = Field(
        default="fixed", description="sliding: whatever is earned renews all points."
    )
    expiry_notice_days: int = Field(
        default=30,
        ge=0,
        le=90,
        description="How long before their last day `points_expiring` is told; 0 is never.",
    )
    redeem_minimum: Points = 1
    overdraft: int = Field(
        default=0, ge=0, le=POINTS_PER_ENTRY_MAX, description="How far below 0 one may redeem."
    )
    tiers: TiersBody | None = None
    rewards: list[RewardBody] = Field(default_factory=list, max_length=100)
    gifts: list[GiftBody] = Field(default_factory=list, max_length=2)
    referral: ReferralBody | None = None
    price_downs: PriceDownsBody | None = None
    incentive: IncentiveBody | None = None


class ProgramAnswer(Out):
    """The program in force, whole."""

    version: int = Field(
        description="Grows by one with every change; also the ETag. 0: the one a shop starts with."
    )
    program: ProgramBody


def check_program(body: ProgramBody) -> None:
    """Refuse a program that contradicts itself; raises InvalidInput naming every field."""
    problems = [*_twice(body), *_orders_of(body), *_meaningless(body), *problems_of(body.incentive)]
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", fields=problems)


def _twice(body: ProgramBody) -> Iterator[FieldError]:
    lists: list[tuple[str, list[Any]]] = [
        ("earn", [each.name for each in body.earn]),
        ("earn", [f"action {each.action}" for each in body.earn if isinstance(each, ActionRule)]),
        ("multipliers", [each.name for each in body.multipliers]),
        ("tiers.levels", [each.name for each in body.tiers.levels] if body.tiers else []),
        ("rewards", [each.reward_id for each in body.rewards]),
        ("gifts", [each.occasion for each in body.gifts]),
    ]
    for field, names in lists:
        for name, times in Counter(names).items():
            if times > 1:
                yield FieldError(field, f"{name} is there {times} times")


def _orders_of(body: ProgramBody) -> Iterator[FieldError]:
    dated: list[tuple[str, Sequence[EarnBody | MultiplierBody | RewardBody]]] = [
        ("earn", body.earn),
        ("multipliers", body.multipliers),
        ("rewards", body.rewards),
    ]
    for field, bodies in dated:
        for place, each in enumerate(bodies):
            if each.starts_on and each.ends_on and each.ends_on < each.starts_on:
                yield FieldError(f"{field}.{place}.ends_on", "lies before `starts_on`")
    for place, rule in enumerate(body.earn):
        if isinstance(rule, BasketRule) and not _ascend([(step.amount, step.points) for step in rule.steps]):
            yield FieldError(f"earn.{place}.steps", "must rise, in amount and in points")
    if body.tiers and not _ascend([(level.threshold, level.threshold) for level in body.tiers.levels]):
        yield FieldError("tiers.levels", "must rise in threshold")


def _meaningless(body: ProgramBody) -> Iterator[FieldError]:
    spending = {rule.name for rule in body.earn if rule.kind in SPENDING}
    for place, multiplier in enumerate(body.multipliers):
        for name in sorted(set(multiplier.rules) - spending):
            yield FieldError(f"multipliers.{place}.rules", f"there is no spending rule {name}")
    for place, rule in enumerate(body.earn):
        if isinstance(rule, ItemsRule) and not (rule.scope.item_ids or rule.scope.categories):
            yield FieldError(f"earn.{place}.scope", "must name items or categories")
    if body.pending_days > 28 * body.expiry_months:
        yield FieldError(
            "pending_days", "is longer than `expiry_months`, so points would expire before their use"
        )
    if body.referral and body.referral.per_month > body.referral.lifetime:
        yield FieldError("referral.per_month", "is more than `lifetime`")
    yield from _unreachable(body)


def _unreachable(body: ProgramBody) -> Iterator[FieldError]:
    rewards = {reward.reward_id for reward in body.rewards}
    for place, gift in enumerate(body.gifts):
        if not (gift.points or gift.reward_id):
            yield FieldError(f"gifts.{place}", "needs points or a reward_id")
        if gift.reward_id and gift.reward_id not in rewards:
            yield FieldError(f"gifts.{place}.reward_id", f"there is no reward {gift.reward_id}")
    for place, reward in enumerate(body.rewards):
        if (reward.percent_off is None) == (reward.amount_off is None):
            yield FieldError(f"rewards.{place}", "needs either percent_off or amount_off")
        if (reward.amount_off is None) != (reward.currency is None):
            yield FieldError(f"rewards.{place}.currency", "goes with amount_off")
        if reward.points < body.redeem_minimum:
            yield FieldError(f"rewards.{place}.points", "is below redeem_minimum, so nobody could have it")


def _ascend(pairs: list[tuple[int, int]]) -> bool:
    return all(one[0] < other[0] and one[1] < other[1] for one, other in pairwise(pairs))
