"""Orders and parcels through the running shop's door."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.shop import Shop


def new(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def order(customer_id: str = "u-orders", **changes: Any) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "placed_at": "2026-11-01T09:00:00Z",
        "currency": "JPY",
        "total": 3980,
        "discount": 0,
        "tax": 362,
        "shipping_cost": 0,
        "lines": [
            {
                "line_id": "1", "item_id": "85123A", "quantity": 2, "price": 1990, "made_to_order": False,
                "product_line": None, "gift": False,
            }
        ],
        "promised": {"from": "2026-12-20", "until": "2027-01-04"},
        "ship_to": {"country": "JP", "postal_code": "100-0001"},
    } | changes  # fmt: skip


def test_an_order_is_put_put_again_and_changed(shop: Shop):
    path = f"/v1/orders/{new('o')}"

    first = shop.put(path, order())
    again = shop.put(path, order())
    changed = shop.put(path, order(total=3000), shop.sk | {"If-Match": again.headers["ETag"]})
    stale = shop.put(path, order(), shop.sk | {"If-Match": again.headers["ETag"]})

    assert [answer.status_code for answer in (first, again, changed, stale)] == [201, 200, 200, 412]
    assert [answer.json()["version"] for answer in (first, again, changed)] == [1, 1, 2]
    assert again.json() == first.json()
    assert first.json() | order() == first.json() | {"placed_at": "2026-11-01T09:00:00Z"}
    read = shop.get(path)
    assert (read.status_code, read.headers["ETag"], read.json()) == (200, '"2"', changed.json())


@pytest.mark.parametrize(
    "changed", [{"customer_id": "u-other"}, {"placed_at": "2026-11-01T09:00:01Z"}, {"currency": "USD"}]
)
def test_what_cannot_change_is_refused_by_name(shop: Shop, changed: dict[str, str]):
    path = f"/v1/orders/{new('o')}"
    shop.put(path, order())

    refused = shop.put(path, order(**changed))

    assert refused.status_code == 409
    assert refused.json()["errors"][0]["field"] == next(iter(changed))
    assert shop.get(path).json()["version"] == 1


LINE = order()["lines"][0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": -1}, "total"),
        ({"total": 10**13}, "total"),
        ({"total": 39.8}, "total"),
        ({"total": "3980"}, "total"),
        ({"discount": -1}, "discount"),
        ({"currency": "yen"}, "currency"),
        ({"placed_at": "2026-11-01T09:00:00"}, "placed_at"),
        ({"placed_at": "1870-11-01T09:00:00Z"}, "placed_at"),
        ({"customer_id": "a/b"}, "customer_id"),
        ({"lines": []}, "lines"),
        ({"lines": [LINE | {"line_id": str(number)} for number in range(201)]}, "lines"),
        ({"lines": [LINE, LINE]}, "lines.1.line_id"),
        ({"lines": [LINE | {"line_id": "2"}, LINE | {"line_id": None}]}, "lines.1.line_id"),
        ({"lines": [LINE | {"quantity": 0}]}, "lines.0.quantity"),
        ({"lines": [LINE | {"price": -5}]}, "lines.0.price"),
        ({"lines": [LINE | {"quantity": 1_000_000, "price": 10**7}]}, "lines.0.price"),
        ({"promised": {"from": "2026-12-20", "until": "2026-12-19"}}, "promised.until"),
        ({"promised": {"from": "20 December", "until": "2026-12-19"}}, "promised.from"),
        ({"ship_to": {"country": "Japan"}}, "ship_to.country"),
        ({"version": 7}, "version"),
        ({"pk": "O#x"}, "pk"),
    ],
)
def test_a_wrong_order_is_refused_by_the_name_of_the_field_and_stored_nowhere(
    shop: Shop, changes: dict[str, Any], field: str
):
    customer_id, path = new("u"), f"/v1/orders/{new('o')}"

    refused = shop.put(path, order(customer_id) | changes)

    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert field in [error["field"] for error in refused.json()["errors"]]
    assert shop.get(path).status_code == 404
    assert shop.get(f"/v1/customers/{customer_id}/orders").json()["data"] == []


def test_a_customers_orders_are_listed_to_the_shop_and_to_them_alone(shop: Shop):
    customer_id = new("客")
    for day in (1, 3, 2):
        shop.put(f"/v1/orders/{customer_id}-{day}", order(customer_id, placed_at=f"2026-11-0{day}T00:00:00Z"))
    token = shop.post("/v1/customer-tokens", {"customer_id": customer_id, "ttl_seconds": 600}).json()["token"]

    first = shop.get(f"/v1/customers/{quote(customer_id)}/orders?limit=2").json()
    second = shop.get(
        "/v1/me/orders", {"Authorization": f"Bearer {token}"}, params={"cursor": first["next_cursor"]}
    )

    assert [each["order_id"][-1] for each in first["data"]] == ["3", "2"]
    assert [each["order_id"][-1] for each in second.json()["data"]] == ["1"]
    assert second.json()["next_cursor"] is None
    assert second.json()["data"][0]["lines"] == [{"item_id": "85123A", "quantity": 2}]
    other = shop.get("/v1/customers/somebody/orders", params={"cursor": first["next_cursor"]})
    assert other.status_code == 400


def parcel(shipment_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "shipment_id": shipment_id,
        "carrier": "jp.yamato",
        "tracking_number": "1234-5678-9012",
        "line_ids": [],
    } | changes


@pytest.fixture
def shipment(shop: Shop) -> tuple[str, str]:
    order_id, shipment_id = new("o"), new("s")
    assert shop.put(f"/v1/orders/{order_id}", order()).status_code == 201
    assert shop.post(f"/v1/orders/{order_id}/shipments", parcel(shipment_id)).status_code == 201
    return order_id, shipment_id


def test_a_parcel_is_added_once(shop: Shop, shipment: tuple[str, str]):
    order_id, shipment_id = shipment
    other = new("o")
    shop.put(f"/v1/orders/{other}", order())

    again = shop.post(f"/v1/orders/{order_id}/shipments", parcel(shipment_id))
    elsewhere = shop.post(f"/v1/orders/{other}/shipments", parcel(shipment_id))
    nowhere = shop.post(f"/v1/orders/{new('o')}/shipments", parcel(new("s")))

    assert (again.status_code, again.json()["status"]) == (200, "pending")
    assert (elsewhere.status_code, elsewhere.json()["errors"][0]["field"]) == (409, "order_id")
    assert nowhere.status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"line_ids": ["9"]}, "line_ids.0"),
        ({"carrier": "Jp Yamato"}, "carrier"),
        ({"tracking_number": "<script>"}, "tracking_number"),
        ({"tracking_number": ""}, "tracking_number"),
        ({"shipment_id": "a#b"}, "shipment_id"),
    ],
)
def test_a_wrong_parcel_is_refused_by_the_name_of_the_field(
    shop: Shop, shipment: tuple[str, str], changes: dict[str, Any], field: str
):
    refused = shop.post(f"/v1/orders/{shipment[0]}/shipments", parcel(new("s")) | changes)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == field
    assert len(shop.get(f"/v1/orders/{shipment[0]}/tracking").json()["shipments"]) == 1


def event(number: int, status: str, **changes: Any) -> dict[str, Any]:
    return {"event_id": f"e{number}", "status": status, "at": f"2026-11-{number:02}T09:00:00Z"} | changes


def test_a_parcel_stands_where_its_events_say(shop: Shop, shipment: tuple[str, str]):
    order_id, shipment_id = shipment
    path = f"/v1/shipments/{shipment_id}/events"
    window = {"from": "2026-11-20", "until": "2026-11-21"}
    moving = event(
        3, "in_transit", raw_status="輸送中", location="東京ベース", estimated=window, delayed=True
    )

    answers = [
        shop.post(path, each).json()
        for each in (moving, moving, event(2, "picked_up"), event(4, "delivered"))
    ]

    assert answers[0] == {
        "shipment": {
            "shipment_id": shipment_id, "status": "in_transit", "attempt": 1, "estimated": window,
            "flags": ["delayed"],
        },
        "applied": True,
        "duplicate": False,
    }  # fmt: skip
    assert [(each["applied"], each["duplicate"]) for each in answers] == [
        (True, False), (False, True), (False, False), (True, False),
    ]  # fmt: skip
    assert answers[3]["shipment"]["status"] == "delivered"
    tracking = shop.get(f"/v1/orders/{order_id}/tracking").json()
    [shown] = tracking["shipments"]
    assert tracking["promised"] == order()["promised"]
    assert (shown["status"], shown["since"], shown["carrier_name"]) == (
        "delivered", "2026-11-04T09:00:00.000Z", "Yamato Transport",
    )  # fmt: skip
    assert shown["tracking_url"] == "https://member.kms.kuronekoyamato.co.jp/parcel/detail?pno=1234-5678-9012"
    assert [each["status"] for each in shown["events"]] == ["picked_up", "in_transit", "delivered"]
    assert shown["events"][1]["raw_status"] == "輸送中"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"status": "lost"}, "status"),
        ({"status": "DELIVERED"}, "status"),
        ({"at": "yesterday"}, "at"),
        ({"estimated": {"from": "2026-11-21", "until": "2026-11-20"}}, "estimated.until"),
        ({"raw_status": "a\u0000b"}, "raw_status"),
        ({"delayed": "yes"}, "delayed"),
        ({"event_id": ""}, "event_id"),
    ],
)
def test_a_wrong_event_is_refused_by_the_name_of_the_field(
    shop: Shop, shipment: tuple[str, str], changes: dict[str, Any], field: str
):
    refused = shop.post(f"/v1/shipments/{shipment[1]}/events", event(3, "in_transit") | changes)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == field
    assert shop.get(f"/v1/orders/{shipment[0]}/tracking").json()["shipments"][0]["events"] == []


def test_an_unknown_parcel_and_an_unknown_order_are_not_there(shop: Shop):
    assert shop.post("/v1/shipments/nobody/events", event(1, "delivered")).status_code == 404
    assert shop.get("/v1/orders/nobody/tracking").status_code == 404
    assert shop.get("/v1/orders/nobody").status_code == 404


def test_orders_are_not_for_browsers(shop: Shop):
    assert shop.put(f"/v1/orders/{new('o')}", order(), shop.pk).status_code == 403
    assert shop.post("/v1/shipments/s/events", event(1, "delivered"), shop.pk).status_code == 403
    assert shop.get("/v1/orders/o1", {}).status_code == 401
