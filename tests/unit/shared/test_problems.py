"""What is wrong is said in plain words, naming the field and never the value."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import Discriminator, Field

from chalicelib.shared import money
from chalicelib.shared.contract import Currency, In, MinorUnits, Moment
from chalicelib.shared.errors import InvalidInput
from chalicelib.shared.http import parse


class Inner(In):
    at: Moment


class Cat(In):
    kind: Literal["cat"]
    lives: MinorUnits


class Dog(In):
    kind: Literal["dog"]
    inner: Inner


class Body(In):
    name: str = Field(default="x", min_length=1, max_length=5)
    code: str = Field(default="a", pattern="^[a-z]$")
    amount: MinorUnits = 0
    currency: Currency = "JPY"
    kind: Literal["one", "other"] = "one"
    day: date | None = None
    on: bool = False
    inner: Inner | None = None
    several: list[int] = Field(default=[], max_length=2)
    each: list[Annotated[Cat | Dog, Discriminator("kind")]] = Field(default=[])


@pytest.mark.parametrize(
    ("sent", "field", "message"),
    [
        ('{"secret": 1}', "secret", "is not a field of this body"),
        ('{"inner": {}}', "inner.at", "is required"),
        ('{"inner": {"at": "soon"}}', "inner.at", "must be an RFC 3339 time such as 2026-11-01T09:00:00Z"),
        ('{"inner": 5}', "inner", "must be an object"),
        ('{"currency": "secret"}', "currency", "must be an ISO 4217 code such as JPY"),
        ('{"currency": "XXX"}', "currency", "must be an ISO 4217 code such as JPY"),
        ('{"amount": 1.5}', "amount", "must be a whole number"),
        ('{"amount": "secret"}', "amount", "must be a whole number"),
        ('{"amount": -1}', "amount", "must be 0 or more"),
        ('{"name": 5}', "name", "must be text"),
        ('{"name": ""}', "name", "must have 1 or more characters"),
        ('{"name": "secret"}', "name", "may have 5 characters at most"),
        ('{"code": "secret"}', "code", "must look like ^[a-z]$"),
        ('{"kind": "secret"}', "kind", "must be 'one' or 'other'"),
        ('{"day": "secret"}', "day", "must be a date such as 2026-11-01"),
        ('{"on": "secret"}', "on", "must be true or false"),
        ('{"several": {}}', "several", "must be a list"),
        ('{"several": [1, 2, 3]}', "several", "may have 2 entries at most"),
        ('{"each": [{"kind": "cat", "lives": -1}]}', "each.0.lives", "must be 0 or more"),
        ('{"each": [{"kind": "cat"}]}', "each.0.lives", "is required"),
        ('{"each": [{"kind": "dog", "inner": {}}]}', "each.0.inner.at", "is required"),
        ('{"each": [{"kind": "cat", "lives": 9, "dog": 1}]}', "each.0.dog", "is not a field of this body"),
        ('{"secret', "body", "must be a JSON document"),
        ('["secret"]', "body", "must be an object"),
    ],
)
def test_a_wrong_body(sent: str, field: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(Body, sent.encode())

    assert [(each.field, each.message) for each in refused.value.fields] == [(field, message)]


def test_a_wrong_query(api: Any) -> None:
    answer = api.get("/v1/items?limit=none&page=2").json_body

    assert answer["errors"] == [
        {"field": "limit", "message": "must be a whole number"},
        {"field": "page", "message": "is not a parameter of this route"},
    ]


def test_only_money_that_somebody_pays_with_is_a_currency() -> None:
    assert all(map(money.is_currency, ["JPY", "GBP", "KWD", "ZWG", "HRK"]))
    assert not any(map(money.is_currency, ["XXX", "XAU", "ABC", "jpy", "", "JP", "JPYJ"]))
