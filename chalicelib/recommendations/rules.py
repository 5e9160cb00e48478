"""Ranking, pure: what a person did and what was learned from all go in, candidates come out, best first.

The weights are one default for every shop, measured on two years of a real one (docs/rooms/recommendations.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from math import sqrt

from chalicelib.recommendations.history import (
    SOURCES_MAX,
    due_in_days,
    hinted,
    in_cart,
    own_counts,
    readiness,
    sources,
    viewed_lately,
    visited,
)
from chalicelib.recommendations.model import (
    Act,
    Candidate,
    History,
    ItemRow,
    Learned,
    Neighbour,
    Part,
    Placement,
    Popularity,
    SessionWeights,
    Situation,
    Source,
    Voice,
)

BLENDED = (Placement.FOR_YOU, Placement.DISCOVER)
OF_ALL = (Placement.TRENDING, Placement.POPULAR_NEARBY)
SOURCES_WITHOUT_PAGE_MAX = 5  # for lists about one item when no item was named

# The blend of `for_you`.
OWN, SEEN, TOGETHER, USERS, NEXT, POPULAR = 1.0, 0.2, 0.1, 0.1, 0.3, 0.1
DISCOVER_NEAR = 2.0  # without the own counts beside them, *together* and *users* say more
# What `similar` is made of.
SIMILAR_USERS, SIMILAR_TOGETHER = 1.0, 0.5
# What goes with a cart: first what lies in the same baskets.
CART_TOGETHER, CART_USERS = 1.0, 0.3

SOLD_FLOOR, SOLD_POWER = 0.001, 0.2  # what nobody bought in 14 days keeps a quarter of its score
CANDIDATES_MAX = 500  # more than are ever looked up
POPULAR_MAX = 200  # more than any answer holds
BUY_AGAIN_ROWS_MAX = 100
VIEWED = 1e-6  # visits fill up behind whatever was sold


def basis(situation: Situation) -> list[Source]:
    """Which sources a placement listens to."""
    if situation.placement in (Placement.BUY_AGAIN, Placement.RECENTLY_VIEWED, *OF_ALL):
        return []
    if situation.placement in BLENDED:
        return sources(situation.history, situation.asked, situation.now)
    if situation.placement == Placement.SESSION:
        return visited(situation.history, situation.asked, situation.session, situation.now)
    if situation.asked:
        return sources(History(), situation.asked, situation.now)
    if situation.placement == Placement.HELP:
        found = sources(replace(situation.history, hints=()), (), situation.now)
        return [each for each in found if each.act == Act.ORDER]
    if situation.placement == Placement.CART:
        return in_cart(situation.history, situation.now)[:SOURCES_MAX]
    return sources(situation.history, (), situation.now)[:SOURCES_WITHOUT_PAGE_MAX]


def wanted_rows(situation: Situation, limit: int) -> list[str]:
    """Items whose learned rows the answer needs."""
    if situation.placement == Placement.HELP:
        return []
    if situation.placement != Placement.BUY_AGAIN:
        return [source.item_id for source in basis(situation)]
    counts = own_counts(situation.history, situation.now)
    most = sorted(counts, key=lambda item_id: (-counts[item_id], item_id))
    return [each for each in most if each not in situation.excluded][
        : min(2 * limit + 20, BUY_AGAIN_ROWS_MAX)
    ]


def unwanted(situation: Situation) -> frozenset[str]:
    """What the list may not hold whatever fills it: what the caller excludes, the page itself, what is no discovery."""
    out = situation.excluded | set(situation.asked)
    if situation.placement == Placement.DISCOVER:
        out |= {item_id for basket in situation.history.baskets for item_id in basket.item_ids}
    if situation.placement == Placement.CART:
        out |= {source.item_id for source in in_cart(situation.history, situation.now)}
    return out


def candidates(situation: Situation, learned: Learned) -> list[Candidate]:
    """What the placement itself has to say, best first; without what is excluded."""
    speaking = basis(situation)
    excluded = unwanted(situation)
    if situation.placement in BLENDED:
        return _ranked(_blend(situation, learned, speaking), learned.popularity, excluded)
    if situation.placement == Placement.HELP:
        return []  # what content is about only the catalogue knows
    if situation.placement in OF_ALL:
        return popular_candidates(learned.popularity, excluded)
    if situation.placement == Placement.RECENTLY_VIEWED:
        return [
            Candidate(each.item_id, each.weight, Part.SEEN, each, each.weight)
            for each in viewed_lately(situation.history)
            if each.item_id not in excluded
        ]
    if situation.placement == Placement.BUY_AGAIN:
        return _buy_again(situation, learned, excluded)
    if situation.placement == Placement.SESSION:
        voices = [looked_at(speaking, learned.rows, situation.session)]
        return _ranked(voices, learned.popularity, excluded, damped=False)
    excluded |= {source.item_id for source in speaking}
    if situation.placement == Placement.BOUGHT_TOGETHER:
        together = _relation(Part.TOGETHER, 1.0, speaking, learned.rows)
        return _ranked([together], learned.popularity, excluded, damped=False)
    by_baskets, by_users = (
        (CART_TOGETHER, CART_USERS)
        if situation.placement == Placement.CART
        else (SIMILAR_TOGETHER, SIMILAR_USERS)
    )
    voices = [
        _relation(Part.TOGETHER, by_baskets, speaking, learned.rows),
        _relation(Part.USERS, by_users, speaking, learned.rows),
    ]
    return _ranked(voices, learned.popularity, excluded)


def candidates_among(situation: Situation, learned: Learned, item_ids: Sequence[str]) -> list[Candidate]:
    """What `for_you` says of exactly these items, best first; then those it says nothing of, in the order given."""
    popular = Voice(Part.POPULAR, POPULAR, learned.popularity.sales)
    voices = [each for each in _blend(situation, learned, basis(situation)) if each.part != Part.POPULAR]
    ranked = _ranked([*voices, popular], learned.popularity, frozenset(), among=frozenset(item_ids))
    scored = {each.item_id for each in ranked}
    silent = [each for each in item_ids if each not in scored]
    popularity = learned.popularity
    return ranked + [Candidate(each, 0.0, Part.GIVEN, factor=still_sold(popularity, each)) for each in silent]


def popular_candidates(popularity: Popularity, excluded: frozenset[str]) -> list[Candidate]:
    """What sells, most first, and then what is looked at."""
    viewed = Voice(Part.VIEWED, VIEWED, popularity.viewed)
    return _ranked([_popular(popularity, 1.0), viewed], popularity, excluded, damped=False)


def silent_candidates(
    situation: Situation, learned: Learned, newest: Iterable[str], ranked: Sequence[Candidate]
) -> list[Candidate]:
    """What sells and what is new beyond the `ranked`, with no score yet: a shared category may give them one."""
    out = unwanted(situation) | {each.item_id for each in ranked}
    out |= {source.item_id for source in basis(situation)}
    popular = [replace(each, score=0.0) for each in popular_candidates(learned.popularity, frozenset(out))]
    out |= {each.item_id for each in popular}
    silent = popular + newest_candidates(newest, frozenset(out))
    return [replace(each, share=0.0, factor=still_sold(learned.popularity, each.item_id)) for each in silent]


def newest_candidates(newest: Iterable[str], excluded: frozenset[str]) -> list[Candidate]:
    """What is new, in the order given."""
    return [Candidate(item_id, 0.0, Part.NEWEST) for item_id in newest if item_id not in excluded]


def fallback(placement: Placement, parts: Iterable[Part]) -> str | None:
    """What stood in when the placement itself had nothing to say; `parts` are those of the items shown."""
    shown = set(parts)
    if Part.POPULAR in shown and placement == Placement.TRENDING:
        return None
    if not shown or not shown <= {Part.POPULAR, Part.VIEWED, Part.NEWEST}:
        return None
    return "newest" if shown == {Part.NEWEST} else "popular"


def _blend(situation: Situation, learned: Learned, speaking: Sequence[Source]) -> list[Voice]:
    seen = hinted(situation.history, situation.now)
    bought = [source for source in speaking if source.act in (Act.ORDER, Act.CLAIM)]
    near = DISCOVER_NEAR if situation.placement == Placement.DISCOVER else 1.0
    return [
        Voice(Part.OWN, OWN, own_counts(situation.history, situation.now)),
        Voice(Part.SEEN, SEEN, {item_id: source.weight for item_id, source in seen.items()}, seen),
        _relation(Part.TOGETHER, near * TOGETHER, speaking, learned.rows),
        _relation(Part.USERS, near * USERS, speaking, learned.rows),
        _relation(Part.NEXT, NEXT, bought, learned.rows),
        _popular(learned.popularity, POPULAR),
    ]


NEIGHBOURS: dict[Part, Callable[[ItemRow], tuple[Neighbour, ...]]] = {
    Part.TOGETHER: lambda row: row.together,
    Part.USERS: lambda row: row.users,
    Part.NEXT: lambda row: row.next,
    Part.SESSION: lambda row: row.session,
}


def looked_at(speaking: Sequence[Source], rows: Mapping[str, ItemRow], weights: SessionWeights) -> Voice:
    """What a visit so far says about its next step."""
    return _relation(Part.SESSION, 1.0, speaking, rows, own=weights.own)


def _relation(
    part: Part,
    weight: float,
    speaking: Sequence[Source],
    rows: Mapping[str, ItemRow],
    *,
    own: float = 1.0,
) -> Voice:
    """What the sources' neighbours get: the sum over sources of loudness times score, times `own` for the source."""
    values: dict[str, float] = {}
    most: dict[str, tuple[float, Source]] = {}
    for source in speaking:
        row = rows.get(source.item_id)
        for neighbour in NEIGHBOURS[part](row) if row else ():
            value = source.weight * neighbour.score * (own if neighbour.item_id == source.item_id else 1.0)
            values[neighbour.item_id] = values.get(neighbour.item_id, 0.0) + value
            if neighbour.item_id not in most or value > most[neighbour.item_id][0]:
                most[neighbour.item_id] = (value, source)
    return Voice(part, weight, values, {item_id: source for item_id, (_, source) in most.items()})


def _popular(popularity: Popularity, weight: float) -> Voice:
    """The best sellers: of 14 days, and of 90 where those are silent."""
    return Voice(Part.POPULAR, weight, dict(islice(popularity.sales.items(), POPULAR_MAX)))


def _ranked(
    voices: Sequence[Voice],
    popularity: Popularity,
    excluded: frozenset[str],
    *,
    damped: bool = True,
    among: frozenset[str] | None = None,
) -> list[Candidate]:
    """Each voice scaled to its loudest and weighted, summed, and damped by whether the item is still sold.

    The own counts are damped by the root of that: what somebody buys again and again needs fewer others who do.
    Of equal scores the one that sells better comes first, then the smaller id: the same question, the same answer.
    """
    total: dict[str, float] = {}
    best: dict[str, tuple[float, Voice]] = {}
    parts: dict[str, list[tuple[Part, float]]] = {}
    for voice in voices:
        # What may not be shown scales nothing.
        loudest = max((value for each, value in voice.values.items() if each not in excluded), default=0.0)
        values = (
            voice.values
            if among is None
            else {each: voice.values[each] for each in among & voice.values.keys()}
        )
        for item_id, value in values.items() if loudest > 0 else ():
            # Exactly the weight for the loudest, so that ties are ties.
            share = voice.weight * (value / loudest)
            if damped and voice.part == Part.OWN:
                share /= sqrt(still_sold(popularity, item_id))
            total[item_id] = total.get(item_id, 0.0) + share
            parts.setdefault(item_id, []).append((voice.part, share))
            if item_id not in best or share > best[item_id][0]:
                best[item_id] = (share, voice)
    last = len(popularity.places)
    order = []
    for item_id, score in total.items():
        if item_id not in excluded and score > 0:
            factor = still_sold(popularity, item_id) if damped else 1.0
            order.append((-score * factor, popularity.places.get(item_id, last), item_id, factor))
    found = []
    for score, _, item_id, factor in sorted(order)[:CANDIDATES_MAX]:
        share, voice = best[item_id]
        source = voice.sources.get(item_id)
        found.append(
            Candidate(item_id, -score, voice.part, source, share, factor, parts=tuple(parts[item_id]))
        )
    return found


def _buy_again(situation: Situation, learned: Learned, excluded: frozenset[str]) -> list[Candidate]:
    """The own counts, what is not due yet further down."""
    bought: dict[str, list[datetime]] = {}
    for basket in situation.history.baskets:
        for item_id in basket.item_ids:
            bought.setdefault(item_id, []).append(basket.at)
    counts = own_counts(situation.history, situation.now)
    again = []
    for each in _ranked([Voice(Part.OWN, OWN, counts)], learned.popularity, excluded):
        row = learned.rows.get(each.item_id)
        due = due_in_days(bought[each.item_id], row.interval_days if row else None, situation.now)
        ready = readiness(due, max(bought[each.item_id]), situation.now)
        due_in = None if due is None else round(due)
        again.append(replace(each, score=each.score * ready, factor=each.factor * ready, due_in_days=due_in))
    return sorted(again, key=lambda each: (-each.score, each.item_id))


def still_sold(popularity: Popularity, item_id: str) -> float:
    """Is it still sold?"""
    return float((SOLD_FLOOR + popularity.sold.get(item_id, 0.0)) ** SOLD_POWER)
