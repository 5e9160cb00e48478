"""Events over HTTP in Segment's format, the timeline, and the facts this room publishes."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from chalicelib.shared.contract import In

ACTIVITY_RECORDED = "activity.recorded"


class ActivityRecorded(In):
    """Fact `activity.recorded`: one touchpoint entered the timeline."""

    entry_id: str
    customer_id: str | None
    anonymous_id: str | None
    kind: str = Field(description="view, cart, order, identify, page, ...")
    event: str = Field(description="The event's own name, e.g. `Order Completed`.")
    channel: str
    at: str
    trusted: bool = Field(description="Sent with a secret key; a publishable key's event is a hint.")
    item_ids: list[str]
    details: dict[str, Any]
