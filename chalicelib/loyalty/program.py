"""The program as the rules read it: how a shop rewards. Settings, not code; validated in program_schemas."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

SPENDING = ("amount", "basket", "items")  # kinds of rule whose points depend on what is bought
INTENT_MAX = 100


@dataclass(frozen=True)
class Step:
    """From this many minor units on, a basket earns this many points."""

    amount: int
    points: int


@dataclass(frozen=True)
class Cap:
    """How many points one rule gives at most; None is no limit."""

    per_event: int | None = None
    per_day: int | None = None
    lifetime: int | None = None


@dataclass(frozen=True)
class Scope:
    """Which lines of a basket count. Empty `item_ids` and `categories` are all; exceptions win."""

    item_ids: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    except_item_ids: frozenset[str] = frozenset()
    except_categories: frozenset[str] = frozenset()

    @property
    def is_everything(self) -> bool:
        return not (self.item_ids or self.categories or self.except_item_ids or self.except_categories)

    @property
    def needs_categories(self) -> bool:
        return bool(self.categories or self.except_categories)


@dataclass(frozen=True)
class EarnRule:
    """One way to earn. `kind` says which of the members count:

    amount: `points` for every `per_amount` of what counts, from `minimum` on, rounded; basket: the highest of `steps`
    reached; items: `points` for each piece that counts; stamps: `points` for every `every`-th visit or purchase;
    action: `points` for a thing done.
    """

    name: str
    kind: Literal["amount", "basket", "items", "stamps", "action"]
    points: int = 0
    per_amount: int = 1
    minimum: int = 0
    rounding: Literal["down", "half_up", "up"] = "down"
    steps: tuple[Step, ...] = ()
    every: int = 0
    counts: Literal["visits", "purchases"] = "visits"
    action: str = ""
    scope: Scope = field(default_factory=Scope)
    cap: Cap = field(default_factory=Cap)
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True)
class Multiplier:
    """In its days, spending rules (those named, or all) give `percent` of their points; 200 doubles."""

    name: str
    percent: int
    rules: frozenset[str] = frozenset()
    starts_on: date | None = None
    ends_on: date | None = None
    weekdays: frozenset[int] = frozenset()  # Monday is 0


@dataclass(frozen=True)
class Level:
    """One tier: from `threshold` of the metric on; `earn_percent` of what spending earns; what else it gives, in words."""

    name: str
    threshold: int
    earn_percent: int = 100
    benefits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tiers:
    """Tiers by what was earned or spent in the last `window_months` calendar months, this one included.

    A tier lasts to the end of the `valid_months`-th month after the one it was reached in, then `grace_months` more;
    then it falls as `downgrade` says: not at all, one level, or to what the window gives.
    """

    levels: tuple[Level, ...]  # lowest first; below the first there is no tier
    metric: Literal["points", "spend"] = "points"
    window_months: int = 12
    valid_months: int = 12
    downgrade: Literal["none", "one_step", "full"] = "full"
    grace_months: int = 0


@dataclass(frozen=True)
class Reward:
    """What points buy: a single-use coupon. Limits are for one customer and for all; None is no limit."""

    reward_id: str
    points: int
    title: str
    title_ja: str
    percent_off: int | None
    amount_off: int | None
    currency: str | None
    valid_days: int
    per_customer: int | None = None
    in_total: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True)
class Gift:
    """Given once a year on the day of a trait (`birthday`) or of becoming a customer (`anniversary`).

    Points, or the coupon that a reward is, or both.
    """

    occasion: Literal["birthday", "anniversary"]
    points: int = 0
    reward_id: str | None = None


@dataclass(frozen=True)
class ReferralTerms:
    """What both sides get after the friend's first delivered order, and how often one customer may refer."""

    points: int
    friend_points: int
    per_month: int
    lifetime: int


@dataclass(frozen=True)
class PriceDowns:
    """Something off each item that a customer had in `min_purchases` orders of the last `within_days`.

    At most `items_max` items in `every_days`, and each item once in them; a coupon lasts `valid_days`.
    """

    min_purchases: int
    within_days: int
    percent_off: int
    items_max: int
    every_days: int
    valid_days: int


@dataclass(frozen=True)
class IncentiveLevel:
    """Minor units of the program's currency off, or per cent off; one of the two."""

    amount: int | None = None
    percent: int | None = None


@dataclass(frozen=True)
class Incentive:
    """What tips the balance for somebody whose intent lies from `min_intent` to `max_intent`, once in `once_per_days`.

    None for who let more than `abandoned_max` incentives go by, or left more than `carts_max` carts.
    """

    min_intent: int
    max_intent: int
    levels: tuple[IncentiveLevel, ...]  # smallest first
    once_per_days: int
    abandoned_max: int
    carts_max: int
    valid_hours: int


@dataclass(frozen=True)
class Program:
    """How this shop rewards. `version` grows with every change and is 0 for the one a shop starts with."""

    version: int = 0
    currency: str = "JPY"
    timezone: str = "UTC"
    earn: tuple[EarnRule, ...] = (EarnRule("spend", "amount", points=1, per_amount=100),)
    stacking: Literal["sum", "best"] = "sum"
    multipliers: tuple[Multiplier, ...] = ()
    multiplier_stacking: Literal["best", "product"] = "best"
    pending_days: int = 0  # 0: points can be used at once
    confirm_on_delivery: bool = True
    expiry_months: int = 12
    expiry: Literal["fixed", "sliding"] = "fixed"
    expiry_notice_days: int = 30  # 0: nobody is told
    redeem_minimum: int = 1
    overdraft: int = 0  # how far below zero a redemption may go
    tiers: Tiers | None = None
    rewards: tuple[Reward, ...] = ()
    gifts: tuple[Gift, ...] = ()
    referral: ReferralTerms | None = None
    price_downs: PriceDowns | None = None
    incentive: Incentive | None = None

    @property
    def needs_categories(self) -> bool:
        return any(rule.scope.needs_categories for rule in self.earn)

    def reward(self, reward_id: str) -> Reward | None:
        return next((each for each in self.rewards if each.reward_id == reward_id), None)

    def for_action(self, action: str) -> EarnRule | None:
        return next((each for each in self.earn if each.kind == "action" and each.action == action), None)
