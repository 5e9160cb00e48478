"""What other rooms may ask about traits: everything that follows for somebody, from the facts of this second."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from chalicelib.customers.reads import Person
from chalicelib.privacy import reads as privacy
from chalicelib.shared import clock
from chalicelib.traits import answers, inference, interests, rules, store
from chalicelib.traits.gathering import gather
from chalicelib.traits.model import (
    INFERRED,
    PERSONALIZATION,
    SENSITIVE_PROFILING,
    Computed,
    Definitions,
    Evidence,
    Facts,
    Inferred,
    Interest,
    Interests,
    Judgement,
    Known,
    Rule,
)

__all__ = ["Computed", "Evidence", "Inferred", "Interest", "Interests", "Known", "judgement", "of", "shown"]

READS_AT_ONCE_MAX = 8


def of(person: Person, *, now: datetime | None = None) -> Known:
    """What is computed, inferred and of interest about a person now; nothing of it is stored.

    Personalization withdrawn: nothing is inferred and no interest is known. Without consent to the profiling of
    sensitive topics, nothing rests on or names anything sensitive.

    Two rounds of trips after the person's own: orders, timelines and settings at once, then the items they name.
    """
    now = now or clock.now()
    if person.erased:
        return Known()
    with ThreadPoolExecutor(READS_AT_ONCE_MAX) as threads:
        definitions = threads.submit(store.load)
        sensitive = threads.submit(privacy.sensitive_categories)
        facts = gather(person, threads)
        return _known(definitions.result(), facts, person, sensitive.result(), now)


def shown(known: Known) -> dict[str, Any]:
    """What a profile shows of it: `computed_traits`, `inferred_traits` with their newest evidence, and `interests`."""
    return {
        "computed_traits": answers.computed_of_profile(known),
        "inferred_traits": answers.inferred_of_profile(known),
        "interests": answers.of_interests(known.interests),
    }


def judgement(person: Person, rule: Rule, *, now: datetime) -> Judgement:
    """What a rule that is not stored would say of somebody, with their consents. Trips as `of`."""
    with ThreadPoolExecutor(READS_AT_ONCE_MAX) as threads:
        sensitive = threads.submit(privacy.sensitive_categories)
        facts = gather(person, threads)
        return inference.judge_all(
            [rule],
            _visible(facts, person, sensitive.result()),
            consents=person.consents,
            sensitive=sensitive.result(),
            now=now,
        )[0]


def _known(
    definitions: Definitions, facts: Facts, person: Person, sensitive: frozenset[str], now: datetime
) -> Known:
    facts = _visible(facts, person, sensitive)
    judgements = inference.judge_all(
        definitions.rules, facts, consents=person.consents, sensitive=sensitive, now=now
    )
    half_life_days = definitions.half_life_days
    return Known(
        computed={
            each.trait_name: rules.compute(each, facts, now)
            for each in definitions.computations
            if _may_look(person)
            or each.category is None
            or not rules.sensitive_part(each.category, sensitive)
        },
        inferred={
            each.rule.trait: each.found for each in judgements if each.outcome == INFERRED and each.found
        },
        interests=Interests(half_life_days=half_life_days)
        if person.consents.get(PERSONALIZATION) is False
        else interests.interests(facts, half_life_days=half_life_days, now=now),
        judgements=judgements,
    )


def _visible(facts: Facts, person: Person, sensitive: frozenset[str]) -> Facts:
    return facts if _may_look(person) else rules.without_sensitive(facts, sensitive)


def _may_look(person: Person) -> bool:
    return person.consents.get(SENSITIVE_PROFILING) is True
