"""The nouns of traits: facts as they are read, definitions as a shop writes them, and what follows from both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

ORDERS_READ = 200  # the newest of each of somebody's customer ids
TOUCHES_READ = 500  # the newest over all timelines together
CLAIMS_READ = 200  # the newest of what browsers say of the customer
ITEMS_READ = 1000  # different items looked up in the catalogue, those met last
DEFINITIONS_MAX = 100  # of computed traits, and as many rules
CATEGORIES_MAX = 20
PATH_DEPTH_MAX = 5
VALUE_LENGTH_MAX = 300
AHEAD_MAX = timedelta(days=1)  # how far ahead of us the door lets an event's time be

ORDER_COMPLETED = "Order Completed"
ORDER_NAMES = frozenset({ORDER_COMPLETED, "order"})
# Traits by which somebody is found, addressed or greeted, in lower case. No order says any of them.
IDENTITY = frozenset(
    "id email phone card cards address name firstname lastname greeting_name username".split()
)

GIFT_WEIGHT = 0.1  # what a purchase for somebody else says about the buyer, as a share of one for themself
HALF_LIFE_DAYS = 30
HALF_LIFE_DAYS_MAX = 3650
INTERESTS_SHOWN = 20

PERSONALIZATION, SENSITIVE_PROFILING = "personalization", "sensitive_profiling"

Aggregate = Literal["count", "sum", "first", "last", "most_frequent", "distinct"]
Scalar = str | int | bool


# --- facts


@dataclass(frozen=True)
class Bought:
    """One item of a purchase."""

    item_id: str
    quantity: int
    gift: bool = False


@dataclass(frozen=True)
class Purchase:
    """An order that stands: not cancelled, not given back as a whole, without what was given back of it."""

    order_id: str
    at: datetime
    total: int
    currency: str
    bought: tuple[Bought, ...]
    channel: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """One touchpoint. `item_ids` are the items it was about; what a list showed is none of them."""

    entry_id: str
    kind: str
    event: str
    channel: str
    at: datetime
    item_ids: tuple[str, ...]
    trusted: bool
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Thing:
    """What the catalogue says an item is. `categories` are paths such as `grocery/vegetables`."""

    item_id: str
    categories: tuple[str, ...] = ()
    brand: str | None = None
    topics: tuple[str, ...] = ()
    sensitive: str | None = None

    @cached_property
    def lies_in(self) -> frozenset[str]:
        """Its categories and all above them: what is in `grocery/soy` is in `grocery` too."""
        steps = [path.split("/") for path in self.categories]
        return frozenset("/".join(each[:depth]) for each in steps for depth in range(1, len(each) + 1))


@dataclass(frozen=True)
class Facts:
    """What was read of somebody. Everything later than `purchases_after` and `acts_after` is there; None: everything."""

    purchases: tuple[Purchase, ...] = ()
    acts: tuple[Act, ...] = ()
    things: Mapping[str, Thing] = field(default_factory=dict)
    purchases_after: datetime | None = None
    acts_after: datetime | None = None


# --- definitions


@dataclass(frozen=True)
class Computation:
    """A computed trait. `about` is the property looked at; `within` an ISO 8601 duration up to now, None for ever."""

    trait_name: str
    event: str
    aggregate: Aggregate
    about: str | None = None
    within: str | None = None
    category: str | None = None
    channel: str | None = None
    trusted_only: bool = False
    updated_at: datetime | None = None

    @property
    def is_about_orders(self) -> bool:
        return self.event in ORDER_NAMES


@dataclass(frozen=True)
class Rule:
    """A rule by which a trait is inferred from orders.

    It asks the orders with an item `among` these categories (none: any order). An order with an item of `no_item_of`
    contradicts; else one with an item of `item_of` supports, or without such a list every order that is asked.
    """

    rule_id: str
    trait: str
    value: Scalar
    among: tuple[str, ...] = ()
    item_of: tuple[str, ...] = ()
    no_item_of: tuple[str, ...] = ()
    orders_at_least: int = 1
    within: str | None = None
    minimum_confidence: float = 0.5
    sensitive_category: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class Definitions:
    """Everything a shop has set in this room."""

    computations: tuple[Computation, ...] = ()
    rules: tuple[Rule, ...] = ()
    half_life_days: int = HALF_LIFE_DAYS


# --- what follows


@dataclass(frozen=True)
class Computed:
    """A computed value over `facts` facts since `since`. Not `complete`: older facts of the window were not read."""

    value: Any
    complete: bool
    facts: int
    since: datetime | None


@dataclass(frozen=True)
class Evidence:
    """An order and the items in it that speak for or against; `weight` is how much it counts."""

    order_id: str
    at: datetime
    item_ids: tuple[str, ...]
    gift: bool
    weight: float


@dataclass(frozen=True)
class Inferred:
    """An inferred trait, with every order that speaks for and against it, newest first."""

    value: Scalar
    confidence: float
    evidence: tuple[Evidence, ...]
    counter_evidence: tuple[Evidence, ...]
    rule_id: str
    sensitive_category: str | None = None
    complete: bool = True


# Why a rule says what it says.
INFERRED, TOO_FEW_ORDERS, NOT_CONFIDENT, LESS_CONFIDENT, NO_CONSENT, WITHDRAWN = (
    "inferred",
    "too_few_orders",
    "not_confident",
    "less_confident_than_another_rule",
    "no_consent_to_sensitive_profiling",
    "personalization_withdrawn",
)


@dataclass(frozen=True)
class Judgement:
    """What one rule comes to for somebody; `found` is None where it was not even asked, for want of consent."""

    rule: Rule
    outcome: str
    found: Inferred | None = None


@dataclass(frozen=True)
class Interest:
    """An interest. `score` is relative to the person's strongest of its kind; `weight` is what it is worth now.

    `based_on` counts what it rests on: `views`, `orders`, `seconds`, ...; `item_ids` are the items that weigh most.
    """

    name: str
    score: float
    weight: float
    based_on: Mapping[str, int]
    item_ids: tuple[str, ...]
    last_at: datetime


@dataclass(frozen=True)
class Interests:
    """The strongest interests of each kind, strongest first."""

    categories: tuple[Interest, ...] = ()
    brands: tuple[Interest, ...] = ()
    topics: tuple[Interest, ...] = ()
    half_life_days: int = HALF_LIFE_DAYS


@dataclass(frozen=True)
class Known:
    """Everything that follows for somebody now. `judgements` say of every rule why it does or does not count."""

    computed: Mapping[str, Computed] = field(default_factory=dict)
    inferred: Mapping[str, Inferred] = field(default_factory=dict)
    interests: Interests = Interests()
    judgements: tuple[Judgement, ...] = ()
