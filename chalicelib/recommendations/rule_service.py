"""Use cases of the shop's rules for its lists."""

from __future__ import annotations

from datetime import datetime

from chalicelib.recommendations import rule_store
from chalicelib.recommendations.merchandising import (
    RULES_MAX,
    AudienceSettings,
    Rule,
    Selection,
    TraitFilter,
)
from chalicelib.recommendations.rule_schemas import (
    AudienceAnswer,
    AudienceBody,
    CapAnswer,
    PriceRangeAnswer,
    RuleAnswer,
    RuleBody,
    RulesAnswer,
    SelectionAnswer,
    SelectionBody,
    TraitFilterAnswer,
    WhereAnswer,
)
from chalicelib.shared.errors import Conflict, NotFound


class TooManyRules(Conflict):
    code, title = "too-many-rules", "There are as many rules as a shop may have"


def put_rule(rule_id: str, body: RuleBody, *, now: datetime) -> RuleAnswer:
    """Put a rule in force, from the next answer on. Raises TooManyRules. Two trips."""
    names = [each.rule_id for each in rule_store.load().rules]
    if rule_id not in names and len(names) >= RULES_MAX:
        raise TooManyRules(f"there are {RULES_MAX} already; remove one first")
    rule = rule_of(rule_id, body, now=now)
    rule_store.save_rule(rule)
    return _answer(rule)


def rule(rule_id: str) -> RuleAnswer:
    """One rule; raises NotFound. One trip."""
    found = [each for each in rule_store.load().rules if each.rule_id == rule_id]
    if not found:
        raise NotFound("there is no rule of this id")
    return _answer(found[0])


def rules() -> RulesAnswer:
    """Every rule. One trip."""
    return RulesAnswer(data=[_answer(each) for each in rule_store.load().rules])


def audience() -> AudienceAnswer:
    """What keeps items from people they are not made for. One trip."""
    return _audience(rule_store.load().audience)


def put_audience(body: AudienceBody) -> AudienceAnswer:
    """Change it, from the next answer on. One trip."""
    filters = tuple(TraitFilter(each.trait, each.value, tuple(each.categories)) for each in body.traits)
    settings = AudienceSettings(body.genders, body.ages, body.age_percent, filters)
    rule_store.save_audience(settings)
    return _audience(settings)


def rule_of(rule_id: str, body: RuleBody, *, now: datetime) -> Rule:
    """The rule that a body describes."""
    return Rule(
        rule_id=rule_id,
        action=body.action,
        items=_selection(body.items),
        placements=tuple(body.placements),
        countries=tuple(body.where.countries),
        regions=tuple(body.where.regions),
        seasons=tuple(body.where.seasons),
        position=body.position or 0,
        percent=body.percent or 100,
        per=body.cap.per if body.cap else "all",
        most=body.cap.most if body.cap else 0,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        enabled=body.enabled,
        updated_at=now,
    )


def _selection(body: SelectionBody) -> Selection:
    price = body.price
    return Selection(
        item_ids=tuple(dict.fromkeys(body.item_ids)),
        categories=tuple(body.categories),
        brands=tuple(body.brands),
        attributes=dict(body.attributes),
        currency=price.currency if price else None,
        price_min=price.min if price else None,
        price_max=price.max if price else None,
    )


def _answer(rule: Rule) -> RuleAnswer:
    assert rule.updated_at is not None, "a rule that is stored has a time"
    items = rule.items
    price = None
    if items.currency is not None:
        price = PriceRangeAnswer(currency=items.currency, min=items.price_min, max=items.price_max)
    return RuleAnswer(
        rule_id=rule.rule_id,
        action=rule.action,
        items=SelectionAnswer(
            item_ids=list(items.item_ids),
            categories=list(items.categories),
            brands=list(items.brands),
            attributes=dict(items.attributes),
            price=price,
        ),
        placements=list(rule.placements),
        where=WhereAnswer(
            countries=list(rule.countries), regions=list(rule.regions), seasons=list(rule.seasons)
        ),
        position=rule.position if rule.action == "pin" else None,
        percent=rule.percent if rule.action == "boost" else None,
        cap=CapAnswer(per=rule.per, most=rule.most) if rule.action == "cap" else None,
        starts_at=rule.starts_at,
        ends_at=rule.ends_at,
        enabled=rule.enabled,
        updated_at=rule.updated_at,
    )


def _audience(settings: AudienceSettings) -> AudienceAnswer:
    return AudienceAnswer(
        genders=settings.genders,
        ages=settings.ages,
        age_percent=settings.age_percent,
        traits=[
            TraitFilterAnswer(trait=each.trait, value=each.value, categories=list(each.categories))
            for each in settings.trait_filters
        ],
    )
