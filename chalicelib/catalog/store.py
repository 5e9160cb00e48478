"""The catalogue table: `I#{item_id}`/`ITEM`, found newest first by kind in the index `by_kind`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from chalicelib.catalog.model import CatalogItem
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, table

SK = "ITEM"
BY_KIND = ("by_kind", "kind", "shelf_key")

NEW = "attribute_not_exists(pk)"
AS_SEEN = "etag = :seen"


class ItemMoved(Exception):
    """Somebody else's write, or our own whose reply was lost, came first: load again and see which."""


def load(item_id: str) -> CatalogItem | None:
    """One item, consistent. One trip, 1 read unit per 4 KB."""
    item = table("catalog").get(_pk(item_id), SK, consistent=True)
    return _item(item) if item else None


def load_many(item_ids: Iterable[str], *, consistent: bool = True) -> dict[str, CatalogItem]:
    """Items by id; unknown ones are left out. One trip per 100; 1 read unit each per 4 KB, half of that otherwise."""
    found = table("catalog").get_many([(_pk(each), SK) for each in item_ids], consistent=consistent)
    items = map(_item, found.values())
    return {item.item_id: item for item in items}


def commit(item: CatalogItem, *, seen: str | None) -> None:
    """Write the item over the one whose etag was seen (None: over none); raises ItemMoved. One trip.

    2 write units per KB: one for the item, one for the index.
    """
    try:
        if seen is None:
            table("catalog").put(_stored(item), condition=NEW)
        else:
            table("catalog").put(_stored(item), condition=AS_SEEN, values={":seen": seen})
    except ConditionFailed as failed:
        raise ItemMoved from failed


def save_many(items: Sequence[CatalogItem]) -> None:
    """Write items over whatever is there. One trip per 25."""
    table("catalog").put_many([_stored(item) for item in items])


def remove(item_id: str, *, seen: str) -> None:
    """Remove the item whose etag was seen; raises ItemMoved. One trip."""
    try:
        table("catalog").delete(_pk(item_id), SK, condition=AS_SEEN, values={":seen": seen})
    except ConditionFailed as failed:
        raise ItemMoved from failed


def shelf(kind: str, *, limit: int, before: str = "") -> list[CatalogItem]:
    """Items of a kind, newest first, `before` a shelf key (exclusive). One trip; may lag behind by a moment."""
    found = table("catalog").query(kind, index=BY_KIND, newest_first=True, limit=limit, before=before)
    return [_item(each) for each in found]


def shelf_key(item: CatalogItem) -> str:
    """Where an item stands among those of its kind: by age, then by id."""
    return f"{to_text(item.created_at)}#{item.item_id}"


def _pk(item_id: str) -> str:
    return f"I#{item_id}"


def _stored(item: CatalogItem) -> Item:
    return {
        "pk": _pk(item.item_id),
        "sk": SK,
        "item_id": item.item_id,
        "kind": item.kind,
        "shelf_key": shelf_key(item),
        "title": item.title,
        "title_ja": item.title_ja,
        "price": item.price_amount,
        "currency": item.currency,
        "categories": item.categories,
        "brand": item.brand,
        "image_url": item.image_url,
        "url": item.url,
        "in_stock": item.in_stock,
        "hidden": item.hidden,
        # Free-form JSON may hold fractions, which the table's integers cannot.
        "audience": json.dumps(item.audience, ensure_ascii=False),
        "attributes": json.dumps(item.attributes, ensure_ascii=False),
        "etag": item.etag,
        "created_at": to_text(item.created_at),
        "updated_at": to_text(item.updated_at),
    }


def _item(stored: Item) -> CatalogItem:
    return CatalogItem(
        item_id=stored["item_id"],
        kind=stored["kind"],
        title=stored["title"],
        title_ja=stored["title_ja"],
        price_amount=stored["price"],
        currency=stored["currency"],
        categories=tuple(stored["categories"]),
        brand=stored["brand"],
        image_url=stored["image_url"],
        url=stored["url"],
        in_stock=stored["in_stock"],
        hidden=stored["hidden"],
        etag=stored["etag"],
        created_at=from_text(stored["created_at"]),
        updated_at=from_text(stored["updated_at"]),
        audience=json.loads(stored["audience"]),
        attributes=json.loads(stored["attributes"]),
    )
