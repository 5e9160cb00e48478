"""Use cases: answer a placement, and put a trained model in force.

A list takes three trips one after another, and a fourth when the person's other id has to be followed: what is known
of the person (several reads at once), what was learned of those items, the candidates as the catalogue has them this
second. A list that stays short costs one more for each hundred items of the shelf it is filled from, and one to look
at those that fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from chalicelib.catalog import reads as catalog
from chalicelib.catalog.reads import KINDS, CatalogItem
from chalicelib.recommendations import known, rules, store
from chalicelib.recommendations.answers import answer
from chalicelib.recommendations.model import Asker, Learned, Placement, SessionWeights, Situation, Trained
from chalicelib.recommendations.schemas import RecommendationsAnswer, RecommendationsQuery
from chalicelib.recommendations.shelf import Shelf

PAGE = 100
PAGES_MAX = 3  # of one kind: where the newest three hundred do not fit, a list may stay short, but comes soon

# Their lists are made to be full; the others would rather show less than what does not belong there.
FILLED_UP = (Placement.FOR_YOU, Placement.DISCOVER, Placement.SESSION, Placement.TRENDING)


def recommend(
    placement: Placement, query: RecommendationsQuery, *, language: str, asker: Asker, now: datetime
) -> RecommendationsAnswer:
    """Items for one place on a page, each with its reason; never one that is hidden, sold out or excluded.

    An answer to a browser rests on no order and tells of none: anybody can hold its key and guess an id.
    """
    person = known.load(query.customer_id, query.anonymous_id, asker)
    situation = Situation(
        placement,
        person.history,
        tuple(query.item_id),
        frozenset(query.exclude),
        now,
        person.current.session if person.current else SessionWeights(),
    )
    newest: list[CatalogItem] = []
    if person.current:
        learned = store.learned(person.current.version, rules.wanted_rows(situation, query.limit))
    else:
        learned, newest = Learned(), catalog.newest(KINDS[0], PAGE)
    fits = _fits(query)
    shelf = Shelf(query.limit, fits)
    _take_own(
        shelf, situation, learned, newest, picky=query.currency is not None or query.max_price is not None
    )
    if placement in FILLED_UP or not shelf.shown:
        excluded = rules.unwanted(situation)
        shelf.take(rules.popular_candidates(learned.popularity, excluded))
        _take_newest(shelf, newest, excluded, fits)
    return answer(shelf, situation, learned, language=language, shows_orders=asker is not Asker.BROWSER)


def save_model(model: Trained, *, on_written: Callable[[int], None] | None = None) -> None:
    """Put a trained model in force: the next answer uses it. Raises store.Overtaken when another run came first.

    `on_written` hears how many items' rows each step has written.
    """
    store.save(model, on_written=on_written)


def _take_own(
    shelf: Shelf, situation: Situation, learned: Learned, newest: Sequence[CatalogItem], *, picky: bool
) -> None:
    """What the placement itself has to say."""
    ranked = rules.candidates(situation, learned)
    speaking = rules.basis(situation)
    weight = rules.category_weight(situation, learned) if speaking else 0.0
    if not weight:
        shelf.take(ranked, wide=picky)
        return
    too_few = situation.placement in rules.BLENDED or len(ranked) < shelf.limit
    if too_few:
        ranked += rules.silent_candidates(situation, learned, [item.item_id for item in newest], ranked)
    shelf.take_kin(ranked, weight, speaking, wide=picky or too_few)


def _take_newest(
    shelf: Shelf,
    first_page: Sequence[CatalogItem],
    excluded: frozenset[str],
    fits: Callable[[CatalogItem], bool],
) -> None:
    """Walk the newest products until the list is full; something else than products only into an empty list."""
    for kind in KINDS:
        page = first_page if kind == KINDS[0] else []
        for _ in range(PAGES_MAX):
            if shelf.is_full or (shelf.shown and kind != KINDS[0]):
                return
            page = page or catalog.newest(kind, PAGE)
            # The index may lag a moment behind, so what fits by it is looked up once more.
            shelf.take(rules.newest_candidates([item.item_id for item in page if fits(item)], excluded))
            if len(page) < PAGE:
                break
            page = catalog.newest(kind, PAGE, after=page[-1]) if not shelf.is_full else []


def _fits(query: RecommendationsQuery) -> Callable[[CatalogItem], bool]:
    def fits(item: CatalogItem) -> bool:
        if query.currency is not None and item.currency != query.currency:
            return False
        if query.max_price is not None and (item.price_amount is None or item.price_amount > query.max_price):
            return False
        return item.is_on_sale

    return fits
