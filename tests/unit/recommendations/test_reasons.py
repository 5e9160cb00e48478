"""Why an item is shown: the true reason, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.recommendations.model import (
    Act,
    Basket,
    Candidate,
    Evidence,
    History,
    ItemRow,
    Learned,
    Neighbour,
    Part,
    Popularity,
    Reason,
    Source,
)
from chalicelib.recommendations.reasons import reason
from chalicelib.recommendations.texts import TEXTS, text

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PAST = History((Basket("o2", NOW, ("a", "x")), Basket("o1", NOW, ("a",))))
LEARNED = Learned(
    {"a": ItemRow("a", (Neighbour("x", 0.5, 12),), (Neighbour("x", 0.5, 4),))}, Popularity({"p": 9}, {"q": 7})
)
CATEGORIES = {"a": ["home/candles"], "x": ["food", "home/candles"], "y": ["home/lamps"]}
ORDERED = Source("a", 1.0, Act.ORDER, "o1", NOW)
IN_CART = Source("a", 1.0, Act.CART, "e1", NOW)
VIEWED = Source("a", 1.0, Act.VIEW, "e2", NOW)
PAGE = Source("a", 1.0, Act.ASKED)
CLAIMED = Source("a", 1.0, Act.CLAIM, "e3", NOW)
OF_ORDER = Evidence("order", "o1", "a", NOW)

CASES: list[tuple[str, Part, Source | None, Reason]] = [
    (
        "a",
        Part.OWN,
        None,
        Reason(
            "bought_before", (Evidence("order", "o2", "a", NOW), Evidence("order", "o1", "a", NOW)), count=2
        ),
    ),
    ("a", Part.SEEN, VIEWED, Reason("viewed", (Evidence("view", "e2", "a", NOW),))),
    ("a", Part.SEEN, IN_CART, Reason("in_cart", (Evidence("cart", "e1", "a", NOW),))),
    ("a", Part.SEEN, CLAIMED, Reason("recent_activity")),
    ("x", Part.TOGETHER, ORDERED, Reason("bought_together", (OF_ORDER,), about="a")),
    ("x", Part.USERS, ORDERED, Reason("similar_customers", (OF_ORDER,), about="a")),
    ("x", Part.NEXT, ORDERED, Reason("next", (OF_ORDER,), about="a")),
    ("x", Part.TOGETHER, VIEWED, Reason("viewed", (Evidence("view", "e2", "a", NOW),), about="a")),
    ("x", Part.USERS, IN_CART, Reason("in_cart", (Evidence("cart", "e1", "a", NOW),), about="a")),
    ("x", Part.NEXT, CLAIMED, Reason("recent_activity")),
    (
        "x",
        Part.TOGETHER,
        PAGE,
        Reason("bought_together", (Evidence("together", item_id="a", count=12),), about="a", count=12),
    ),
    (
        "x",
        Part.USERS,
        PAGE,
        Reason("similar_customers", (Evidence("users", item_id="a", count=4),), about="a", count=4),
    ),
    ("x", Part.CATEGORY, PAGE, Reason("same_category", (Evidence("item", item_id="a"),), category="candles")),
    (
        "y",
        Part.CATEGORY,
        VIEWED,
        Reason("same_category", (Evidence("view", "e2", "a", NOW),), category="home"),
    ),
    (
        "p",
        Part.POPULAR,
        None,
        Reason("popular", (Evidence("popularity", count=9, days=14),), count=9, days=14),
    ),
    (
        "q",
        Part.POPULAR,
        None,
        Reason("popular", (Evidence("popularity", count=7, days=90),), count=7, days=90),
    ),
    ("n", Part.NEWEST, None, Reason("newest")),
]


@pytest.mark.parametrize(("item_id", "part", "source", "expected"), CASES)
def test_the_part_that_gave_most_is_the_reason(
    item_id: str, part: Part, source: Source | None, expected: Reason
) -> None:
    candidate = Candidate(item_id, 1.0, part, source)

    assert reason(candidate, PAST, LEARNED, CATEGORIES, shows_orders=True) == expected


@pytest.mark.parametrize(("item_id", "part", "source", "_"), CASES)
def test_a_browser_hears_nothing_of_orders(
    item_id: str, part: Part, source: Source | None, _: Reason
) -> None:
    told = reason(Candidate(item_id, 1.0, part, source), PAST, LEARNED, CATEGORIES, shows_orders=False)

    assert "order" not in {each.kind for each in told.evidence}
    assert told.code != "bought_before"
    assert told == Reason("recent_activity") or source not in (ORDERED, CLAIMED)


@pytest.mark.parametrize(
    ("why", "title", "english", "japanese"),
    [
        (
            Reason("bought_together", about="a"),
            "HEART",
            "Because you bought HEART",
            "「HEART」をお買い上げになった方へ",
        ),
        (
            Reason("bought_together", about="a"),
            None,
            "Goes with something you bought",
            "お買い上げの品と一緒に選ばれています",
        ),
        (
            Reason("bought_together", about="a", count=12),
            "HEART",
            "Bought together 12 times",
            "一緒に12回購入されています",
        ),
        (
            Reason("bought_together", about="a", count=1),
            "HEART",
            "Bought together once",
            "一緒に1回購入されています",
        ),
        (
            Reason("bought_before", count=1),
            None,
            "You bought this before",
            "以前にお買い上げいただいた品です",
        ),
        (
            Reason("bought_before", count=3),
            None,
            "You have bought this 3 times",
            "これまでに3回お買い上げいただいた品です",
        ),
        (
            Reason("popular", count=1, days=14),
            None,
            "Bought once in the last 14 days",
            "この14日間に1回購入されています",
        ),
        (
            Reason("popular", count=9, days=14),
            None,
            "Bought 9 times in the last 14 days",
            "この14日間に9回購入されています",
        ),
        (Reason("same_category", category="{title}"), None, "More from {title}", "{title}から"),
        (
            Reason("viewed", about="a"),
            "{count}",
            "Because you looked at {count}",
            "「{count}」をご覧になった方へ",
        ),
    ],
)
def test_a_reason_in_words(why: Reason, title: str | None, english: str, japanese: str) -> None:
    assert text(why, "en", title) == english
    assert text(why, "ja", title) == japanese


def test_both_languages_say_the_same_things() -> None:
    blanks: dict[str, Any] = {"title": "T", "count": 2, "days": 14, "category": "C"}
    assert TEXTS["en"].keys() == TEXTS["ja"].keys()
    for form, english in TEXTS["en"].items():
        for blank in blanks:
            assert ("{" + blank + "}" in english) == ("{" + blank + "}" in TEXTS["ja"][form]) or (
                blank == "count" and form in ("popular", "bought_together.one")
            )
