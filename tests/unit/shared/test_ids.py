"""What may be an id: any script, nothing that could leave its place in a key or look like another id by folding."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.shared import ids
from chalicelib.shared.errors import InvalidInput

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PARTS = st.lists(st.text(max_size=5), max_size=4)


@pytest.mark.parametrize(
    "value",
    [
        "u1",
        "85123A",
        "a.b_c:d@e+f-g",
        "花子",
        "é",
        "हिन्दी",
        "ﬁ"[0],
        "x" * 128,
        "customer@example.com",
        "0",
        "...",
    ],
)
def test_ids_of_every_script(value: str) -> None:
    assert ids.problem_with(value) is None
    assert ids.check("customer_id", value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x" * 129,
        "a#b",
        "a/b",
        "a b",
        "a\nb",
        "a\x00b",
        "e\u0301",
        "\u202e",
        "\u200d",
        "😀",
        "a,b",
        "a%b",
        "\ud800",
        "*",
        ".",
        "..",
    ],
)
def test_what_cannot_be_an_id_is_named(value: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        ids.check("customer_id", value)

    assert [each.field for each in refusal.value.fields] == ["customer_id"]
    assert value not in refusal.value.detail or value in ("", "*")


@given(st.text(max_size=130))
def test_an_id_never_leaves_its_place_in_a_key(value: str) -> None:
    if ids.problem_with(value) is None:
        assert not set(value) & set("#/ \t\r\n\x00%")
        assert unicodedata.normalize("NFC", value) == value
        assert value.encode()


@given(st.text(max_size=20))
def test_look_alikes_stay_apart(value: str) -> None:
    upper = value.upper()
    if upper != value and ids.problem_with(value) is None and ids.problem_with(upper) is None:
        assert ids.check("id", value) != ids.check("id", upper)


def test_new_ids_sort_by_time_and_are_ids() -> None:
    made = [ids.new(NOW + timedelta(milliseconds=number)) for number in range(50)]

    assert made == sorted(made)
    assert len(set(made)) == 50
    assert all(ids.problem_with(each) is None and len(each) == 26 for each in made)


@given(PARTS, PARTS)
def test_fingerprints_tell_parts_apart(one: list[str], other: list[str]) -> None:
    assert (ids.fingerprint(*one) == ids.fingerprint(*other)) == (one == other)


def test_a_fingerprint_is_the_same_for_ever() -> None:
    # Stored keys are made of these: another value would make old events count again.
    assert ids.fingerprint("fact", "m1") == "24ebeeec02ba3ef373a6225d0001059f"
    assert ids.fingerprint("a", "bc") != ids.fingerprint("ab", "c")
