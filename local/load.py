"""Loads the demo shop through the rooms' own services, and trains on what is stored."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from tqdm import tqdm

from chalicelib.activity import service as activity
from chalicelib.activity.handlers import DRAFTS
from chalicelib.activity.model import Draft
from chalicelib.activity.store import ENTRY_PREFIX, entry_of
from chalicelib.catalog import service as catalog
from chalicelib.customers import service as customers
from chalicelib.loyalty import service as loyalty
from chalicelib.loyalty.program_schemas import AmountRule, ProgramBody
from chalicelib.orders import mapping
from chalicelib.orders import service as orders
from chalicelib.orders.schemas import ORDER_PLACED, OrderPlaced
from chalicelib.recommendations import service as recommendations
from chalicelib.recommendations.known import ACTS
from chalicelib.recommendations.model import Act
from chalicelib.recommendations.store import Overtaken
from chalicelib.shared import aws, clock, ids
from chalicelib.shared.config import config
from chalicelib.shared.dynamo import unpack_item
from chalicelib.shared.facts import Fact
from local.demo import shop
from local.drive import Driver
from local.settings import Stop

T = TypeVar("T")

POINT_PER_PENCE = 100
EXPIRY_MONTHS = 12
SETTLE_SECONDS = 0.5
LOG_SECONDS = 10
LOOKED_AT = frozenset(kind for kind, act in ACTS.items() if act in (Act.VIEW, Act.CART))


def demo(cut: shop.Cut, driver: Driver) -> None:
    """Load one cut of the demo, train on it, and wait until `driver` has worked off what all of that caused.

    Nobody gets mail about it; what would have expired by now earns no points.
    """
    now = clock.now()
    sizes = shop.sizes(cut)
    loyalty.replace_program(
        ProgramBody(
            currency=shop.CURRENCY,
            earn=[AmountRule(name="spend", kind="amount", points=1, per_amount=POINT_PER_PENCE)],
            expiry_months=EXPIRY_MONTHS,
        ),
        if_match="",
        said_by="demo",
        now=now,
    )
    catalog.import_items(_counted(shop.products(), "Products", sizes.products), now=now)
    customers.import_customers(_counted(shop.customers(cut, now=now), "Customers", sizes.customers), now=now)
    timeline = (_entry(order) for order in _counted(shop.orders(cut, now=now), "Timelines", sizes.orders))
    activity.import_entries(timeline, now=now)
    orders.import_orders(_counted(shop.orders(cut, now=now), "Orders", sizes.orders))
    train()
    with _bar("Consequences") as bar:  # points, timelines: facts of past orders, heard as any other
        while driver.settle(SETTLE_SECONDS):
            bar.update(driver.done - bar.n)


@dataclass(frozen=True)
class Trained:
    """What a training read and what it learned something about."""

    lines: int
    items_with_neighbours: int
    items_bought_again: int


def train() -> Trained:
    """Train recommendations on every order and every look that is stored, and let the next answer use them."""
    from training.train import Purchase, View
    from training.train import train as learn  # DuckDB: only who trains needs it

    now = clock.now()
    lines = 0

    def purchases() -> Iterator[Purchase]:
        nonlocal lines
        for each in _purchases():
            lines += 1
            yield Purchase(*each)

    with _bar("Training") as bar:

        def show(_step: str, done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.update(0)

        views = (View(*each) for each in _views())
        model = learn(purchases(), now, version=ids.new(now), views=views, progress=show)
    with _bar("Saving lists", total=len({*model.neighbours, *model.intervals})) as bar:
        try:
            recommendations.save_model(model, on_written=bar.update)
        except Overtaken:
            raise Stop("Another training ended before this one: what it learned is in use.") from None
    return Trained(lines, len(model.neighbours), len(model.intervals))


def _entry(order: Mapping[str, Any]) -> Draft:
    """What the timeline would have made of an order, had it heard of it when it was placed."""
    lines = [{name: line[name] for name in ("item_id", "quantity", "price")} for line in order["lines"]]
    told = {name: order[name] for name in ("order_id", "customer_id", "total", "currency")}
    data = OrderPlaced.model_validate(
        told | {"placed_at": clock.to_text(order["placed_at"]), "lines": lines, "imported": True}
    )
    subject = f"customers/{data.customer_id}"
    fact = Fact(
        f"{ORDER_PLACED}:{data.order_id}", ORDER_PLACED, subject, order["placed_at"], data.model_dump()
    )
    return DRAFTS[ORDER_PLACED](fact)


def _purchases() -> Iterator[tuple[str, str, datetime, str, int]]:
    """Every line of every order in the table: who, which order, when, what, how many."""
    for item in _scan("orders", "sk = :order", {":order": {"S": mapping.ORDER}}):
        order = mapping.to_order(item)
        for line in order.lines:
            yield order.customer_id, order.order_id, order.placed_at, line.item_id, line.quantity


def _views() -> Iterator[tuple[str, str, datetime, str]]:
    """Every item that somebody looked at: on whose timeline, in which entry, when, what.

    What browsers say of a customer is left out: nobody vouches for it, and it would teach about everybody.
    """
    for item in _scan("activity", "begins_with(sk, :entry)", {":entry": {"S": ENTRY_PREFIX}}):
        entry = entry_of(item)
        if entry.kind in LOOKED_AT and entry.who[0] != "claimed":
            for item_id in entry.item_ids:
                yield item["pk"], item["sk"], entry.at, item_id


def _scan(name: str, condition: str, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    pages = (
        aws.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=config().tables[name], FilterExpression=condition, ExpressionAttributeValues=values
        )
    )
    for page in pages:
        for item in page["Items"]:
            yield unpack_item(item)


def _counted(things: Iterable[T], what: str, total: int) -> Iterator[T]:
    with _bar(what, total=total) as bar:
        for thing in things:
            yield thing
            bar.update()


def _bar(what: str, total: int | None = None) -> Any:
    # On a terminal it moves; in a log it is a line now and then, and one at the end.
    interval = 0.1 if sys.stdout.isatty() else LOG_SECONDS
    return tqdm(total=total, desc=f"  {what:<13}", unit="", file=sys.stdout, mininterval=interval, ncols=90)
