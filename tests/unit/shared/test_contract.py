"""Bodies are read strictly, and nothing that should not be stored comes through."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.shared.contract import (
    DEPTH_MAX,
    INTEGER_MAX,
    TEXT_MAX,
    Currency,
    Id,
    In,
    Json,
    Line,
    MinorUnits,
    Moment,
    Money,
    Out,
    Query,
    Text,
    check_json,
)

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-INTEGER_MAX, INTEGER_MAX),
    st.floats(-1e15, 1e15),
    st.text("aé花 \n\t", max_size=9),
)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text("ab", max_size=3), inner), max_leaves=9
)


class Body(In):
    who: Id
    line: Line = "x"
    text: Text = ""
    at: Moment = datetime(2026, 1, 1, tzinfo=UTC)
    money: Money | None = None
    currency: Currency = "JPY"
    units: MinorUnits = 0
    free: Json = {}  # noqa: RUF012  pydantic copies it
    flag: bool = False
    number: float = 0.0


class Asked(Query):
    limit: int = 10
    flag: bool = False


class Told(Out):
    at: Moment


def read(**fields: Any) -> Body:
    return Body.model_validate_json(json.dumps({"who": "u1"} | fields))


def problems(**fields: Any) -> set[str]:
    with pytest.raises(ValidationError) as refusal:
        read(**fields)
    return {".".join(map(str, each["loc"])) for each in refusal.value.errors()}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("who", "a#b"),
        ("who", ""),
        ("who", 5),
        ("who", None),
        ("line", ""),
        ("line", "two\nlines"),
        ("line", "x" * 301),
        ("line", "a\x00b"),
        ("text", "a\x1bb"),
        ("text", "x" * (TEXT_MAX + 1)),
        ("at", "2026-11-01T09:00:00"),
        ("at", "1999-12-31T23:59:59Z"),
        ("at", "2100-01-01T00:00:00Z"),
        ("at", "yesterday"),
        ("currency", "jpy"),
        ("currency", "YEN!"),
        ("units", -1),
        ("units", 10**12 + 1),
        ("units", "5"),
        ("units", True),
        ("units", 5.0),
        ("flag", 1),
        ("flag", "true"),
        ("number", "1.5"),
        ("free", []),
        ("free", {"a": "x\x00"}),
        ("free", {"a\x00": 1}),
        ("free", {"a": 10**16}),
        ("free", {"a": "x" * (TEXT_MAX + 1)}),
        ("surprise", 1),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_bent_to_fit(field: str, value: Any) -> None:
    assert problems(**{field: value}) == {field}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_numbers_that_are_none_are_refused_everywhere(number: str) -> None:
    for body in (f'{{"who": "u1", "number": {number}}}', f'{{"who": "u1", "free": {{"a": [{number}]}}}}'):
        with pytest.raises(ValidationError):
            Body.model_validate_json(body)


def test_a_lone_surrogate_is_refused() -> None:
    for field in ("line", "text"):
        with pytest.raises(ValidationError):
            Body.model_validate_json(f'{{"who": "u1", "{field}": "\\ud800"}}')


def test_money_names_the_place_of_its_mistake() -> None:
    assert problems(money={"amount": 1.5, "currency": "JPY"}) == {"money.amount"}
    assert problems(money={"amount": 1}) == {"money.currency"}
    assert read(money={"amount": 1990, "currency": "JPY"}).money == Money(amount=1990, currency="JPY")


@given(DOCUMENTS)
def test_plain_json_comes_through_unchanged(document: Any) -> None:
    assert check_json(document) == document
    assert read(free={"a": document}).free == {"a": document}


@pytest.mark.parametrize(("depth", "is_fine"), [(DEPTH_MAX, True), (DEPTH_MAX + 1, False)])
@pytest.mark.parametrize("kind", [list, dict])
def test_json_has_a_floor(depth: int, is_fine: bool, kind: type) -> None:
    document: Any = 1
    for _ in range(depth):
        document = [document] if kind is list else {"a": document}

    if is_fine:
        assert check_json(document) == document
    else:
        with pytest.raises(ValueError, match="levels deep"):
            check_json(document)


def test_a_query_is_text_and_still_has_types() -> None:
    assert Asked.model_validate({"limit": "5", "flag": "true"}) == Asked(limit=5, flag=True)
    for wrong in ({"limit": "five"}, {"limit": "5.5"}, {"other": "1"}):
        with pytest.raises(ValidationError):
            Asked.model_validate(wrong)


def test_answers_say_only_what_they_declare_in_one_form_of_time() -> None:
    at = datetime(2026, 11, 1, 9, tzinfo=UTC)

    assert Told(at=at).model_dump_json() == '{"at":"2026-11-01T09:00:00.000Z"}'
    with pytest.raises(ValidationError):
        Told.model_validate({"at": at, "pk": "C#u1"})
