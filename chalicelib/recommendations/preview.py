"""What a rule would change in a list, before it is in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.recommendations import known, rule_service
from chalicelib.recommendations.known import Known
from chalicelib.recommendations.model import Asker
from chalicelib.recommendations.rule_schemas import MoveAnswer, PreviewAnswer, PreviewBody
from chalicelib.recommendations.schemas import RecommendationsQuery, RecommendedItem
from chalicelib.recommendations.service import listed

PREVIEWED = "(preview)"  # no id of a rule, so it stands beside all


def preview(body: PreviewBody, *, language: str, now: datetime) -> PreviewAnswer:
    """A list with the rules as they are, and with this one as well, or instead of the one of its id.

    The rule counts as if it were enabled and its time had come. One trip for both lists, then two for each.
    """
    query = RecommendationsQuery(
        customer_id=body.customer_id,
        item_id=body.item_id,
        country=body.country,
        region=body.region,
        limit=body.limit,
        explain=True,
    )
    person = known.load(body.customer_id, None, Asker.SHOP)
    rule = rule_service.rule_of(body.rule_id or PREVIEWED, body.rule, now=now)
    rule = replace(rule, enabled=True, starts_at=None, ends_at=None)

    def items(with_rules: Known) -> list[RecommendedItem]:
        answer = listed(with_rules, body.placement, query, {}, language=language, asker=Asker.SHOP, now=now)
        return answer.items

    before = items(person)
    after = items(replace(person, rulebook=person.rulebook.with_rule(rule)))
    return PreviewAnswer(before=before, after=after, moved=_moved(before, after))


def _moved(before: Sequence[RecommendedItem], after: Sequence[RecommendedItem]) -> list[MoveAnswer]:
    was = {each.item_id: place for place, each in enumerate(before, 1)}
    will_be = {each.item_id: place for place, each in enumerate(after, 1)}
    return [
        MoveAnswer(item_id=item_id, before=was.get(item_id), after=will_be.get(item_id))
        for item_id in dict.fromkeys([*will_be, *was])
        if was.get(item_id) != will_be.get(item_id)
    ]
