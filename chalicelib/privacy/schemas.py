"""Privacy over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from chalicelib.privacy.model import CATEGORIES_MAX
from chalicelib.shared.contract import At, In, Out
from chalicelib.traits.schemas import ComputedDetail, EvidenceAnswer, InterestsAnswer

StatusShown = Literal["running", "done"]


class ErasureAnswer(Out):
    """Accepted: from now on the customer is gone for everybody, and the rest is being taken away."""

    erasure_id: str


class StoreAnswer(Out):
    store: str = Field(examples=["activity.timeline"])
    items: int = Field(description="Removed, or put under a pseudonym, by the runs that lived to tell.")
    note: str


class KeptAnswer(Out):
    store: str = Field(examples=["orders"])
    note: str = Field(description="What is kept, and why.")


class ReceiptAnswer(Out):
    """What an erasure has touched. It says nothing about whose it was."""

    erasure_id: str
    status: StatusShown
    requested_at: At
    finished_at: At | None
    stores: list[StoreAnswer]
    kept: list[KeptAnswer]


class ExportAccepted(Out):
    export_id: str


class ExportAnswer(Out):
    """A copy of everything that is stored about a person, as one JSON document."""

    export_id: str
    status: StatusShown
    requested_at: At
    url: str | None = Field(description="Where to fetch it, without a key; null while it is being made.")
    expires_at: At | None = Field(description="Until when this link works; ask again for another.")


def _category(value: str) -> str:
    if not (value.isascii() and value.replace("_", "").isalnum() and value == value.lower()):
        raise ValueError("must be lower-case letters, digits and _")
    return value


Category = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_category)]


class SensitiveBody(In):
    """Which categories of inferred traits need the consent `sensitive_profiling`."""

    categories: list[Category] = Field(max_length=CATEGORIES_MAX, examples=[["health", "religion"]])


class SensitiveAnswer(Out):
    categories: list[str]


class SwitchAnswer(Out):
    """How to turn a purpose on or off."""

    method: str = "PATCH"
    path: str = "/v1/me"
    body: dict[str, Any] = Field(examples=[{"consents": {"personalization": False}}])


class PurposeAnswer(Out):
    purpose: str = Field(examples=["personalization"])
    title: str
    text: str = Field(description="What it is used for, in plain words.")
    status: Literal["granted", "withdrawn", "not_asked"]
    in_use: bool = Field(description="Whether it is used for you now.")
    since: At | None
    source: str | None = Field(description="Where you said so.")
    wording_version: str | None
    switch: SwitchAnswer


class KnownAnswer(Out):
    name: str = Field(examples=["firstName"])
    value: Any
    source: str = Field(description="Where it came from, in plain words.")
    since: At | None


class InferredAnswer(Out):
    name: str = Field(examples=["diet"])
    value: Any
    confidence: float
    evidence: list[EvidenceAnswer]
    counter_evidence: list[EvidenceAnswer]
    sensitive_category: str | None
    text: str


class ExplanationAnswer(Out):
    """What is known about you, where it came from, and what it is used for."""

    language: str
    title: str
    introduction: str
    declared: list[KnownAnswer]
    inferred: list[InferredAnswer]
    computed: dict[str, ComputedDetail]
    interests: InterestsAnswer
    segments: list[str]
    linked_devices: int
    linked_devices_text: str
    purposes: list[PurposeAnswer]
    rights: list[str] = Field(description="What else you may do.")
