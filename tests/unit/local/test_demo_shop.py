"""The demo shop: real orders moved up to yesterday, invented people, whole pence."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from chalicelib.orders.model import LINES_MAX
from chalicelib.orders.schemas import ImportedOrder
from local.demo import people, shop
from local.demo.categories import OTHER, load_rules

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")


@pytest.fixture(scope="module")
def orders():
    return list(shop.orders("small", now=NOW))


@pytest.fixture(scope="module")
def customers():
    return list(shop.customers("small", now=NOW))


@pytest.fixture(scope="module")
def products():
    return list(shop.products())


def source_rows(cut):
    with gzip.open(shop.DATA / f"orders_{cut}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("cut", ["small", "full"])
def test_both_cuts_end_on_the_last_day(cut):
    assert max(row["placed_at"] for row in source_rows(cut))[:10] == shop.LAST_DAY.isoformat()


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 7, 1, 12, 0, tzinfo=UTC),  # summer time in the shop, none in the source
        datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
        datetime(2028, 3, 1, 0, 0, tzinfo=UTC),  # yesterday is a leap day
        datetime(2026, 1, 1, 3, 0, tzinfo=ZoneInfo("Asia/Tokyo")),  # still the last day of 2025 in UTC
    ],
)
def test_the_last_order_is_from_yesterday(now):
    last = list(shop.orders("small", now=now))[-1]

    assert last["placed_at"].date() == now.astimezone(UTC).date() - timedelta(days=1)
    assert last["placed_at"] < now


def test_all_orders_move_by_the_same_whole_days_on_the_shops_own_clock(orders):
    shifts = set()
    for order, row in zip(orders, source_rows("small"), strict=True):
        shifts.add(
            order["placed_at"].astimezone(LONDON).replace(tzinfo=None)
            - datetime.fromisoformat(row["placed_at"])
        )

    assert len(shifts) == 1
    assert shifts.pop() % timedelta(days=1) == timedelta(0)


def test_times_are_utc_and_in_order(orders):
    assert all(order["placed_at"].tzinfo is UTC for order in orders)
    assert all(earlier["placed_at"] <= later["placed_at"] for earlier, later in pairwise(orders))


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(AssertionError, match="zone"):
        next(shop.orders("small", now=datetime(2026, 7, 1)))  # noqa: DTZ001


def test_the_same_day_and_seed_give_the_same_shop(orders, customers):
    later_that_day = NOW + timedelta(hours=11)

    assert list(shop.orders("small", now=later_that_day)) == orders
    assert list(shop.customers("small", now=later_that_day)) == customers


def test_another_seed_gives_other_people_with_the_same_orders(customers):
    others = list(shop.customers("small", now=NOW, seed=7))

    assert [other["customer_id"] for other in others] == [customer["customer_id"] for customer in customers]
    assert [other["traits"] for other in others] != [customer["traits"] for customer in customers]


def test_a_customer_is_the_same_person_in_both_cuts(customers):
    everybody = {customer["customer_id"]: customer for customer in shop.customers("full", now=NOW)}

    assert all(everybody[customer["customer_id"]] == customer for customer in customers)


def test_money_is_whole_pence_and_lines_add_up(orders, products):
    assert all(
        type(product["price"]["amount"]) is int and product["price"]["amount"] > 0 for product in products
    )
    for order in orders:
        assert order["currency"] == "GBP"
        assert all(
            type(line[name]) is int and line[name] > 0
            for line in order["lines"]
            for name in ("price", "quantity")
        )
        assert order["total"] == sum(line["price"] * line["quantity"] for line in order["lines"])


def test_a_real_order_keeps_its_lines(orders):
    """Order 573577 of the source: one customer, one afternoon, three things at 1.85, 1.25 and 1.85 pounds."""
    order = next(order for order in orders if order["order_id"] == "573577")

    assert order["customer_id"] == "u17396"
    assert order["placed_at"] == datetime(2026, 6, 30, 13, 12, tzinfo=UTC)  # 14:12 in London
    assert [
        (line["line_id"], line["item_id"], line["quantity"], line["price"]) for line in order["lines"]
    ] == [
        ("1", "22141", 100, 185),
        ("2", "22142", 100, 125),
        ("3", "22144", 100, 185),
    ]
    assert order["total"] == 49500


def test_orders_name_known_products_and_customers(orders, customers, products):
    item_ids = {product["item_id"] for product in products}
    customer_ids = {customer["customer_id"] for customer in customers}

    assert {line["item_id"] for order in orders for line in order["lines"]} <= item_ids
    assert {order["customer_id"] for order in orders} == customer_ids
    assert len({order["order_id"] for order in orders}) == len(orders)


def test_products_have_titles_and_categories(products):
    assert len({product["item_id"] for product in products}) == len(products)
    assert all(product["title"].strip() for product in products)
    assert sum(product["categories"] == [OTHER] for product in products) < len(products) * 0.02


@pytest.mark.parametrize(
    ("title", "category"),
    [
        ("50'S CHRISTMAS GIFT BAG LARGE", "seasonal/christmas"),
        ("RED SPOT GIFT BAG LARGE", "stationery/gift-wrap"),
        ("JUMBO BAG RED RETROSPOT", "bags-and-travel/bags"),
        ("WHITE HANGING HEART T-LIGHT HOLDER", "home/candles"),
        ("VINTAGE SNAP CARDS", "toys/games"),
        ("REGENCY CAKESTAND 3 TIER", "kitchen/baking"),
        ("CARNIVAL", "other"),  # whole words: no "car", no "card"
    ],
)
def test_a_category_comes_from_the_words_of_the_title(title, category):
    assert load_rules()(title) == category


def test_every_address_is_unique_and_goes_nowhere(customers):
    addresses = [customer["traits"]["email"] for customer in customers]

    assert all(address.isascii() and address.endswith("@example.com") for address in addresses)
    assert len(set(addresses)) == len(addresses)


def test_people_live_in_their_zone_and_language(customers):
    for customer in customers:
        ZoneInfo(customer["timezone"])  # raises for a zone that does not exist
        is_japanese = customer["locale"] == "ja-JP"

        assert is_japanese == (customer["timezone"] == "Asia/Tokyo")
        assert is_japanese != customer["traits"]["lastName"].isascii()
        assert is_japanese == (customer["traits"].get("address", {}).get("country") == "JP")


def test_every_country_of_the_source_is_a_place_or_known_to_be_none():
    named = {row["country"] for row in source_rows("full")}

    assert named - people.places().keys() == {"Unspecified", "European Community", "West Indies"}


def test_shares_of_the_people_are_about_as_announced(customers):
    def share(fits):
        return sum(map(fits, customers)) / len(customers)

    assert share(lambda one: one["locale"] == "ja-JP") == pytest.approx(0.25, abs=0.06)
    assert share(lambda one: one["consents"]["email_marketing"]) == pytest.approx(0.6, abs=0.08)
    assert share(lambda one: one["consents"]["personalization"]) == pytest.approx(0.85, abs=0.06)
    assert share(lambda one: "gender" in one["traits"]) == pytest.approx(0.75, abs=0.08)
    assert share(lambda one: "birthday" in one["traits"]) == pytest.approx(0.8, abs=0.08)


def test_a_customer_is_created_with_their_first_order(orders, customers):
    first = {}
    for order in orders:
        first.setdefault(order["customer_id"], order["placed_at"])

    assert {customer["customer_id"]: customer["created_at"] for customer in customers} == first


def test_sizes_are_what_the_iterators_yield(orders, customers, products):
    lines = sum(len(order["lines"]) for order in orders)

    assert shop.sizes("small") == shop.Sizes(len(products), len(customers), len(orders), lines)
    assert shop.sizes("full") == shop.Sizes(4668, 5631, 33153, 681630)


def test_orders_are_what_the_service_takes(orders):
    for order in orders:
        ImportedOrder.model_validate(order)  # raises for what would be refused
    assert max(len(order["lines"]) for order in shop.orders("full", now=NOW)) <= LINES_MAX


def test_the_small_cut_is_small_and_alive(orders, customers):
    assert 250 <= len(customers) <= 350
    assert len(orders) <= 2500
    assert max(len(order["lines"]) for order in orders) <= 100
    assert sum(order["placed_at"] > NOW - timedelta(days=14) for order in orders) >= 20


def test_the_source_is_attributed_and_the_files_stay_small():
    readme = (shop.DATA / "README.md").read_text("utf-8")

    assert all(
        words in readme
        for words in ("Chen", "Online Retail II", "10.24432/C5CG6D", "CC BY 4.0", "What was changed")
    )
    assert sum(path.stat().st_size for path in shop.DATA.iterdir()) < 6_000_000
