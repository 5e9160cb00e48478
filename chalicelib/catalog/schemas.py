"""The catalogue over HTTP."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SkipValidation, model_validator

from chalicelib.catalog.model import Kind
from chalicelib.shared.contract import At, CurrencyShown, Id, In, Json, Line, MinorUnits, Money, Out, Query

BATCH_ITEMS_MAX = 500
PAGE_MAX = 100
ATTRIBUTES_BYTES_MAX = 16 * 1024
URL_LENGTH_MAX = 2048
AGE_MAX = 150


def _https(value: str) -> str:
    # Shown in browsers and mails, so nothing that runs (javascript:, data:) and nothing that hides another host.
    try:
        parts = urlsplit(value)
        usable = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f\x7f\\<>\"]", value):
        raise ValueError("must be an https:// address")
    return value


def _category(value: str) -> str:
    if any(not part.strip() or part != part.strip() for part in value.split("/")):
        raise ValueError("must be names joined by single slashes, e.g. home/candles")
    return value


def _small(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value, ensure_ascii=False).encode()) > ATTRIBUTES_BYTES_MAX:
        raise ValueError(f"may have {ATTRIBUTES_BYTES_MAX} bytes of JSON at most")
    return value


Url = Annotated[
    str, Field(max_length=URL_LENGTH_MAX, examples=["https://shop.example.com/a.jpg"]), AfterValidator(_https)
]
Category = Annotated[Line, AfterValidator(_category), Field(examples=["home/candles"])]
Age = Annotated[int, Field(ge=0, le=AGE_MAX)]


class Audience(In):
    """For whom it is made. What is left out excludes nobody."""

    genders: Annotated[list[Line], Field(max_length=10, description="e.g. `female`")] = Field(
        default_factory=list
    )
    age_min: Age | None = None
    age_max: Age | None = None

    @model_validator(mode="after")
    def _ages_in_order(self) -> Audience:
        if self.age_min is not None and self.age_max is not None and self.age_min > self.age_max:
            raise ValueError("age_min may not be above age_max")
        return self


class ItemBody(In):
    """The whole item: what is left out is empty afterwards."""

    kind: Kind = "product"
    title: Line = Field(examples=["White hanging heart T-light holder"])
    title_ja: Line | None = None
    price: Money | None = None
    categories: list[Category] = Field(default_factory=list, max_length=20)
    brand: Line | None = None
    image_url: Url | None = None
    url: Url | None = None
    in_stock: bool = True
    hidden: bool = Field(default=False, description="Kept, but never shown to customers.")
    audience: Audience | None = None
    attributes: Annotated[Json, AfterValidator(_small)] = Field(
        default_factory=dict, description="Anything else, as JSON."
    )


def _reachable(item_id: str) -> str:
    if item_id == "batch":
        raise ValueError("may not be batch: /v1/items/batch is a door of its own")
    return item_id


class BatchItem(ItemBody):
    """One item of a batch."""

    item_id: Annotated[Id, AfterValidator(_reachable)]


def _batch(value: Any) -> Any:
    if not isinstance(value, list) or not 1 <= len(value) <= BATCH_ITEMS_MAX:
        raise ValueError(f"must be a list of 1 to {BATCH_ITEMS_MAX} items")
    return value


class BatchBody(In):
    """Up to 500 items. Each is judged alone, so that one wrong item does not stop the others."""

    items: Annotated[SkipValidation[list[BatchItem]], AfterValidator(_batch)]


class ItemsQuery(Query):
    kind: Kind = "product"
    limit: int = Field(default=50, ge=1, le=PAGE_MAX)
    cursor: str | None = Field(default=None, max_length=4096, description="`next_cursor` of the page before.")


class PriceAnswer(Out):
    amount: MinorUnits
    currency: CurrencyShown


class AudienceAnswer(Out):
    genders: list[str]
    age_min: int | None
    age_max: int | None


class ItemAnswer(Out):
    item_id: str
    kind: str
    title: str
    title_ja: str | None
    price: PriceAnswer | None
    categories: list[str]
    brand: str | None
    image_url: str | None
    url: str | None
    in_stock: bool
    hidden: bool
    audience: AudienceAnswer | None
    attributes: dict[str, Any]
    created_at: At
    updated_at: At


class ItemsAnswer(Out):
    """A page of the shelf, newest items first."""

    data: list[ItemAnswer]
    next_cursor: str | None


class RefusedField(Out):
    field: str = Field(examples=["price.amount"])
    message: str


class RefusedItem(Out):
    index: int = Field(description="Its place in the batch, from 0.")
    item_id: str | None
    errors: list[RefusedField]


class BatchAnswer(Out):
    success: bool = Field(description="Whether every item was accepted.")
    accepted: int
    refused: list[RefusedItem]
