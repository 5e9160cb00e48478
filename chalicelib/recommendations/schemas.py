"""Recommendations over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from chalicelib.shared.contract import At, Currency, Id, Line, MinorUnits, Out, Query
from chalicelib.shared.places import REGION_LENGTH_MAX

LIMIT_MAX = 100
ASKED_MAX = 50  # a cart is longer than a page
EXCLUDED_MAX = 200

Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]


class RecommendationsQuery(Query):
    customer_id: Id | None = Field(default=None, description="For whom; not with a publishable key.")
    anonymous_id: Id | None = Field(default=None, description="The visitor's own anonymous id.")
    item_id: list[Id] = Field(
        default_factory=list,
        max_length=ASKED_MAX,
        description="The item whose page it is, or each item of the cart; may be repeated. Without one, what the "
        "person did last counts, or put into the cart.",
    )
    limit: int = Field(default=10, ge=1, le=LIMIT_MAX)
    exclude: list[Id] = Field(
        default_factory=list,
        max_length=EXCLUDED_MAX,
        description="Never these: repeated, or joined by commas.",
    )
    currency: Currency | None = Field(default=None, description="Only items priced in it.")
    max_price: MinorUnits | None = Field(
        default=None, description="Only items that cost no more, in minor units of their currency."
    )

    country: Country | None = Field(
        default=None, description="ISO 3166 code; what the gateway saw if left out."
    )
    region: Annotated[Line, Field(max_length=REGION_LENGTH_MAX)] | None = Field(
        default=None, description="In any words, e.g. 北海道; what the gateway saw if left out."
    )
    explain: bool = Field(
        default=False, description="Say of each item how its score came about; with a secret key."
    )

    @field_validator("exclude", mode="before")
    @classmethod
    def _split(cls, value: list[str]) -> list[str]:
        return [item_id for each in value for item_id in each.split(",") if item_id]


class EvidenceAnswer(Out):
    """One thing the reason rests on; members that do not apply are left out."""

    kind: str = Field(examples=["order"])
    id: str | None = Field(default=None, description="The order, or the entry of the timeline.")
    item_id: str | None = None
    at: At | None = None
    count: int | None = Field(default=None, description="How often it was seen.")
    days: int | None = Field(default=None, description="In how many days.")

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}


class ReasonAnswer(Out):
    code: str = Field(
        description="bought_before, bought_together, similar_customers, next, viewed, viewed_together, in_cart, "
        "recent_activity, content_watched, for_owned, same_category, popular, viewed_often, newest or featured; of a "
        "ranked list also as_given or unknown_item.",
        examples=["bought_together"],
    )
    text: str = Field(description="For the customer, in the language asked for.")
    evidence: list[EvidenceAnswer]


class PriceCard(Out):
    amount: int
    currency: str


class ItemCard(Out):
    """What a shelf shows of an item, true as of this second."""

    title: str = Field(description="In the language asked for, where there is one.")
    kind: str
    price: PriceCard | None
    image_url: str | None
    url: str | None
    categories: list[str]
    brand: str | None


class PartAnswer(Out):
    part: str = Field(examples=["own"])
    share: float = Field(description="Of the score, before `factor`.")


class ExplanationAnswer(Out):
    """How a score came about: the sum of the shares, times the factor."""

    parts: list[PartAnswer]
    factor: float = Field(
        description="How well it still sells, what rules boost, and whether it is made for the age."
    )
    rules: list[str] = Field(description="The shop's rules that pinned, boosted or asked for it.")


class RecommendedItem(Out):
    item_id: str
    score: float = Field(description="Orders this answer only; not comparable between answers.")
    reason: ReasonAnswer
    due_in_days: int | None = Field(
        default=None,
        description="`buy_again`: when the next purchase is due; negative is overdue, null unknown.",
    )
    item: ItemCard
    explanation: ExplanationAnswer | None = Field(default=None, description="Null unless `explain` is true.")


class RecommendationsAnswer(Out):
    request_id: str
    placement: str
    items: list[RecommendedItem]
    fallback: str | None = Field(
        description="`popular` or `newest` when the placement itself had nothing to say for this person or item."
    )
