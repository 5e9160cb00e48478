"""Use cases: answer a placement, and put a trained model in force.

A list takes three trips one after another, and a fourth when the person's other id has to be followed: what is known
of the person (several reads at once), what was learned of those items, the candidates as the catalogue has them this
second. A list that stays short costs one more for each hundred items of the shelf it is filled from, and one to look
at those that fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.catalog import reads as catalog
from chalicelib.catalog.reads import KINDS, CatalogItem
from chalicelib.recommendations import contents, kinship, known, rules, store
from chalicelib.recommendations.answers import answer
from chalicelib.recommendations.contents import Watched
from chalicelib.recommendations.known import Known
from chalicelib.recommendations.model import (
    Asker,
    Learned,
    Placement,
    SessionWeights,
    Situation,
    Source,
    Trained,
)
from chalicelib.recommendations.schemas import RecommendationsAnswer, RecommendationsQuery
from chalicelib.recommendations.shelf import Shelf
from chalicelib.recommendations.terms import terms as terms_of
from chalicelib.shared import places

READS_BESIDE_MAX = (
    4  # what was bought, what is inferred of somebody, what was looked at, and what content there is
)
PAGE = 100
PAGES_MAX = 3  # of one kind: where the newest three hundred do not fit, a list may stay short, but comes soon

# Their lists are made to be full; the others would rather show less than what does not belong there.
FILLED_UP = (*rules.BLENDED, Placement.SESSION, *rules.OF_ALL)


@dataclass(frozen=True)
class Met:
    """Items that decide what else is offered, on their way: what was looked at or is owned, and what content there is."""

    items: Future[dict[str, CatalogItem]]
    contents: Future[list[CatalogItem]]


def recommend(
    placement: Placement,
    query: RecommendationsQuery,
    *,
    language: str,
    asker: Asker,
    now: datetime,
    headers: Mapping[str, str] | None = None,
) -> RecommendationsAnswer:
    """Items for one place on a page, each with its reason; never one that is hidden, sold out or excluded.

    An answer to a browser rests on no order and tells of none: anybody can hold its key and guess an id.
    """
    person = known.load(query.customer_id, query.anonymous_id, asker)
    return listed(person, placement, query, headers or {}, language=language, asker=asker, now=now)


def listed(
    person: Known,
    placement: Placement,
    query: RecommendationsQuery,
    headers: Mapping[str, str],
    *,
    language: str,
    asker: Asker,
    now: datetime,
) -> RecommendationsAnswer:
    """The list for a person already known, with the rules that are known. Two trips, as `recommend` after its first."""
    situation = Situation(
        placement,
        person.history,
        tuple(query.item_id),
        frozenset(query.exclude),
        now,
        person.current.session if person.current else SessionWeights(),
    )
    newest: list[CatalogItem] = []
    looked_at = contents.looked_at(situation) if placement in rules.BLENDED else []
    with ThreadPoolExecutor(READS_BESIDE_MAX) as threads:
        place = places.place(query.country, query.region, headers, person.address)
        terms = terms_of(
            placement, person, place, threads, now, currency=query.currency, max_price=query.max_price
        )
        met = _met(placement, situation, looked_at, threads)
        if person.current:
            learned = store.learned(person.current.version, rules.wanted_rows(situation, query.limit))
        else:
            learned, newest = Learned(), catalog.newest(KINDS[0], PAGE)
        shelf = Shelf(query.limit, terms, rules.unwanted(situation))
        if placement == Placement.HELP:
            _take_help(shelf, situation, met)
        else:
            _take_own(shelf, situation, learned, newest, contents.watched(looked_at, met.items.result()))
        if placement in FILLED_UP or not shelf.shown:
            _fill_up(shelf, learned, newest, rules.unwanted(situation))
        if placement == Placement.DISCOVER and not shelf.shown:
            # Everything is bought: better that than nothing.
            _fill_up(shelf, learned, newest, situation.excluded | set(situation.asked))
        return answer(
            shelf,
            situation,
            learned,
            language=language,
            shows_orders=asker is not Asker.BROWSER,
            explains=query.explain,
        )


def save_model(model: Trained, *, on_written: Callable[[int], None] | None = None) -> None:
    """Put a trained model in force: the next answer uses it. Raises store.Overtaken when another run came first.

    `on_written` hears how many items' rows each step has written.
    """
    store.save(model, on_written=on_written)


def _take_own(
    shelf: Shelf,
    situation: Situation,
    learned: Learned,
    newest: Sequence[CatalogItem],
    seen: Sequence[Watched],
) -> None:
    """What the placement itself has to say."""
    picky = shelf.terms.is_picky
    ranked = rules.candidates(situation, learned)
    judge = kinship.judge(situation, learned, seen)
    if judge is None:
        shelf.take(ranked, wide=picky)
        return
    too_few = situation.placement in rules.BLENDED or len(ranked) < shelf.limit
    if too_few:
        ranked += rules.silent_candidates(situation, learned, [item.item_id for item in newest], ranked)
    ranked = contents.with_led_to(ranked, seen, rules.unwanted(situation), learned.popularity)
    shelf.take_kin(ranked, judge, rules.basis(situation), wide=picky or too_few)


def _take_help(shelf: Shelf, situation: Situation, met: Met) -> None:
    """Content about what somebody owns; where there is none, what content is new."""
    page = met.contents.result()
    unwanted = rules.unwanted(situation)
    shelf.take(contents.helping(page, rules.basis(situation), met.items.result(), unwanted))
    if not shelf.shown:
        shelf.take(rules.newest_candidates([each.item_id for each in page], unwanted))


def _met(placement: Placement, situation: Situation, looked_at: Sequence[Source], threads: Executor) -> Met:
    """Read beside what was learned, half a read unit each: a moment's lag decides nothing that is shown."""
    is_help = placement == Placement.HELP
    wanted = [each.item_id for each in (rules.basis(situation) if is_help else looked_at)]
    nothing: Future[Any] = Future()
    nothing.set_result({})
    return Met(
        threads.submit(catalog.items, wanted, consistent=False) if wanted else nothing,
        threads.submit(catalog.newest, contents.CONTENT, PAGE) if is_help else nothing,
    )


def _fill_up(shelf: Shelf, learned: Learned, newest: Sequence[CatalogItem], excluded: frozenset[str]) -> None:
    """What sells, then what is new."""
    shelf.take(rules.popular_candidates(learned.popularity, excluded), wide=shelf.terms.is_picky)
    _take_newest(shelf, newest, excluded)


def _take_newest(shelf: Shelf, first_page: Sequence[CatalogItem], excluded: frozenset[str]) -> None:
    """Walk the newest products until the list is full; something else than products only into an empty list."""
    for kind in KINDS:
        page = first_page if kind == KINDS[0] else []
        for _ in range(PAGES_MAX):
            if shelf.is_full or (shelf.shown and kind != KINDS[0]):
                return
            page = page or catalog.newest(kind, PAGE)
            # The index may lag a moment behind, so what fits by it is looked up once more.
            fitting = sorted(filter(shelf.terms.fits, page), key=shelf.terms.factor, reverse=True)
            shelf.take(rules.newest_candidates([item.item_id for item in fitting], excluded))
            if len(page) < PAGE:
                break
            page = catalog.newest(kind, PAGE, after=page[-1]) if not shelf.is_full else []
