"""What a category in common is worth, pure: it takes what the catalogue says, so it comes after the ranking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.catalog.reads import CatalogItem
from chalicelib.recommendations.contents import Watched, with_watched
from chalicelib.recommendations.model import Candidate, Learned, Part, Placement, Situation, Source
from chalicelib.recommendations.rules import BLENDED, basis

SIMILAR_CATEGORY = 0.5  # in `similar`, beside what customers and baskets say
CATEGORY = 0.1  # in `for_you`, and only while no list knows what the person looked at
SAME_SHELF, SAME_ROOM = 1.0, 0.5  # the same category; only the same first part of its path


def category_weight(situation: Situation, learned: Learned) -> float:
    """How much a shared category counts: always for similar items, else only where no list knows the sources."""
    if situation.placement == Placement.SIMILAR:
        return SIMILAR_CATEGORY
    known = any(row.together or row.users or row.next for row in learned.rows.values())
    return CATEGORY if situation.placement in BLENDED and not known else 0.0


def with_categories(
    ranked: Iterable[Candidate],
    weight: float,
    speaking: Sequence[Source],
    categories: Mapping[str, Sequence[str]],
) -> list[Candidate]:
    """The candidates ranked again, now that the catalogue told who shares a category with a source."""
    again = []
    loudest = max((source.weight for source in speaking), default=1.0)
    for each in ranked:
        own = categories.get(each.item_id, ())
        kin = [
            (source.weight / loudest * _kinship(categories.get(source.item_id, ()), own), source)
            for source in speaking
        ]
        kinship, source = max(kin, key=lambda pair: pair[0], default=(0.0, None))
        share = weight * kinship
        closer = replace(
            each,
            score=each.score + share * each.factor,
            parts=(*each.parts, (Part.CATEGORY, share)) if share else each.parts,
        )
        if share > each.share:
            closer = replace(closer, part=Part.CATEGORY, source=source, share=share)
        again.append(closer)
    return sorted(again, key=lambda each: -each.score)


def judge(
    situation: Situation, learned: Learned, seen: Sequence[Watched]
) -> Callable[[Sequence[Candidate], Mapping[str, CatalogItem]], Sequence[Candidate]] | None:
    """What ranks candidates again once the catalogue told of them, None where it would change nothing."""
    speaking = basis(situation)
    weight = category_weight(situation, learned) if speaking else 0.0
    if not weight and not seen:
        return None

    def judged(ranked: Sequence[Candidate], items: Mapping[str, CatalogItem]) -> Sequence[Candidate]:
        if weight:
            categories = {item_id: item.categories for item_id, item in items.items()}
            ranked = with_categories(ranked, weight, speaking, categories)
        return with_watched(ranked, seen, items) if seen else ranked

    return judged


def _kinship(left: Sequence[str], right: Sequence[str]) -> float:
    if set(left) & set(right):
        return SAME_SHELF
    rooms = {each.split("/")[0] for each in left} & {each.split("/")[0] for each in right}
    return SAME_ROOM if rooms else 0.0
