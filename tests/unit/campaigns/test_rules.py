"""When a mail falls due, where it is filed, and where a run looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns import rules
from chalicelib.campaigns.model import WELCOME

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_the_welcome_falls_due_a_day_after_joining() -> None:
    due = rules.plan(WELCOME, "u1", NOW, NOW)

    assert (due.due_at, due.bucket) == (NOW + timedelta(days=1), "2026-11-23T09")


def test_what_is_heard_of_late_is_filed_where_runs_still_look() -> None:
    due = rules.plan(WELCOME, "u1", NOW - timedelta(days=30), NOW)

    assert due.due_at == NOW - timedelta(days=29)
    assert due.bucket in rules.buckets_to_visit(rules.bucket_of(NOW), NOW)


def test_a_run_looks_a_little_behind_its_mark() -> None:
    assert rules.buckets_to_visit("2026-11-22T09", NOW) == ["2026-11-22T07", "2026-11-22T08", "2026-11-22T09"]
    assert len(rules.buckets_to_visit("2026-11-20T09", NOW)) == 48 + 3
    assert rules.buckets_to_visit(None, NOW)[0] == "2026-11-17T09"
    assert len(rules.buckets_to_visit("2020-01-01T00", NOW)) == rules.BUCKETS_PER_RUN_MAX


def test_a_mark_in_the_future_is_a_clock_that_has_gone_back() -> None:
    assert rules.buckets_to_visit("2027-01-01T00", NOW) == rules.buckets_to_visit("2026-11-22T09", NOW)


@given(MOMENTS, MOMENTS)
def test_no_hour_between_two_runs_is_left_out(one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    visited = rules.buckets_to_visit(rules.bucket_of(earlier), later)

    assert rules.bucket_of(earlier) in visited
    assert rules.bucket_of(later) in visited or len(visited) == rules.BUCKETS_PER_RUN_MAX
    assert visited == sorted(set(visited))


def test_a_mail_expires() -> None:
    due = rules.plan(WELCOME, "u1", NOW, NOW)

    assert not rules.is_expired(WELCOME, due, due.due_at + timedelta(days=3))
    assert rules.is_expired(WELCOME, due, due.due_at + timedelta(days=3, milliseconds=1))
