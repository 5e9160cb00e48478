"""The nouns of the ledger. Points and money are integers; an entry is never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

POINTS_PER_ENTRY_MAX = 10_000_000
HOLDS_MAX = 5  # redemptions of one account that wait to be confirmed

# Where points of a customer are. Every entry moves points between these and the shop's side, and its moves add to 0.
LOT, PENDING, HELD, OWED = "lot", "pending", "held", "owed"
POINTS = (LOT, PENDING, HELD, OWED)
SHOP = "shop"
# What else is counted of a customer: points ever earned, what counts for tiers, stamps, visits, caps, notices.
LIFETIME, EARNED, PAID, STAMP, BONUS, VISIT, GIVEN, TODAY, GONE, REWARD, NOTICED = (
    "lifetime", "earn", "paid", "stamp", "bonus", "visit", "given", "today", "gone", "reward", "noticed",
)  # fmt: skip

Sums = Mapping[str, int]


@dataclass(frozen=True)
class TierState:
    """The tier somebody has: the month (`YYYY-MM`) it was reached in, its last month, and what they had before.

    `is_kept`: left by the downgrade policy and not reached.
    """

    name: str
    won: str
    until: str
    before: TierState | None = None
    is_kept: bool = False


@dataclass(frozen=True)
class Account:
    """One customer's books: `sums` adds up the moves and counts of all entries, `version` is how many there are.

    Keys: `lot:2027-11` active points by the last month they can be used; `pending:2026-12-06|2027-11` by the day they
    can be used and that month; `held:{redemption}|2027-11`; `owed` (never above 0): taken back after they were spent.
    """

    customer_id: str
    version: int = 0
    sums: Sums = field(default_factory=dict)
    holds: Mapping[str, datetime] = field(default_factory=dict)  # redemption -> when it returns by itself
    tier: TierState | None = None

    def of(self, kind: str) -> dict[str, int]:
        """The sums of one kind by what follows the colon."""
        start = f"{kind}:"
        return {key[len(start) :]: n for key, n in self.sums.items() if key.startswith(start)}

    @property
    def active(self) -> int:
        return sum(self.of(LOT).values())

    @property
    def pending(self) -> int:
        return sum(self.of(PENDING).values())

    @property
    def held(self) -> int:
        return sum(self.of(HELD).values())

    @property
    def owed(self) -> int:
        """What later points repay, as a number above 0."""
        return -self.sums.get(OWED, 0)

    @property
    def lifetime(self) -> int:
        return self.sums.get(LIFETIME, 0)


@dataclass(frozen=True)
class RulePoints:
    """How many points one rule of the program gave."""

    rule: str
    points: int


@dataclass(frozen=True)
class Basis:
    """What an order's points were reckoned from, so that a refund can reckon again: the program and the tier then.

    A reward that was reserved is had as that program has it.
    """

    total: int
    program: int
    percent: int = 100
    placed_at: str = ""
    visit: str = ""


@dataclass(frozen=True)
class Refunded:
    """What one refund gave back: quantities by line, or minor units over the whole."""

    lines: Mapping[str, int] = field(default_factory=dict)
    amount: int = 0
    whole: bool = False


@dataclass(frozen=True)
class Entry:
    """One movement. `entry_id` names its cause (`order:o1`, `key:k1`) and is the idempotency record, for ever.

    `moves` changes the account's sums; the points among them and the shop's side add to 0. `points` is the headline:
    given, taken, or moved. `number` is the account's version with it.
    """

    entry_id: str
    kind: str
    customer_id: str
    points: int
    reason: str
    at: datetime
    moves: Sums
    rules: tuple[RulePoints, ...] = ()
    number: int = 0
    lot: str = ""
    pending_until: str = ""
    basis: Basis | None = None
    refunded: Refunded | None = None
    hold_until: datetime | None = None
    coupon: str = ""  # the code of one that came with it
    reward_id: str = ""  # what these points are held or spent for
    order_id: str = ""  # what they are to pay for
    tier: TierState | None = None  # as it stands after this entry, where that changed it
    tier_changed: bool = False


@dataclass(frozen=True)
class Decision:
    """What one command does: the entry to add and the account as it will stand."""

    entry: Entry
    account: Account
