"""A list while it is filled: candidates are looked up from the top, and only what is on sale this second stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from chalicelib.catalog import reads as catalog
from chalicelib.catalog.reads import CatalogItem
from chalicelib.recommendations.model import Candidate, Source
from chalicelib.recommendations.rules import with_categories

CANDIDATES_READ_MAX = 75  # together with the items that reasons name, one trip to the catalogue
SPARE = 5  # read beyond one and a half times what is missing, because some will be sold out
ROUNDS_MAX = 5


class Shelf:
    """At most `limit` items, in the order they were taken. `items` is all that was read of the catalogue on the way."""

    def __init__(self, limit: int, fits: Callable[[CatalogItem], bool]) -> None:
        self.limit = limit
        self.shown: list[tuple[Candidate, CatalogItem]] = []
        self.items: dict[str, CatalogItem] = {}
        self._fits = fits
        self._looked_up: set[str] = set()

    @property
    def is_full(self) -> bool:
        return len(self.shown) >= self.limit

    def take(self, ranked: Sequence[Candidate], *, wide: bool = False) -> None:
        """Fill up from the top. One trip for every 75 that have to be looked up; `wide` looks up so many at once."""
        left = list(ranked)
        for _ in range(ROUNDS_MAX):
            if self.is_full or not left:
                return
            size = CANDIDATES_READ_MAX if wide else self._size()
            chunk, left = left[:size], left[size:]
            self.look_up([*_ids(chunk), *_named(chunk)])
            self._place(chunk)

    def take_kin(
        self, ranked: Sequence[Candidate], weight: float, speaking: Sequence[Source], *, wide: bool
    ) -> None:
        """The same for candidates that also count for a category they share with a source.

        Those of one trip are ranked again together; what has no score by then stays out.
        """
        left = list(ranked)
        for round_number in range(ROUNDS_MAX):
            # Without a score of their own they only wait for a category: one trip is enough for those.
            if self.is_full or not left or (round_number and not left[0].score):
                return
            size = CANDIDATES_READ_MAX if wide else self._size()
            chunk, left = left[:size], left[size:]
            self.look_up([*_ids(chunk), *(source.item_id for source in speaking)])
            categories = {item_id: item.categories for item_id, item in self.items.items()}
            again = with_categories(chunk, weight, speaking, categories)
            self._place([each for each in again if each.score > 0])

    def look_up(self, item_ids: Iterable[str]) -> None:
        """Read what was not read yet; one trip per 100, none for nothing."""
        new = [each for each in dict.fromkeys(item_ids) if each not in self._looked_up]
        if new:
            self._looked_up.update(new)
            self.items |= catalog.items(new)

    def _size(self) -> int:
        missing = self.limit - len(self.shown)
        return min(missing + missing // 2 + SPARE, CANDIDATES_READ_MAX)

    def _place(self, ranked: Iterable[Candidate]) -> None:
        taken = {candidate.item_id for candidate, _ in self.shown}
        for each in ranked:
            item = self.items.get(each.item_id)
            if not self.is_full and item is not None and each.item_id not in taken and self._fits(item):
                self.shown.append((each, item))


def _ids(candidates: Iterable[Candidate]) -> list[str]:
    return [each.item_id for each in candidates]


def _named(candidates: Iterable[Candidate]) -> list[str]:
    """The items that the reasons of these candidates may name."""
    return [each.source.item_id for each in candidates if each.source is not None]
