"""Computed traits, without AWS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.traits import rules
from chalicelib.traits.model import Act, Aggregate, Bought, Computation, Computed, Facts, Purchase, Thing

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(milliseconds=1)
THINGS = {
    "tofu": Thing("tofu", ("grocery/soy",), "Shiro"),
    "rice": Thing("rice", ("grocery/rice", "sale"), "Koshi"),
    "beef": Thing("beef", ("meat/beef",), "Koshi"),
    "test": Thing("test", ("health/tests",), "Medi"),
}


def order(number: int, *item_ids: str, days: float = 1, **more: Any) -> Purchase:
    given = {"total": 1000, "currency": "JPY"} | more
    return Purchase(
        f"o{number}", NOW - days * DAY, bought=tuple(Bought(each, 1) for each in item_ids), **given
    )


def act(number: int, kind: str = "view", *item_ids: str, days: float = 1, **more: Any) -> Act:
    given = {"event": "Product Viewed", "channel": "web", "trusted": True} | more
    return Act(f"e{number}", kind, at=NOW - days * DAY, item_ids=item_ids, **given)


def facts(*happened: Purchase | Act, **more: Any) -> Facts:
    return Facts(
        tuple(each for each in happened if isinstance(each, Purchase)),
        tuple(each for each in happened if isinstance(each, Act)),
        THINGS,
        **more,
    )


def computed(
    aggregate: Aggregate, happened: Facts, about: str | None = None, event: str = "order", **more: Any
) -> Computed:
    return rules.compute(Computation("t", event, aggregate, about, **more), happened, NOW)


SHOPPED = facts(
    order(1, "tofu", "rice", days=40, total=300, channel="store"),
    order(2, "tofu", days=20, total=200, channel="web"),
    order(3, "beef", days=10, total=1990, currency="USD", channel="web"),
)


@pytest.mark.parametrize(
    ("aggregate", "about", "more", "value"),
    [
        ("count", None, {}, 3),
        ("count", None, {"within": "P30D"}, 2),
        ("count", None, {"within": "P1D"}, 0),
        ("count", None, {"category": "grocery"}, 2),
        ("count", None, {"category": "grocery/s"}, 0),
        ("count", None, {"channel": "web"}, 2),
        ("sum", "total", {}, {"JPY": 500, "USD": 1990}),
        ("sum", "total", {"within": "P1D"}, {}),
        ("sum", "total", {"category": "meat"}, {"USD": 1990}),
        ("first", "total", {}, {"amount": 300, "currency": "JPY"}),
        ("last", "total", {}, {"amount": 1990, "currency": "USD"}),
        ("first", "item_id", {}, "tofu"),
        ("last", "category", {}, "meat/beef"),
        ("last", "category", {"category": "grocery"}, "grocery/soy"),
        ("most_frequent", "category", {}, "grocery/soy"),
        ("most_frequent", "brand", {}, "Koshi"),
        ("most_frequent", "channel", {}, "web"),
        ("most_frequent", "brand", {"within": "P1D"}, None),
        ("distinct", "item_id", {}, 3),
        ("distinct", "category", {"category": "grocery"}, 2),
        ("distinct", "brand", {"within": "P1D"}, 0),
    ],
)
def test_orders(aggregate: Aggregate, about: str | None, more: dict[str, Any], value: Any) -> None:
    assert computed(aggregate, SHOPPED, about, **more).value == value


@pytest.mark.parametrize(
    ("aggregate", "about", "more", "value"),
    [
        ("count", None, {}, 3),
        ("count", None, {"trusted_only": True}, 2),
        ("count", None, {"event": "search"}, 1),
        ("count", None, {"event": "Product Viewed"}, 3),
        ("sum", "properties.seconds", {}, 12.75),
        ("sum", "properties.score", {}, 3),
        ("distinct", "properties.page.tag", {}, 3),
        ("most_frequent", "properties.page.tag", {}, "b"),
        ("first", "properties.flag", {}, True),
        ("last", "properties.flag", {}, 1),
        ("last", "properties.page", {}, None),
        ("last", "properties.none", {}, None),
        ("sum", "properties.none", {}, 0),
        ("last", "item_id", {}, "rice"),
    ],
)
def test_other_events(aggregate: Aggregate, about: str | None, more: dict[str, Any], value: Any) -> None:
    looked = facts(
        act(1, "view", "tofu", days=3, details={"seconds": 12.5, "flag": True, "page": {"tag": ["a", "b"]}}),
        act(
            2, "view", "rice", days=2, details={"seconds": 0.25, "score": 3, "flag": 1, "page": {"tag": "b"}}
        ),
        act(
            3, "view", days=1, trusted=False, details={"score": True, "seconds": "9", "page": {"tag": ["c"]}}
        ),
        act(4, "search", days=1, event="Products Searched"),
    )

    assert computed(aggregate, looked, about, **({"event": "view"} | more)).value == value


def test_a_value_too_long_to_show_is_none() -> None:
    long = facts(act(1, details={"text": "x" * 301}), act(2, days=2, details={"text": "short"}))

    assert computed("last", long, "properties.text", event="view").value == "short"


@given(st.integers(-2000, 2000))
def test_a_window_ends_to_the_millisecond(ticks: int) -> None:
    purchase = Purchase("o1", NOW - 30 * DAY + ticks * TICK, 100, "JPY", (Bought("tofu", 1),))

    assert computed("count", facts(purchase), within="P30D").value == (ticks > 0)
    assert computed("count", facts(purchase)).value == 1


def test_a_fast_clock_counts_as_far_as_the_door_lets_it_in() -> None:
    assert computed("count", facts(order(1, "tofu", days=-1))).value == 1
    assert computed("count", facts(order(1, "tofu", days=-1.01))).value == 0


@pytest.mark.parametrize(
    ("aggregate", "about", "within", "read_days", "complete"),
    [
        ("count", None, None, {}, True),
        ("count", None, None, {"orders": 50}, False),
        ("count", None, "P30D", {"orders": 50}, True),
        ("count", None, "P50D", {"orders": 50}, True),
        ("count", None, "P51D", {"orders": 50}, False),
        ("count", None, None, {"acts": 50}, True),
        ("most_frequent", "channel", None, {"acts": 50}, False),
        ("last", "total", None, {"orders": 50}, True),
        ("last", "total", "P1D", {"orders": 50}, True),
        ("first", "total", None, {"orders": 50}, False),
    ],
)
def test_it_is_said_when_more_is_in_the_window_than_was_read(
    aggregate: Aggregate, about: str | None, within: str | None, read_days: dict[str, int], complete: bool
) -> None:
    after = {name: NOW - days * DAY for name, days in read_days.items()}
    read = facts(*SHOPPED.purchases, purchases_after=after.get("orders"), acts_after=after.get("acts"))

    assert computed(aggregate, read, about, within=within).complete is complete


def test_the_last_of_an_empty_window_that_was_not_read_to_its_end() -> None:
    read = facts(order(1, "tofu", channel=None), purchases_after=NOW - 50 * DAY, acts_after=NOW - 50 * DAY)

    assert not computed("last", read, "channel").complete


@pytest.mark.parametrize(
    ("path", "category", "inside"),
    [("grocery", "grocery", True), ("grocery/soy", "grocery", True), ("groceries", "grocery", False),
     ("grocery", "grocery/soy", False), ("a/grocery", "grocery", False)],
)  # fmt: skip
def test_a_category_holds_what_is_below_it(path: str, category: str, inside: bool) -> None:
    assert rules.is_in(path, category) is inside


def test_nothing_is_told_of_sensitive_things() -> None:
    about = act(1, "page", event="page", details={"category": "Health/Tests", "name": "x"})
    bought = facts(order(1, "test", "tofu"), about)
    marked = Facts(things={"x": Thing("x", ("toys",), "B", ("t",), sensitive="pregnancy")})
    hidden = rules.without_sensitive(bought, {"health"})

    assert computed("most_frequent", hidden, "category").value == "grocery/soy"
    assert computed("distinct", hidden, "brand").value == 1
    assert computed("count", hidden).value == 1
    assert hidden.acts[0].details == {"name": "x"}
    assert rules.without_sensitive(marked, {"pregnancy"}).things == {"x": Thing("x")}
    assert rules.without_sensitive(marked, {"health"}) == marked


NUMBERS = st.one_of(st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6))
ORDERS = st.lists(
    st.tuples(
        st.integers(0, 90),
        st.integers(0, 9999),
        st.sampled_from(["JPY", "USD"]),
        st.sampled_from(sorted(THINGS)),
    ),
    max_size=12,
)


@given(ORDERS, st.lists(st.tuples(st.integers(0, 5), NUMBERS), max_size=12), st.randoms())
def test_the_order_in_which_facts_come_never_matters(
    bought: list[tuple[int, int, str, str]], said: list[tuple[int, float]], dice: Any
) -> None:
    happened: list[Purchase | Act] = [
        order(number, item_id, days=days, total=total, currency=currency, channel=currency.lower())
        for number, (days, total, currency, item_id) in enumerate(bought)
    ]
    happened += [act(number, days=days, details={"n": n}) for number, (days, n) in enumerate(said)]
    shuffled = list(happened)
    dice.shuffle(shuffled)
    for aggregate, about, event in [
        ("count", None, "order"), ("sum", "total", "order"), ("first", "category", "order"),
        ("last", "item_id", "order"), ("most_frequent", "brand", "order"), ("distinct", "channel", "order"),
        ("sum", "properties.n", "view"), ("most_frequent", "properties.n", "view"),
    ]:  # fmt: skip
        one = computed(aggregate, facts(*happened), about, event)  # type: ignore[arg-type]
        other = computed(aggregate, facts(*shuffled), about, event)  # type: ignore[arg-type]

        assert one == other
    total = computed("sum", facts(*happened), "properties.n", "view").value
    assert total == pytest.approx(float(sum((Fraction(n) for _, n in said), Fraction(0))))
    money = computed("sum", facts(*happened), "total").value
    assert sum(money.values()) == sum(total for _, total, _, _ in bought)
    assert all(isinstance(each, int) for each in money.values())
