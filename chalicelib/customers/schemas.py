"""Customers over HTTP, and the facts this room publishes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from chalicelib.customers.model import (
    CONSENT_HISTORY_MAX,
    EMAIL_LENGTH_MAX,
    GRANTED,
    TRAIT_NAME_LENGTH_MAX,
    WITHDRAWN,
    Status,
)
from chalicelib.customers.rules import problem_with_size
from chalicelib.shared.contract import At, Id, In, Line, Out, Published, Query, check_json
from chalicelib.shared.errors import FieldError
from chalicelib.traits.schemas import ComputedAnswer, InferredAnswer, InterestsAnswer

CUSTOMER_CREATED = "customer.created"
CUSTOMER_LINKED = "customer.linked"
CUSTOMER_MERGED, CUSTOMER_UNMERGED = "customer.merged", "customer.unmerged"

LOOKUP_MAX = 100
EXTERNAL_ID_LENGTH_MAX = 128
CUSTOMER_ERASED = "customer.erased"
EXPORT_REQUESTED = "export.requested"

TOKEN_SECONDS_MIN, TOKEN_SECONDS_MAX, TOKEN_SECONDS = 60, 86_400, 3600

# An address as people type it; whether it exists is found out by writing to it.
_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\"]+\.[^\s@<>()\[\]\\,;:\".]+")
_LOCALE = r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}"
_SHAPES = {
    "email": (_EMAIL, "must be an e-mail address"),
    "phone": (re.compile(r"(?=(\D*\d){3})[^\x00-\x1f<>]{3,40}"), "must be a telephone number"),
    "locale": (re.compile(_LOCALE), "must be a locale such as ja-JP"),
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


Locale = Annotated[str, Field(pattern=f"^{_LOCALE}$", max_length=64, examples=["ja-JP"])]


class ConsentBody(In):
    """Whether a purpose is agreed to; `true` and `false` are short for a status alone."""

    status: Status
    wording_version: Line | None = Field(default=None, description="Which text the customer saw.")
    source: Line | None = Field(default=None, description="Where they said so.", examples=["checkout"])
    locale: Locale | None = Field(default=None, description="In which language they saw it.")

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
    source: str = Field(
        description="events, api, customer, form, import; visitor: a form in a browser that was linked to the customer;"
        " hint: a browser said so, unconfirmed."
    )
    updated_at: At


class ConsentEvidence(Out):
    """Who said it when, how, and to which wording in which language."""

    status: Literal["granted", "withdrawn"]
    at: At
    source: str
    wording_version: str | None
    locale: str | None


class ConsentAnswer(ConsentEvidence):
    """What counts now, and the newest evidence behind it."""

    history: list[ConsentEvidence] = Field(description=f"Newest first, {CONSENT_HISTORY_MAX} at most.")


class CustomerLoyalty(Out):
    active_points: int
    tier: str | None = Field(description="Null: none yet, or the program has none.", examples=["gold"])


class CustomerAnswer(Out):
    """What is known about a customer."""

    customer_id: str
    customer_ids: list[str] = Field(
        description="This id, and every id that was merged into it.", examples=[["u1"]]
    )
    anonymous_ids: list[str] = Field(
        description="Devices and browsers that turned out to be this customer's."
    )
    identifiers: dict[str, str] = Field(examples=[{"email": "hana@example.com"}])
    traits: dict[str, TraitAnswer]
    computed_traits: dict[str, ComputedAnswer] = Field(
        description="What the shop defined, as of this second."
    )
    inferred_traits: dict[str, InferredAnswer] = Field(description="Each with the orders it rests on.")
    interests: InterestsAnswer
    consents: dict[str, ConsentAnswer]
    segments: list[str] = Field(default_factory=list)
    scores: dict[str, Any] = Field(default_factory=dict)
    loyalty: CustomerLoyalty
    created_at: At | None
    updated_at: At | None = Field(description="Null while nobody has said who this is.")
    updated_by: str | None = Field(
        description="Whoever made the last `PATCH`: a staff key's `X-Actor`, else the key; null on their own page."
    )


class LookupQuery(Query):
    """Exactly one of these."""

    email: Line | None = Field(default=None, description="In any case.", examples=["hana@example.com"])
    phone: Line | None = Field(
        default=None,
        description="However it is written; without a country code as dialled in the shop's country.",
        examples=["090-1234-5678"],
    )
    card: Line | None = Field(
        default=None, description="A store card's number, however it is grouped.", examples=["1234 5678"]
    )
    external_id: Line | None = Field(
        default=None, description="A partner's own id, as `type:id`.", examples=["line:U4af4980629"]
    )
    limit: int = Field(default=50, ge=1, le=LOOKUP_MAX)
    cursor: str | None = Field(default=None, max_length=4096, description="`next_cursor` of the page before.")


class CustomerSummary(Out):
    """One person, as far as it takes to tell them from another."""

    customer_id: str
    customer_ids: list[str] = Field(description="This id, and every id that was merged into it.")
    name: str | None
    identifiers: dict[str, str] = Field(examples=[{"email": "hana@example.com"}])
    created_at: At | None
    updated_at: At | None


class CustomersAnswer(Out):
    """Everybody who has the identifier: usually one; more for an office's telephone or a family's address."""

    data: list[CustomerSummary]
    next_cursor: str | None


class MergeBody(In):
    """Which customer turned out to be the one in the path."""

    other_id: Id = Field(alias="from", description="The id to take in.", examples=["u2"])
    reason: Line = Field(description="Why, for the record.", examples=["same person at the till"])


class MergeAnswer(Out):
    """The record of a merge."""

    merge_id: str
    survivor: str
    absorbed: str
    reason: str
    merged_at: At
    merged_by: str = Field(description="A staff key's `X-Actor`, else the key; `events` for an alias.")
    undone_at: At | None = Field(
        description="null while it holds. A request that is repeated after the undoing merges nothing again."
    )
    undone_by: str | None


class UndoAnswer(MergeAnswer):
    """The record of a merge that was undone."""

    undone_at: At
    undone_by: str


class TokenBody(In):
    """Whom a token should speak for, and for how long."""

    customer_id: Id
    ttl_seconds: int = Field(default=TOKEN_SECONDS, ge=TOKEN_SECONDS_MIN, le=TOKEN_SECONDS_MAX)


class TokenAnswer(Out):
    token: str = Field(
        description="Send it as `Authorization: Bearer ...`; it reads and changes this customer only."
    )
    expires_at: At


class CustomerMerged(Published):
    """Facts `customer.merged` and `customer.unmerged`: one id speaks for another from now on, or no longer."""

    merge_id: str
    survivor: str
    absorbed: str


class CustomerLinked(Published):
    """Fact `customer.linked`: an anonymous id turned out to be this customer's."""

    customer_id: str
    anonymous_id: str


class CustomerCreated(Published):
    """Fact `customer.created`: somebody became known by a customer id."""

    customer_id: str
    created_at: str
    imported: bool = Field(
        default=False, description="History brought along, not something that happens now."
    )


class CustomerErased(Published):
    """Fact `customer.erased`: a tombstone stands for a customer id; what is stored of it is being taken away."""

    customer_id: str
    erasure_id: str


class ExportRequested(Published):
    """Fact `export.requested`: somebody wants a copy of everything stored about a customer."""

    customer_id: str
    export_id: str
