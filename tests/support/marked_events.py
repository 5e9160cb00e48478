"""What handlers are given of the marked customer: facts in a queue, changes of a table, a tick of the clock."""

from __future__ import annotations

from typing import Any

from chalicelib.shared.dynamo import pack_item
from local.handlers import Handler
from tests.support.marked import AT, MARK

FACTS: dict[str, dict[str, Any]] = {
    "activity.recorded": {
        "entry_id": "e1",
        "customer_id": "u1",
        "anonymous_id": None,
        "kind": "order",
        "event": "Order Completed",
        "channel": "web",
        "at": AT,
        "trusted": True,
        "item_ids": ["85123A"],
        "details": {"order_id": "o3", "currency": "GBP", "total": 5, "coupon": MARK, "lines": []},
    },
    "customer.created": {"customer_id": "u1", "created_at": AT, "imported": False},
    "order.placed": {
        "order_id": "o1",
        "customer_id": "u1",
        "placed_at": AT,
        "total": 3980,
        "currency": "GBP",
        "lines": [{"item_id": "85123A", "quantity": 2, "price": 1990}],
        "imported": False,
    },
    "shipment.status_changed": {
        "shipment_id": "s1",
        "order_id": "o1",
        "customer_id": "u1",
        "status": "delivered",
        "attempt": 1,
        "at": AT,
        "carrier": "jp.yamato",
        "tracking_number": f"{MARK}-1234",
    },
    "loyalty.points_accrued": {
        "customer_id": "u1",
        "entry_id": "order:o1",
        "points": 39,
        "reason": MARK,
        "active_points": 39,
    },
    "loyalty.points_confirmed": {
        "customer_id": "u1",
        "entry_id": "order:o1#confirm",
        "points": 39,
        "reason": MARK,
        "active_points": 39,
    },
    "loyalty.points_redeemed": {
        "customer_id": "u1",
        "entry_id": "redemption:r1#done",
        "points": 3,
        "reason": MARK,
        "active_points": 36,
    },
    "loyalty.points_reversed": {
        "customer_id": "u1",
        "entry_id": "order:o1#refund#k1",
        "points": 19,
        "reason": MARK,
        "active_points": 17,
    },
    "loyalty.points_expiring": {
        "customer_id": "u1",
        "entry_id": "expiring:2027-11",
        "points": 17,
        "reason": MARK,
        "active_points": 17,
        "on": "2027-11-30",
    },
    "loyalty.points_expired": {
        "customer_id": "u1",
        "entry_id": "expire:2027-11#9",
        "points": 17,
        "reason": MARK,
        "active_points": 0,
        "on": "2027-11-30",
    },
    "loyalty.tier_changed": {"customer_id": "u1", "entry_id": "order:o1", "tier": MARK, "until": "2027-11"},
    "message.sent": {
        "customer_id": "u1",
        "send_id": "m1",
        "template": "welcome",
        "message_class": "promotional",
        "channel": "email",
        "at": AT,
    },
}


def spoilt(data: dict[str, Any]) -> dict[str, Any]:
    """The same fields with her words for values."""
    return {name: {MARK: MARK} for name in data} | {MARK: MARK}


def fact(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """A fact as the bus delivers it."""
    return {"id": "f1", "type": kind, "subject": "customers/u1", "time": AT, "data": data}


def deliver(handler: Handler, bodies: list[str]) -> int:
    """How many of them the queue has to send again."""
    records = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
    failures: list[Any] = handler({"Records": records})["batchItemFailures"]
    return len(failures)


def stream(image: dict[str, Any]) -> dict[str, Any]:
    """One new item as its table's stream tells of it."""
    change = {
        "SequenceNumber": "1",
        "NewImage": pack_item(image),
        "Keys": {},
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    record = {
        "eventID": "1",
        "eventName": "INSERT",
        "dynamodb": change,
        "awsRegion": "r",
        "eventSourceARN": "arn",
    }
    return {"Records": [record]}


def tick() -> dict[str, Any]:
    """A schedule's event."""
    event = {
        "version": "0",
        "account": "1",
        "region": "r",
        "detail": {},
        "resources": [],
        "id": "t",
        "time": AT,
    }
    return event | {"detail-type": "Scheduled Event", "source": "aws.events"}
