"""The customer's own page: what is known, where it came from, what it is used for, and a switch for each use."""

from __future__ import annotations

from chalicelib.customers import service as profiles
from chalicelib.customers.schemas import CustomerAnswer
from chalicelib.privacy import texts
from chalicelib.privacy.schemas import (
    ExplanationAnswer,
    InferredAnswer,
    KnownAnswer,
    PurposeAnswer,
    SwitchAnswer,
)
from chalicelib.traits import reads as traits
from chalicelib.traits.schemas import InferredAnswer as Inferred


def explain(customer_id: str, language: str) -> ExplanationAnswer:
    """Everything for the customer's own page, in `en` or `ja`. Raises Gone. The trips of the profile."""
    profile, _, known = profiles.view_with_evidence(customer_id, by_customer=True)
    follows = traits.in_full(profile.customer_id, known)
    return ExplanationAnswer(
        language=language,
        title=texts.TITLE[language],
        introduction=texts.INTRODUCTION[language],
        declared=[
            KnownAnswer(
                name=name, value=trait.value, source=_source(trait.source, language), since=trait.updated_at
            )
            for name, trait in profile.traits.items()
        ],
        inferred=[_inferred(name, each, language) for name, each in follows.inferred_traits.items()],
        computed=follows.computed_traits,
        interests=follows.interests,
        segments=profile.segments,
        linked_devices=len(profile.anonymous_ids),
        linked_devices_text=_devices(len(profile.anonymous_ids), language),
        purposes=[_purpose(purpose, profile, language) for purpose in texts.PURPOSES],
        rights=list(texts.RIGHTS[language]),
    )


def _purpose(purpose: str, profile: CustomerAnswer, language: str) -> PurposeAnswer:
    title, text = texts.PURPOSES[purpose][language]
    consent = profile.consents.get(purpose)
    is_used = purpose in texts.USED_UNTIL_WITHDRAWN if consent is None else consent.status == "granted"
    return PurposeAnswer(
        purpose=purpose,
        title=title,
        text=text,
        status=consent.status if consent else "not_asked",
        in_use=is_used,
        since=consent.at if consent else None,
        source=_source(consent.source, language) if consent else None,
        wording_version=consent.wording_version if consent else None,
        switch=SwitchAnswer(body={"consents": {purpose: not is_used}}),
    )


def _inferred(name: str, found: Inferred, language: str) -> InferredAnswer:
    text = texts.INFERRED[language].format(percent=round(found.confidence * 100), number=len(found.evidence))
    return InferredAnswer(
        name=name,
        value=found.value,
        confidence=found.confidence,
        evidence=found.evidence,
        counter_evidence=found.counter_evidence,
        sensitive_category=found.sensitive_category,
        text=text,
    )


def _source(source: str, language: str) -> str:
    known = texts.SOURCES.get(source)
    return known[language] if known else texts.OTHER_SOURCE[language].format(source=source)


def _devices(number: int, language: str) -> str:
    form = "none" if number == 0 else "one" if number == 1 else "many"
    return texts.DEVICES[form][language].format(number=number)
