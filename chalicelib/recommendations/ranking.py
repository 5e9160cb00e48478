"""The order of a caller's own list for one person: what `for_you` would say of exactly these items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from chalicelib.catalog import reads as catalog
from chalicelib.catalog.reads import CatalogItem
from chalicelib.recommendations import contents, kinship, known, rules, store
from chalicelib.recommendations.answers import ranked_answer
from chalicelib.recommendations.model import Asker, Candidate, Learned, Part, Placement, Situation
from chalicelib.recommendations.rank_schemas import RankAnswer, RankBody
from chalicelib.recommendations.rule_schemas import RANK
from chalicelib.recommendations.terms import Terms
from chalicelib.recommendations.terms import terms as terms_of
from chalicelib.shared import places

ITEMS_AT_ONCE = 100
READS_AT_ONCE_MAX = 8


def rank(
    body: RankBody,
    *,
    language: str,
    asker: Asker,
    now: datetime,
    headers: Mapping[str, str],
) -> RankAnswer:
    """The items of a list, best first; what nothing is known of keeps its place behind them.

    Three trips one after another, as for a list: the third is one for every 100 items, all at once. Read units as for
    a list's first two trips, then 1 for each item and each of the twenty that reasons may name.
    """
    person = known.load(body.customer_id, body.anonymous_id, asker)
    item_ids = list(dict.fromkeys(body.item_ids))
    situation = Situation(Placement.FOR_YOU, person.history, (), frozenset(), now)
    with ThreadPoolExecutor(READS_AT_ONCE_MAX) as threads:
        place = places.place(None, None, headers, person.address)
        terms = terms_of(RANK, person, place, threads, now)
        wanted = rules.wanted_rows(situation, len(item_ids))
        learned = store.learned(person.current.version, wanted) if person.current else Learned()
        seen = [each.item_id for each in contents.looked_at(situation)]
        items = _items([*item_ids, *wanted, *seen], threads)
        showable = [each for each in item_ids if each not in items or terms.fits(items[each])]
        return ranked_answer(
            _ordered(showable, items, situation, learned, terms),
            [each for each in item_ids if each not in set(showable)],
            items,
            situation,
            learned,
            language=language,
            shows_orders=asker is not Asker.BROWSER,
        )


def _items(item_ids: Iterable[str], threads: Executor) -> dict[str, CatalogItem]:
    wanted = list(dict.fromkeys(item_ids))
    pages = [wanted[start : start + ITEMS_AT_ONCE] for start in range(0, len(wanted), ITEMS_AT_ONCE)]
    return {item_id: item for page in threads.map(catalog.items, pages) for item_id, item in page.items()}


def _ordered(
    item_ids: Sequence[str],
    items: Mapping[str, CatalogItem],
    situation: Situation,
    learned: Learned,
    terms: Terms,
) -> list[Candidate]:
    """Those in the catalogue by score; of no score in the order given, and last those that are not there."""
    there = [each for each in item_ids if each in items]
    ranked = rules.candidates_among(situation, learned, there)
    judge = kinship.judge(situation, learned, contents.watched(contents.looked_at(situation), items))
    judged = judge(ranked, items) if judge else ranked
    boosted = [(terms.factor(items[each.item_id]), each) for each in judged]
    boosted.sort(key=lambda pair: (-pair[1].score * pair[0], -pair[0]))
    found = [
        replace(each, score=each.score * factor, factor=each.factor * factor) for factor, each in boosted
    ]
    return found + [Candidate(each, 0.0, Part.UNKNOWN) for each in item_ids if each not in items]
