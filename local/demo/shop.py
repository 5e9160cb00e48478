"""The demo shop as plain objects in the API's shapes: products, invented people, orders up to yesterday."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from local.demo import people

Cut = Literal["small", "full"]

DATA = Path(__file__).with_name("data")
CURRENCY = "GBP"
SHOP_ZONE = ZoneInfo("Europe/London")
LAST_DAY = date(2011, 10, 31)
"""The day of the last order in both cuts."""
SEED = 20091201
"""The people of the demo that everybody sees; another number invents others."""


@dataclass(frozen=True)
class Sizes:
    """How much a cut holds; what a progress bar wants to know beforehand."""

    products: int
    customers: int
    orders: int
    lines: int


def sizes(cut: Cut) -> Sizes:
    """Count what the iterators will yield; half a second for the full cut."""
    customers: set[str] = set()
    orders = lines = 0
    for row in _order_rows(cut):
        customers.add(row["customer_id"])
        orders += 1
        lines += row["lines"].count(" ") + 1
    return Sizes(products=sum(1 for _ in products()), customers=len(customers), orders=orders, lines=lines)


def products() -> Iterator[dict[str, Any]]:
    """Yield the whole catalogue as bodies of `PUT /v1/items/{item_id}`, prices in pence.

    There is no `title_ja`: the source is English, and a word-by-word translation would read as nonsense.
    """
    for row in _rows("products"):
        yield {
            "item_id": row["item_id"],
            "kind": "product",
            "title": row["title"],
            "price": {"amount": int(row["price_pence"]), "currency": CURRENCY},
            "categories": [row["category"]],
            "in_stock": True,
            "hidden": False,
        }


def customers(cut: Cut, *, now: datetime, seed: int = SEED) -> Iterator[dict[str, Any]]:
    """Yield each customer of the cut once, in the order in which they first bought.

    `created_at` is the moment of the first order. `people.invent` says what else there is.
    """
    shift = _shift(now)
    seen: set[str] = set()
    for row in _order_rows(cut):
        if row["customer_id"] not in seen:
            seen.add(row["customer_id"])
            person = people.invent(row["customer_id"], country=row["country"], seed=seed)
            yield person | {"created_at": _moment(row["placed_at"], shift)}


def orders(cut: Cut, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield the orders of the cut by time, as bodies of `PUT /v1/orders/{order_id}`.

    All are moved by the same whole number of days, so that the last day of the cut is yesterday in UTC.
    `placed_at` is aware and in UTC; amounts are pence, and `total` is the sum of price times quantity.
    """
    shift = _shift(now)
    for row in _order_rows(cut):
        lines = [_line(number, packed) for number, packed in enumerate(row["lines"].split(" "), start=1)]
        yield {
            "order_id": row["order_id"],
            "customer_id": people.customer_id_of(row["customer_id"]),
            "placed_at": _moment(row["placed_at"], shift),
            "currency": CURRENCY,
            "total": sum(line["price"] * line["quantity"] for line in lines),
            "lines": lines,
        }


def _line(number: int, packed: str) -> dict[str, Any]:
    item_id, quantity, pence = packed.split(":")
    return {"line_id": str(number), "item_id": item_id, "quantity": int(quantity), "price": int(pence)}


def _shift(now: datetime) -> timedelta:
    assert now.tzinfo is not None, "a moment without a zone is a caller's bug"
    return now.astimezone(UTC).date() - timedelta(days=1) - LAST_DAY


def _moment(local: str, shift: timedelta) -> datetime:
    """Keep the time on the shop's wall clock on the new day, summer time or not, then say it in UTC."""
    return (datetime.fromisoformat(local) + shift).replace(tzinfo=SHOP_ZONE).astimezone(UTC)


def _order_rows(cut: Cut) -> Iterator[dict[str, str]]:
    return _rows(f"orders_{cut}")


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
