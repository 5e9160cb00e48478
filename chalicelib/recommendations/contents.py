"""What content leads to and what leads to content, pure: a cooking video to pans, a pan to its manual.

A content item says in its attributes what it is about: `for_items` (ids) and `for_categories` (paths, each with all
below); without either it is about its own categories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from chalicelib.catalog.reads import CatalogItem
from chalicelib.recommendations.history import viewed_lately
from chalicelib.recommendations.merchandising import lies_in
from chalicelib.recommendations.model import Act, Candidate, Part, Popularity, Situation, Source
from chalicelib.recommendations.rules import still_sold

CONTENT = "content"
WATCHED = 0.3  # in `for_you`: as much as what is bought next
LOOKED_UP_MAX = 5  # of what was looked at last: which of it is content, only the catalogue knows
LED_TO_MAX = 20  # items that one piece of content names
OF_CATEGORY = 0.5  # a manual for a whole category, beside one for the very item


@dataclass(frozen=True)
class Watched:
    """A piece of content somebody looked at, and what it is about."""

    source: Source
    item_ids: tuple[str, ...]
    categories: tuple[str, ...]


def looked_at(situation: Situation) -> list[Source]:
    """What was looked at last, which may be content: the page's item, then the newest views."""
    here = [Source(each, 1.0, Act.ASKED) for each in situation.asked]
    first: dict[str, Source] = {}
    for each in (*here, *viewed_lately(situation.history)):
        first.setdefault(each.item_id, each)
    return list(islice(first.values(), LOOKED_UP_MAX))


def watched(sources: Iterable[Source], items: Mapping[str, CatalogItem]) -> list[Watched]:
    """Those that are content and may be shown, with what they are about."""
    found = ((each, items.get(each.item_id)) for each in sources)
    return [
        Watched(source, _names(item, "for_items"), _categories(item))
        for source, item in found
        if item is not None and item.kind == CONTENT and not item.hidden
    ]


def with_led_to(
    ranked: Sequence[Candidate], seen: Sequence[Watched], unwanted: frozenset[str], popularity: Popularity
) -> list[Candidate]:
    """The candidates with what watched content names in front: how that ranks is judged once it is looked up."""
    of = {each.item_id: each for each in ranked}
    named = dict.fromkeys(item_id for each in seen for item_id in each.item_ids if item_id not in unwanted)
    new = {each: Candidate(each, 0.0, Part.CONTENT, factor=still_sold(popularity, each)) for each in named}
    return [
        *(of.get(each, new[each]) for each in named),
        *(each for each in ranked if each.item_id not in named),
    ]


def with_watched(
    ranked: Sequence[Candidate], seen: Sequence[Watched], items: Mapping[str, CatalogItem]
) -> list[Candidate]:
    """The candidates ranked again: what watched content names, or is about, counts as much as what is bought next."""
    loudest = max((each.source.weight for each in seen), default=1.0)
    again = []
    for candidate in ranked:
        item = items.get(candidate.item_id)
        about = [each for each in seen if item is not None and _is_about(each, item)]
        best = max(about, key=lambda each: each.source.weight, default=None)
        if best is None:
            again.append(candidate)
            continue
        share = WATCHED * best.source.weight / loudest
        closer = replace(
            candidate,
            score=candidate.score + share * candidate.factor,
            parts=(*candidate.parts, (Part.CONTENT, share)),
        )
        if share > candidate.share:
            closer = replace(closer, part=Part.CONTENT, source=best.source, share=share)
        again.append(closer)
    return sorted(again, key=lambda each: -each.score)


def helping(
    contents: Iterable[CatalogItem],
    owned: Sequence[Source],
    items: Mapping[str, CatalogItem],
    unwanted: frozenset[str],
) -> list[Candidate]:
    """Content about what somebody owns, or about the item of the page: what is about the very item first."""
    found = []
    for content in contents:
        if content.item_id in unwanted:
            continue
        about = [
            (each.weight * _closeness(content, items.get(each.item_id), each.item_id), each) for each in owned
        ]
        score, source = max(about, key=lambda pair: pair[0], default=(0.0, None))
        if score:
            parts = ((Part.HELP, score),)
            found.append(Candidate(content.item_id, score, Part.HELP, source, score, parts=parts))
    return sorted(found, key=lambda each: -each.score)


def _closeness(content: CatalogItem, item: CatalogItem | None, item_id: str) -> float:
    if item_id in _names(content, "for_items"):
        return 1.0
    return OF_CATEGORY if item is not None and lies_in(item, _names(content, "for_categories")) else 0.0


def _is_about(seen: Watched, item: CatalogItem) -> bool:
    return item.kind != CONTENT and (item.item_id in seen.item_ids or lies_in(item, seen.categories))


def _categories(item: CatalogItem) -> tuple[str, ...]:
    return _names(item, "for_categories") or (() if _names(item, "for_items") else item.categories)


def _names(item: CatalogItem, attribute: str) -> tuple[str, ...]:
    told = item.attributes.get(attribute)
    named = [each for each in told if isinstance(each, str) and each] if isinstance(told, list) else []
    return tuple(dict.fromkeys(named[:LED_TO_MAX]))
