"""A list while it is filled: candidates are looked up from the top, and only what may be shown this second stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.catalog import reads as catalog
from chalicelib.catalog.reads import CatalogItem
from chalicelib.recommendations.model import Candidate, Part, Source
from chalicelib.recommendations.terms import Terms

CANDIDATES_READ_MAX = 70  # together with what is pinned and what reasons name, one trip to the catalogue
SPARE = 5  # read beyond one and a half times what is missing, because some will be sold out
ROUNDS_MAX = 5

Shown = tuple[Candidate, CatalogItem]
Judge = Callable[[Sequence[Candidate], Mapping[str, CatalogItem]], Sequence[Candidate]]


class Shelf:
    """At most `limit` items, in the order they were taken. `items` is all that was read of the catalogue on the way.

    What is `unwanted` is not pinned either.
    """

    def __init__(self, limit: int, terms: Terms, unwanted: frozenset[str] = frozenset()) -> None:
        self.limit = limit
        self.shown: list[Shown] = []
        self.items: dict[str, CatalogItem] = {}
        self.terms = terms
        self._counter = terms.counter()
        self._looked_up: set[str] = set()
        self._waiting = [each for each in terms.rules.pinned() if each[1] not in unwanted]
        self._pinned: list[tuple[int, CatalogItem]] = []

    @property
    def is_full(self) -> bool:
        return len(self.shown) + len(self._pinned) >= self.limit

    def take(self, ranked: Sequence[Candidate], *, wide: bool = False) -> None:
        """Fill up from the top. One trip for every 70 that have to be looked up; `wide` looks up so many at once."""
        self._take(ranked, _named, lambda chunk: chunk, wide=wide)

    def take_kin(
        self, ranked: Sequence[Candidate], judge: Judge, speaking: Sequence[Source], *, wide: bool
    ) -> None:
        """The same for candidates that also count for what the catalogue says of them beside a source.

        Those of one trip are ranked again together by `judge`; what has no score by then stays out.
        """

        def again(chunk: Sequence[Candidate]) -> list[Candidate]:
            return [each for each in judge(chunk, self.items) if each.score > 0]

        def sources(_chunk: Sequence[Candidate]) -> list[str]:
            return [source.item_id for source in speaking]

        # Without a score of their own they only wait for a category: one trip is enough for those.
        self._take(ranked, sources, again, wide=wide, once=lambda left: not left[0].score)

    def _take(
        self,
        ranked: Sequence[Candidate],
        also: Callable[[Sequence[Candidate]], list[str]],
        judged: Callable[[Sequence[Candidate]], Sequence[Candidate]],
        *,
        wide: bool,
        once: Callable[[Sequence[Candidate]], bool] = lambda _left: False,
    ) -> None:
        left = list(ranked)
        for round_number in range(ROUNDS_MAX):
            if self.is_full or not left or (round_number and once(left)):
                return
            size = CANDIDATES_READ_MAX if wide else self._size()
            chunk, left = left[:size], left[size:]
            self.look_up([*_ids(chunk), *also(chunk)])
            self._place(self._boosted(judged(chunk)))

    def look_up(self, item_ids: Iterable[str]) -> None:
        """Read what was not read yet, and first what is pinned; one trip per 100, none for nothing."""
        waiting, self._waiting = self._waiting, []
        wanted = [*(item_id for _, item_id, _ in waiting), *item_ids]
        new = [each for each in dict.fromkeys(wanted) if each not in self._looked_up]
        if new:
            self._looked_up.update(new)
            self.items |= catalog.items(new)
        for position, item_id, _ in waiting:
            item = self.items.get(item_id)
            if item is not None and self.terms.fits(item):
                self._pinned.append((position, item))
                self._counter.count(item)

    def arranged(self) -> list[Shown]:
        """The list as it is shown: what is pinned stands at its place, or at the end of a shorter list."""
        self.look_up([])  # what is pinned, where there was nothing else to look up
        arranged = list(self.shown)
        for position, item in self._pinned[: self.limit]:
            place = min(position - 1, len(arranged))
            neighbours = arranged[max(place - 1, 0) : place + 1]
            score = neighbours[0][0].score if neighbours else 0.0  # so that scores still fall along the list
            arranged.insert(place, (Candidate(item.item_id, score, Part.PINNED), item))
        return arranged[: self.limit]

    def _size(self) -> int:
        missing = self.limit - len(self.shown)
        return min(missing + missing // 2 + SPARE, CANDIDATES_READ_MAX)

    def _boosted(self, ranked: Sequence[Candidate]) -> list[Candidate]:
        """Ranked again by what the shop, and for whom it is made, add to a score; of no score at all that decides."""
        factors = {
            each.item_id: self.terms.factor(self.items[each.item_id])
            for each in ranked
            if each.item_id in self.items
        }
        if all(factor == 1.0 for factor in factors.values()):
            return list(ranked)
        factored = [(factors.get(each.item_id, 1.0), each) for each in ranked]
        boosted = [
            (by, replace(each, score=each.score * by, factor=each.factor * by)) for by, each in factored
        ]
        return [each for _, each in sorted(boosted, key=lambda pair: (-pair[1].score, -pair[0]))]

    def _place(self, ranked: Iterable[Candidate]) -> None:
        taken = {item.item_id for _, item in self.shown} | {item.item_id for _, item in self._pinned}
        for each in ranked:
            item = self.items.get(each.item_id)
            if self.is_full or item is None or each.item_id in taken:
                continue
            if self.terms.fits(item) and self._counter.has_room(item):
                self._counter.count(item)
                last = self.shown[-1][0].score if self.shown else each.score
                self.shown.append((replace(each, score=min(each.score, last)), item))


def _ids(candidates: Iterable[Candidate]) -> list[str]:
    return [each.item_id for each in candidates]


def _named(candidates: Sequence[Candidate]) -> list[str]:
    """The items that the reasons of these candidates may name."""
    return [each.source.item_id for each in candidates if each.source is not None]
