"""What a basket earns by a program, pure: the same for a quote, an order, and what is left of one after a refund."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from chalicelib.loyalty.model import POINTS_PER_ENTRY_MAX, RulePoints
from chalicelib.loyalty.program import SPENDING, EarnRule, Multiplier, Program, Scope

FULL = 100  # per cent


@dataclass(frozen=True)
class BasketLine:
    """A line of an order or cart; `price` in minor units, each."""

    line_id: str
    item_id: str
    quantity: int
    price: int
    categories: frozenset[str] = frozenset()

    @property
    def value(self) -> int:
        return self.price * self.quantity


@dataclass(frozen=True)
class Basket:
    """What somebody pays `total` minor units of `currency` for."""

    total: int
    currency: str
    lines: tuple[BasketLine, ...]
    at: datetime


@dataclass(frozen=True)
class NextStep:
    """What a basket lacks for more points."""

    rule: str
    spend_more: int
    points: int


def day_of(program: Program, at: datetime) -> date:
    """The day it is in the program's zone."""
    return at.astimezone(ZoneInfo(program.timezone)).date()


def earned(program: Program, basket: Basket, percent: int = FULL) -> tuple[RulePoints, ...]:
    """Points of every spending rule, after multipliers, the tier's `percent`, caps per event, and stacking.

    Another currency than the program's earns nothing. Percentages are applied one after the other, rounded down.
    """
    if basket.currency != program.currency or basket.total <= 0:
        return ()
    day = day_of(program, basket.at)
    found = []
    for rule in program.earn:
        if rule.kind not in SPENDING or not runs(rule, day):
            continue
        points = _base(rule, basket)
        for share in (*_percents(program, rule, day), percent):
            points = points * share // FULL
        points = capped(points, rule.cap.per_event)
        if points:
            found.append(RulePoints(rule.name, points))
    if program.stacking == "best" and found:
        found = [max(found, key=lambda each: each.points)]  # the first of equals, in the program's order
    return tuple(found)


def next_steps(program: Program, basket: Basket, percent: int = FULL) -> list[NextStep]:
    """For each rule with a threshold the basket has not reached: how much more to spend, for how many points more.

    Reckoned as if the same lines cost more, so that multipliers and stacking are in it.
    """
    now = sum(each.points for each in earned(program, basket, percent))
    steps = []
    for rule in program.earn:
        counted = eligible(rule.scope, basket)
        thresholds = [step.amount for step in rule.steps] if rule.kind == "basket" else [rule.minimum]
        above = [each for each in thresholds if each > counted]
        if rule.kind not in SPENDING or not above or not runs(rule, day_of(program, basket.at)):
            continue
        more = min(above) - counted
        points = sum(each.points for each in earned(program, _larger(basket, more), percent)) - now
        if points > 0:
            steps.append(NextStep(rule.name, more, points))
    return sorted(steps, key=lambda step: step.spend_more)


def remaining(basket: Basket, lines: Mapping[str, int], amount: int) -> Basket:
    """What is left of a basket after quantities by line and `amount` minor units over the whole were given back.

    A line's share of the total is its share of the lines' value; the last line takes what rounding left.
    """
    value = sum(line.value for line in basket.lines)
    kept = tuple(
        BasketLine(line.line_id, line.item_id, line.quantity - lines.get(line.line_id, 0), line.price, line.categories)
        for line in basket.lines
    )  # fmt: skip
    kept = tuple(line for line in kept if line.quantity > 0)
    left = sum(line.value for line in kept)
    total = -(-basket.total * left // value) if value else (basket.total if kept else 0)
    return Basket(max(0, total - amount), basket.currency, kept, basket.at)


def eligible(scope: Scope, basket: Basket) -> int:
    """The minor units of a basket that count: all it cost, or the share that the lines in scope have of it."""
    if scope.is_everything:
        return basket.total
    value = sum(line.value for line in basket.lines)
    counted = sum(line.value for line in basket.lines if in_scope(scope, line))
    return basket.total * counted // value if value else 0


def in_scope(scope: Scope, line: BasketLine) -> bool:
    """Whether a line counts: named by item or category (or nothing is named), and not excepted."""
    if line.item_id in scope.except_item_ids or _within(line.categories, scope.except_categories):
        return False
    if not scope.item_ids and not scope.categories:
        return True
    return line.item_id in scope.item_ids or _within(line.categories, scope.categories)


def runs(rule: EarnRule | Multiplier, day: date) -> bool:
    """Whether a day lies in a rule's dates, both included."""
    return (rule.starts_on is None or rule.starts_on <= day) and (rule.ends_on is None or day <= rule.ends_on)


def capped(points: int, cap: int | None) -> int:
    """Points under a cap and under what one entry may hold."""
    return min(points, POINTS_PER_ENTRY_MAX, *([] if cap is None else [cap]))


def _base(rule: EarnRule, basket: Basket) -> int:
    if rule.kind == "items":
        return rule.points * sum(line.quantity for line in basket.lines if in_scope(rule.scope, line))
    counted = eligible(rule.scope, basket)
    if rule.kind == "basket":
        return max((step.points for step in rule.steps if counted >= step.amount), default=0)
    if counted < max(rule.minimum, 1):
        return 0
    return _divided(counted, rule.per_amount, rule.rounding) * rule.points


def _divided(amount: int, by: int, rounding: str) -> int:
    if rounding == "up":
        return -(-amount // by)
    if rounding == "half_up":
        return (2 * amount + by) // (2 * by)
    return amount // by


def _percents(program: Program, rule: EarnRule, day: date) -> Sequence[int]:
    percents = [
        each.percent
        for each in program.multipliers
        if runs(each, day)
        and (not each.rules or rule.name in each.rules)
        and (not each.weekdays or day.weekday() in each.weekdays)
    ]
    if program.multiplier_stacking == "best" and percents:
        return [max(percents)]
    return percents


def _within(categories: Iterable[str], wanted: frozenset[str]) -> bool:
    # A category counts with everything below it: `home` holds `home/candles`.
    return any(each == one or each.startswith(f"{one}/") for each in categories for one in wanted)


def _larger(basket: Basket, more: int) -> Basket:
    return Basket(basket.total + more, basket.currency, basket.lines, basket.at)
