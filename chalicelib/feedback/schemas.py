"""Complaints and satisfaction over HTTP, and the facts this room publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from chalicelib.feedback.model import COMPLAINT_PREFIX, OPEN, SATISFACTION_PREFIX, Scale, Status
from chalicelib.shared.clock import from_text
from chalicelib.shared.contract import At, Id, In, Out, Published, Query, Text
from chalicelib.shared.facts import Fact

COMPLAINT_OPENED, COMPLAINT_RESOLVED = "complaint.opened", "complaint.resolved"
SATISFACTION_GIVEN = "satisfaction.given"

Channel = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$", examples=["phone"])]
CHANNEL = "Where it was said; `staff` for a key and `web` for a customer if left out."
ORDER = "An order of this customer."


class ComplaintBody(In):
    """Something a customer is unhappy with."""

    text: Annotated[Text, Field(min_length=1)] = Field(examples=["The lamp arrived broken."])
    order_id: Id | None = Field(default=None, description=ORDER)
    channel: Channel | None = Field(default=None, description=CHANNEL)


class ComplaintOpenedAnswer(Out):
    complaint_id: str


class ComplaintAnswer(Out):
    complaint_id: str
    text: str
    order_id: str | None
    channel: str
    status: Status
    opened_at: At
    resolved_at: At | None


class ComplaintsQuery(Query):
    status: Status | None = Field(default=None, description="Only those; all of them if left out.")


class ComplaintsAnswer(Out):
    """A customer's complaints, newest first."""

    data: list[ComplaintAnswer]


class SatisfactionBody(In):
    """How satisfied a customer is."""

    score: int = Field(ge=0, le=10, examples=[4], description="1 to 5 for `csat`, 0 to 10 for `nps`.")
    scale: Scale
    order_id: Id | None = Field(default=None, description=ORDER)
    channel: Channel | None = Field(default=None, description=CHANNEL)


class SatisfactionAnswer(Out):
    satisfaction_id: str


class ComplaintOpened(Published):
    """Fact `complaint.opened`. Its text stays in the house: whoever may read it asks for it."""

    customer_id: str
    complaint_id: str
    order_id: str | None
    channel: str
    at: str


class ComplaintResolved(Published):
    """Fact `complaint.resolved`."""

    customer_id: str
    complaint_id: str
    order_id: str | None
    opened_at: str
    at: str


class SatisfactionGiven(Published):
    """Fact `satisfaction.given`."""

    customer_id: str
    satisfaction_id: str
    score: int
    scale: str
    order_id: str | None
    channel: str
    at: str


def facts_of(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Sequence[Fact]:
    """What a change in the people table means in this room's words."""
    if new is None:
        return []
    if new["sk"].startswith(SATISFACTION_PREFIX) and old is None:
        said: dict[str, Any] = {name: new.get(name) for name in SatisfactionGiven.model_fields}
        given = SatisfactionGiven(**said)
        return [_fact(SATISFACTION_GIVEN, given.satisfaction_id, given)]
    if not new["sk"].startswith(COMPLAINT_PREFIX):
        return []
    found: list[Fact] = []
    plain: dict[str, Any] = {name: new.get(name) for name in ("customer_id", "complaint_id", "order_id")}
    if old is None:
        opened = ComplaintOpened(**plain, channel=new["channel"], at=new["opened_at"])
        found.append(_fact(COMPLAINT_OPENED, opened.complaint_id, opened))
    if new["status"] != OPEN and (old is None or old["status"] == OPEN):
        resolved = ComplaintResolved(**plain, opened_at=new["opened_at"], at=new["resolved_at"])
        found.append(_fact(COMPLAINT_RESOLVED, resolved.complaint_id, resolved))
    return found


def _fact(fact_type: str, cause: str, data: ComplaintOpened | ComplaintResolved | SatisfactionGiven) -> Fact:
    return Fact(
        id=f"{fact_type}:{cause}",
        type=fact_type,
        subject=f"customers/{data.customer_id}",
        time=from_text(data.at),
        data=data.model_dump(),
    )
