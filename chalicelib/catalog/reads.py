"""What other rooms may ask the catalogue."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.catalog import store
from chalicelib.catalog.model import KINDS, CatalogItem

__all__ = ["KINDS", "CatalogItem", "items", "newest"]


def items(item_ids: Iterable[str], *, consistent: bool = True) -> dict[str, CatalogItem]:
    """Items by id as they are this second; unknown ids are left out. One trip and 100 read units per 100 items."""
    return store.load_many(item_ids, consistent=consistent)


def newest(kind: str, limit: int, *, after: CatalogItem | None = None) -> list[CatalogItem]:
    """Items of a kind, newest first, going on `after` the last of an earlier page. One trip.

    Read from an index: it may lag by a moment, so ask `items` before showing one to a customer.
    """
    return store.shelf(kind, limit=limit, before=store.shelf_key(after) if after else "")
