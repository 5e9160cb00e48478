"""The nouns of feedback: a complaint, and a score a customer gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

COMPLAINT_PREFIX, SATISFACTION_PREFIX = (
    "COMPLAINT#",
    "CSAT#",
)  # of sort keys; the people relay knows them by these

OPEN, RESOLVED = "open", "resolved"
Status = Literal["open", "resolved"]

Scale = Literal["csat", "nps"]
SCORES: dict[str, tuple[int, int]] = {"csat": (1, 5), "nps": (0, 10)}

LISTED_MAX = 200  # complaints of one customer id that are looked at, newest first

STAFF, WEB = "staff", "web"  # channels where nobody names one: the shop's people, and the customer's own page


@dataclass(frozen=True)
class Complaint:
    """Something a customer is unhappy with. `order_id` is what it is about, where it is about an order."""

    complaint_id: str
    customer_id: str
    text: str
    opened_at: datetime
    channel: str
    order_id: str | None = None
    status: Status = "open"
    resolved_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.status == OPEN


@dataclass(frozen=True)
class Satisfaction:
    """A score, 1 to 5 on the scale `csat` and 0 to 10 on `nps`; never changed."""

    satisfaction_id: str
    customer_id: str
    score: int
    scale: str
    at: datetime
    channel: str
    order_id: str | None = None
