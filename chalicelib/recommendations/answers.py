"""What a caller is shown: items with their reasons in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.catalog.reads import CatalogItem
from chalicelib.recommendations import rules
from chalicelib.recommendations.model import Candidate, Evidence, Learned, Reason, Situation
from chalicelib.recommendations.rank_schemas import RankAnswer, RankedItem
from chalicelib.recommendations.reasons import reason
from chalicelib.recommendations.schemas import (
    EvidenceAnswer,
    ExplanationAnswer,
    ItemCard,
    PartAnswer,
    PriceCard,
    ReasonAnswer,
    RecommendationsAnswer,
    RecommendedItem,
)
from chalicelib.recommendations.shelf import Shelf
from chalicelib.recommendations.texts import text
from chalicelib.shared import ids

SCORE_DIGITS = 6


def answer(
    shelf: Shelf,
    situation: Situation,
    learned: Learned,
    *,
    language: str,
    shows_orders: bool,
    explains: bool = False,
) -> RecommendationsAnswer:
    """The shelf as the API shows it; with how each score came about where it `explains`."""
    categories = {item_id: item.categories for item_id, item in shelf.items.items()}
    items = []
    for candidate, item in shelf.arranged():
        why = reason(candidate, situation.history, learned, categories, shows_orders=shows_orders)
        explanation = _explanation(candidate, shelf.terms.rules.named(item)) if explains else None
        items.append(
            _recommended(candidate, item, _reason(why, shelf.items, language), explanation, language)
        )
    return RecommendationsAnswer(
        request_id=ids.new(situation.now),
        placement=situation.placement.value,
        items=items,
        fallback=rules.fallback(situation.placement, [candidate.part for candidate, _ in shelf.shown]),
    )


def ranked_answer(
    ranked: Sequence[Candidate],
    left_out: Sequence[str],
    items: Mapping[str, CatalogItem],
    situation: Situation,
    learned: Learned,
    *,
    language: str,
    shows_orders: bool,
) -> RankAnswer:
    """A caller's list in its order as the API shows it."""
    categories = {item_id: item.categories for item_id, item in items.items()}

    def shown(each: Candidate) -> RankedItem:
        why = reason(each, situation.history, learned, categories, shows_orders=shows_orders)
        return RankedItem(
            item_id=each.item_id,
            score=round(each.score, SCORE_DIGITS),
            reason=_reason(why, items, language),
        )

    return RankAnswer(
        request_id=ids.new(situation.now), items=[shown(each) for each in ranked], left_out=list(left_out)
    )


def _reason(why: Reason, items: Mapping[str, CatalogItem], language: str) -> ReasonAnswer:
    about = items.get(why.about) if why.about else None
    # An item may have been hidden because nobody should read its name.
    title = about.title_in(language) if about and not about.hidden else None
    return ReasonAnswer(
        code=why.code, text=text(why, language, title), evidence=[_evidence(each) for each in why.evidence]
    )


def _evidence(each: Evidence) -> EvidenceAnswer:
    return EvidenceAnswer(
        kind=each.kind, id=each.id, item_id=each.item_id, at=each.at, count=each.count, days=each.days
    )


def _explanation(candidate: Candidate, rules: list[str]) -> ExplanationAnswer:
    return ExplanationAnswer(
        parts=[
            PartAnswer(part=part, share=round(share, SCORE_DIGITS))
            for part, share in candidate.parts
            if share
        ],
        factor=round(candidate.factor, SCORE_DIGITS),
        rules=rules,
    )


def _recommended(
    candidate: Candidate,
    item: CatalogItem,
    why: ReasonAnswer,
    explanation: ExplanationAnswer | None,
    language: str,
) -> RecommendedItem:
    price = None
    if item.price_amount is not None and item.currency is not None:
        price = PriceCard(amount=item.price_amount, currency=item.currency)
    card = ItemCard(
        title=item.title_in(language),
        kind=item.kind,
        price=price,
        image_url=item.image_url,
        url=item.url,
        categories=list(item.categories),
        brand=item.brand,
    )
    return RecommendedItem(
        item_id=item.item_id,
        score=round(candidate.score, SCORE_DIGITS),
        reason=why,
        due_in_days=candidate.due_in_days,
        item=card,
        explanation=explanation,
    )
