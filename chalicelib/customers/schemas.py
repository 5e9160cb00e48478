"""Customers over HTTP, and the facts this room publishes."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, model_validator

from chalicelib.customers.model import EMAIL_LENGTH_MAX, GRANTED, TRAIT_NAME_LENGTH_MAX, WITHDRAWN, Status
from chalicelib.customers.rules import problem_with_size
from chalicelib.shared.contract import Id, In, Line, Moment, Out, Published, check_json
from chalicelib.shared.errors import FieldError

CUSTOMER_CREATED = "customer.created"

TOKEN_SECONDS_MIN, TOKEN_SECONDS_MAX, TOKEN_SECONDS = 60, 86_400, 3600

# An address as people type it; whether it exists is found out by writing to it.
_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\"]+\.[^\s@<>()\[\]\\,;:\".]+")
_SHAPES = {
    "email": (_EMAIL, "must be an e-mail address"),
    "phone": (re.compile(r"(?=(\D*\d){3})[^\x00-\x1f<>]{3,40}"), "must be a telephone number"),
    "locale": (re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}"), "must be a locale such as ja-JP"),
    "timezone": (re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{1,63}"), "must be a time zone such as Asia/Tokyo"),
}


def check_traits(traits: dict[str, Any]) -> list[FieldError]:
    """What is wrong with traits somebody sent, each named by its path; None deletes, so it is always right."""
    problems = []
    for name, value in traits.items():
        problem = _problem_with_name(name) or _problem_with_value(name, value)
        if problem:
            problems.append(FieldError(f"traits.{name}"[: TRAIT_NAME_LENGTH_MAX + 10], problem))
    size = problem_with_size(traits) if not problems else None
    return problems + ([FieldError("traits", size)] if size else [])


def _problem_with_name(name: str) -> str | None:
    if not 1 <= len(name) <= TRAIT_NAME_LENGTH_MAX or not name.isprintable():
        return f"a name has 1 to {TRAIT_NAME_LENGTH_MAX} printable characters"
    return None


def _problem_with_value(name: str, value: Any) -> str | None:
    if value is None:
        return None
    try:
        check_json(value)
    except ValueError as error:
        return str(error)
    if name in _SHAPES:
        shape, message = _SHAPES[name]
        if not isinstance(value, str) or len(value) > EMAIL_LENGTH_MAX or not shape.fullmatch(value):
            return message
    return None


class ConsentBody(In):
    """Whether a purpose is agreed to; `true` and `false` are short for a status alone."""

    status: Status
    wording_version: Line | None = Field(default=None, description="Which text the customer saw.")
    source: Line | None = Field(default=None, description="Where they said so.", examples=["checkout"])

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, bool):
            return {"status": GRANTED if value else WITHDRAWN}
        return value


class ConsentsBody(In):
    """Consents by purpose; what is not named stays."""

    analytics: ConsentBody | None = None
    personalization: ConsentBody | None = None
    email_marketing: ConsentBody | None = None
    sms: ConsentBody | None = None
    push: ConsentBody | None = None
    sensitive_profiling: ConsentBody | None = None
    ad_audiences: ConsentBody | None = None

    @model_validator(mode="after")
    def _never_forgotten(self) -> ConsentsBody:
        for purpose in self.model_fields_set:
            if getattr(self, purpose) is None:
                raise ValueError(
                    f"{purpose} may not be null: a consent is withdrawn (false), never forgotten"
                )
        return self

    def said(self) -> dict[str, ConsentBody]:
        """Only the purposes that the caller named."""
        return {purpose: getattr(self, purpose) for purpose in sorted(self.model_fields_set)}


class CustomerPatch(In):
    """A merge patch (RFC 7396): what is not named stays, a trait that is null is deleted."""

    traits: dict[str, Any] = Field(
        default_factory=dict, examples=[{"firstName": "Hana", "address": {"country": "JP"}, "birthday": None}]
    )
    consents: ConsentsBody = Field(default_factory=ConsentsBody)


class TraitAnswer(Out):
    value: Any
    source: str = Field(description="events, api, customer, import; hint: a browser said so, unconfirmed.")
    updated_at: Moment


class ConsentAnswer(Out):
    status: Literal["granted", "withdrawn"]
    at: Moment
    source: str
    wording_version: str | None


class CustomerLoyalty(Out):
    active_points: int


class CustomerAnswer(Out):
    """What is known about a customer."""

    customer_id: str
    anonymous_ids: list[str] = Field(
        description="Devices and browsers that turned out to be this customer's."
    )
    identifiers: dict[str, str] = Field(examples=[{"email": "hana@example.com"}])
    traits: dict[str, TraitAnswer]
    inferred_traits: dict[str, Any] = Field(default_factory=dict)
    consents: dict[str, ConsentAnswer]
    segments: list[str] = Field(default_factory=list)
    scores: dict[str, Any] = Field(default_factory=dict)
    loyalty: CustomerLoyalty
    created_at: Moment | None
    updated_at: Moment | None = Field(description="Null while nobody has said who this is.")


class TokenBody(In):
    """Whom a token should speak for, and for how long."""

    customer_id: Id
    ttl_seconds: int = Field(default=TOKEN_SECONDS, ge=TOKEN_SECONDS_MIN, le=TOKEN_SECONDS_MAX)


class TokenAnswer(Out):
    token: str = Field(
        description="Send it as `Authorization: Bearer ...`; it reads and changes this customer only."
    )
    expires_at: Moment


class CustomerCreated(Published):
    """Fact `customer.created`: somebody became known by a customer id."""

    customer_id: str
    created_at: str
    imported: bool = Field(
        default=False, description="History brought along, not something that happens now."
    )
