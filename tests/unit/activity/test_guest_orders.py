"""An order that a guest made is the customer's as soon as somebody says whose it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

ORDER = {
    "event": "Order Completed",
    "properties": {
        "order_id": "o1",
        "currency": "JPY",
        "products": [{"product_id": "a", "price": 1000}],
    },
}
GUEST = ORDER | {"messageId": "m1", "anonymousId": "a1"}
CUSTOMER = ORDER | {"messageId": "m2", "userId": "u1", "anonymousId": "a1"}
IDENTIFY = {"messageId": "m3", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "gold"}}


def facts(aws: Any, partitions: Iterable[str]) -> list[dict[str, Any]]:
    from chalicelib.activity.handlers import activity_relay
    from chalicelib.shared import consumer
    from chalicelib.shared.dynamo import pack_item, table

    told: list[Any] = []
    records = [
        {"dynamodb": {"SequenceNumber": str(place), "NewImage": pack_item(item)}}
        for place, item in enumerate(
            each for pk in partitions for each in table("activity").query(pk, prefix="E#")
        )
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumer, "publish", lambda sent: told.extend(sent) or set())
        activity_relay({"Records": records}, None)
    return [each.data for each in told if each.data["event"] == "Order Completed"]


def orders_of(api: Any, customer_id: str) -> list[str]:
    page = api.get(f"/v1/customers/{customer_id}/timeline", kind="order").json_body["data"]
    return [item["details"]["order_id"] for item in page if item["kind"] == "order"]


@pytest.mark.parametrize(
    "told", [(GUEST, CUSTOMER), (GUEST, IDENTIFY, CUSTOMER), (IDENTIFY, CUSTOMER, GUEST)]
)
def test_it_is_the_customers_once(api: Any, aws: Any, told: tuple[dict[str, Any], ...]) -> None:
    for event in (*told, *told):
        path = "track" if "event" in event else "identify"
        assert api.post(f"/v1/{path}", event).status_code == 200

    customers = [each["customer_id"] for each in facts(aws, ["C#u1", "A#a1"])]
    assert customers.count("u1") == 1
    assert orders_of(api, "u1") == ["o1"]


def test_a_guests_order_is_on_the_timeline_until_it_is_the_customers(api: Any) -> None:
    api.post("/v1/track", GUEST)
    api.post("/v1/identify", IDENTIFY)
    assert orders_of(api, "u1") == ["o1"]

    api.post("/v1/track", CUSTOMER)
    assert orders_of(api, "u1") == ["o1"]


def test_two_guests_tell_of_one_order(api: Any) -> None:
    assert api.post("/v1/track", GUEST).json_body["accepted"] == 1
    assert (
        api.post("/v1/track", GUEST | {"messageId": "m9", "anonymousId": "a2"}).json_body["duplicates"] == 1
    )
