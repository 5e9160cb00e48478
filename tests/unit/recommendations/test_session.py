"""What a visitor is shown while browsing, and what somebody never bought."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.recommendations import rules, service
from chalicelib.recommendations.model import (
    Act,
    Basket,
    Hint,
    History,
    ItemRow,
    Learned,
    Neighbour,
    Part,
    Placement,
    Popularity,
    SessionWeights,
    Situation,
)
from tests.support.embedded import PUBLISHABLE
from tests.support.recommender import Recommender, reason_of
from tests.support.trained import Model

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BROWSED = {
    "tea": {"session": [("tea", 1.0, 9), ("milk", 0.9, 4), ("honey", 0.3, 0)]},
    "jam": {"session": [("jam", 1.0, 7), ("butter", 0.8, 1)]},
}


def views(*item_ids: str) -> History:
    """Looked at a minute apart, the newest first."""
    hints = [Hint(Act.VIEW, f"e-{each}", NOW - timedelta(minutes=n), each) for n, each in enumerate(item_ids)]
    return History((), tuple(hints))


def row(item_id: str, *neighbours: tuple[str, float]) -> ItemRow:
    return ItemRow(item_id, session=tuple(Neighbour(other, score, 1) for other, score in neighbours))


def ask(
    history: History, weights: SessionWeights, *rows: ItemRow, asked: tuple[str, ...] = ()
) -> dict[str, float]:
    situation = Situation(Placement.SESSION, history, asked, frozenset(), NOW, weights)
    learned = Learned({each.item_id: each for each in rows})
    return {each.item_id: each.score for each in rules.candidates(situation, learned)}


def test_the_newest_items_speak_each_quieter_than_the_next_and_themselves_by_their_own_weight() -> None:
    found = ask(
        views("a", "b"),
        SessionWeights(own=2.0, decay=0.5, length=5),
        row("a", ("a", 1.0), ("x", 0.6)),
        row("b", ("b", 1.0), ("x", 0.4), ("a", 0.2)),
    )

    assert found == pytest.approx({"a": 1.0, "b": 1.0 / 2.1, "x": 0.8 / 2.1})


def test_only_so_many_items_speak_as_the_shop_forgets() -> None:
    rows = [row(each, (f"like-{each}", 1.0)) for each in "abc"]

    assert ask(views("a", "b", "c"), SessionWeights(length=2), *rows).keys() == {"like-a", "like-b"}


def test_what_was_looked_at_is_not_shown_where_nobody_looks_twice() -> None:
    assert ask(views("a"), SessionWeights(own=0.0), row("a", ("a", 1.0), ("x", 0.1))).keys() == {"x"}


def test_the_page_is_the_newest_step_and_not_shown_on_itself() -> None:
    found = ask(
        views("a"),
        SessionWeights(decay=0.5),
        row("p", ("p", 1.0), ("x", 0.4)),
        row("a", ("y", 0.4)),
        asked=("p",),
    )

    assert found == pytest.approx({"x": 1.0, "y": 0.5})


def test_no_more_rows_are_read_than_speak() -> None:
    situation = Situation(
        Placement.SESSION, views(*"abcdefg"), (), frozenset(), NOW, SessionWeights(length=3)
    )

    assert rules.wanted_rows(situation, 100) == ["a", "b", "c"]


def test_where_nothing_was_sold_lists_are_filled_with_what_is_looked_at() -> None:
    popularity = Popularity({"p": 2}, {"q": 1}, {"v": 90, "p": 80, "w": 10})

    found = rules.popular_candidates(popularity, frozenset())

    assert [(each.item_id, each.part) for each in found] == [
        ("p", Part.POPULAR),
        ("q", Part.POPULAR),
        ("v", Part.VIEWED),
        ("w", Part.VIEWED),
    ]


def test_a_view_of_a_moment_ago_changes_what_a_visitor_is_shown(shop: Recommender) -> None:
    service.save_model(Model(neighbours=BROWSED))
    before = shop.ask("session", PUBLISHABLE, anonymous_id="a1")

    shop.event("Product Viewed", PUBLISHABLE, anonymousId="a1", item_id="tea")
    after = shop.ask("session", PUBLISHABLE, anonymous_id="a1", limit=3)

    assert before["fallback"] == "newest"
    assert (after["fallback"], [each["item_id"] for each in after["items"]]) == (
        None,
        ["tea", "milk", "honey"],
    )
    assert reason_of(after, "tea")["text"] == "You looked at this lately"
    assert reason_of(after, "milk")["text"] == "Because you looked at TEA"


def test_a_page_says_how_often_both_were_looked_at(shop: Recommender) -> None:
    service.save_model(Model(neighbours=BROWSED))

    answer = shop.ask("session", anonymous_id="a1", item_id="tea", limit=2)

    assert reason_of(answer, "milk")["text"] == "Looked at together 4 times"
    assert reason_of(answer, "honey")["text"] == "Often looked at with this", (
        "by way of a third item, so no count"
    )


def test_a_shop_that_sold_nothing_yet_shows_what_is_looked_at(shop: Recommender) -> None:
    service.save_model(Model(viewed=[("eggs", 12), ("rice", 1)]))

    answer = shop.ask("trending", limit=2)

    assert answer["fallback"] == "popular"
    assert [each["reason"]["text"] for each in answer["items"]] == [
        "Looked at 12 times in the last 14 days",
        "Looked at once in the last 14 days",
    ]


def test_the_weights_are_those_the_serving_model_was_trained_with(shop: Recommender) -> None:
    service.save_model(Model(neighbours=BROWSED, session_weights=(0.0, 0.5, 1)))
    shop.event("Product Viewed", anonymousId="a1", item_id="jam")
    shop.event("Product Viewed", anonymousId="a1", item_id="tea")

    assert shop.ids("session", anonymous_id="a1", limit=2) == ["milk", "honey"]


def test_a_discovery_was_never_bought_also_where_it_would_only_fill_up(shop: Recommender) -> None:
    shop.train()
    shop.order("o1", "u1", "bread", "milk", "soap")

    found = shop.ids("discover", customer_id="u1")

    assert found[:2] == ["butter", "coffee"]
    assert sorted(found) == sorted(("butter", "jam", "honey", "tea", "coffee", "eggs", "rice"))


def test_discover_is_the_blend_without_what_was_bought() -> None:
    past = History((Basket("o1", NOW, ("a",)),))
    lists = {"next": (Neighbour("a", 0.9, 9), Neighbour("x", 0.3, 3)), "users": (Neighbour("y", 0.1, 2),)}
    learned = Learned({"a": ItemRow("a", **lists)}, Popularity({"x": 4, "y": 4}))

    found = rules.candidates(Situation(Placement.DISCOVER, past, (), frozenset(), NOW), learned)

    sold = (0.001 + 1) ** 0.2
    assert {each.item_id: each.score for each in found} == pytest.approx(
        {"x": (0.3 + 0.1) * sold, "y": (0.2 + 0.1) * sold}
    ), "a is not the loudest of the lists it may not be on, and likeness counts twice"
