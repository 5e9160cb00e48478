"""The shop's questions over HTTP, as they are defined."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from chalicelib.coupons.schemas import MoneyShown
from chalicelib.questions.model import (
    CHOICE,
    CHOICES_MAX,
    NOT_ASKED,
    POINTS_MAX,
    PRIORITY_MAX,
    VALID_DAYS_MAX,
    VALID_HOURS_MAX,
    VALUE_LENGTH_MAX,
    Kind,
)
from chalicelib.shared.contract import At, Id, In, Line, Money, Out


def _for_a_form(value: str) -> str:
    if value in NOT_ASKED:
        raise ValueError("is not for a form to say; send it with identify")
    return value


Trait = Annotated[str, Field(min_length=1, max_length=100, pattern="^[A-Za-z][A-Za-z0-9_.-]*$")]
Value = Annotated[Line, Field(max_length=VALUE_LENGTH_MAX)]


class ChoiceBody(In):
    """One of the answers offered."""

    value: Value = Field(description="What the trait becomes.", examples=["dog"])
    label: Line = Field(examples=["Dog"])
    label_ja: Line | None = Field(default=None, examples=["犬"])


class CouponBody(In):
    """A coupon for one order; worth `percent`, or `amount`, or what its title says."""

    title: Line = Field(examples=["10% off your next order"])
    title_ja: Line | None = None
    valid_days: int = Field(ge=1, le=VALID_DAYS_MAX, examples=[30])
    percent: int | None = Field(default=None, ge=1, le=100)
    amount: Money | None = None

    @field_validator("amount")
    @classmethod
    def _worth_one_thing(cls, value: Money | None, info: ValidationInfo) -> Money | None:
        if value is not None and info.data.get("percent") is not None:
            raise ValueError("a coupon is worth a percentage or an amount, not both")
        return value


class ContentBody(In):
    """Something of the catalogue, unlocked for a while by a signed link to the item's `url`."""

    item_id: Id
    valid_hours: int = Field(ge=1, le=VALID_HOURS_MAX, examples=[48])


class RewardBody(In):
    """What answering is worth: exactly one of the three."""

    points: int | None = Field(default=None, ge=1, le=POINTS_MAX, examples=[50])
    coupon: CouponBody | None = None
    content: ContentBody | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> RewardBody:
        if sum(each is not None for each in (self.points, self.coupon, self.content)) != 1:
            raise ValueError("a reward is either points, a coupon or content")
        return self


class OnlyIfBody(In):
    """A condition on another trait."""

    trait: Trait
    value: Value | None = Field(default=None, alias="is", description="Any value if left out.")


class AskBody(In):
    """When to ask."""

    only_if: OnlyIfBody | None = None


class QuestionBody(In):
    """Something the shop wants to know. A `PUT` replaces it whole; what was answered or promised stays."""

    text: Line = Field(examples=["Which pet lives with you?"])
    text_ja: Line | None = None
    kind: Kind = Field(examples=["choice"])
    choices: list[ChoiceBody] = Field(default_factory=list, max_length=CHOICES_MAX, validate_default=True)
    trait: Annotated[Trait, AfterValidator(_for_a_form)] = Field(
        description="What the answer becomes; not one by which people are found, such as email.",
        examples=["pet"],
    )
    purpose: Line = Field(description="What it is used for, told to who is asked.")
    purpose_ja: Line | None = None
    reward: RewardBody | None = None
    answer_set: Id | None = Field(
        default=None, description="Questions of one set reward once. The question's own id if left out."
    )
    priority: int = Field(default=0, ge=0, le=PRIORITY_MAX, description="The highest is asked first.")
    ask: AskBody = Field(default_factory=AskBody)

    @field_validator("choices")
    @classmethod
    def _fit_the_kind(cls, value: list[ChoiceBody], info: ValidationInfo) -> list[ChoiceBody]:
        if "kind" in info.data and (info.data["kind"] == CHOICE) != bool(value):
            raise ValueError("a choice needs at least one, another kind has none")
        if len({each.value for each in value}) != len(value):
            raise ValueError("each value may be there once")
        return value

    @field_validator("ask")
    @classmethod
    def _waits_for_another(cls, value: AskBody, info: ValidationInfo) -> AskBody:
        if value.only_if and value.only_if.trait == info.data.get("trait"):
            raise ValueError("a question cannot wait for its own answer")
        return value


class ChoiceDefinition(Out):
    value: str
    label: str
    label_ja: str | None


class CouponDefinition(Out):
    title: str
    title_ja: str | None
    valid_days: int
    percent: int | None
    amount: MoneyShown | None


class ContentDefinition(Out):
    item_id: str
    valid_hours: int


class RewardDefinition(Out):
    points: int | None
    coupon: CouponDefinition | None
    content: ContentDefinition | None


class OnlyIfDefinition(Out):
    trait: str
    value: str | None = Field(serialization_alias="is")


class AskDefinition(Out):
    only_if: OnlyIfDefinition | None


class QuestionDefinition(Out):
    """A question as the shop defined it."""

    question_id: str
    text: str
    text_ja: str | None
    kind: str
    choices: list[ChoiceDefinition]
    trait: str
    purpose: str
    purpose_ja: str | None
    reward: RewardDefinition | None
    answer_set: str
    priority: int
    ask: AskDefinition
    updated_at: At


class QuestionDefinitions(Out):
    data: list[QuestionDefinition]
