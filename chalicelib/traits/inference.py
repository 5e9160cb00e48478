"""Inferred traits, pure: which orders speak for and against a rule, and how sure that makes it.

The confidence is the lower end of Wilson's score interval for the share of orders that fit (E. B. Wilson, "Probable
inference, the law of succession, and statistical inference", JASA 22, 1927, 209-212, doi 10.1080/01621459.1927.10502953):
with 95 % certainty at least this share of such orders fits. It rises with every order for, falls with every order
against, and stays low while there are few. Orders may count as parts of one, which is how gifts speak softly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt

from chalicelib.traits.model import (
    GIFT_WEIGHT,
    INFERRED,
    LESS_CONFIDENT,
    NO_CONSENT,
    NOT_CONFIDENT,
    PERSONALIZATION,
    SENSITIVE_PROFILING,
    TOO_FEW_ORDERS,
    WITHDRAWN,
    Evidence,
    Facts,
    Inferred,
    Judgement,
    Purchase,
    Rule,
)
from chalicelib.traits.rules import is_read_from, is_within, items_in, sensitive_part, start_of

Z = 1.6448536269514722  # the normal distribution's 95 % point, one-sided
DIGITS = 4


@dataclass(frozen=True)
class _Lists:
    """The items a rule speaks of; None where it has no such list."""

    known: frozenset[str]
    asked: frozenset[str] | None
    wanted: frozenset[str] | None
    unwanted: frozenset[str]


_Side = tuple[bool, tuple[str, ...]]  # whether it speaks for the rule, and by which items


def judge_all(
    rules: Sequence[Rule],
    facts: Facts,
    *,
    consents: Mapping[str, bool],
    sensitive: frozenset[str],
    now: datetime,
) -> tuple[Judgement, ...]:
    """What every rule comes to; of the rules for one trait the most confident wins.

    Without consent a rule is not asked at all: none when personalization was withdrawn, and a sensitive one unless the
    profiling of sensitive topics was agreed to.
    """
    judgements = [
        Judgement(rule, refusal)
        if (refusal := _refusal(rule, consents, sensitive))
        else judge(rule, facts, now)
        for rule in rules
    ]
    best: dict[str, tuple[float, str]] = {}
    for each in judgements:
        if each.outcome == INFERRED and each.found:
            rank = (-each.found.confidence, each.rule.rule_id)
            best[each.rule.trait] = min(rank, best.get(each.rule.trait, rank))
    return tuple(
        Judgement(each.rule, LESS_CONFIDENT, each.found)
        if each.outcome == INFERRED and best[each.rule.trait][1] != each.rule.rule_id
        else each
        for each in judgements
    )


def judge(rule: Rule, facts: Facts, now: datetime) -> Judgement:
    """What one rule comes to, whatever was consented to."""
    start = start_of(rule.within, now)
    lists = _Lists(
        known=frozenset(facts.things),
        asked=items_in(rule.among, facts.things) if rule.among else None,
        wanted=items_in(rule.item_of, facts.things) if rule.item_of else None,
        unwanted=items_in(rule.no_item_of, facts.things),
    )
    evidence: list[Evidence] = []
    counter_evidence: list[Evidence] = []
    for purchase in sorted(facts.purchases, key=lambda each: (each.at, each.order_id), reverse=True):
        if is_within(purchase.at, start, now):
            for speaks_for, each in _said_by(lists, purchase):
                (evidence if speaks_for else counter_evidence).append(each)
    found = Inferred(
        value=rule.value,
        confidence=confidence(_weight(evidence), _weight(counter_evidence)),
        evidence=tuple(evidence),
        counter_evidence=tuple(counter_evidence),
        rule_id=rule.rule_id,
        sensitive_category=rule.sensitive_category,
        complete=is_read_from(start, facts.purchases_after),
    )
    own = sum(not each.gift for each in evidence)
    if own < rule.orders_at_least:
        return Judgement(rule, TOO_FEW_ORDERS, found)
    is_confident = found.confidence >= rule.minimum_confidence
    return Judgement(rule, INFERRED if is_confident else NOT_CONFIDENT, found)


def confidence(supporting: float, contradicting: float, *, z: float = Z) -> float:
    """How sure these many orders for and against make a rule, from 0 to below 1, to four digits."""
    if supporting <= 0:
        return 0.0
    orders = supporting + contradicting
    margin = z * sqrt(supporting * contradicting / orders + z * z / 4)
    return round(max((supporting + z * z / 2 - margin) / (orders + z * z), 0.0), DIGITS)


def sensitive_category_of(rule: Rule, sensitive: frozenset[str]) -> str | None:
    """The sensitive category a rule touches: the one it names, or the one its trait or its categories are called by."""
    if rule.sensitive_category in sensitive:
        return rule.sensitive_category
    paths = (*rule.among, *rule.item_of, *rule.no_item_of, rule.trait, str(rule.value))
    return next((found for path in paths if (found := sensitive_part(path, sensitive))), None)


def _refusal(rule: Rule, consents: Mapping[str, bool], sensitive: frozenset[str]) -> str | None:
    if consents.get(PERSONALIZATION) is False:
        return WITHDRAWN
    if consents.get(SENSITIVE_PROFILING) is not True and sensitive_category_of(rule, sensitive):
        return NO_CONSENT
    return None


def _said_by(lists: _Lists, purchase: Purchase) -> Iterable[tuple[bool, Evidence]]:
    """What an order says: by what was bought for oneself, and softly by the gifts in it.

    Gifts count where they are all there is, or where they contradict what the rest supports.
    """
    own = _side(lists, [each.item_id for each in purchase.bought if not each.gift])
    gifts = _side(lists, [each.item_id for each in purchase.bought if each.gift])
    if own is not None:
        yield own[0], Evidence(purchase.order_id, purchase.at, own[1], gift=False, weight=1.0)
    if gifts is not None and (own is None or (own[0] and not gifts[0])):
        yield gifts[0], Evidence(purchase.order_id, purchase.at, gifts[1], gift=True, weight=GIFT_WEIGHT)


def _side(lists: _Lists, item_ids: Sequence[str]) -> _Side | None:
    """Whether these items speak for or against the rule, None when they say nothing."""
    unwanted = tuple(item_id for item_id in item_ids if item_id in lists.unwanted)
    if unwanted:
        return False, unwanted
    asked = tuple(item_id for item_id in item_ids if lists.asked is None or item_id in lists.asked)
    if not asked:
        return None
    if lists.wanted is not None:
        wanted = tuple(item_id for item_id in item_ids if item_id in lists.wanted)
        if wanted:
            return True, wanted
        return None if lists.asked is None else (False, asked)
    # What the catalogue no longer knows may have been anything, so nothing follows from not having found it.
    return (True, asked) if lists.known.issuperset(item_ids) else None


def _weight(evidence: Sequence[Evidence]) -> float:
    gifts = sum(each.gift for each in evidence)
    return len(evidence) - gifts + gifts * GIFT_WEIGHT
