"""The nouns of the catalogue. Prices are integers in minor units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

Kind = Literal["product", "content", "offer", "plan"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class CatalogItem:
    """One thing the shop sells or tells. `etag` names this content; `price_amount` is in minor units of `currency`.

    `categories` are paths such as `home/candles`; `audience` has `genders`, `age_min` and `age_max` where they matter.
    """

    item_id: str
    kind: str
    title: str
    title_ja: str | None
    price_amount: int | None
    currency: str | None
    categories: tuple[str, ...]
    brand: str | None
    image_url: str | None
    url: str | None
    in_stock: bool
    hidden: bool
    etag: str
    created_at: datetime
    updated_at: datetime
    audience: Mapping[str, Any] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_on_sale(self) -> bool:
        """Whether it may be shown to a customer now."""
        return self.in_stock and not self.hidden

    def title_in(self, language: str) -> str:
        """The title for `ja` or `en`; without a Japanese one the other serves."""
        return self.title_ja if language == "ja" and self.title_ja else self.title
