"""The one clock, and times as text that sorts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.shared import clock

MOMENTS = st.datetimes(
    min_value=clock.EARLIEST.replace(tzinfo=None),
    max_value=clock.LATEST.replace(tzinfo=None),
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@pytest.fixture
def present() -> Iterator[None]:
    yield
    clock.travel(timedelta(0))


@given(MOMENTS)
def test_text_keeps_the_moment_to_the_millisecond(moment: datetime) -> None:
    back = clock.from_text(clock.to_text(moment))

    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)
    assert back.tzinfo is not None
    assert clock.to_text(back) == clock.to_text(moment)


@given(MOMENTS, MOMENTS)
def test_text_sorts_as_time_does(one: datetime, other: datetime) -> None:
    if clock.to_text(one) < clock.to_text(other):
        assert one < other
    elif one == other:
        assert clock.to_text(one) == clock.to_text(other)


def test_text_is_rfc_3339_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))

    assert clock.to_text(datetime(2026, 11, 1, 18, 0, 0, 123_999, tokyo)) == "2026-11-01T09:00:00.123Z"


def test_a_time_without_a_zone_is_our_own_bug() -> None:
    with pytest.raises(AssertionError):
        clock.to_text(datetime(2026, 11, 1))  # noqa: DTZ001  the point of it


def test_now_is_utc_in_whole_milliseconds() -> None:
    before = datetime.now(UTC)
    now = clock.now()

    assert now.utcoffset() == timedelta(0)
    assert now.microsecond % 1000 == 0
    assert timedelta(milliseconds=-1) <= now - before < timedelta(seconds=5)
    assert clock.from_text(clock.to_text(now)) == now


def test_travelling_moves_now_and_comes_back(present: None) -> None:
    clock.travel(timedelta(days=400))
    assert timedelta(days=399) < clock.now() - datetime.now(UTC) < timedelta(days=401)

    clock.travel(timedelta(0))
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_time_to_live_counts_whole_seconds() -> None:
    assert clock.epoch_seconds(datetime(1970, 1, 2, 0, 0, 0, 999_999, UTC)) == 86_400
