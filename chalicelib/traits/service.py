"""Use cases of traits: what a shop defines, what a rule would say, and everything that follows for a customer."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

from chalicelib.activity import reads as activity
from chalicelib.customers import reads as customers
from chalicelib.customers.reads import Person
from chalicelib.orders import reads as orders
from chalicelib.privacy import reads as privacy
from chalicelib.shared.errors import Conflict, FieldError, Gone, InvalidInput, NotFound
from chalicelib.shared.wanted import fetch
from chalicelib.traits import answers, reads, store
from chalicelib.traits.model import DEFINITIONS_MAX, ORDER_NAMES, Computation, Rule
from chalicelib.traits.schemas import (
    ComputedTraitAnswer,
    ComputedTraitBody,
    ComputedTraitsAnswer,
    InterestSettingsAnswer,
    JudgementAnswer,
    PreviewBody,
    RuleAnswer,
    RuleBody,
    RulesAnswer,
    TraitsAnswer,
    check_computed_trait,
    check_rule,
)

PREVIEWED = "preview"

_A = TypeVar("_A")


class TooManyDefinitions(Conflict):
    code, title = "too-many-definitions", "There are as many of these as a shop may have"


# --- computed traits


def put_computed_trait(trait_name: str, body: ComputedTraitBody, *, now: datetime) -> ComputedTraitAnswer:
    """Put a computed trait in force, from the next answer on. Raises InvalidInput and TooManyDefinitions. Two trips."""
    _refuse(check_computed_trait(body))
    definition = Computation(
        trait_name=trait_name,
        event=body.event if body.event in ORDER_NAMES else activity.canonical_name(body.event),
        aggregate=body.aggregate,
        about=body.property,
        within=body.within,
        category=body.filter.category,
        channel=body.filter.channel,
        trusted_only=body.trusted_only,
        updated_at=now,
    )
    _check_room(trait_name, [each.trait_name for each in store.load().computations])
    store.save_computation(definition)
    return answers.of_computation(definition)


def computed_trait(trait_name: str) -> ComputedTraitAnswer:
    """One computed trait's definition; raises NotFound. One trip."""
    return _found({each.trait_name: each for each in computed_traits().data}.get(trait_name))


def computed_traits() -> ComputedTraitsAnswer:
    """Every computed trait's definition. One trip."""
    return ComputedTraitsAnswer(data=[answers.of_computation(each) for each in store.load().computations])


# --- rules


def put_rule(rule_id: str, body: RuleBody, *, now: datetime) -> RuleAnswer:
    """Put a rule in force, from the next answer on. Raises InvalidInput and TooManyDefinitions. Two or three trips."""
    rule = _rule(rule_id, body, "", now)
    _check_room(rule_id, [each.rule_id for each in store.load().rules])
    store.save_rule(rule)
    return answers.of_rule(rule)


def rule(rule_id: str) -> RuleAnswer:
    """One rule; raises NotFound. One trip."""
    return _found({each.rule_id: each for each in rules().data}.get(rule_id))


def rules() -> RulesAnswer:
    """Every rule. One trip."""
    return RulesAnswer(data=[answers.of_rule(each) for each in store.load().rules])


def preview(body: PreviewBody, *, now: datetime) -> JudgementAnswer:
    """What a rule would say of a customer, with the consents they gave; raises InvalidInput, NotFound and Gone."""
    rule = _rule(PREVIEWED, body.rule, "rule.", now)
    return answers.of_judgement(reads.judgement(_person(body.customer_id), rule, now=now))


# --- interests


def interest_settings() -> InterestSettingsAnswer:
    """How fast interests fade. One trip."""
    return InterestSettingsAnswer(half_life_days=store.load().half_life_days)


def put_interest_settings(half_life_days: int) -> InterestSettingsAnswer:
    """Change how fast interests fade, from the next answer on. One trip."""
    store.save_half_life(half_life_days)
    return InterestSettingsAnswer(half_life_days=half_life_days)


# --- somebody


def traits(customer_id: str, *, now: datetime) -> TraitsAnswer:
    """Everything that follows for a customer, with every fact it rests on; raises NotFound and Gone.

    The rounds of trips of a profile.
    """
    with ThreadPoolExecutor(reads.READS_AT_ONCE_MAX) as threads:
        asking = reads.Asking(threads, [customer_id])
        found = threads.submit(fetch, asking.wanted)
        person = _person(customer_id)
        return answers.of_known(person.head, asking.known(person, found.result(), now=now))


def _person(customer_id: str) -> Person:
    person = customers.person(customer_id)
    if person is None:
        if not (activity.is_known(customer_id) or orders.newest(customer_id, limit=1)):
            raise NotFound("there is no such customer")
        person = _nameless(customer_id)
    if person.erased:
        raise Gone
    return person


def _nameless(customer_id: str) -> Person:
    """Somebody of whom there are only activity or orders."""
    nothing: dict[str, Any] = dict.fromkeys(("email", "name", "locale", "timezone", "created_at"))
    return Person(
        customer_id=customer_id, anonymous_ids=(), consents={}, customer_ids=(customer_id,), **nothing
    )


def _rule(rule_id: str, body: RuleBody, path: str, now: datetime) -> Rule:
    _refuse([FieldError(path + each.field, each.message) for each in check_rule(body)])
    support, category = body.support, body.sensitive_category
    if category is not None:
        known = privacy.sensitive_categories()
        if category not in known:
            # A typing error must not let a sensitive trait pass for one that needs no consent.
            message = "is not one of the shop's sensitive categories: " + ", ".join(sorted(known))
            raise InvalidInput.of(f"{path}sensitive_category", message)
    return Rule(
        rule_id=rule_id,
        trait=body.trait,
        value=body.value,
        among=tuple(body.among.categories),
        item_of=tuple(support.item_of),
        no_item_of=tuple(support.no_item_of),
        orders_at_least=max(support.orders_at_least or 1, support.at_least or 1),
        within=body.within,
        minimum_confidence=round(body.minimum_confidence, 3),
        sensitive_category=category,
        updated_at=now,
    )


def _refuse(problems: Sequence[FieldError]) -> None:
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", fields=problems)


def _check_room(name: str, names: Sequence[str]) -> None:
    if name not in names and len(names) >= DEFINITIONS_MAX:
        raise TooManyDefinitions(f"there are {DEFINITIONS_MAX} already; remove one first")


def _found(definition: _A | None) -> _A:
    if definition is None:
        raise NotFound("nothing is defined under this name")
    return definition
