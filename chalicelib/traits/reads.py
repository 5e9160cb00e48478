"""What other rooms may ask about traits: everything that follows for somebody, from the facts of this second."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from typing import Any

from chalicelib.customers.reads import Person
from chalicelib.privacy import reads as privacy
from chalicelib.shared import clock
from chalicelib.shared.wanted import Found, fetch
from chalicelib.traits import answers, inference, interests, rules, store
from chalicelib.traits.gathering import Gathering
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
from chalicelib.traits.schemas import TraitsAnswer

__all__ = [
    "READS_AT_ONCE_MAX",
    "Asking",
    "Computed",
    "Evidence",
    "Inferred",
    "Interest",
    "Interests",
    "Known",
    "in_full",
    "judgement",
    "of",
    "shown",
]

READS_AT_ONCE_MAX = 8


class Asking:
    """What follows for somebody, asked for while it is still being found out who they are.

    `wanted` is for the same trip as the person; `ask` is told of ids as they turn up. One round of trips, and one more
    for the items met; what comes of ids that turned up later takes a round more.
    """

    def __init__(
        self, threads: Executor, customer_ids: Sequence[str], anonymous_ids: Sequence[str] = ()
    ) -> None:
        self.wanted = privacy.sensitive_wanted()
        self._definitions = threads.submit(store.load)
        self._gathering = Gathering(threads, customer_ids, anonymous_ids)
        self.ask, self.is_anything = self._gathering.ask, self._gathering.is_anything

    def known(self, person: Person, found: Found, *, now: datetime) -> Known:
        """What is known of somebody, for them and for the shop's own books; `found` is what came of `wanted`.

        Decisions rest on `of`: it leaves out the books as well when personalization is withdrawn.
        """
        facts = self._gathering.facts(person)
        return _known(self._definitions.result(), facts, person, self.wanted.read(found), now)


def of(person: Person, *, now: datetime | None = None) -> Known:
    """What a decision about a person may rest on now: what is computed, inferred and of interest. Nothing is stored.

    Personalization withdrawn, or erased: nothing. Without consent to the profiling of sensitive topics, nothing rests on
    or names anything sensitive.

    Two rounds of trips after the person's own: orders, timelines and settings at once, then the items they name.
    """
    if person.erased or _withdrew(person):
        return Known()
    with ThreadPoolExecutor(READS_AT_ONCE_MAX) as threads:
        asking = Asking(threads, person.customer_ids, person.anonymous_ids)
        return asking.known(person, fetch(asking.wanted), now=now or clock.now())


def shown(known: Known) -> dict[str, Any]:
    """What a profile shows of it: `computed_traits`, `inferred_traits` with their newest evidence, and `interests`."""
    return {
        "computed_traits": answers.computed_of_profile(known),
        "inferred_traits": answers.inferred_of_profile(known),
        "interests": answers.of_interests(known.interests),
    }


def in_full(customer_id: str, known: Known) -> TraitsAnswer:
    """The same with every fact that it rests on."""
    return answers.of_known(customer_id, known)


def judgement(person: Person, rule: Rule, *, now: datetime) -> Judgement:
    """What a rule that is not stored would say of somebody, with their consents. Trips as `of`."""
    with ThreadPoolExecutor(READS_AT_ONCE_MAX) as threads:
        gathering = Gathering(threads, person.customer_ids, person.anonymous_ids)
        sensitive = privacy.sensitive_categories()
        facts = _visible(gathering.facts(person), person, sensitive)
    return inference.judge_all([rule], facts, consents=person.consents, sensitive=sensitive, now=now)[0]


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
        if _withdrew(person)
        else interests.interests(facts, half_life_days=half_life_days, now=now),
        judgements=judgements,
    )


def _visible(facts: Facts, person: Person, sensitive: frozenset[str]) -> Facts:
    return facts if _may_look(person) else rules.without_sensitive(facts, sensitive)


def _withdrew(person: Person) -> bool:
    return person.consents.get(PERSONALIZATION) is False


def _may_look(person: Person) -> bool:
    return person.consents.get(SENSITIVE_PROFILING) is True
