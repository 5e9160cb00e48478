"""The nouns of privacy: an erasure and its receipt, an export, and what is sensitive unless the shop says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Who = tuple[Literal["customer", "anonymous"], str]

Status = Literal["running", "done"]
RUNNING: Status = "running"
DONE: Status = "done"

# Longer than any function of ours may run: whoever had looked before the tombstone stood has written by then.
SWEEP_AFTER = timedelta(minutes=2)

EXPORT_KEPT = timedelta(days=7)
LINK_LASTS = timedelta(minutes=15)
EXPORT_SCHEMA = "kokyaku.export.v1"

PSEUDONYM_PREFIX = "erased:"

SENSITIVE_CATEGORIES = ("health", "religion", "pregnancy", "sexuality", "politics", "finances")
CATEGORIES_MAX = 50


@dataclass(frozen=True)
class Subject:
    """Everything one person is known by. `pseudonym` is what their orders and points are under afterwards.

    `final` marks the second sweep, after which nothing about them is written any more.
    """

    customer_ids: tuple[str, ...]
    anonymous_ids: tuple[str, ...]
    pseudonym: str = ""
    final: bool = False


@dataclass(frozen=True)
class Erasure:
    """One erasure. Once it is done, it no longer says whose it was.

    `items` counts by store what was removed; `steps` names what has been worked off, e.g. `1:activity`; `swept_at` is
    when the first sweep was through.
    """

    erasure_id: str
    subject: Subject
    requested_at: datetime
    status: Status = RUNNING
    swept_at: datetime | None = None
    finished_at: datetime | None = None
    items: Mapping[str, int] = field(default_factory=dict)
    steps: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Export:
    """One export. `address` is where the document is, empty until it is ready."""

    export_id: str
    customer_id: str
    requested_at: datetime
    status: Status = RUNNING
    finished_at: datetime | None = None
    address: str = ""


@dataclass(frozen=True)
class Tombstone:
    """Whoever it stands for was erased at `erased_at`."""

    erased_at: datetime
    erasure_id: str = ""
