"""Questions and answers over HTTP, and the facts this room publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.coupons.schemas import MoneyShown
from chalicelib.questions.definitions import ContentDefinition
from chalicelib.questions.model import ANSWERS_AT_ONCE_MAX, SHEET
from chalicelib.shared.clock import from_text
from chalicelib.shared.contract import At, Id, In, Line, Out, Published, Query
from chalicelib.shared.facts import Fact
from chalicelib.shared.places import REGION_LENGTH_MAX

PROFILE_ANSWERED = "profile.answered"

Country = Annotated[
    str, Field(pattern="^[A-Z]{2}$", description="ISO 3166 code; what the gateway saw if left out.")
]


def _without_customer(value: str | None, info: ValidationInfo) -> str | None:
    if value is not None and info.data.get("customer_id") is not None:
        raise ValueError("give it or customer_id, not both")
    return value


class AskQuery(Query):
    """For whom, and where they are."""

    customer_id: Id | None = None
    anonymous_id: Id | None = None
    country: Country | None = None
    region: Annotated[Line, Field(max_length=REGION_LENGTH_MAX)] | None = Field(
        default=None, description="In any words, e.g. 北海道; what the gateway saw if left out."
    )

    @field_validator("anonymous_id")
    @classmethod
    def _one_of_them(cls, value: str | None, info: ValidationInfo) -> str | None:
        return _without_customer(value, info)


class ChoiceShown(Out):
    value: str
    label: str


class PointsReward(Out):
    points: int


class CouponOffer(Out):
    title: str
    valid_days: int
    percent: int | None
    amount: MoneyShown | None


class CouponReward(Out):
    coupon: CouponOffer


class ContentReward(Out):
    content: ContentDefinition


class AskedQuestion(Out):
    """One question, in the language asked for."""

    question_id: str
    text: str
    kind: str = Field(examples=["choice", "text", "date", "number"])
    choices: list[ChoiceShown]
    trait: str
    purpose: str
    reward: PointsReward | CouponReward | ContentReward | None = Field(
        description="What the answer earns; null where this answer set has earned it already."
    )
    answer_set: str


class ContextShown(Out):
    country: str | None
    region: str | None
    region_code: str | None = Field(description="ISO 3166-2, where we can tell it.", examples=["JP-01"])
    season: str = Field(examples=["winter", "spring", "summer", "autumn"])


class AskAnswer(Out):
    question: AskedQuestion | None = Field(description="Null when there is nothing to ask now.")
    context: ContextShown


class AnswersBody(In):
    """Answers by question; null skips one, which then comes back later."""

    customer_id: Id | None = None
    anonymous_id: Id | None = None
    answers: dict[Id, str | int | float | None] = Field(
        min_length=1, max_length=ANSWERS_AT_ONCE_MAX, examples=[{"pet": "dog", "birthday": None}]
    )

    @field_validator("anonymous_id")
    @classmethod
    def _one_of_them(cls, value: str | None, info: ValidationInfo) -> str | None:
        return _without_customer(value, info)


class GrantedCoupon(Out):
    code: str | None = Field(description="Null while pending, and in answers to a publishable key.")
    title: str
    percent: int | None
    amount: MoneyShown | None
    expires_at: At | None


class GrantedContent(Out):
    item_id: str
    url: str = Field(description="Works for anybody who has it, until it expires.")
    expires_at: At


class GrantAnswer(Out):
    """What answering earned. `pending`: it is kept for the visitor until they are known as a customer."""

    answer_set: str
    question_id: str
    kind: str = Field(examples=["points", "coupon", "content"])
    status: str = Field(examples=["granted", "pending"])
    points: int | None
    coupon: GrantedCoupon | None
    content: GrantedContent | None


class AnswersAnswer(Out):
    traits: dict[str, Any] = Field(description="What these answers say.", examples=[{"pet": "dog"}])
    granted: list[GrantAnswer] = Field(description="What they earned, each answer set once.")
    already_granted: list[GrantAnswer] = Field(description="What their answer sets had earned before.")


class ProfileAnswered(Published):
    """Fact `profile.answered`: somebody answered or skipped questions. What they said stays in the house."""

    customer_id: str | None
    anonymous_id: str | None


def facts_of(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Sequence[Fact]:
    """What a change in the people table means in this room's words: a sheet that was written is `profile.answered`."""
    if new is None or new["sk"] != SHEET or (old is not None and old["version"] == new["version"]):
        return []
    kind, _, identifier = new["pk"].partition("#")
    data = ProfileAnswered(
        customer_id=identifier if kind == "C" else None, anonymous_id=identifier if kind == "A" else None
    )
    return [
        Fact(
            id=f"{PROFILE_ANSWERED}:{new['pk']}:{new['version']}",
            type=PROFILE_ANSWERED,
            subject=f"{'customers' if kind == 'C' else 'visitors'}/{identifier}",
            time=from_text(new["updated_at"]),
            data=data.model_dump(),
        )
    ]
