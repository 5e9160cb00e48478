"""What follows for somebody, as the API shows it."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.traits.model import (
    Computation,
    Evidence,
    Inferred,
    Interest,
    Interests,
    Judgement,
    Known,
    Rule,
)
from chalicelib.traits.schemas import (
    AmongAnswer,
    ComputedAnswer,
    ComputedDetail,
    ComputedTraitAnswer,
    EvidenceAnswer,
    FilterAnswer,
    InferredAnswer,
    InterestAnswer,
    InterestsAnswer,
    JudgementAnswer,
    RuleAnswer,
    SupportAnswer,
    TraitsAnswer,
)

EVIDENCE_SHOWN = 20  # in a profile; everything is at the customer's /traits


def of_known(customer_id: str, known: Known) -> TraitsAnswer:
    """Everything, with every fact it rests on."""
    return TraitsAnswer(
        customer_id=customer_id,
        computed_traits={
            name: ComputedDetail(value=each.value, complete=each.complete, facts=each.facts, since=each.since)
            for name, each in sorted(known.computed.items())
        },
        inferred_traits={name: of_inferred(each) for name, each in sorted(known.inferred.items())},
        rules=[of_judgement(each) for each in known.judgements],
        interests=of_interests(known.interests),
    )


def of_judgement(judgement: Judgement) -> JudgementAnswer:
    """What one rule comes to."""
    found = judgement.found
    return JudgementAnswer(
        rule_id=judgement.rule.rule_id,
        trait=judgement.rule.trait,
        outcome=judgement.outcome,
        complete=found.complete if found else None,
        found=of_inferred(found) if found else None,
    )


def of_inferred(inferred: Inferred, *, evidence_max: int | None = None) -> InferredAnswer:
    """An inferred trait with its newest evidence, all of it unless a limit is given."""
    return InferredAnswer(
        value=inferred.value,
        confidence=inferred.confidence,
        evidence=_evidence(inferred.evidence[:evidence_max]),
        counter_evidence=_evidence(inferred.counter_evidence[:evidence_max]),
        rule_id=inferred.rule_id,
        sensitive_category=inferred.sensitive_category,
    )


def of_interests(interests: Interests) -> InterestsAnswer:
    """Interests by kind."""
    return InterestsAnswer(
        half_life_days=interests.half_life_days,
        categories=_interests(interests.categories),
        brands=_interests(interests.brands),
        topics=_interests(interests.topics),
    )


def computed_of_profile(known: Known) -> dict[str, ComputedAnswer]:
    """Computed traits as a profile shows them."""
    return {
        name: ComputedAnswer(value=each.value, complete=each.complete)
        for name, each in sorted(known.computed.items())
    }


def inferred_of_profile(known: Known) -> dict[str, InferredAnswer]:
    """Inferred traits as a profile shows them: with their newest evidence."""
    return {
        name: of_inferred(each, evidence_max=EVIDENCE_SHOWN) for name, each in sorted(known.inferred.items())
    }


def of_computation(definition: Computation) -> ComputedTraitAnswer:
    """A computed trait's definition."""
    assert definition.updated_at is not None, "what is shown was stored"
    return ComputedTraitAnswer(
        trait_name=definition.trait_name,
        event=definition.event,
        aggregate=definition.aggregate,
        property=definition.about,
        within=definition.within,
        filter=FilterAnswer(category=definition.category, channel=definition.channel),
        trusted_only=definition.trusted_only,
        updated_at=definition.updated_at,
    )


def of_rule(rule: Rule) -> RuleAnswer:
    """A rule's definition."""
    assert rule.updated_at is not None, "what is shown was stored"
    return RuleAnswer(
        rule_id=rule.rule_id,
        trait=rule.trait,
        value=rule.value,
        among=AmongAnswer(categories=list(rule.among)),
        support=SupportAnswer(
            orders_at_least=rule.orders_at_least,
            no_item_of=list(rule.no_item_of),
            item_of=list(rule.item_of),
        ),
        within=rule.within,
        minimum_confidence=rule.minimum_confidence,
        sensitive_category=rule.sensitive_category,
        updated_at=rule.updated_at,
    )


def _evidence(evidence: Sequence[Evidence]) -> list[EvidenceAnswer]:
    return [
        EvidenceAnswer(
            order_id=each.order_id,
            at=each.at,
            item_ids=list(each.item_ids),
            gift=each.gift,
            weight=each.weight,
        )
        for each in evidence
    ]


def _interests(interests: Sequence[Interest]) -> list[InterestAnswer]:
    return [
        InterestAnswer(
            name=each.name,
            score=each.score,
            weight=each.weight,
            based_on=dict(each.based_on),
            item_ids=list(each.item_ids),
            last_at=each.last_at,
        )
        for each in interests
    ]
