"""A trained model written by hand, in the shapes a training run hands over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

Lists = dict[str, dict[str, list[tuple[str, float, int]]]]


@dataclass(frozen=True)
class Model:
    """`neighbours`: item -> relation -> (item, score, count); `popularity`: days -> (item, baskets)."""

    version: str = field(default_factory=lambda: uuid4().hex)  # a process remembers versions it has read
    as_of: datetime = datetime(2026, 11, 1, tzinfo=UTC)
    neighbours: Lists = field(default_factory=dict)
    popularity: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: {14: [], 90: []})
    viewed: list[tuple[str, int]] = field(default_factory=list)
    intervals: dict[str, tuple[int, int]] = field(default_factory=dict)
    session_weights: tuple[float, float, int] = (2.0, 0.65, 5)
