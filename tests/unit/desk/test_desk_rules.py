"""The last word on a watched item, whatever way the words come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.desk import rules
from chalicelib.desk.model import UNWATCHED_MAX, WATCHED_MAX, Mark, Marks

START = datetime(2026, 11, 1, tzinfo=UTC)


def mark(minute: int, *, watched: bool = True, channel: str = "web") -> Mark:
    return Mark(watched, START + timedelta(minutes=minute), channel)


words = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.builds(mark, st.integers(0, 5), watched=st.booleans(), channel=st.sampled_from(["web", "app"])),
    ),
    max_size=12,
)


def heard(said: list[tuple[str, Mark]]) -> dict[str, Mark]:
    known: dict[str, Mark] = {}
    for item_id, each in said:
        known = rules.hear(known, {item_id: each})
    return known


@given(words, st.randoms())
def test_in_any_order_and_twice_it_is_the_same_list(said: list[tuple[str, Mark]], random: object) -> None:
    shuffled = said + said[: len(said) // 2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert heard(shuffled) == heard(said)


@given(words, st.integers(0, 12))
def test_two_ids_together_say_what_one_would_have(said: list[tuple[str, Mark]], cut: int) -> None:
    together = rules.fold(
        Marks(("customer", name), 1, heard(part)) for name, part in (("u1", said[:cut]), ("u2", said[cut:]))
    )

    assert together == heard(said)


def test_at_the_same_moment_a_removal_wins() -> None:
    assert rules.watched(heard([("a", mark(1, watched=False)), ("a", mark(1))])) == []


def test_an_edit_comes_after_what_it_replaces_whatever_the_clocks_say() -> None:
    fast = mark(60)

    assert rules.at_of_edit(fast, START) > fast.at
    assert rules.at_of_edit(mark(0), START + timedelta(days=1)) == START + timedelta(days=1)


def test_a_list_holds_the_newest() -> None:
    said = [(f"i{number}", mark(number, watched=number % 2 == 0)) for number in range(1000)]
    known = heard(said)

    assert [each.item_id for each in rules.watched(known)] == [
        f"i{number}" for number in range(998, 998 - 2 * WATCHED_MAX, -2)
    ]
    assert sum(not each.watched for each in known.values()) == UNWATCHED_MAX
