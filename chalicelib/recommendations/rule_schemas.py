"""The shop's rules for its lists over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from chalicelib.catalog.schemas import Category
from chalicelib.recommendations.merchandising import (
    PERCENT_MAX,
    PINNED_MAX,
    POSITION_MAX,
    TRAIT_FILTERS_MAX,
    Action,
    Per,
)
from chalicelib.recommendations.model import Placement
from chalicelib.recommendations.schemas import LIMIT_MAX, RecommendedItem
from chalicelib.shared.contract import (
    INTEGER_MAX,
    At,
    Currency,
    Id,
    In,
    Line,
    MinorUnits,
    Moment,
    Out,
    check_text,
)
from chalicelib.shared.places import REGION_LENGTH_MAX, SEASONS

ITEMS_MAX = 200
NAMES_MAX = 20
VALUE_LENGTH_MAX = 300
RANK = "rank"  # no list of ours, but the order of a caller's
PLACES = (*(each.value for each in Placement), RANK)

# What belongs to one kind of rule, and to no other.
BELONGS = {"position": "pin", "percent": "boost", "cap": "cap"}


def _place(value: str) -> str:
    if value not in PLACES:
        raise ValueError(f"must be one of {', '.join(PLACES)}")
    return value


def _season(value: str) -> str:
    if value not in SEASONS:
        raise ValueError(f"must be one of {', '.join(SEASONS)}")
    return value


def _scalar(value: Any) -> Any:
    # One validator instead of a union of three, whose errors would name the field by our types.
    if isinstance(value, str) and 1 <= len(value) <= VALUE_LENGTH_MAX:
        return check_text(value)
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= INTEGER_MAX):
        return value
    raise ValueError(f"must be a text of 1 to {VALUE_LENGTH_MAX} characters, a whole number, true or false")


Attribute = Annotated[Any, PlainValidator(_scalar, json_schema_input_type=str | bool | int)]
PlaceName = Annotated[str, AfterValidator(_place), Field(examples=["for_you"])]
Season = Annotated[str, AfterValidator(_season), Field(examples=["winter"])]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["JP"])]
Region = Annotated[Line, Field(max_length=REGION_LENGTH_MAX, examples=["北海道"])]


class PriceRange(In):
    """Items priced in this currency, within these bounds."""

    currency: Currency
    min: MinorUnits | None = None
    max: MinorUnits | None = None

    @model_validator(mode="after")
    def _in_order(self) -> PriceRange:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min may not be above max")
        return self


class SelectionBody(In):
    """Which items: those that fit everything said here. Nothing said: every item."""

    item_ids: list[Id] = Field(default_factory=list, max_length=ITEMS_MAX)
    categories: list[Category] = Field(
        default_factory=list, max_length=NAMES_MAX, description="A category holds all below it."
    )
    brands: list[Line] = Field(default_factory=list, max_length=NAMES_MAX)
    attributes: dict[Line, Attribute] = Field(
        default_factory=dict,
        max_length=NAMES_MAX,
        description="Equal to the item's attribute, or among its values where that is a list.",
        examples=[{"season": "winter"}],
    )
    price: PriceRange | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.item_ids or self.categories or self.brands or self.attributes or self.price)


class CapBody(In):
    """At most so many in one list: of each brand, of each category, or of the items altogether."""

    per: Per
    most: int = Field(ge=1, le=LIMIT_MAX)


class WhereBody(In):
    """Only for people there and then. What is left out is anywhere and always."""

    countries: list[Country] = Field(default_factory=list, max_length=NAMES_MAX)
    regions: list[Region] = Field(
        default_factory=list, max_length=100, description="In any words: 北海道, Hokkaido and JP-01 are one."
    )
    seasons: list[Season] = Field(default_factory=list, max_length=len(SEASONS))


class RuleBody(In):
    """One rule. A `PUT` replaces it whole.

    `pin` puts items at a position, `boost` multiplies scores, `hide` leaves items out, `only` leaves all others out,
    `cap` allows so many. None of them shows what is hidden, sold out or excluded.
    """

    action: Action
    items: SelectionBody = Field(default_factory=SelectionBody)
    placements: list[PlaceName] = Field(
        default_factory=list, max_length=len(PLACES), description="All if left out; a pin names its own."
    )
    where: WhereBody = Field(default_factory=WhereBody)
    position: int | None = Field(
        default=None, ge=1, le=POSITION_MAX, description="`pin`: of its first item, from 1."
    )
    percent: int | None = Field(
        default=None, ge=1, le=PERCENT_MAX, description="`boost`: 200 doubles the score, 50 halves it."
    )
    cap: CapBody | None = Field(default=None, description="`cap`")
    starts_at: Moment | None = None
    ends_at: Moment | None = Field(default=None, description="From then on it no longer counts.")
    enabled: bool = True

    @model_validator(mode="after")
    def _complete(self) -> RuleBody:
        for field, action in BELONGS.items():
            if (getattr(self, field) is not None) != (self.action == action):
                needs = "needs" if self.action == action else "has no"
                raise ValueError(f"a rule to {self.action} {needs} {field}")
        if self.action == "pin" and not (1 <= len(self.items.item_ids) <= PINNED_MAX and self.placements):
            raise ValueError(f"a rule to pin names 1 to {PINNED_MAX} items.item_ids, and its placements")
        if self.action == "pin" and RANK in self.placements:
            raise ValueError("nothing is pinned in rank: the list is the caller's")
        if self.action in ("hide", "only") and self.items.is_empty:
            raise ValueError(f"a rule to {self.action} names items")
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("starts_at must be before ends_at")
        return self


class PriceRangeAnswer(Out):
    currency: str
    min: int | None
    max: int | None


class SelectionAnswer(Out):
    item_ids: list[str]
    categories: list[str]
    brands: list[str]
    attributes: dict[str, str | bool | int]
    price: PriceRangeAnswer | None


class CapAnswer(Out):
    per: str
    most: int


class WhereAnswer(Out):
    countries: list[str]
    regions: list[str]
    seasons: list[str]


class RuleAnswer(Out):
    rule_id: str
    action: str
    items: SelectionAnswer
    placements: list[str]
    where: WhereAnswer
    position: int | None
    percent: int | None
    cap: CapAnswer | None
    starts_at: At | None
    ends_at: At | None
    enabled: bool
    updated_at: At


class RulesAnswer(Out):
    data: list[RuleAnswer]


class PreviewBody(In):
    """A rule to try on one list; nothing is stored."""

    rule: RuleBody
    rule_id: Id | None = Field(
        default=None, description="Instead of the rule of this id; left out: beside all."
    )
    placement: Placement = Field(strict=False, examples=["for_you"])
    customer_id: Id | None = Field(default=None, description="Left out: for somebody nobody has seen.")
    item_id: list[Id] = Field(default_factory=list, max_length=20, description="The item whose page it is.")
    country: Country | None = None
    region: Region | None = None
    limit: int = Field(default=10, ge=1, le=LIMIT_MAX)


class MoveAnswer(Out):
    """Where an item stands without the rule and with it, from 1; null where it is not in the list."""

    item_id: str
    before: int | None
    after: int | None


class PreviewAnswer(Out):
    before: list[RecommendedItem]
    after: list[RecommendedItem]
    moved: list[MoveAnswer] = Field(description="Every item whose place is another.")


class TraitFilterBody(In):
    """Who has this value of a trait is not shown these categories."""

    trait: Line = Field(examples=["diet"])
    value: Line = Field(examples=["vegetarian"])
    categories: list[Category] = Field(
        min_length=1, max_length=NAMES_MAX, examples=[["grocery/meat", "fish"]]
    )


class AudienceBody(In):
    """What keeps items from people they are not made for; what somebody bought for themselves lifts it."""

    genders: bool = Field(default=True, description="By the item's `audience.genders`.")
    ages: bool = Field(default=True, description="By the item's `audience.age_min` and `age_max`.")
    age_percent: int = Field(
        default=150,
        ge=100,
        le=PERCENT_MAX,
        description="What is made for somebody's age has so much of its score.",
    )
    traits: list[TraitFilterBody] = Field(
        default_factory=list,
        max_length=TRAIT_FILTERS_MAX,
        description="The trait may be said by the customer, or else inferred.",
    )


class TraitFilterAnswer(Out):
    trait: str
    value: str
    categories: list[str]


class AudienceAnswer(Out):
    genders: bool
    ages: bool
    age_percent: int
    traits: list[TraitFilterAnswer]
