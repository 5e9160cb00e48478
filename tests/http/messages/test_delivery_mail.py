"""A parcel's way to the customer's mailbox: event, head, stream, bus, queue, gate, SES."""

from __future__ import annotations

import random
import uuid
from typing import Any

from tests.support.shop import Shop


def placed(shop: Shop, locale: str = "ja-JP", **traits: Any) -> tuple[str, str, str]:
    """A customer with an order and a parcel; returns their id, their address and the parcel's id."""
    name = uuid.uuid4().hex[:10]
    address = traits.pop("email", f"{name}@example.com")
    said = {"name": "中村花子", "locale": locale} | traits | ({"email": address} if address else {})
    assert shop.patch(f"/v1/customers/{name}", {"traits": said}).status_code < 300
    order = {
        "customer_id": name, "placed_at": "2026-11-01T09:00:00Z", "currency": "JPY", "total": 198000,
        "lines": [{"item_id": "beige-sofa", "quantity": 1, "price": 198000}],
        "promised": {"from": "2026-12-20", "until": "2027-01-04"},
    }  # fmt: skip
    assert shop.put(f"/v1/orders/o-{name}", order).status_code == 201
    parcel = {"shipment_id": f"s-{name}", "carrier": "jp.yamato", "tracking_number": "1234-5678-9012"}
    assert shop.post(f"/v1/orders/o-{name}/shipments", parcel).status_code == 201
    return name, address, f"s-{name}"


WAY = ("label_created", "picked_up", "in_transit", "out_for_delivery", "delivered")


def events() -> list[dict[str, Any]]:
    return [
        {"event_id": f"e{place}", "status": status, "at": f"2026-11-{place:02}T09:00:00Z"}
        for place, status in enumerate(WAY, start=10)
    ]


def test_the_same_carrier_events_three_times_shuffled_are_one_mail_that_it_has_arrived(shop: Shop):
    customer_id, address, shipment_id = placed(shop)
    sent = [*events(), *events(), *events()]
    random.Random(8).shuffle(sent)

    for each in sent:
        assert shop.post(f"/v1/shipments/{shipment_id}/events", each).status_code == 200
    shop.idle()

    subjects = [mail["subject"] for mail in shop.mails(address)]
    assert sum("配達完了" in subject for subject in subjects) == 1
    assert len(subjects) == len(set(subjects))
    listed = shop.get(f"/v1/customers/{customer_id}/messages").json()["data"]
    assert {message["status"] for message in listed} == {"sent"}
    assert [message["reason"] for message in listed].count("shipment_delivered") == 1


def test_every_step_of_the_way_is_told_once_in_its_turn(shop: Shop):
    _, address, shipment_id = placed(shop, "en-GB", name="Hana")
    for each in events():
        shop.post(f"/v1/shipments/{shipment_id}/events", each)
        shop.idle()

    mails = shop.mails(address)[::-1]
    assert [mail["reason"] for mail in mails] == [f"shipment_{status}" for status in WAY]
    for mail in mails:
        assert "List-Unsubscribe" not in mail["headers"]
        assert "beige-sofa" not in mail["subject"] + mail["text"] + mail["html"]
        assert "https://member.kms.kuronekoyamato.co.jp/parcel/detail?pno=1234-5678-9012" in mail["text"]


def test_a_parcel_that_is_only_announced_tells_nobody(shop: Shop):
    customer_id, address, _ = placed(shop)
    shop.idle()

    assert shop.mails(address) == []
    assert shop.get(f"/v1/customers/{customer_id}/messages").json() == {"data": [], "next_cursor": None}


def test_without_an_address_it_is_written_down_why_nothing_was_sent(shop: Shop):
    customer_id, _, shipment_id = placed(shop, email="")
    shop.post(f"/v1/shipments/{shipment_id}/events", events()[-1])
    shop.idle()

    [message] = shop.get(f"/v1/customers/{customer_id}/messages").json()["data"]
    assert (message["status"], message["reason"], message["message_class"]) == (
        "withheld",
        "no_address",
        "transactional",
    )


def test_what_a_customer_is_called_breaks_no_mail(shop: Shop):
    _, address, shipment_id = placed(shop, "en-GB", name="{{ 7 * 7 }} <b>Bcc: x</b>")
    shop.post(f"/v1/shipments/{shipment_id}/events", events()[-1])
    shop.idle()

    [mail] = shop.mails(address)
    assert "49" not in mail["text"].split("\n")[0]
    assert "<b>Bcc" not in mail["html"]


def test_the_list_of_messages_is_for_the_shop(shop: Shop):
    path = "/v1/customers/somebody/messages"

    assert shop.get(path, shop.pk).status_code == 403
    assert shop.get(path, {}).status_code == 401
    assert shop.get(path + "?limit=0").status_code == 400
    assert shop.get(path + "?cursor=abc").status_code == 400
