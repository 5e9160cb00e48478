"""When things happened: moments as they are, plain numbers as days that mean the same in any unit.

The lists fade by the day (60 days, a year), and a plain number does not say what it counts: seconds, days, weeks, orders of
the shop, or orders of this customer. So a span is taken as what it is a share of: **the whole span counts as one year**.
Twice the numbers are then the same shop, and lists learned from a year of orders are what the weights were chosen for. Where
each customer's orders are numbered by themselves (one, two, three ...), equal numbers are no equal moments; what they have in
common is that everybody's newest order is the newest: there numbers count back from it, and the longest history is the year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.quality.files import Row, Unreadable

SPAN_DAYS = 365.0
BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
NUMBERED_SHARE = 0.95  # of those with three orders or more: so many have no gap in their numbers
EPOCH_S = (946_684_800, 4_102_444_800)  # 2000 to 2100: numbers in here are seconds since 1970
YEARS = (1990, 2100)


def read(path: Path, rows: Sequence[Row]) -> list[datetime]:
    """The moment of each row. Raises Unreadable for a time that is none, or is of another kind than the first."""
    if not rows:
        return []
    if _number(rows[0].time) is None:
        return [_moment(path, row) for row in rows]
    numbers = [_checked(path, row) for row in rows]
    low, high = min(numbers), max(numbers)
    if EPOCH_S[0] <= low and high <= EPOCH_S[1]:
        return [datetime.fromtimestamp(each, UTC) for each in numbers]
    if days := _calendar_days(numbers):
        return [days[each] for each in numbers]
    if newest := _numbered_by_customer(rows, numbers):
        most = max(newest.values()) - low
        # Guests have no history to count in.
        ages = [
            newest[row.user_id] - each if row.user_id else 0.0
            for row, each in zip(rows, numbers, strict=True)
        ]
        return [_at(1 - age / most if most else 1.0) for age in ages]
    span = high - low
    return [_at((each - low) / span if span else 1.0) for each in numbers]


def evenly(count: int) -> list[datetime]:
    """Moments of things of which only the order is known: a year of them."""
    return [_at(place / max(count - 1, 1)) for place in range(count)]


def _at(share: float) -> datetime:
    return BEGIN + timedelta(days=SPAN_DAYS * share)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def _checked(path: Path, row: Row) -> float:
    value = _number(row.time)
    if value is None:
        raise Unreadable(f"{path}, line {row.number}: time {row.time!r} is no number, as the first one is")
    return value


def _moment(path: Path, row: Row) -> datetime:
    try:
        moment = datetime.fromisoformat(row.time.strip())
    except ValueError:
        raise Unreadable(
            f"{path}, line {row.number}: time {row.time!r} is neither a number nor ISO 8601, as 2026-11-22T09:30"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _calendar_days(numbers: Iterable[float]) -> Mapping[float, datetime] | None:
    """20261122 and its like: all of them days of the calendar, or none is taken for one."""
    days = {}
    for each in set(numbers):
        year, rest = divmod(int(each), 10_000)
        if each != int(each) or not YEARS[0] <= year <= YEARS[1]:
            return None
        try:
            days[each] = datetime.combine(date(year, *divmod(rest, 100)), datetime.min.time(), UTC)
        except ValueError:
            return None
    return days


def _numbered_by_customer(rows: Sequence[Row], numbers: Sequence[float]) -> Mapping[str, float] | None:
    """Each customer's newest number, where the numbers count the orders of each customer; else None."""
    seen: dict[str, set[float]] = {}
    for row, each in zip(rows, numbers, strict=True):
        if row.user_id:
            seen.setdefault(row.user_id, set()).add(each)
    telling = [each for each in seen.values() if len(each) >= 3]
    without_gap = sum(max(each) - min(each) == len(each) - 1 for each in telling)
    if len(telling) < 2 or without_gap < NUMBERED_SHARE * len(telling):
        return None
    return {user_id: max(each) for user_id, each in seen.items()}
