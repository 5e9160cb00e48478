"""Use cases of the catalogue. A whole item is replaced by a whole item; the same content twice is one write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import ValidationError

from chalicelib.catalog import store
from chalicelib.catalog.model import CatalogItem
from chalicelib.catalog.schemas import (
    AudienceAnswer,
    BatchAnswer,
    BatchItem,
    ItemAnswer,
    ItemBody,
    ItemsAnswer,
    ItemsQuery,
    PriceAnswer,
    RefusedField,
    RefusedItem,
)
from chalicelib.shared import etags, problems, tokens
from chalicelib.shared.errors import Busy, FieldError, NotFound, StaleVersion
from chalicelib.shared.ids import LENGTH_MAX, fingerprint
from chalicelib.shared.rounds import rounds

IMPORT_CHUNK = 500


def put(item_id: str, body: ItemBody, *, if_match: str | None, now: datetime) -> tuple[CatalogItem, bool]:
    """Replace the item, or make it; says whether it is new. The same content again writes nothing.

    `if_match` is an etag, `*` for "it must exist", or None; raises StaleVersion. Two trips, 1 read and 2 write units.
    """
    for _ in rounds():
        old = store.load(item_id)
        _check(old, if_match)
        item = _item(item_id, body, created_at=old.created_at if old else now, now=now)
        if old and old.etag == item.etag:
            return old, False
        try:
            store.commit(item, seen=old.etag if old else None)
        except store.ItemMoved:
            continue
        return item, old is None
    raise Busy("other writers of this item kept coming first")


def get(item_id: str) -> CatalogItem:
    """One item as it is this second; raises NotFound."""
    item = store.load(item_id)
    if item is None:
        raise NotFound("this item is not in the catalogue")
    return item


def delete(item_id: str, *, if_match: str | None) -> None:
    """Remove the item; an item that is not there is removed already. Raises StaleVersion. Two trips."""
    for _ in rounds():
        old = store.load(item_id)
        if old is None:
            return
        _check(old, if_match)
        try:
            store.remove(item_id, seen=old.etag)
        except store.ItemMoved:
            continue
        return
    raise Busy("other writers of this item kept coming first")


def page(query: ItemsQuery, *, now: datetime) -> ItemsAnswer:
    """One page of a kind, newest first."""
    filter_name = f"items:{query.kind}"
    before = tokens.position_of(filter_name, query.cursor, now=now)
    found = store.shelf(query.kind, limit=query.limit + 1, before=before)
    shown = found[: query.limit]
    more = len(found) > query.limit
    cursor = tokens.cursor(filter_name, store.shelf_key(shown[-1]), now=now) if more else None
    return ItemsAnswer(data=[answer(item) for item in shown], next_cursor=cursor)


def put_batch(sent: Sequence[Any], *, now: datetime) -> BatchAnswer:
    """Replace or make each item that is valid, and say of the others what is wrong with them.

    Blind writes: of two batches at once the later wins item by item. One trip per 100 to read, per 25 to write.
    """
    bodies: dict[str, BatchItem] = {}
    refused: list[RefusedItem] = []
    for index, each in enumerate(sent):
        try:
            body = BatchItem.model_validate(each)
        except ValidationError as error:
            refused.append(_refused(index, each, problems.of_validation(error).fields))
            continue
        if body.item_id in bodies:
            refused.append(_refused(index, each, [FieldError("item_id", "was in this batch before")]))
            continue
        bodies[body.item_id] = body
    old = store.load_many(bodies)
    new = [
        _item(item_id, body, created_at=old[item_id].created_at if item_id in old else now, now=now)
        for item_id, body in bodies.items()
    ]
    store.save_many([item for item in new if item.item_id not in old or old[item.item_id].etag != item.etag])
    return BatchAnswer(success=not refused, accepted=len(new), refused=refused)


def import_items(
    sent: Iterable[Mapping[str, Any]], *, now: datetime, on_written: Callable[[int], None] | None = None
) -> int:
    """Fill an empty catalogue from bodies as in a batch, over what is there under the same ids; returns how many.

    `on_written` hears after each chunk how many it held, for a progress bar. Raises pydantic's ValidationError at the
    first wrong one; earlier chunks are stored by then.
    """
    written = 0
    bodies = iter(sent)
    while chunk := [BatchItem.model_validate(each) for each in islice(bodies, IMPORT_CHUNK)]:
        store.save_many([_item(body.item_id, body, created_at=now, now=now) for body in chunk])
        written += len(chunk)
        if on_written:
            on_written(len(chunk))
    return written


def answer(item: CatalogItem) -> ItemAnswer:
    """The item as the API shows it to the shop."""
    price = None
    if item.price_amount is not None and item.currency is not None:
        price = PriceAnswer(amount=item.price_amount, currency=item.currency)
    return ItemAnswer(
        item_id=item.item_id,
        kind=item.kind,
        title=item.title,
        title_ja=item.title_ja,
        price=price,
        categories=list(item.categories),
        brand=item.brand,
        image_url=item.image_url,
        url=item.url,
        in_stock=item.in_stock,
        hidden=item.hidden,
        audience=AudienceAnswer.model_validate(item.audience) if item.audience else None,
        attributes=dict(item.attributes),
        created_at=item.created_at,
        updated_at=item.updated_at,
    )


def _item(item_id: str, body: ItemBody, *, created_at: datetime, now: datetime) -> CatalogItem:
    content = body.model_dump_json(exclude={"item_id"})
    return CatalogItem(
        item_id=item_id,
        kind=body.kind,
        title=body.title,
        title_ja=body.title_ja,
        price_amount=body.price.amount if body.price else None,
        currency=body.price.currency if body.price else None,
        categories=tuple(body.categories),
        brand=body.brand,
        image_url=body.image_url,
        url=body.url,
        in_stock=body.in_stock,
        hidden=body.hidden,
        etag=fingerprint(content),
        created_at=created_at,
        updated_at=now,
        audience=body.audience.model_dump() if body.audience else None,
        attributes=body.attributes,
    )


def _check(old: CatalogItem | None, if_match: str | None) -> None:
    if not etags.allows(if_match, old.etag if old else None):
        raise StaleVersion("If-Match names another state of this item")


def _refused(index: int, sent: Any, fields: Sequence[FieldError]) -> RefusedItem:
    item_id = sent.get("item_id") if isinstance(sent, dict) else None
    return RefusedItem(
        index=index,
        item_id=item_id if isinstance(item_id, str) and len(item_id) <= LENGTH_MAX else None,
        errors=[RefusedField(field=each.field, message=each.message) for each in fields],
    )
