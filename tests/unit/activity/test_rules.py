"""What an event means, without AWS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.activity import rules
from chalicelib.activity.model import GA4_EVENTS, KINDS, SEGMENT_EVENTS, Draft, Message, Said
from chalicelib.activity.schemas import OrderDetails
from chalicelib.shared.errors import InvalidInput

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
HEARTS = {"product_id": "85123A", "quantity": 2, "price": 1990}
ORDER = {"order_id": "o1", "currency": "JPY", "total": 3980, "products": [HEARTS]}


def draft(event: str, properties: dict[str, Any], *, trusted: bool = True, **more: Any) -> Draft:
    said = Said("track", NOW, "m1", **{"customer_id": "u1", "event": event, "properties": properties} | more)
    return rules.draft(said, trusted=trusted)


def refused(event: str, properties: dict[str, Any], **more: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refusal:
        draft(event, properties, **more)
    return {each.field: each.message for each in refusal.value.fields}


@pytest.mark.parametrize(
    ("said", "name", "kind"),
    [
        ("Product Viewed", "Product Viewed", "view"),
        ("product viewed", "Product Viewed", "view"),
        ("view_item", "Product Viewed", "view"),
        ("Product List Viewed", "Product List Viewed", "list_view"),
        ("view_item_list", "Product List Viewed", "list_view"),
        ("add_to_cart", "Product Added", "cart"),
        ("remove_from_cart", "Product Removed", "cart_removed"),
        ("purchase", "Order Completed", "order"),
        ("refund", "Order Refunded", "order_refunded"),
        ("search", "Products Searched", "search"),
        ("Purchase", "Purchase", "event"),  # a shop's own word, not GA4's
        ("Sofa Measured", "Sofa Measured", "event"),
    ],
)
def test_every_vocabulary_ends_in_one(said: str, name: str, kind: str) -> None:
    assert rules.meaning_of(said) == (name, kind)


def test_every_name_has_a_kind_of_the_timeline() -> None:
    assert set(SEGMENT_EVENTS.values()) <= set(KINDS)
    assert set(GA4_EVENTS.values()) <= set(SEGMENT_EVENTS)


@pytest.mark.parametrize(
    ("event", "properties", "item_ids"),
    [
        ("Product Viewed", {"product_id": "a"}, ("a",)),
        ("Product Viewed", {"sku": "a"}, ("a",)),
        ("Product Viewed", {"product_id": 85123}, ("85123",)),
        ("view_item", {"items": [{"item_id": "a"}, {"item_id": "b"}, {"item_id": "a"}]}, ("a", "b")),
        ("Product List Viewed", {"products": [{"product_id": "a"}, {"name": "no id"}]}, ("a",)),
        ("Cart Viewed", {}, ()),
        ("Sofa Measured", {"product_id": "a/b", "products": "many", "quantity": "two"}, ()),
    ],
)
def test_items_are_found_wherever_they_are_named(
    event: str, properties: dict[str, Any], item_ids: tuple[str, ...]
) -> None:
    assert draft(event, properties).entry.item_ids == item_ids


def test_an_order_keeps_what_was_marked_as_a_gift() -> None:
    order = {
        "order_id": "o1",
        "currency": "JPY",
        "gift": True,
        "products": [
            {"product_id": "a", "price": 1, "gift": True},
            {"product_id": "b", "price": 1, "gift": "no"},
        ],
    }
    details = OrderDetails.model_validate(draft("Order Completed", order).entry.details)

    assert details.gift
    assert [line.gift for line in details.lines] == [True, False]
    assert not OrderDetails.model_validate(
        draft("Order Completed", order | {"gift": "false"}).entry.details
    ).gift


@pytest.mark.parametrize(
    ("event", "properties", "fields"),
    [
        ("Product Viewed", {}, {"properties.product_id"}),
        ("Product Viewed", {"product_id": "a#b"}, {"properties.product_id"}),
        ("Product Viewed", {"product_id": True}, {"properties.product_id"}),
        ("Product Added", {"product_id": "a", "quantity": 0}, {"properties.quantity"}),
        ("Product Added", {"product_id": "a", "quantity": 1.5}, {"properties.quantity"}),
        ("view_item", {"items": "a"}, {"properties.items"}),
        ("view_item", {"item_id": "a#b"}, {"properties.item_id"}),
        (
            "purchase",
            {"transaction_id": "o1", "currency": "JPY", "items": [{"price": 1}]},
            {"properties.items.0.item_id"},
        ),
        (
            "Order Completed",
            ORDER | {"total": None, "products": [HEARTS | {"quantity": 10**6, "price": 10**9}]},
            {"properties.total"},
        ),
        ("view_item", {"items": [{"item_name": "no id"}]}, {"properties.items"}),
        (
            "purchase",
            {
                "transaction_id": "o#1",
                "currency": "JPY",
                "value": 0.5,
                "items": [{"item_id": "a", "price": 1}],
            },
            {"properties.transaction_id", "properties.value"},
        ),
        ("Product List Viewed", {"products": [{"product_id": "a"}] * 201}, {"properties.products"}),
        ("Order Completed", {}, {"properties.order_id", "properties.currency", "properties.products"}),
        ("Order Completed", ORDER | {"order_id": "o/1"}, {"properties.order_id"}),
        ("Order Completed", ORDER | {"currency": "yen"[:2]}, {"properties.currency"}),
        ("Order Completed", ORDER | {"products": [{"product_id": "a"}]}, {"properties.products.0.price"}),
        ("Order Completed", ORDER | {"products": [{"price": 1}]}, {"properties.products.0.product_id"}),
        (
            "Order Completed",
            ORDER | {"products": [HEARTS | {"quantity": -1}]},
            {"properties.products.0.quantity"},
        ),
        ("Order Completed", ORDER | {"products": [HEARTS | {"price": -1}]}, {"properties.products.0.price"}),
        ("Order Completed", ORDER | {"tax": "a lot"}, {"properties.tax"}),
        ("Order Refunded", {"total": 5}, {"properties.order_id", "properties.currency"}),
    ],
)
def test_what_is_wrong_is_named(event: str, properties: dict[str, Any], fields: set[str]) -> None:
    assert set(refused(event, properties)) == fields


def test_more_digits_than_the_currency_has_are_refused() -> None:
    yen = refused("Order Completed", ORDER | {"products": [HEARTS, HEARTS | {"price": 19.9}]})
    dollars = refused("Order Completed", ORDER | {"currency": "USD", "total": 39.805, "products": [HEARTS]})

    assert yen == {"properties.products.1.price": "has more than the 0 decimal digits of JPY"}
    assert set(dollars) == {"properties.total"}


@pytest.mark.parametrize(
    ("currency", "price", "minor"),
    [("JPY", 1990, 1990), ("USD", 19.9, 1990), ("USD", "19.90", 1990), ("KWD", 1.234, 1234)],
)
def test_prices_become_exact_minor_units(currency: str, price: Any, minor: int) -> None:
    order = {
        "order_id": "o1",
        "currency": currency,
        "products": [{"product_id": "a", "price": price, "quantity": 3}],
    }
    details = draft("Order Completed", order).entry.details

    assert details["lines"] == [{"item_id": "a", "quantity": 3, "price": minor}]
    assert details["total"] == 3 * minor


@given(
    st.integers(0, 10**9),
    st.integers(1, 50),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
def test_what_was_paid_follows_from_the_parts(
    price: int, quantity: int, discount: int, tax: int, shipping: int
) -> None:
    order = ORDER | {
        "total": None,
        "discount": discount,
        "tax": tax,
        "shipping": shipping,
        "products": [{"product_id": "a", "price": price, "quantity": quantity}],
    }
    details = draft("Order Completed", order).entry.details

    assert details["total"] == max(0, price * quantity - discount + tax + shipping)
    assert all(type(value) is not float for value in details.values())


def test_revenue_leaves_tax_and_shipping_out() -> None:
    order = ORDER | {"total": None, "revenue": 3600, "tax": 360, "shipping": 500}

    assert draft("Order Completed", order).entry.details["total"] == 4460


def test_a_purchase_in_ga4_words_is_the_same_order() -> None:
    ga4 = {
        "transaction_id": "o1",
        "value": 3980,
        "currency": "jpy",
        "items": [{"item_id": "85123A", "quantity": 2, "price": 1990}],
    }

    ours, theirs = draft("Order Completed", ORDER), draft("purchase", ga4)

    assert theirs.message == ours.message == Message("order", "o1")
    assert theirs.entry.details == ours.entry.details
    assert theirs.entry.event == "Order Completed"


def test_a_browser_only_claims_to_have_ordered() -> None:
    hint = draft("Order Completed", ORDER, trusted=False)

    assert (hint.entry.kind, hint.entry.trusted, hint.message.scope) == ("order_claimed", False, "hint")


def test_ids_of_hints_and_facts_never_meet() -> None:
    fact, hint = draft("Cart Viewed", {}), draft("Cart Viewed", {}, trusted=False)

    assert fact.message != hint.message
    assert fact.entry.entry_id != hint.entry.entry_id


@pytest.mark.parametrize(
    ("trusted", "customer_id", "anonymous_id", "event_type", "who"),
    [
        (True, "u1", "a1", "track", ("customer", "u1")),
        (False, "u1", "a1", "track", ("claimed", "u1")),
        (True, None, "a1", "track", ("anonymous", "a1")),
        (True, "u1", "a1", "identify", ("customer", "u1")),
        (False, "u1", "a1", "identify", ("anonymous", "a1")),
        (False, "u1", "a1", "alias", ("anonymous", "a1")),
        (False, "u1", None, "identify", ("claimed", "u1")),
    ],
)
def test_whose_timeline_it_is(
    trusted: bool, customer_id: str | None, anonymous_id: str | None, event_type: Any, who: tuple[str, str]
) -> None:
    said = Said(event_type, NOW, "m1", customer_id, anonymous_id, event="Cart Viewed")

    assert rules.draft(said, trusted=trusted).entry.who == who


def test_somebody_must_have_done_it() -> None:
    assert set(refused("Cart Viewed", {}, customer_id=None)) == {"userId"}
    with pytest.raises(InvalidInput):
        rules.draft(Said("alias", NOW, "m1", anonymous_id="a1", previous_id="a2"), trusted=True)


def test_an_identify_leaves_no_personal_data_in_the_timeline() -> None:
    said = Said("identify", NOW, "m1", "u1", traits={"email": "hana@example.com", "age": 5})

    assert rules.draft(said, trusted=True).entry.details == {"traits": ["age", "email"]}


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "at"),
    [
        (None, None, NOW),
        (NOW - HOUR, None, NOW - HOUR),
        (NOW - HOUR, NOW + timedelta(seconds=30), NOW - HOUR),  # the wire, not the clock
        (NOW + 2 * HOUR, NOW + 3 * HOUR, NOW - HOUR),  # three hours fast
        (NOW + 70 * HOUR, NOW + 72 * HOUR, NOW - 2 * HOUR),
        (NOW - 5 * HOUR, NOW - 4 * HOUR, NOW - 5 * HOUR),  # sent again after being offline
        (NOW + 23 * HOUR, None, NOW + 23 * HOUR),
    ],
)
def test_a_fast_clock_is_set_back(timestamp: datetime | None, sent_at: datetime | None, at: datetime) -> None:
    assert rules.happened_at("track", timestamp, sent_at, now=NOW) == at


def test_what_is_said_about_somebody_was_said_by_now() -> None:
    assert rules.happened_at("identify", NOW + HOUR, None, now=NOW) == NOW
    assert rules.happened_at("identify", NOW - HOUR, None, now=NOW) == NOW - HOUR


def test_tomorrow_has_not_happened() -> None:
    with pytest.raises(InvalidInput) as refusal:
        rules.happened_at("track", NOW + 25 * HOUR, None, now=NOW)

    assert [each.field for each in refusal.value.fields] == ["timestamp"]


@pytest.mark.parametrize(
    ("event_type", "named", "context", "channel"),
    [
        ("track", None, {}, "web"),
        ("track", "browser", {}, "web"),
        ("track", "mobile", {}, "app"),
        ("track", "server", {}, "web"),
        ("track", "store", {}, "store"),
        ("track", None, {"channel": "phone"}, "phone"),
        ("track", "Not A Channel!", {"channel": 7}, "web"),
        ("screen", None, {}, "app"),
        ("track", None, {"library": {"name": "analytics-kotlin"}}, "app"),
        ("track", None, {"library": {"name": "analytics-python"}}, "web"),
        ("track", None, {"library": "odd"}, "web"),
    ],
)
def test_the_channel(event_type: str, named: Any, context: dict[str, Any], channel: str) -> None:
    assert rules.channel_of(event_type, named, context) == channel
