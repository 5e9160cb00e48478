"""What a person's past says, with numbers worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import exp

import pytest

from chalicelib.recommendations.history import due_in_days, hinted, merge, own_counts, readiness, sources
from chalicelib.recommendations.model import Act, Basket, Hint, History

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def basket(order_id: str, days: float, *item_ids: str) -> Basket:
    return Basket(order_id, ago(days), item_ids)


def hint(act: Act, item_id: str, days: float) -> Hint:
    return Hint(act, f"{act}-{item_id}", ago(days), item_id)


def test_own_counts_fade_by_age_and_by_basket() -> None:
    past = History((basket("o3", 0, "a"), basket("o2", 10, "b"), basket("o1", 365, "a", "a", "b")))

    counts = own_counts(past, NOW)

    assert counts["a"] == pytest.approx(1 + exp(-1) * 0.97**2)
    assert counts["b"] == pytest.approx(exp(-10 / 365) * 0.97 + exp(-1) * 0.97**2)


def test_an_order_from_a_fast_clock_counts_as_one_of_now() -> None:
    assert own_counts(History((basket("o1", -0.5, "a"),)), NOW) == {"a": 1.0}


def test_orders_are_quieter_with_every_newer_basket() -> None:
    past = History((basket("o2", 1, "b"), basket("o1", 9, "a", "b")))

    found = sources(past, (), NOW)

    assert [(each.item_id, each.weight, each.event_id) for each in found] == [
        ("b", 1.0, "o2"),
        ("a", 0.8, "o1"),
    ]


def test_views_and_carts_are_quieter_than_orders_and_with_every_newer_one() -> None:
    past = History(
        (basket("o1", 5, "a"),),
        (
            hint(Act.VIEW, "v", 1),
            hint(Act.CART, "c", 2),
            hint(Act.VIEW, "v", 3),
            hint(Act.VIEW, "before", 6),
        ),
    )

    weights = {each.item_id: each.weight for each in sources(past, (), NOW)}

    assert weights == pytest.approx({"a": 1.0, "v": 0.4, "c": 0.7 * 0.8, "before": 0.4 * 0.8 * 0.8**2})


def test_the_item_of_the_page_comes_first_and_twenty_is_all() -> None:
    past = History((basket("o1", 1, *(f"i{number:02d}" for number in range(30))),))

    found = sources(past, ("page",), NOW)

    assert len(found) == 20
    assert found[0].item_id == "page"
    assert found[1:] == sorted(found[1:], key=lambda each: each.item_id)


def test_what_was_bought_since_is_no_hint_any_more() -> None:
    past = History((basket("o1", 2, "a"),), (hint(Act.VIEW, "a", 1), hint(Act.CART, "a", 3)))
    before = History((basket("o1", 2, "a"),), (hint(Act.CART, "a", 3),))

    assert hinted(past, NOW)["a"].act == Act.VIEW
    assert hinted(before, NOW) == {}


def test_what_was_taken_out_of_the_cart_is_not_in_it() -> None:
    out = History((), (hint(Act.CART_REMOVED, "a", 1), hint(Act.CART, "a", 2), hint(Act.VIEW, "a", 3)))
    back = History((), (hint(Act.CART, "a", 0.5), *out.hints))

    assert hinted(out, NOW)["a"].act == Act.VIEW
    assert hinted(back, NOW)["a"].act == Act.CART


def test_last_months_views_say_nothing() -> None:
    assert hinted(History((), (hint(Act.VIEW, "a", 31),)), NOW) == {}


def test_an_order_only_told_of_counts_until_its_record_is_there() -> None:
    recorded = [basket("o2", 2, "b"), basket("o1", 3, "a")]

    merged = merge(
        recorded, [basket("o3", 1, "c"), basket("o2", 2, "b"), basket("o3", 1, "c")], complete=True
    )

    assert [each.order_id for each in merged] == ["o3", "o2", "o1"]


@pytest.mark.parametrize(("complete", "orders"), [(True, ["o2", "o0"]), (False, ["o2"])])
def test_an_old_order_told_of_is_left_out_when_its_record_may_lie_further_back(
    complete: bool, orders: list[str]
) -> None:
    merged = merge([basket("o2", 2, "b")], [basket("o0", 400, "a")], complete=complete)

    assert [each.order_id for each in merged] == orders


@pytest.mark.parametrize(
    ("bought_days_ago", "usual_days", "due"),
    [
        ([4], 10, 6.0),  # once: the item's usual interval
        ([14], 10, -4.0),
        ([4], None, None),  # nobody bought it twice
        ([4, 14], None, 6.0),  # only this customer did
        ([4, 14], 40, (10 + 2 * 40) / 3 - 4),  # one own interval against two of the item
        ([4, 14, 24, 34], 40, (3 * 10 + 2 * 40) / 5 - 4),
        ([4, 4.1, 14], 40, (10 + 2 * 40) / 3 - 4),  # twice on a day is once
    ],
)
def test_the_next_purchase_is_due_by_the_customers_own_interval_drawn_to_the_items(
    bought_days_ago: list[float], usual_days: int | None, due: float | None
) -> None:
    found = due_in_days([ago(days) for days in bought_days_ago], usual_days, NOW)

    assert found == (due if due is None else pytest.approx(due))


@pytest.mark.parametrize(
    ("due", "days_ago", "share"),
    [(None, 3, 0.5), (-2.0, 12, 1.0), (0.0, 10, 1.0), (5.0, 5, 0.5), (10.0, 0, 0.1)],
)
def test_what_is_not_due_yet_keeps_a_share_of_its_score(
    due: float | None, days_ago: float, share: float
) -> None:
    assert readiness(due, ago(days_ago), NOW) == pytest.approx(share)
