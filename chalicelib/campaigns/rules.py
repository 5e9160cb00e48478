"""When a campaign falls due, where that is filed, and where a run has to look: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.campaigns.model import Campaign, Due

HOUR = timedelta(hours=1)
# How far behind its own mark a run looks again: what was filed late, or by a machine whose clock is behind.
LOOK_BACK = timedelta(hours=2)
# How far back the very first run looks, which finds no mark.
FIRST_LOOK_BACK = timedelta(days=5)
BUCKETS_PER_RUN_MAX = 1000  # about six weeks of missed runs in one go


def bucket_of(moment: datetime) -> str:
    """The hour in which something falls due, e.g. `2026-11-22T09`, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")


def plan(campaign: Campaign, customer_id: str, happened_at: datetime, now: datetime) -> Due:
    """When a campaign falls due for a customer.

    What is due already is filed under now, where runs still look.
    """
    due_at = happened_at + campaign.delay
    return Due(campaign.campaign_id, customer_id, due_at, bucket_of(max(due_at, now)))


def buckets_to_visit(mark: str | None, now: datetime) -> list[str]:
    """The hours a run has to look at, oldest first, from a little before the mark to the present one.

    A mark in the future is a clock that has gone back; then the present counts.
    """
    here = _start_of(bucket_of(now))
    start = here - FIRST_LOOK_BACK if mark is None else min(_start_of(mark), here) - LOOK_BACK
    hours = min((here - start) // HOUR + 1, BUCKETS_PER_RUN_MAX)
    return [bucket_of(start + number * HOUR) for number in range(hours)]


def is_expired(campaign: Campaign, due: Due, now: datetime) -> bool:
    """Whether a mail is so late that it would puzzle more than please."""
    return now - due.due_at > campaign.expires_after


def _start_of(bucket: str) -> datetime:
    return datetime.strptime(bucket, "%Y-%m-%dT%H").replace(tzinfo=UTC)
