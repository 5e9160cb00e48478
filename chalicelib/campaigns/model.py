"""The nouns of campaigns, and the campaigns themselves: they are data, not code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Campaign:
    """One promotional mail, `delay` after a fact of type `trigger`, unless it is `expires_after` overdue.

    `template` names its words. Who may get it is asked when it is sent, never when it is planned.
    """

    campaign_id: str
    trigger: str
    delay: timedelta
    expires_after: timedelta
    template: str


WELCOME = Campaign(
    campaign_id="welcome",
    trigger="customer.created",
    delay=timedelta(days=1),
    expires_after=timedelta(days=3),
    template="welcome",
)
CAMPAIGNS = {campaign.campaign_id: campaign for campaign in (WELCOME,)}


@dataclass(frozen=True)
class Due:
    """One mail that falls due: of which campaign, to whom, when; and the hour under which it is filed."""

    campaign_id: str
    customer_id: str
    due_at: datetime
    bucket: str


@dataclass(frozen=True)
class Run:
    """What one run did. `left` have to be tried again."""

    settled: int
    left: int
