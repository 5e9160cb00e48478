"""Spans of time as ISO 8601 writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.shared.durations import Duration, parse

NOW = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("P30D", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("P2W", datetime(2026, 3, 17, 9, 30, tzinfo=UTC)),
        ("PT12H", datetime(2026, 3, 30, 21, 30, tzinfo=UTC)),
        ("P1DT30M", datetime(2026, 3, 30, 9, 0, tzinfo=UTC)),
        ("PT90S", datetime(2026, 3, 31, 9, 28, 30, tzinfo=UTC)),
        ("P1M", datetime(2026, 2, 28, 9, 30, tzinfo=UTC)),
        ("P3M", datetime(2025, 12, 31, 9, 30, tzinfo=UTC)),
        ("P1Y", datetime(2025, 3, 31, 9, 30, tzinfo=UTC)),
        ("P10Y", datetime(2016, 3, 31, 9, 30, tzinfo=UTC)),
        ("P120M", datetime(2016, 3, 31, 9, 30, tzinfo=UTC)),
        ("P1Y1M1D", datetime(2025, 2, 27, 9, 30, tzinfo=UTC)),
        ("P2Y1M", datetime(2024, 2, 29, 9, 30, tzinfo=UTC)),
    ],
)
def test_so_long_before(text: str, before: datetime) -> None:
    assert parse(text).before(NOW) == before


def test_so_long_after() -> None:
    assert parse("P1M").after(datetime(2026, 1, 31, tzinfo=UTC)) == datetime(2026, 2, 28, tzinfo=UTC)
    assert parse("P1Y2DT1H").after(NOW) == datetime(2027, 4, 2, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "PT", "P1DT", "30D", "P30", "P-1D", "P1.5D", "p30d", " P30D", "P30D ", "P1D1W", "P1H", "PT1D"),
        *("P0D", "PT0S", "P11Y", "P121M", "P3654D", "P" + "9" * 30 + "D", "P" + "0" * 60 + "1D", "P\u0661D", "P1D\n"),
    ],
)  # fmt: skip
def test_what_is_no_duration_or_none_of_use(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse(text)


@given(st.integers(0, 36_500 * 24), st.integers(0, 118), st.integers(0, 40))
def test_later_moments_lie_later_before(hours: int, months: int, days: int) -> None:
    moment = NOW - timedelta(days=36_500 / 2) + timedelta(hours=hours)
    duration = Duration(months, timedelta(days=days))

    assert duration.before(moment) <= moment
    assert duration.before(moment) <= duration.before(moment + timedelta(milliseconds=1))
    assert moment - duration.before(moment) <= timedelta(days=31 * months + days)
