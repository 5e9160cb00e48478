"""On a running shop: a copy to take along, and then nothing is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import requests

CUSTOMER, DEVICE = "privacy-hana", "privacy-phone"
EMAIL = "privacy.hana@example.com"
ORDER = {
    "customer_id": CUSTOMER, "placed_at": "2026-11-01T09:00:00Z", "currency": "JPY", "total": 3980,
    "ship_to": {"country": "JP", "postal_code": "100-0001"},
    "lines": [{"item_id": "85123A", "quantity": 2, "price": 1990}],
}  # fmt: skip
IDENTIFY = {
    "userId": CUSTOMER, "anonymousId": DEVICE, "messageId": "privacy-1",
    "traits": {"email": EMAIL, "firstName": "Hana"},
    "context": {"consent": {"categoryPreferences": {"email_marketing": True, "personalization": True}}},
}  # fmt: skip


def _live(shop: Any) -> None:
    assert shop.post("/v1/identify", IDENTIFY).status_code == 200
    assert shop.put("/v1/orders/privacy-o1", ORDER).status_code == 201
    key = {**shop.sk, "Idempotency-Key": "privacy-k1"}
    assert shop.post(f"/v1/customers/{CUSTOMER}/notes", {"text": "likes the sea"}, key).status_code == 201
    shop.idle()


def test_a_customer_takes_everything_along_and_is_forgotten(real_time: Any) -> None:
    shop = real_time
    _live(shop)
    token = shop.post("/v1/customer-tokens", {"customer_id": CUSTOMER}).json()["token"]
    me = {"Authorization": f"Bearer {token}", "Accept-Language": "ja"}

    page = shop.get("/v1/me/explanation", me).json()
    export_id = shop.post("/v1/me/export", None, me | {"Idempotency-Key": "copy"}).json()["export_id"]
    shop.idle()
    ready = shop.get(f"/v1/exports/{export_id}", me).json()
    fetched = requests.get(ready["url"], timeout=10, proxies={"http": "", "https": ""})
    sections = fetched.json()["sections"]

    assert page["title"] == "お客様について当店が知っていること"
    assert page["linked_devices"] == 1
    assert ready["status"] == "done"
    assert fetched.status_code == 200
    assert sections["customers"]["profiles"][0]["traits"]["email"]["value"] == EMAIL
    assert sections["orders"]["orders"][0]["order_id"] == "privacy-o1"
    assert sections["desk"]["notes"][0]["text"] == "likes the sea"
    assert sections["loyalty"]["accounts"][0]["sums"]["lifetime"] == 39

    erasure_id = shop.delete("/v1/me", me).json()["erasure_id"]
    shop.idle()
    gone = {
        path: shop.get(path).status_code
        for path in (f"/v1/customers/{CUSTOMER}", f"/v1/customers/{CUSTOMER}/notes")
    }
    late = shop.post("/v1/track", {"userId": CUSTOMER, "messageId": "privacy-2", "event": "Late"})
    shop.clock((datetime.now(UTC) + timedelta(minutes=3)).isoformat())
    assert shop.post("/_local/schedules/privacy_tick/run").status_code == 200
    receipt = shop.get(f"/v1/erasures/{erasure_id}").json()
    order = shop.get("/v1/orders/privacy-o1").json()

    assert set(gone.values()) == {410}
    assert late.status_code == 410
    assert receipt["status"] == "done"
    assert {each["store"]: each["items"] for each in receipt["stores"]}["people.profiles"] == 1
    assert EMAIL not in str(receipt)
    assert CUSTOMER not in str(receipt)
    assert order["customer_id"].startswith("erased:")
    assert order["ship_to"] is None
    assert shop.get(f"/v1/exports/{export_id}").status_code == 404
    assert requests.get(ready["url"], timeout=10, proxies={"http": "", "https": ""}).status_code == 404
