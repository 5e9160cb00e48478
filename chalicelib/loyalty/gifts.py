"""When somebody has a birthday or an anniversary, pure: their own day, kept once a year."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX = "gift:"  # what the id of a gift's entry begins with
CAUGHT_UP = timedelta(days=7)  # a gift that a run missed is still given so much later


def zone_of(name: str | None, otherwise: str) -> ZoneInfo:
    """A customer's own zone, else the program's; what a customer wrote may be no zone."""
    try:
        return ZoneInfo(name or otherwise)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(otherwise)


def birthday_of(trait: Any) -> date | None:
    """The day in Segment's trait `birthday`, an ISO date perhaps with a time; None when it is not one."""
    try:
        return date.fromisoformat(trait[:10]) if isinstance(trait, str) else None
    except ValueError:
        return None


def kept_in(day: date, year: int) -> date:
    """The day of that year on which a day is kept: 29 February on the 28th where there is no 29th."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def year_due(day: date, *, since: datetime | None, zone: ZoneInfo, now: datetime) -> int | None:
    """The year for which a gift is due at `now`, None when none is.

    Due is a day kept today or in the days before, in its owner's zone; not the day itself, nor one from before
    somebody was a customer.
    """
    today = now.astimezone(zone).date()
    known_since = since.astimezone(zone).date() if since else date.min
    for year in (today.year, today.year - 1):
        kept = kept_in(day, year)
        if max(today - CAUGHT_UP, known_since) <= kept <= today and year > day.year:
            return year
    return None
