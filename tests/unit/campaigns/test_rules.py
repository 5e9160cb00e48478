"""When a mail falls due, where it is filed, and for how long a run looks there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns import rules
from chalicelib.campaigns.model import WELCOME

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_the_welcome_falls_due_a_day_after_joining() -> None:
    due = rules.plan(WELCOME, "u1", NOW, NOW)

    assert (due.due_at, due.bucket) == (NOW + timedelta(days=1), "2026-11-23T09")


def test_what_is_heard_of_late_is_filed_where_runs_still_look() -> None:
    due = rules.plan(WELCOME, "u1", NOW - timedelta(days=30), NOW)

    assert due.due_at == NOW - timedelta(days=29)
    assert due.bucket == rules.bucket_of(NOW)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_an_hour_is_over_when_nobody_files_there_any_more(now: datetime, ago: timedelta) -> None:
    bucket = rules.plan(WELCOME, "u1", now - ago, now).bucket

    assert not rules.is_over(bucket, now)
    assert not rules.is_over(bucket, now + timedelta(hours=2)), "a clock may be behind"
    assert rules.is_over(bucket, now + timedelta(days=1, hours=4))


def test_a_mail_expires() -> None:
    due = rules.plan(WELCOME, "u1", NOW, NOW)

    assert not rules.is_expired(WELCOME, due, due.due_at + timedelta(days=3))
    assert rules.is_expired(WELCOME, due, due.due_at + timedelta(days=3, milliseconds=1))
