"""Who hears what: the facts that each room's queue receives from the bus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.activity.schemas import ACTIVITY_RECORDED
from chalicelib.customers.schemas import CUSTOMER_CREATED, CUSTOMER_ERASED, CUSTOMER_LINKED, EXPORT_REQUESTED
from chalicelib.loyalty.schemas import (
    GIFT_GIVEN,
    ORDER_REFUNDED,
    POINTS_ACCRUED,
    POINTS_CONFIRMED,
    POINTS_EXPIRED,
    POINTS_EXPIRING,
    POINTS_REDEEMED,
    POINTS_REVERSED,
    TIER_CHANGED,
)
from chalicelib.messages.schemas import MESSAGE_SENT
from chalicelib.orders.schemas import ORDER_CHANGED, ORDER_PLACED, SHIPMENT_STATUS_CHANGED
from chalicelib.questions.schemas import PROFILE_ANSWERED
from chalicelib.shared.facts import SOURCE


@dataclass(frozen=True)
class Heard:
    """One fact type that a room hears, only where the fact's data has one of the values named for each member."""

    fact: str
    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def logical_name(self) -> str:
        """The fact's type in CloudFormation's alphabet: `order.placed` -> `OrderPlaced`."""
        return "".join(word.title() for word in self.fact.replace("_", ".").split("."))

    def pattern(self) -> dict[str, Any]:
        """The EventBridge pattern of this fact."""
        pattern: dict[str, Any] = {"source": [SOURCE], "detail-type": [self.fact]}
        if self.only:
            pattern["detail"] = {"data": {member: list(values) for member, values in self.only.items()}}
        return pattern


# History that a shop brings along is counted (points, recommendations) but is not news: no mail, no timeline entry.
NEWS = {"imported": (False,)}

HEARD: dict[str, tuple[Heard, ...]] = {
    "activity": (
        Heard(ORDER_PLACED, NEWS),
        Heard(SHIPMENT_STATUS_CHANGED),
        Heard(POINTS_ACCRUED),
        Heard(POINTS_CONFIRMED),
        Heard(POINTS_REDEEMED),
        Heard(POINTS_REVERSED),
        Heard(POINTS_EXPIRING),
        Heard(POINTS_EXPIRED),
        Heard(TIER_CHANGED),
        Heard(MESSAGE_SENT),
    ),
    "campaigns": (Heard(CUSTOMER_CREATED, NEWS), Heard(GIFT_GIVEN)),
    "loyalty": (
        Heard(ORDER_PLACED),
        Heard(ORDER_CHANGED),
        Heard(SHIPMENT_STATUS_CHANGED, {"status": ("delivered",)}),
        Heard(ORDER_REFUNDED),
        # Points are money: they follow what a secret key reports, never what a browser says.
        Heard(
            ACTIVITY_RECORDED,
            {"event": ("Order Refunded", "Order Cancelled", "Store Visited"), "trusted": (True,)},
        ),
    ),
    "messages": (Heard(SHIPMENT_STATUS_CHANGED),),
    "privacy": (Heard(CUSTOMER_ERASED), Heard(EXPORT_REQUESTED)),
    "questions": (Heard(CUSTOMER_LINKED), Heard(PROFILE_ANSWERED)),
    # Only what a secret key reports is an order; what a browser says is a hint.
    "orders": (Heard(ACTIVITY_RECORDED, {"event": ("Order Completed",), "trusted": (True,)}),),
}
