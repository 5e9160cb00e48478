"""The nouns of campaigns, and the campaigns themselves: they are data, not code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Campaign:
    """One promotional mail, `delay` after a fact of type `trigger`, unless it is `expires_after` overdue.

    `template` names its words. Who may get it is asked when it is sent, never when it is planned. Somebody gets it once
    for each `occasion` the fact names, such as a year's birthday; a campaign may be for one kind of them only.
    """

    campaign_id: str
    trigger: str
    delay: timedelta
    expires_after: timedelta
    template: str
    only: str = ""


WELCOME = Campaign(
    campaign_id="welcome",
    trigger="customer.created",
    delay=timedelta(days=1),
    expires_after=timedelta(days=3),
    template="welcome",
)
BIRTHDAY = Campaign(
    campaign_id="birthday",
    trigger="loyalty.gift_given",
    only="birthday",
    delay=timedelta(0),
    expires_after=timedelta(days=3),
    template="birthday",
)
CAMPAIGNS = {campaign.campaign_id: campaign for campaign in (WELCOME, BIRTHDAY)}


@dataclass(frozen=True)
class Cause:
    """What of a fact a mail is about: of which `kind`, which one of those (`2027`), and the values of its words."""

    kind: str = ""
    which: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


NOTHING_SPECIAL = Cause()


@dataclass(frozen=True)
class Due:
    """One mail that falls due: of which campaign, to whom, when; and the hour under which it is filed.

    `which` tells one mail of a campaign to somebody from the next; `values` fill its words.
    """

    campaign_id: str
    customer_id: str
    due_at: datetime
    bucket: str
    which: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What one run did. `left` have to be tried again."""

    settled: int
    left: int
