"""The nouns of the ledger. Points and money are integers; an entry is never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

POINTS_PER_ENTRY_MAX = 10_000_000


@dataclass(frozen=True)
class Program:
    """How this shop rewards: `points` for every full `per_amount` minor units of `currency` spent."""

    currency: str = "JPY"
    per_amount: int = 100
    points: int = 1
    expires_after_months: int = 12


@dataclass(frozen=True)
class Account:
    """One customer's balance. `version` counts its entries; `lots` are active points by their last month, `YYYY-MM`."""

    customer_id: str
    version: int = 0
    active_points: int = 0
    lifetime_points: int = 0
    lots: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RulePoints:
    """How many points one rule of the program gave."""

    rule: str
    points: int


@dataclass(frozen=True)
class Entry:
    """One movement. `entry_id` names its cause (`order:o1`, `key:k1`) and is the idempotency record, for ever."""

    entry_id: str
    customer_id: str
    points: int
    rules: tuple[RulePoints, ...]
    reason: str
    at: datetime
    lot: str


@dataclass(frozen=True)
class Decision:
    """What one command does: the entry to add and the account as it will stand."""

    entry: Entry
    account: Account
