"""The nouns of recommendations: what a person did, what was learned from all, and what is offered why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol

OLD_SALES = 0.001


class Asker(StrEnum):
    """Who wants a list: the shop itself, a customer about herself, or a browser of which nothing is sure."""

    SHOP = "shop"
    CUSTOMER = "customer"
    BROWSER = "browser"


class Placement(StrEnum):
    """Where a list is shown, hence what it is made of."""

    FOR_YOU = "for_you"
    SIMILAR = "similar"
    BOUGHT_TOGETHER = "bought_together"
    BUY_AGAIN = "buy_again"
    DISCOVER = "discover"
    SESSION = "session"
    TRENDING = "trending"
    POPULAR_NEARBY = "popular_nearby"
    RECENTLY_VIEWED = "recently_viewed"
    CART = "cart"
    HELP = "help"


class Act(StrEnum):
    """What a person did with an item. Only an order the shop vouches for is one; a browser's word is a claim."""

    ORDER = "order"
    CLAIM = "claim"
    CART = "cart"
    CART_REMOVED = "cart_removed"
    VIEW = "view"
    HEARSAY = "hearsay"  # said of a customer by a browser that nobody knows to be theirs
    ASKED = "asked"  # the item whose page the caller is on


@dataclass(frozen=True)
class Basket:
    """Items bought together. `gifts` of them were for somebody else."""

    order_id: str
    at: datetime
    item_ids: tuple[str, ...]
    gifts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Hint:
    """Something less than a purchase: a view, a cart, a browser's claim of an order."""

    act: Act
    entry_id: str
    at: datetime
    item_id: str


@dataclass(frozen=True)
class History:
    """What is known of one person, newest first; nothing for a stranger."""

    baskets: tuple[Basket, ...] = ()
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True)
class SessionWeights:
    """How a shop's visitors browse: what an item looked at itself counts, how fast and after how many it is forgotten.

    Shops differ strongly in this, so training chooses them on the shop's own last days; these stand until it can.
    """

    own: float = 2.0
    decay: float = 0.65
    length: int = 5


@dataclass(frozen=True)
class Situation:
    """One question: where the list is shown, to whom, and what it may not hold. `asked` are the items of the page."""

    placement: Placement
    history: History
    asked: tuple[str, ...]
    excluded: frozenset[str]
    now: datetime
    session: SessionWeights = SessionWeights()


@dataclass(frozen=True)
class Source:
    """An item that speaks for others: how loudly, and what the person did with it (`event_id` is order or entry)."""

    item_id: str
    weight: float
    act: Act
    event_id: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Neighbour:
    """`score` compares within one relation only; `count` is how often both were seen, unfaded.

    In `session` the item itself is among its neighbours, and `count` is 0 for one that only a third item leads to.
    """

    item_id: str
    score: float
    count: int


@dataclass(frozen=True)
class ItemRow:
    """What was learned of one item: its neighbours by relation, best first, and after how many days it is rebought."""

    item_id: str
    together: tuple[Neighbour, ...] = ()
    users: tuple[Neighbour, ...] = ()
    next: tuple[Neighbour, ...] = ()
    session: tuple[Neighbour, ...] = ()
    interval_days: int | None = None


@dataclass(frozen=True)
class Popularity:
    """Baskets with each item in the last 14 and the last 90 days, most first. One object serves many requests.

    `viewed`: visits in which it was looked at in the last 14 days, for a shop that sells nothing yet.
    """

    days_14: Mapping[str, int] = field(default_factory=dict)
    days_90: Mapping[str, int] = field(default_factory=dict)
    viewed: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def sold(self) -> dict[str, float]:
        """Each item's sales of 14 days, the best seller's being 1."""
        return _scaled(self.days_14)

    @cached_property
    def places(self) -> dict[str, int]:
        """Each item's place among all, from 0."""
        known = dict.fromkeys([*self.days_14, *self.days_90, *self.viewed])
        return {item_id: place for place, item_id in enumerate(known)}

    @cached_property
    def sales(self) -> dict[str, float]:
        """What sells, best first; sales of 90 days only order what the last 14 do not tell apart."""
        before = _scaled(self.days_90)
        sold = dict.fromkeys([*self.days_14, *self.days_90])
        values = {each: self.sold.get(each, 0.0) + OLD_SALES * before.get(each, 0.0) for each in sold}
        return dict(sorted(values.items(), key=lambda pair: (-pair[1], self.places[pair[0]])))


def _scaled(counts: Mapping[str, int]) -> dict[str, float]:
    most = max(counts.values(), default=0)
    return {item_id: count / most for item_id, count in counts.items()} if most else {}


@dataclass(frozen=True)
class Learned:
    """What one request needs of the trained model: rows by item, and what sells. Nothing before the first training."""

    rows: Mapping[str, ItemRow] = field(default_factory=dict)
    popularity: Popularity = Popularity()


@dataclass(frozen=True)
class Current:
    """Which trained model serves, and the one before it, whose rows still stand for requests under way."""

    version: str
    previous: str | None
    as_of: datetime
    session: SessionWeights = SessionWeights()


class Trained(Protocol):
    """What a training run hands over; the shapes of `training.train.Model`, which is not deployed with the service.

    `neighbours`: item -> relation -> (item, score, count), best first. `popularity`: window in days -> (item, baskets),
    most first. `viewed`: (item, visits), most first. `intervals`: item -> (days, repurchases behind it).
    `session_weights`: own, decay, length.
    """

    @property
    def version(self) -> str: ...
    @property
    def as_of(self) -> datetime: ...
    @property
    def neighbours(self) -> Mapping[str, Mapping[Any, Sequence[tuple[str, float, int]]]]: ...
    @property
    def popularity(self) -> Mapping[int, Sequence[tuple[str, int]]]: ...
    @property
    def viewed(self) -> Sequence[tuple[str, int]]: ...
    @property
    def intervals(self) -> Mapping[str, tuple[int, int]]: ...
    @property
    def session_weights(self) -> tuple[float, float, int]: ...


class Part(StrEnum):
    """What may speak for an item. Of equal voices the earlier one here gives the reason."""

    OWN = "own"
    SEEN = "seen"
    TOGETHER = "together"
    USERS = "users"
    NEXT = "next"
    SESSION = "session"
    CONTENT = "content"  # that was looked at and is about it
    HELP = "help"  # it is content about what one owns
    CATEGORY = "category"
    POPULAR = "popular"
    VIEWED = "viewed"
    NEWEST = "newest"
    PINNED = "pinned"  # by a rule of the shop
    GIVEN = "given"  # by the order of a caller's own list
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Voice:
    """One part's opinion: a value for each item, and for each the source that contributed most."""

    part: Part
    weight: float
    values: Mapping[str, float]
    sources: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """An item that may be shown. `part` contributed most (`share` of the score before `factor`); `source` inside it.

    `parts` are all that contributed, with their shares.
    """

    item_id: str
    score: float
    part: Part
    source: Source | None = None
    share: float = 0.0
    factor: float = 1.0
    due_in_days: int | None = None
    parts: tuple[tuple[Part, float], ...] = ()


@dataclass(frozen=True)
class Evidence:
    """One thing a reason rests on. `kind`: order, cart, view, item, together, users, next, session, popularity, visits."""

    kind: str
    id: str | None = None
    item_id: str | None = None
    at: datetime | None = None
    count: int | None = None
    days: int | None = None


@dataclass(frozen=True)
class Reason:
    """Why an item is shown. `about` is the other item the text names; `count`, `days` and `category` fill it in."""

    code: str
    evidence: tuple[Evidence, ...] = ()
    about: str | None = None
    count: int | None = None
    days: int | None = None
    category: str | None = None
