"""When a campaign falls due, where that is filed, and for how long a run looks there: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.campaigns.model import NOTHING_SPECIAL, Campaign, Cause, Due

# How long an hour that has passed is still looked at: somebody whose clock is behind may file something under it.
LOOK_BACK = timedelta(hours=2)


def bucket_of(moment: datetime) -> str:
    """The hour in which something falls due, e.g. `2026-11-22T09`, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")


def plan(
    campaign: Campaign, customer_id: str, happened_at: datetime, now: datetime, cause: Cause = NOTHING_SPECIAL
) -> Due:
    """When a campaign falls due for a customer.

    What is due already is filed under now, where runs still look.
    """
    due_at = happened_at + campaign.delay
    bucket = bucket_of(max(due_at, now))
    return Due(campaign.campaign_id, customer_id, due_at, bucket, cause.which, cause.values)


def is_over(bucket: str, now: datetime) -> bool:
    """Whether nobody files anything under this hour any more."""
    return bucket < bucket_of(now - LOOK_BACK)


def is_expired(campaign: Campaign, due: Due, now: datetime) -> bool:
    """Whether a mail is so late that it would puzzle more than please."""
    return now - due.due_at > campaign.expires_after
