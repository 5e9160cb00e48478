"""The one place that asks what time it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

# The embedded stage may travel in time (`POST /_local/clock`); a deployed function never moves this.
_offset = timedelta(0)


def now() -> datetime:
    """The current time, aware, UTC, in whole milliseconds (the precision of every stored time)."""
    moment = datetime.now(UTC) + _offset
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def travel(offset: timedelta) -> None:
    """Move the product's clock by `offset` from the real one (embedded stage and tests only)."""
    global _offset  # noqa: PLW0603  one clock per process is the point
    _offset = offset


def to_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: sorts as text, e.g. `2026-11-01T09:00:00.000Z`."""
    assert moment.tzinfo is not None, "naive times are a programmer's error"
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def from_text(text: str) -> datetime:
    """The inverse of `to_text`."""
    return datetime.fromisoformat(text)


def epoch_seconds(moment: datetime) -> int:
    """Whole seconds since 1970, as DynamoDB's time to live wants them."""
    return int(moment.timestamp())
