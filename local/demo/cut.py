"""Cuts the demo shop from the Online Retail II files: `python -m local.demo.cut PATH_TO_online_retail`.

A development script: what it writes is kept in `local/demo/data/`, so nobody has to run it to use the demo.
Running it again on the same source gives the same bytes. `data/README.md` says what is changed and why.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from local.demo.categories import load_rules

DATA = Path(__file__).with_name("data")
SEED = "kokyaku"

# A parcel for a day, two charges and a picture: they were sold, but nobody wants them recommended.
NOT_GOODS = frozenset({"22016", "23444", "23574", "23702"})

# The small cut: (orders from, orders to, how many customers). About as the whole shop is spread, but with
# fewer of those who came once (a third of the shop), as they show little, and without those beyond 60 orders.
STRATA = ((1, 1, 40), (2, 2, 55), (3, 3, 40), (4, 5, 50), (6, 9, 50), (10, 19, 45), (20, 60, 20))
LINES_PER_ORDER_SMALL = 100
# What the service takes in one order; 22 are larger.
LINES_PER_ORDER_MAX = 200
# So many customers of the last day are always in, so that the small cut ends on the day the whole shop ends.
LAST_DAY_CUSTOMERS = 5


@dataclass
class Order:
    order_id: str
    placed_at: str
    """Local time of the shop, `YYYY-MM-DDTHH:MM`."""
    customer_id: str
    country: str
    quantities: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Pieces by (item, price in pence): a few orders list the same thing twice."""

    def row(self) -> tuple[str, str, str, str, str]:
        lines = " ".join(
            f"{item}:{count}:{pence}" for (item, pence), count in sorted(self.quantities.items())
        )
        return self.order_id, self.placed_at, self.customer_id, self.country, lines


def main(source: Path) -> None:
    """Write the three files of the demo from the folder of the source."""
    products = list(read_products(source / "products.csv.gz"))
    orders = read_orders(source / "order_lines.csv.gz")
    chosen = choose_customers(orders)
    small = [order for order in orders if order.customer_id in chosen]
    write("products", ("item_id", "title", "price_pence", "category"), products)
    columns = ("order_id", "placed_at", "customer_id", "country", "lines")
    write("orders_full", columns, (order.row() for order in orders))
    write("orders_small", columns, (order.row() for order in small))
    print(
        f"{len(products)} products, {len(orders)} orders; small: {len(chosen)} customers, {len(small)} orders"
    )


def read_products(path: Path) -> Iterator[tuple[str, str, int, str]]:
    """Yield (item, title, price in pence, category) of everything that is a good."""
    category_of = load_rules()
    for row in _rows(path):
        if row["sku"] not in NOT_GOODS:
            yield row["sku"], row["title"], _pence(row["price"]), category_of(row["title"])


def read_orders(path: Path) -> list[Order]:
    """Return the orders of known customers by time, without guests, giant orders and what is not goods."""
    orders: dict[str, Order] = {}
    for row in _rows(path):
        if not row["customer_id"] or row["sku"] in NOT_GOODS:
            continue
        found = Order(row["order_id"], row["ordered_at"], row["customer_id"], row["country"])
        order = orders.setdefault(row["order_id"], found)
        order.placed_at = min(order.placed_at, found.placed_at)  # some were typed in over two minutes
        order.quantities[row["sku"], _pence(row["unit_price"])] += int(row["quantity"])
    fitting = (order for order in orders.values() if len(order.quantities) <= LINES_PER_ORDER_MAX)
    return sorted(fitting, key=lambda order: (order.placed_at, order.order_id))


def choose_customers(orders: list[Order]) -> set[str]:
    """Return the customers of the small cut: some of the last day, then every stratum by a hash."""
    by_customer: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        by_customer[order.customer_id].append(order)
    usable = sorted(
        (customer for customer, theirs in by_customer.items() if _is_usable(theirs)),
        key=lambda customer: hashlib.sha256(f"{SEED}:{customer}".encode()).digest(),
    )
    last_day = orders[-1].placed_at[:10]
    on_last_day = [
        customer for customer in usable if by_customer[customer][-1].placed_at.startswith(last_day)
    ]
    chosen = set(on_last_day[:LAST_DAY_CUSTOMERS])
    for fewest, most, wanted in STRATA:
        stratum = [customer for customer in usable if fewest <= len(by_customer[customer]) <= most]
        already = sum(customer in chosen for customer in stratum)
        chosen.update([customer for customer in stratum if customer not in chosen][: wanted - already])
    return chosen


def _is_usable(orders: list[Order]) -> bool:
    return len(orders) <= STRATA[-1][1] and all(
        len(order.quantities) <= LINES_PER_ORDER_SMALL for order in orders
    )


def write(name: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Write `data/<name>.csv.gz`, the same bytes for the same rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    # No time of writing in the header, or every run would look like a change.
    (DATA / f"{name}.csv.gz").write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _pence(pounds: str) -> int:
    pence = Decimal(pounds) * 100
    assert pence == int(pence), f"{pounds} pounds have no whole pence"
    return int(pence)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m local.demo.cut PATH_TO_online_retail")
    main(Path(sys.argv[1]))
