"""The base of every HTTP schema: strict where our own bodies are read, and safe for storage everywhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from chalicelib.shared import clock, ids
from chalicelib.shared.errors import InvalidInput
from chalicelib.shared.money import AMOUNT_MAX, is_currency

DEPTH_MAX = 12
AHEAD_MAX = timedelta(days=1)  # how far a sender's clock may be wrong
TEXT_MAX = 10_000
INTEGER_MAX = 10**15  # exact in every JSON reader, also in JavaScript


class In(BaseModel):
    """A request body or query: unknown fields are refused, nothing is coerced in JSON, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True)


class Nothing(In):
    """The body of a request that has nothing to say: an empty object."""


class Query(In):
    """Query parameters: text, so coerced; unknown ones refused."""

    model_config = ConfigDict(strict=False)


class Published(BaseModel):
    """The data of a fact. A reader passes over fields it does not know yet: producers are deployed before consumers."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, allow_inf_nan=False, defer_build=True)


class Out(BaseModel):
    """An answer: only what is declared leaves the house."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


def check_text(value: str) -> str:
    """Refuse control characters (line breaks and tabs may stay) and lone surrogates."""
    for character in value:
        if (character < " " and character not in "\n\r\t") or character == "\x7f":
            raise ValueError("may not hold control characters")
        if "\ud800" <= character <= "\udfff":
            raise ValueError("may not hold half a character (a lone surrogate)")
    return value


def _line(value: str) -> str:
    if any(character in value for character in "\n\r\t"):
        raise ValueError("must be one line")
    return check_text(value)


def _id(value: str) -> str:
    problem = ids.problem_with(value)
    if problem:
        raise ValueError(problem)
    return value


def _currency(value: str) -> str:
    if not is_currency(value):
        raise ValueError("must be an ISO 4217 code such as JPY")
    return value


def _moment(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("must name its time zone, e.g. 2026-11-01T09:00:00Z")
    if not clock.EARLIEST <= value < clock.LATEST:
        raise ValueError("must be between the years 2000 and 2099")
    return value


def refuse_ahead(field: str, moment: datetime, now: datetime) -> None:
    """Raise InvalidInput for a time that has not come: what is dated ahead would be the last word until then."""
    if moment - now > AHEAD_MAX:
        raise InvalidInput.of(field, "lies more than a day in the future")


def check_json(value: Any, depth: int = 0) -> Any:
    """Refuse free-form JSON that nothing should store: too deep, not finite, huge numbers, control characters."""
    if depth > DEPTH_MAX:
        raise ValueError(f"may be nested {DEPTH_MAX} levels deep at most")
    if isinstance(value, dict):
        for key, inner in value.items():
            check_json(key, depth)
            check_json(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            check_json(inner, depth + 1)
    else:
        _check_leaf(value)
    return value


def _check_leaf(value: Any) -> None:
    if isinstance(value, str):
        if len(value) > TEXT_MAX:
            raise ValueError(f"texts may have {TEXT_MAX} characters at most")
        check_text(value)
    elif isinstance(value, int | float) and not abs(value) <= INTEGER_MAX:  # NaN is not below anything either
        raise ValueError("numbers must be finite and at most 10^15")


Id = Annotated[
    str, AfterValidator(_id), Field(description="1-128 letters, digits or . _ : @ + -", examples=["u1"])
]
Line = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_line)]
Text = Annotated[str, Field(max_length=TEXT_MAX), AfterValidator(check_text)]
Moment = Annotated[
    datetime,
    AfterValidator(_moment),
    PlainSerializer(clock.to_text, return_type=str),
    Field(examples=["2026-11-01T09:00:00Z"]),
]
# A time in an answer. It was judged when it came in: what is stored must never keep an answer from being given.
At = Annotated[
    datetime,
    PlainSerializer(clock.to_text, return_type=str),
    Field(examples=["2026-11-01T09:00:00Z"]),
]
CODE: dict[str, Any] = {"pattern": "^[A-Z]{3}$"}
Currency = Annotated[
    str,
    AfterValidator(_currency),
    Field(description="ISO 4217 code", examples=["JPY"], json_schema_extra=CODE),
]
# In an answer, as `At` is.
CurrencyShown = Annotated[str, Field(description="ISO 4217 code", examples=["JPY"], json_schema_extra=CODE)]
MinorUnits = Annotated[int, Field(ge=0, le=AMOUNT_MAX, description="integer minor units of the currency")]
Json = Annotated[dict[str, Any], AfterValidator(check_json)]


class Money(In):
    """An amount of money: 1990 JPY is ¥1,990; 1990 USD is $19.90."""

    amount: MinorUnits
    currency: Currency


class Problem(Out):
    """RFC 9457: what every error looks like."""

    type: str = Field(examples=["/problems/invalid-input"])
    title: str
    status: int
    detail: str | None = None
    correlation_id: str = Field(description="Quote it when you ask for help: it finds the log line.")
    errors: list[FieldProblem] | None = Field(
        default=None, description="One entry a field that is not valid."
    )


class FieldProblem(Out):
    field: str = Field(examples=["lines.0.price"])
    message: str
