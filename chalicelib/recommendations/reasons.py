"""Why an item is shown, pure: from the part that contributed most to its score, with what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from chalicelib.recommendations.model import (
    Act,
    Candidate,
    Evidence,
    History,
    Learned,
    Part,
    Reason,
    Source,
)
from chalicelib.recommendations.rules import NEIGHBOURS

EVIDENCE_MAX = 3  # orders named for an item bought before

CODES = {
    Part.TOGETHER: "bought_together",
    Part.USERS: "similar_customers",
    Part.NEXT: "next",
    Part.SESSION: "viewed_together",
}
OF_CONTENT = {Part.CONTENT: "content_watched", Part.HELP: "for_owned"}
UNSAID = Reason("recent_activity")


def reason(
    candidate: Candidate,
    history: History,
    learned: Learned,
    categories: Mapping[str, Sequence[str]],
    *,
    shows_orders: bool,
) -> Reason:
    """The reason of one candidate. Without `shows_orders` (an answer to a browser) nothing tells of a purchase."""
    part, source = candidate.part, candidate.source
    if part == Part.OWN:
        return _bought_before(candidate.item_id, history) if shows_orders else UNSAID
    if part in OF_NOBODY:
        return OF_NOBODY[part](candidate.item_id, learned)
    if source is None:
        return OF_NOBODY[Part.NEWEST](candidate.item_id, learned)
    if source.act in (Act.CLAIM, Act.HEARSAY) or (source.act == Act.ORDER and not shows_orders):
        return UNSAID
    if part == Part.CATEGORY:
        return _same_category(candidate.item_id, source, categories)
    if part in OF_CONTENT:
        return Reason(OF_CONTENT[part], (_act(source),), about=source.item_id)
    if source.act == Act.ASKED:
        return _of_page(candidate.item_id, part, source, learned)
    about = None if source.item_id == candidate.item_id else source.item_id
    code = {Act.CART: "in_cart", Act.VIEW: "viewed"}.get(source.act) or CODES[part]
    return Reason(code, (_act(source),), about=about)


def _bought_before(item_id: str, history: History) -> Reason:
    baskets = [basket for basket in history.baskets if item_id in basket.item_ids]
    evidence = [Evidence("order", basket.order_id, item_id, basket.at) for basket in baskets[:EVIDENCE_MAX]]
    return Reason("bought_before", tuple(evidence), count=len(baskets))


def _popular(item_id: str, learned: Learned) -> Reason:
    recent = learned.popularity.days_14.get(item_id, 0)
    count, days = (recent, 14) if recent else (learned.popularity.days_90.get(item_id, 0), 90)
    return Reason("popular", (Evidence("popularity", count=count, days=days),), count=count, days=days)


def _viewed(item_id: str, learned: Learned) -> Reason:
    count, days = learned.popularity.viewed[item_id], 14
    return Reason("viewed_often", (Evidence("visits", count=count, days=days),), count=count, days=days)


# Reasons that are the same for everybody.
OF_NOBODY: dict[Part, Callable[[str, Learned], Reason]] = {
    Part.PINNED: lambda _item_id, _learned: Reason("featured"),
    Part.NEWEST: lambda _item_id, _learned: Reason("newest"),
    Part.GIVEN: lambda _item_id, _learned: Reason("as_given"),
    Part.UNKNOWN: lambda _item_id, _learned: Reason("unknown_item"),
    Part.VIEWED: _viewed,
    Part.POPULAR: _popular,
}


def _same_category(item_id: str, source: Source, categories: Mapping[str, Sequence[str]]) -> Reason:
    theirs = set(categories.get(source.item_id, ()))
    shared = [each for each in categories.get(item_id, ()) if each in theirs]
    rooms = {each.split("/")[0] for each in theirs}
    path = (
        shared[0]
        if shared
        else next(each.split("/")[0] for each in categories.get(item_id, ()) if each.split("/")[0] in rooms)
    )
    return Reason("same_category", (_act(source),), category=path.rsplit("/", 1)[-1])


def _of_page(item_id: str, part: Part, source: Source, learned: Learned) -> Reason:
    """About the item whose page the caller is on: how often both were seen is the evidence."""
    neighbours = NEIGHBOURS[part](learned.rows[source.item_id])
    count = next(each.count for each in neighbours if each.item_id == item_id) or None
    evidence = Evidence(part.value, item_id=source.item_id, count=count)
    return Reason(CODES[part], (evidence,), about=source.item_id, count=count)


def _act(source: Source) -> Evidence:
    kind = {Act.ORDER: "order", Act.CART: "cart", Act.VIEW: "view", Act.ASKED: "item"}[source.act]
    return Evidence(kind, source.event_id, source.item_id, source.at)
