"""Which orders stand, without AWS."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.traits.model import Act, Bought, Purchase
from chalicelib.traits.purchases import Told, standing

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def recorded(order_id: str = "o1", *, days: int = 0, total: int = 1000) -> Purchase:
    return Purchase(order_id, NOW - days * DAY, total, "JPY", (Bought("a", 2), Bought("b", 1)))


def told(kind: str, order_id: str = "o1", *, trusted: bool = True, days: int = 0, **details: Any) -> Told:
    act = Act(f"{kind}-{order_id}", kind, kind, "store", NOW - days * DAY, (), trusted, details)
    return Told(order_id, act)


def items(purchases: tuple[Purchase, ...]) -> dict[str, list[tuple[str, int]]]:
    return {each.order_id: [(b.item_id, b.quantity) for b in each.bought] for each in purchases}


def test_a_recorded_order_and_its_event_are_one_order_with_the_events_channel() -> None:
    [purchase] = standing([recorded()], [told("order", total=1)], recorded_after=None)

    assert (purchase.total, purchase.channel) == (1000, "store")


def test_an_order_only_told_counts_already_with_its_gifts() -> None:
    lines = [
        {"item_id": "a", "quantity": 2, "price": 1},
        {"item_id": "b", "quantity": 1, "price": 1, "gift": True},
        {"item_id": "a", "quantity": 1, "price": 1, "gift": True},
    ]
    [purchase] = standing([], [told("order", total=3, currency="JPY", lines=lines)], recorded_after=None)
    [gift] = standing([], [told("order", gift=True, lines=lines)], recorded_after=None)

    assert purchase.bought == (Bought("a", 3), Bought("b", 1, gift=True))
    assert (purchase.total, purchase.currency) == (3, "JPY")
    assert all(each.gift for each in gift.bought)


def test_a_told_order_older_than_the_records_that_were_read_is_left_out() -> None:
    read = [recorded("new", days=1), recorded("old", days=5)]
    late, early = told("order", "late", days=2), told("order", "early", days=6)

    assert set(items(standing(read, [late, early], recorded_after=read[-1].at))) == {"new", "late", "old"}
    assert set(items(standing(read, [late, early], recorded_after=None))) == {"new", "late", "old", "early"}


@pytest.mark.parametrize(
    ("what", "left"),
    [
        (told("order_cancelled"), {}),
        (told("order_refunded"), {}),
        (told("order_refunded", total=1000, currency="JPY"), {}),
        (told("order_refunded", lines=[{"item_id": "a", "quantity": 2}, {"item_id": "b"}]), {}),
        (told("order_refunded", total=400, currency="JPY"), {"o1": [("a", 2), ("b", 1)]}),
        (told("order_refunded", total=2000, currency="USD"), {"o1": [("a", 2), ("b", 1)]}),
        (told("order_refunded", lines=[{"item_id": "b", "quantity": 1}]), {"o1": [("a", 2)]}),
        (told("order_refunded", lines=[{"item_id": "a", "quantity": 1}]), {"o1": [("a", 1), ("b", 1)]}),
        (told("order_refunded", "another"), {"o1": [("a", 2), ("b", 1)]}),
        (told("order_cancelled", trusted=False), {"o1": [("a", 2), ("b", 1)]}),
        (told("delivery"), {"o1": [("a", 2), ("b", 1)]}),
    ],
)
def test_what_was_cancelled_or_given_back_is_gone(what: Told, left: dict[str, Any]) -> None:
    assert items(standing([recorded()], [what], recorded_after=None)) == left


def test_the_order_of_telling_does_not_matter() -> None:
    read = [recorded(f"o{number}", days=number) for number in range(5)]
    said = [
        told("order", "o9", lines=[{"item_id": "a", "quantity": 1}]),
        told("order_refunded", "o1", lines=[{"item_id": "a", "quantity": 1}]),
        told("order_refunded", "o1", lines=[{"item_id": "b"}]),
        told("order_cancelled", "o2"),
        told("order", "o3", total=1),
    ]
    expected = standing(read, said, recorded_after=None)
    for seed in range(20):
        random.Random(seed).shuffle(read)
        random.Random(seed + 99).shuffle(said)

        assert standing(read, said, recorded_after=None) == expected
    assert [each.order_id for each in expected] == ["o9", "o0", "o1", "o3", "o4"]
