"""When a schedule's last moment was, for the expressions that EventBridge knows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.schedules import previous


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "now", "was"),
    [
        ("rate(1 minute)", "2026-11-22T10:00:59.999", "2026-11-22T10:00:00"),
        ("rate(1 minute)", "2026-11-22T10:01:00", "2026-11-22T10:01:00"),
        ("rate(5 minutes)", "2026-11-22T10:04:00", "2026-11-22T10:00:00"),
        ("rate(1 hour)", "2026-11-22T10:59:00", "2026-11-22T10:00:00"),
        ("rate(1 day)", "2026-11-22T23:59:00", "2026-11-22T00:00:00"),
        ("cron(0 3 * * ? *)", "2026-11-22T03:00:00", "2026-11-22T03:00:00"),
        ("cron(0 3 * * ? *)", "2026-11-22T02:59:59.999", "2026-11-21T03:00:00"),
        ("cron(15 10 ? * 1 *)", "2026-11-27T00:00:00", "2026-11-22T10:15:00"),  # a Sunday
        ("cron(15 10 ? * SUN *)", "2026-11-27T00:00:00", "2026-11-22T10:15:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-22T12:00:00", "2026-11-20T18:00:00"),  # a Friday
        ("cron(0 18 ? * 2-6 *)", "2026-11-22T12:00:00", "2026-11-20T18:00:00"),
        ("cron(0/10 8-17 ? * 2-6 *)", "2026-11-23T08:25:00", "2026-11-23T08:20:00"),
        ("cron(0 8 1 * ? *)", "2026-11-22T12:00:00", "2026-11-01T08:00:00"),
        ("cron(0 9 L * ? *)", "2027-03-01T00:00:00", "2027-02-28T09:00:00"),
    ],
)
def test_previous(expression: str, now: str, was: str):
    assert previous(expression, at(now)) == at(was)


@pytest.mark.parametrize(
    "expression", ["", "rate(1 week)", "rate(x minutes)", "cron(0 3 * * ?)", "at(2027-01-01T00:00:00)"]
)
def test_other_expressions_are_refused(expression: str):
    with pytest.raises(ValueError, match="not a schedule"):
        previous(expression, at("2026-11-22T10:00:00"))
