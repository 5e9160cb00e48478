"""The catalogue over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.catalog import service
from chalicelib.catalog.model import CatalogItem
from chalicelib.catalog.schemas import BatchAnswer, BatchBody, ItemAnswer, ItemBody, ItemsAnswer, ItemsQuery
from chalicelib.shared.http import BATCH_BYTES_MAX, Answer, Call, endpoint

routes = Blueprint(__name__)


@endpoint(routes, "GET /v1/items", query=ItemsQuery, answer=ItemsAnswer)
def list_items(call: Call[None, ItemsQuery]) -> ItemsAnswer:
    """The shelf of one kind, newest items first, hidden and sold-out ones too."""
    return service.page(call.query, now=call.now)


@endpoint(routes, "GET /v1/items/{item_id}", answer=ItemAnswer)
def read_item(call: Call[None, None], item_id: str) -> Answer:
    """One item as it is this second."""
    return _answer(service.get(item_id), status=200)


@endpoint(
    routes,
    "PUT /v1/items/{item_id}",
    body=ItemBody,
    answer=ItemAnswer,
    also=(201,),
    headers=("If-Match",),
)
def put_item(call: Call[ItemBody, None], item_id: str) -> Answer:
    """Replace an item as a whole, or make it: 201 when it is new, 200 when it was there.

    Sending it again changes nothing. With `If-Match` only over the state you read. The next recommendation follows it.
    """
    item, is_new = service.put(item_id, call.body, if_match=call.headers.get("if-match"), now=call.now)
    return _answer(item, status=201 if is_new else 200)


@endpoint(
    routes,
    "DELETE /v1/items/{item_id}",
    status=204,
    headers=("If-Match",),
)
def delete_item(call: Call[None, None], item_id: str) -> Answer:
    """Remove an item. It is gone from the next recommendation; doing it again changes nothing."""
    service.delete(item_id, if_match=call.headers.get("if-match"))
    return Answer("", status=204)


@endpoint(routes, "POST /v1/items/batch", body=BatchBody, answer=BatchAnswer, bytes_max=BATCH_BYTES_MAX)
def put_items(call: Call[BatchBody, None]) -> BatchAnswer:
    """Replace or make up to 500 items. Wrong ones are named and left out; the others are stored."""
    return service.put_batch(call.body.items, now=call.now)


def _answer(item: CatalogItem, *, status: int) -> Answer:
    return Answer(service.answer(item), status=status, headers={"ETag": f'"{item.etag}"'})
