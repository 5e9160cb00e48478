"""Traits over HTTP."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator

from chalicelib.catalog.schemas import Category
from chalicelib.shared import durations
from chalicelib.shared.contract import INTEGER_MAX, At, Id, In, Line, Out, check_text
from chalicelib.shared.errors import FieldError
from chalicelib.traits.model import (
    CATEGORIES_MAX,
    HALF_LIFE_DAYS,
    HALF_LIFE_DAYS_MAX,
    IDENTITY,
    ORDER_NAMES,
    ORDERS_READ,
    PATH_DEPTH_MAX,
    VALUE_LENGTH_MAX,
    Aggregate,
)

NAME_LENGTH_MAX = 200
CHANNEL_PATTERN = "^[a-z][a-z0-9_]{0,39}$"
SENSITIVE_PATTERN = "^[a-z][a-z0-9_-]{0,39}$"
PROPERTIES = ("total", "category", "brand", "item_id", "channel")
_PATH = re.compile(rf"properties(\.[^.\s][^.]{{0,99}}){{1,{PATH_DEPTH_MAX}}}")


def _duration(value: str) -> str:
    durations.parse(value)
    return value


def _property(value: str) -> str:
    if value not in PROPERTIES and not _PATH.fullmatch(value):
        raise ValueError(f"must be one of {', '.join(PROPERTIES)}, or a path such as properties.query")
    return value


def _scalar(value: Any) -> Any:
    # One validator instead of a union of three, whose errors would name the field by our types.
    if isinstance(value, str) and 1 <= len(value) <= VALUE_LENGTH_MAX and not set("\n\r\t") & set(value):
        return check_text(value)
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= INTEGER_MAX):
        return value
    raise ValueError(
        f"must be a text of 1 to {VALUE_LENGTH_MAX} characters in one line, a whole number, true or false"
    )


Value = Annotated[Any, PlainValidator(_scalar, json_schema_input_type=str | bool | int)]
Within = Annotated[
    str, Field(max_length=durations.TEXT_LENGTH_MAX, examples=["P30D"]), AfterValidator(_duration)
]
Categories = Annotated[
    list[Category], Field(max_length=CATEGORIES_MAX, description="A category holds all below it.")
]


class FilterBody(In):
    """Which facts count; what is left out lets all through."""

    category: Category | None = Field(default=None, description="With an item in it or below it.")
    channel: str | None = Field(default=None, pattern=CHANNEL_PATTERN, examples=["store"])


class ComputedTraitBody(In):
    """How a trait follows from what somebody did. It is computed when it is asked for, so a window ends by itself."""

    event: Annotated[Line, Field(max_length=NAME_LENGTH_MAX)] = Field(
        description="An event's name, or a kind of the timeline. `Order Completed`, or `order`, are the orders that "
        "stand: each once, none that was cancelled or given back as a whole.",
        examples=["Order Completed"],
    )
    aggregate: Aggregate = Field(description="`distinct` is how many different values there are.")
    property: Annotated[str, Field(max_length=600), AfterValidator(_property)] | None = Field(
        default=None, description="What is summed or looked at. A count has none.", examples=["total"]
    )
    within: Within | None = Field(default=None, description="How far back from now; left out: all we keep.")
    filter: FilterBody = Field(default_factory=FilterBody)
    trusted_only: bool = Field(default=False, description="Leave out what only a browser has said.")


class FilterAnswer(Out):
    category: str | None
    channel: str | None


class ComputedTraitAnswer(Out):
    trait_name: str
    event: str
    aggregate: str
    property: str | None
    within: str | None
    filter: FilterAnswer
    trusted_only: bool
    updated_at: At


class ComputedTraitsAnswer(Out):
    data: list[ComputedTraitAnswer]


class AmongBody(In):
    """Which orders a rule asks: those with an item in one of these. Left out: all."""

    categories: Categories = Field(default_factory=list)


class SupportBody(In):
    """What speaks for the rule. Orders marked as gifts speak softly, and do not count among the least."""

    orders_at_least: int | None = Field(default=None, ge=1, le=ORDERS_READ)
    no_item_of: Categories = Field(default_factory=list, description="An item of these speaks against it.")
    item_of: Categories = Field(
        default_factory=list,
        description="An item of these speaks for it. An order among those asked that has none speaks against it.",
    )
    at_least: int | None = Field(
        default=None, ge=1, le=ORDERS_READ, description="Orders with an item of `item_of`."
    )


class RuleBody(In):
    """A rule by which a trait is inferred from orders, with its evidence."""

    trait: Id = Field(examples=["diet"])
    value: Value = Field(examples=["vegetarian"])
    among: AmongBody = Field(default_factory=AmongBody, examples=[{"categories": ["grocery"]}])
    support: SupportBody = Field(examples=[{"orders_at_least": 8, "no_item_of": ["meat", "fish"]}])
    within: Within | None = Field(default=None, description="How far back from now; left out: all we read.")
    minimum_confidence: float = Field(
        default=0.5, ge=0, le=1, description="To a thousandth; below it the trait is not inferred."
    )
    sensitive_category: str | None = Field(
        default=None,
        pattern=SENSITIVE_PATTERN,
        description="One of the shop's sensitive categories: then it is inferred only of those who agreed to that.",
    )


class RuleAnswer(Out):
    rule_id: str
    trait: str
    value: str | bool | int
    among: AmongAnswer
    support: SupportAnswer
    within: str | None
    minimum_confidence: float
    sensitive_category: str | None
    updated_at: At


class AmongAnswer(Out):
    categories: list[str]


class SupportAnswer(Out):
    orders_at_least: int
    no_item_of: list[str]
    item_of: list[str]


class RulesAnswer(Out):
    data: list[RuleAnswer]


class PreviewBody(In):
    """A rule to try on one customer; nothing is stored."""

    rule: RuleBody
    customer_id: Id


class InterestSettingsBody(In):
    """How fast interests fade."""

    half_life_days: int = Field(
        default=HALF_LIFE_DAYS, ge=1, le=HALF_LIFE_DAYS_MAX, description="After this long half is left."
    )


class InterestSettingsAnswer(Out):
    half_life_days: int


# --- what follows for somebody


class EvidenceAnswer(Out):
    """An order that speaks for or against, and the items in it that do."""

    order_id: str
    at: At
    item_ids: list[str]
    gift: bool = Field(description="They were bought for somebody else.")
    weight: float = Field(description="How much it counts; an order for oneself counts 1.")


class InferredAnswer(Out):
    """An inferred trait and the orders it rests on, newest first; in a profile the newest ones."""

    value: str | bool | int
    confidence: float = Field(
        description="With 95 % certainty at least this share of such orders fits (Wilson's lower bound)."
    )
    evidence: list[EvidenceAnswer]
    counter_evidence: list[EvidenceAnswer]
    rule_id: str
    sensitive_category: str | None


class ComputedAnswer(Out):
    value: Any = Field(description="Sums of money are integers in minor units, by currency.")
    complete: bool = Field(description="False: there is more in the window than was read.")


class ComputedDetail(ComputedAnswer):
    """A computed trait and how it came about."""

    facts: int = Field(description="How many facts it was computed from.")
    since: At | None = Field(description="Facts later than this count; null: all.")


class JudgementAnswer(Out):
    """What one rule comes to, and why it does or does not count."""

    rule_id: str
    trait: str
    outcome: str = Field(
        description="inferred, too_few_orders, not_confident, less_confident_than_another_rule, "
        "no_consent_to_sensitive_profiling or personalization_withdrawn; in the last two it was not asked."
    )
    complete: bool | None = Field(description="False: there are more orders in the window than were read.")
    found: InferredAnswer | None


class InterestAnswer(Out):
    """An interest and what it rests on."""

    name: str
    score: float = Field(description="0 to 1: its share of the strongest interest of its kind.")
    weight: float = Field(
        description="What it is worth now; a single look is 1 on its day, half of it later."
    )
    based_on: dict[str, int] = Field(examples=[{"orders": 2, "repeats": 1, "seconds": 95, "views": 3}])
    item_ids: list[str] = Field(description="The items that weigh most.")
    last_at: At


class InterestsAnswer(Out):
    """The strongest interests of each kind, strongest first. They halve every `half_life_days`."""

    half_life_days: int
    categories: list[InterestAnswer]
    brands: list[InterestAnswer]
    topics: list[InterestAnswer]


class TraitsAnswer(Out):
    """Everything that follows for a customer, with every fact it rests on."""

    customer_id: str
    computed_traits: dict[str, ComputedDetail]
    inferred_traits: dict[str, InferredAnswer]
    rules: list[JudgementAnswer]
    interests: InterestsAnswer


def check_computed_trait(body: ComputedTraitBody) -> list[FieldError]:
    """What in a computed trait does not go together, each named by its field."""
    name, problems = body.property, []
    if (name is None) != (body.aggregate == "count"):
        problems.append(FieldError("property", "a count has none, every other aggregate needs one"))
    elif body.aggregate == "sum" and name in PROPERTIES[1:]:
        problems.append(FieldError("property", "only total and properties can be summed"))
    elif name == "total" and body.event not in ORDER_NAMES:
        problems.append(FieldError("property", "only an order has one; of other events say properties.total"))
    elif name == "total" and body.aggregate not in ("sum", "first", "last"):
        problems.append(FieldError("aggregate", "a total can be summed, or be the first or the last"))
    return problems


def check_rule(body: RuleBody) -> list[FieldError]:
    """What in a rule does not go together, each named by its field."""
    support, problems = body.support, []
    if body.trait.casefold() in IDENTITY:
        problems.append(FieldError("trait", "says who somebody is: that is declared, never inferred"))
    if not (support.no_item_of or support.item_of):
        problems.append(FieldError("support.no_item_of", "is required, or item_of"))
    if support.at_least is not None and not support.item_of:
        problems.append(
            FieldError("support.at_least", "counts orders with an item of item_of, which is missing")
        )
    both = [each for each in support.item_of if each in support.no_item_of]
    if both:
        problems.append(FieldError("support.item_of", f"names {both[0]}, which is in no_item_of too"))
    return problems
