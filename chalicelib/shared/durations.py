"""Spans of time as ISO 8601 writes them: `P30D`, `P2W`, `P3M`, `P1Y`, `PT12H`."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

TEXT_LENGTH_MAX = 40
LONGEST = timedelta(days=3653)
DAYS_PER_MONTH = 30.4375

_SHAPE = re.compile(
    r"P(?!$)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?!$)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Duration:
    """Calendar months, and exact time on top of them: a day is 24 hours."""

    months: int
    exact: timedelta

    def before(self, moment: datetime) -> datetime:
        """The moment that lies this long before another; a day its month does not have becomes that month's last."""
        return _months_on(moment, -self.months) - self.exact

    def after(self, moment: datetime) -> datetime:
        """The moment that lies this long after another; its day as in `before`."""
        return _months_on(moment, self.months) + self.exact


def _months_on(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def parse(text: str) -> Duration:
    """Read a duration of whole years, months, weeks, days, hours, minutes and seconds, in that order.

    Raises ValueError with a sentence when it is not one, is nothing, or is longer than ten years.
    """
    found = _SHAPE.fullmatch(text) if len(text) <= TEXT_LENGTH_MAX else None
    if found is None:
        raise ValueError("must be an ISO 8601 duration such as P30D, P2W, P3M or PT12H")
    parts = {name: int(number or 0) for name, number in found.groupdict().items()}
    months = parts.pop("years") * 12 + parts.pop("months")
    try:
        exact = timedelta(**parts)
        length = exact + timedelta(days=months * DAYS_PER_MONTH)
    except OverflowError:
        length = exact = timedelta.max
    if not timedelta(0) < length <= LONGEST:
        raise ValueError("must be longer than nothing and at most ten years")
    return Duration(months, exact)
