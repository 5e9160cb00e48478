"""Inferred traits, without AWS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.traits.inference import confidence, judge, judge_all, sensitive_category_of
from chalicelib.traits.model import (
    GIFT_WEIGHT,
    INFERRED,
    LESS_CONFIDENT,
    NO_CONSENT,
    NOT_CONFIDENT,
    TOO_FEW_ORDERS,
    WITHDRAWN,
    Bought,
    Facts,
    Inferred,
    Purchase,
    Rule,
    Thing,
)

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
DAY = timedelta(days=1)
THINGS = {
    "tofu": Thing("tofu", ("grocery/soy",)),
    "rice": Thing("rice", ("grocery/rice",)),
    "beef": Thing("beef", ("grocery/meat/beef",)),
    "bibs": Thing("bibs", ("kids/toddler",)),
    "lamp": Thing("lamp", ("home/lamps",)),
    "news": Thing("news", ()),
}
VEGETARIAN = Rule(
    "vegetarian",
    "diet",
    "vegetarian",
    among=("grocery",),
    no_item_of=("grocery/meat", "fish"),
    orders_at_least=8,
)
PARENT = Rule("parent", "has_child", value=True, item_of=("kids",), orders_at_least=3)
SOY = Rule("soy", "likes", "soy", among=("grocery",), item_of=("grocery/soy",), orders_at_least=2)


def order(
    number: int, *item_ids: str, gift: bool = False, days: float = 1, gifts: tuple[str, ...] = ()
) -> Purchase:
    bought = tuple(Bought(each, 1, gift=gift or each in gifts) for each in item_ids)
    return Purchase(f"o{number:02d}", NOW - days * DAY, 100, "JPY", bought)


def groceries(count: int = 8) -> list[Purchase]:
    return [order(number, "tofu" if number % 2 else "rice", "lamp") for number in range(count)]


def found(rule: Rule, *purchases: Purchase, **more: Any) -> tuple[str, Inferred]:
    judgement = judge(rule, Facts(purchases, (), THINGS, **more), NOW)
    assert judgement.found is not None
    return judgement.outcome, judgement.found


@pytest.mark.parametrize(
    ("supporting", "contradicting", "lower"),
    # The 95 % two-sided interval of well-known tables.
    [(10, 1, 0.6226), (75, 25, 0.6570), (50, 50, 0.4038), (100, 0, 0.9630), (1, 0, 0.2065), (1, 10, 0.0162)],
)
def test_the_formula_against_published_figures(supporting: int, contradicting: int, lower: float) -> None:
    assert confidence(supporting, contradicting, z=1.959963985) == lower


WEIGHT = st.floats(0, 300, allow_nan=False)


@given(WEIGHT, WEIGHT, st.floats(0.1, 50))
def test_confidence_grows_with_evidence_and_falls_with_counter_evidence(
    supporting: float, contradicting: float, more: float
) -> None:
    here = confidence(supporting, contradicting)

    assert 0 <= here < 1
    assert confidence(supporting + more, contradicting) >= here
    assert confidence(supporting, contradicting + more) <= here
    assert here <= supporting / (supporting + contradicting or 1) + 0.0001


def test_eight_grocery_orders_without_meat() -> None:
    outcome, inferred = found(VEGETARIAN, *groceries())

    assert outcome == INFERRED
    assert inferred.value == "vegetarian"
    assert inferred.confidence == confidence(8, 0) > 0.7
    assert [each.order_id for each in inferred.evidence] == [f"o{number:02d}" for number in range(7, -1, -1)]
    assert inferred.evidence[0].item_ids == ("tofu",)
    assert inferred.counter_evidence == ()


def test_a_gift_lowers_it_and_an_own_order_lowers_it_much_more() -> None:
    _, before = found(VEGETARIAN, *groceries())
    outcome, gift = found(VEGETARIAN, *groceries(), order(99, "beef", gift=True))
    _, own = found(VEGETARIAN, *groceries(), order(99, "beef"))

    assert outcome == INFERRED
    assert own.confidence < gift.confidence < before.confidence
    assert before.confidence - gift.confidence < (before.confidence - own.confidence) / 4
    [counter] = gift.counter_evidence
    assert (counter.order_id, counter.item_ids, counter.gift, counter.weight) == (
        "o99",
        ("beef",),
        True,
        GIFT_WEIGHT,
    )
    assert own.counter_evidence[0].weight == 1


def test_it_stays_until_confidence_falls_below_the_rules_own_minimum() -> None:
    outcomes = [
        found(VEGETARIAN, *groceries(), *[order(90 + n, "beef") for n in range(meat)])[0] for meat in range(5)
    ]
    strict = Rule(**{**vars(VEGETARIAN), "minimum_confidence": 0.7})

    assert outcomes == [INFERRED] * 3 + [NOT_CONFIDENT] * 2
    assert found(strict, *groceries(), order(99, "beef"))[0] == NOT_CONFIDENT


@pytest.mark.parametrize(
    ("purchases", "outcome"),
    [
        (groceries(7), TOO_FEW_ORDERS),
        ([*groceries(7), order(50, "lamp")], TOO_FEW_ORDERS),  # not among those asked
        ([*groceries(7), order(50, "rice", gift=True)], TOO_FEW_ORDERS),  # for somebody else
        ([*groceries(7), order(50, "rice", "gone")], TOO_FEW_ORDERS),  # what it was, nobody knows any more
        ([*groceries(7), order(50, "rice", "beef")], TOO_FEW_ORDERS),
        ([*groceries(7), order(50, "rice", "news")], INFERRED),
        ([*groceries(7), order(50, "rice", "beef", gifts=("beef",))], INFERRED),
        (groceries(8), INFERRED),
    ],
)
def test_what_counts_towards_enough_orders(purchases: list[Purchase], outcome: str) -> None:
    assert found(VEGETARIAN, *purchases)[0] == outcome


def test_an_own_basket_with_a_gift_of_meat_speaks_both_ways() -> None:
    _, inferred = found(VEGETARIAN, order(1, "rice", "beef", gifts=("beef",)))

    assert [each.item_ids for each in inferred.evidence] == [("rice",)]
    assert [(each.item_ids, each.weight) for each in inferred.counter_evidence] == [(("beef",), GIFT_WEIGHT)]


def test_buying_for_a_small_child() -> None:
    for_child = [order(number, "bibs", "rice") for number in range(3)]
    presents = [order(number, "bibs", gift=True) for number in range(10, 16)]

    assert found(PARENT, *for_child, *groceries())[0] == INFERRED
    assert found(PARENT, *presents)[0] == TOO_FEW_ORDERS
    assert found(PARENT, *groceries())[1].counter_evidence == (), "who was not asked says nothing"


def test_among_the_orders_asked_one_without_the_item_speaks_against() -> None:
    _, inferred = found(SOY, order(1, "tofu"), order(2, "rice"), order(3, "lamp"))

    assert [each.order_id for each in inferred.evidence] == ["o01"]
    assert [each.order_id for each in inferred.counter_evidence] == ["o02"]


def test_a_window_ends_by_itself() -> None:
    yearly = Rule(**{**vars(VEGETARIAN), "within": "P365D"})
    meat = order(99, "beef", days=365)

    _, inferred = found(yearly, *groceries(), meat)
    assert inferred.counter_evidence == ()
    earlier = judge(yearly, Facts((*groceries(), meat), (), THINGS), NOW - timedelta(milliseconds=1))
    assert earlier.found is not None
    assert [each.order_id for each in earlier.found.counter_evidence] == ["o99"]


def test_it_is_said_when_not_all_orders_were_read() -> None:
    yearly = Rule(**{**vars(VEGETARIAN), "within": "P365D"})

    assert not found(VEGETARIAN, *groceries(), purchases_after=NOW - 9 * DAY)[1].complete
    assert not found(yearly, *groceries(), purchases_after=NOW - 9 * DAY)[1].complete
    assert found(yearly, *groceries(), purchases_after=NOW - 366 * DAY)[1].complete


def judged(
    *rules: Rule, consents: dict[str, bool] | None = None, sensitive: tuple[str, ...] = ("health",)
) -> dict[str, str]:
    judgements = judge_all(
        rules,
        Facts(tuple(groceries()), (), THINGS),
        consents=consents or {},
        sensitive=frozenset(sensitive),
        now=NOW,
    )
    return {
        each.rule.rule_id: each.outcome if each.found else f"not asked: {each.outcome}" for each in judgements
    }


def test_of_two_rules_for_one_trait_the_more_confident_counts() -> None:
    vegan = Rule(
        **{**vars(VEGETARIAN), "rule_id": "vegan", "value": "vegan", "no_item_of": ("grocery/rice",)}
    )
    eager = Rule(**{**vars(vegan), "orders_at_least": 1, "minimum_confidence": 0.0})
    twin = Rule(**{**vars(VEGETARIAN), "rule_id": "a-twin"})

    assert judged(VEGETARIAN, eager) == {"vegetarian": INFERRED, "vegan": LESS_CONFIDENT}
    assert judged(VEGETARIAN, vegan) == {"vegetarian": INFERRED, "vegan": TOO_FEW_ORDERS}
    assert (
        judged(VEGETARIAN, twin)
        == judged(twin, VEGETARIAN)
        == {"a-twin": INFERRED, "vegetarian": LESS_CONFIDENT}
    )


@pytest.mark.parametrize(
    ("consents", "plain", "sensitive"),
    [
        ({}, INFERRED, f"not asked: {NO_CONSENT}"),
        ({"sensitive_profiling": False}, INFERRED, f"not asked: {NO_CONSENT}"),
        ({"personalization": True}, INFERRED, f"not asked: {NO_CONSENT}"),
        ({"sensitive_profiling": True}, INFERRED, INFERRED),
        ({"personalization": False}, f"not asked: {WITHDRAWN}", f"not asked: {WITHDRAWN}"),
        (
            {"personalization": False, "sensitive_profiling": True},
            f"not asked: {WITHDRAWN}",
            f"not asked: {WITHDRAWN}",
        ),
    ],
)
def test_nothing_is_asked_without_consent(consents: dict[str, bool], plain: str, sensitive: str) -> None:
    diabetic = Rule(
        **{**vars(VEGETARIAN), "rule_id": "diabetic", "trait": "condition", "sensitive_category": "health"}
    )

    assert judged(VEGETARIAN, diabetic, consents=consents) == {"vegetarian": plain, "diabetic": sensitive}
    assert judged(diabetic, sensitive=("religion",))["diabetic"] == INFERRED, (
        "this shop does not call it sensitive"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"sensitive_category": "health"},
        {"among": ("Health",)},
        {"no_item_of": ("care/health/tests",)},
        {"item_of": ("health/tests",), "no_item_of": ()},
        {"trait": "health"},
        {"value": "health"},
    ],
)
def test_a_rule_is_sensitive_by_what_it_touches(changed: dict[str, Any]) -> None:
    assert sensitive_category_of(Rule(**{**vars(VEGETARIAN), **changed}), frozenset({"health"})) == "health"
    assert sensitive_category_of(VEGETARIAN, frozenset({"health"})) is None


BASKET = st.lists(st.sampled_from([*sorted(THINGS), "gone"]), min_size=1, max_size=4, unique=True)
PAST = st.lists(st.tuples(BASKET, st.booleans(), st.integers(0, 400)), max_size=15)
RULES = st.sampled_from([VEGETARIAN, PARENT, SOY, Rule(**{**vars(VEGETARIAN), "within": "P90D"})])


@given(RULES, PAST, st.randoms())
def test_the_order_in_which_orders_come_never_matters(rule: Rule, past: Any, dice: Any) -> None:
    purchases = [
        order(number, *items, gift=gift, days=days) for number, (items, gift, days) in enumerate(past)
    ]
    shuffled = list(purchases)
    dice.shuffle(shuffled)

    assert found(rule, *purchases) == found(rule, *shuffled)


@given(RULES, PAST, BASKET)
def test_a_contradicting_order_never_helps_and_never_hurts_more_as_a_gift(
    rule: Rule, past: Any, items: Any
) -> None:
    purchases = [
        order(number, *items, gift=gift, days=days) for number, (items, gift, days) in enumerate(past)
    ]
    _, alone = found(rule, order(99, *items))
    _, before = found(rule, *purchases)
    _, own = found(rule, *purchases, order(99, *items))
    _, gift = found(rule, *purchases, order(99, *items, gift=True))

    low, high = sorted([before.confidence, own.confidence])
    assert low <= gift.confidence <= high, "a gift moves it the same way, and less"
    if alone.counter_evidence:
        assert own.confidence <= before.confidence
    if alone.evidence:
        assert own.confidence >= before.confidence
