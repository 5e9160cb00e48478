"""Amounts become exact integers, or a sentence that says why not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.shared.money import AMOUNT_MAX, digits, to_minor

CURRENCIES = st.sampled_from(["JPY", "USD", "EUR", "KWD", "XXX"])
AMOUNTS = st.integers(0, AMOUNT_MAX)


@pytest.mark.parametrize(
    ("currency", "places"), [("JPY", 0), ("KRW", 0), ("USD", 2), ("GBP", 2), ("KWD", 3), ("XXX", 2)]
)
def test_each_currency_has_its_own_minor_unit(currency: str, places: int) -> None:
    assert digits(currency) == places


@given(AMOUNTS, CURRENCIES)
def test_an_amount_written_out_comes_back_exactly(minor: int, currency: str) -> None:
    written = format(Decimal(minor).scaleb(-digits(currency)), "f")

    assert to_minor(written, currency) == minor


@given(AMOUNTS, CURRENCIES)
def test_an_amount_as_json_says_it_comes_back_exactly(minor: int, currency: str) -> None:
    assert to_minor(minor / 10 ** digits(currency), currency) == minor


@pytest.mark.parametrize(("value", "minor"), [(0.1 + 0.2, 30), (19.9 * 3, 5970), (1.1 * 1.1, None)])
def test_what_binary_sums_add_is_not_taken_for_digits(value: float, minor: int | None) -> None:
    if minor is None:
        with pytest.raises(ValueError, match="has more than"):
            to_minor(value, "JPY")
    else:
        assert to_minor(value, "USD") == minor


@given(st.integers(0, AMOUNT_MAX // 1000), CURRENCIES)
def test_a_whole_amount_is_a_whole_number_of_units(major: int, currency: str) -> None:
    assert to_minor(major, currency) == major * 10 ** digits(currency)


@given(
    st.one_of(st.text(), st.integers(), st.floats(), st.decimals().map(str), st.none(), st.booleans()),
    CURRENCIES,
)
def test_whatever_is_given_is_an_amount_or_a_sentence(value: Any, currency: str) -> None:
    try:
        outcome: int | str = to_minor(value, currency)
    except ValueError as refusal:
        outcome = str(refusal)

    if isinstance(outcome, str):
        assert outcome.startswith(("must be", "has more than"))
    else:
        assert type(outcome) is int
        assert 0 <= outcome <= AMOUNT_MAX


@pytest.mark.parametrize(
    ("value", "currency", "sentence"),
    [
        (True, "USD", "must be a number"),
        (None, "USD", "must be a number"),
        ([1], "USD", "must be a number"),
        (Decimal(1), "USD", "must be a number"),
        ("", "USD", "must be a number"),
        ("a lot", "USD", "must be a number"),
        ("1,990", "USD", "must be a number"),
        ("1_000", "USD", "must be a number"),
        ("\uff11\uff19", "USD", "must be a number"),
        ("1e2", "USD", "must be a number"),
        ("1e999999", "USD", "must be a number"),
        ("1e-999999999", "USD", "must be a number"),
        ("1.0000000000000000000000000000001", "USD", "must be a number"),
        ("NaN", "USD", "must be a number"),
        (float("nan"), "USD", "must be a finite number"),
        (float("inf"), "USD", "must be a finite number"),
        (19.999, "USD", "has more than the 2 decimal digits of USD"),
        ("0.5", "JPY", "has more than the 0 decimal digits of JPY"),
        (0.001, "USD", "has more than the 2 decimal digits of USD"),
        (5e-324, "USD", "has more than the 2 decimal digits of USD"),
        (-1, "USD", f"must be between 0 and {AMOUNT_MAX} minor units"),
        ("-0.01", "USD", f"must be between 0 and {AMOUNT_MAX} minor units"),
        (AMOUNT_MAX, "USD", f"must be between 0 and {AMOUNT_MAX} minor units"),
        (1e300, "USD", f"must be between 0 and {AMOUNT_MAX} minor units"),
        (10**5000, "USD", f"must be between 0 and {AMOUNT_MAX} minor units"),
    ],
    ids=lambda each: str(each)[:20] if not isinstance(each, int) else str(each.bit_length()),
)
def test_what_is_no_amount_is_refused_in_words(value: Any, currency: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        to_minor(value, currency)


def test_what_floats_add_to_a_sum_is_not_taken_for_digits() -> None:
    assert to_minor(0.1 + 0.2, "USD") == 30
    assert to_minor(1.1 + 2.2, "KWD") == 3300

    with pytest.raises(ValueError, match="decimal digits"):
        to_minor(19.905, "USD")
    with pytest.raises(ValueError, match="decimal digits"):
        to_minor("0.30000000001", "USD")
