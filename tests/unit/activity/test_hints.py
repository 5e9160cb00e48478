"""What anybody can say with a page's key stays off the customer's own page, and crowds out nothing that is true."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.shared import clock
from tests.support.embedded import PUBLISHABLE

LURE = "Your account is locked, call 0900"
ITEM = {
    "kind": "product",
    "title": "Candle",
    "title_ja": "ろうそく",
    "price": {"amount": 100, "currency": "JPY"},
}


def own(api: Any, customer_id: str = "u1", **headers: str) -> list[dict[str, Any]]:
    from chalicelib.customers import service

    token = service.token(customer_id, 600, now=clock.now()).token
    page = api.get("/v1/me/timeline", {"Authorization": f"Bearer {token}", **headers})
    return list(page.json_body["data"])


def theirs(api: Any, customer_id: str = "u1", kind: str = "") -> list[dict[str, Any]]:
    query = f"?kind={kind}" if kind else ""
    return list(api.get(f"/v1/customers/{customer_id}/timeline{query}").json_body["data"])


def claim(api: Any, number: int = 0, **event: Any) -> None:
    sent = {"userId": "u1", "messageId": f"h{number}"} | event
    path = "track" if "event" in event else "page"
    assert api.post(f"/v1/{path}", sent, PUBLISHABLE).json_body["accepted"] == 1


def flood(count: int = 300) -> None:
    from chalicelib.activity import rules, store
    from chalicelib.activity.model import Said

    now = clock.now()
    for number in range(count):
        properties = {"product_id": f"junk{number}"}
        said = Said("track", now, f"f{number}", "u1", event="Product Added", properties=properties)
        draft = rules.draft(said, trusted=False)
        store.put(draft.entry, store.claim(draft, now=now), now=now)


def test_a_claim_about_a_customer_is_not_on_their_page(api: Any) -> None:
    claim(api, 1, name=LURE, properties={"url": "javascript:alert(1)"})
    claim(api, 2, event="Product Viewed", properties={"product_id": "a", "name": LURE})

    assert own(api) == []
    assert [item["trusted"] for item in theirs(api)] == [False, False]


def test_what_their_own_browser_said_is_there_without_its_words(api: Any) -> None:
    api.put("/v1/items/a", ITEM)
    api.post("/v1/identify", {"userId": "u1", "anonymousId": "a1"})
    for number, event in enumerate(
        (
            {"name": LURE, "properties": {"url": "javascript:alert(1)", "path": LURE}},
            {"event": "Product Viewed", "properties": {"product_id": "a", "name": LURE, "price": LURE}},
            {"event": "Product Viewed", "properties": {"product_id": "Call:0900", "name": LURE}},
            {"event": "Products Searched", "properties": {"query": LURE}, "channel": "call_0900"},
        )
    ):
        claim(api, number, userId=None, anonymousId="a1", **event)

    shown = {(item["title"], item["channel"], str(item["details"])) for item in own(api)}
    assert shown == {
        ("Visited a page", "web", "{}"),
        ("Viewed Candle", "web", "{'product_id': 'a'}"),
        ("Viewed a product", "web", "{}"),
        ("Searched", "web", "{}"),
    }
    japanese = {item["title"] for item in own(api, **{"Accept-Language": "ja"})}
    assert "ろうそく を見ました" in japanese


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("Order Completed", "order_claimed"),
        ("purchase", "order_claimed"),
        ("Order Updated", "order_change_claimed"),
        ("Order Cancelled", "order_change_claimed"),
        ("Order Refunded", "order_change_claimed"),
        ("refund", "order_change_claimed"),
    ],
)
def test_a_browser_only_claims_what_becomes_of_an_order(api: Any, event: str, kind: str) -> None:
    lines = {"transaction_id": "o1", "items": [{"item_id": "a", "price": 1}]}
    if event[0].isupper():
        lines = {"order_id": "o1", "products": [{"product_id": "a", "price": 1}]}
    api.post("/v1/identify", {"userId": "u1", "anonymousId": "a1"})
    for number, who in enumerate(({"userId": "u1"}, {"userId": None, "anonymousId": "a1"})):
        claim(api, number, event=event, properties={"currency": "JPY"} | lines, **who)

    assert [item["kind"] for item in theirs(api) if not item["trusted"]] == [kind, kind]
    assert own(api) == []


def test_a_flood_of_claims_hides_no_fact(api: Any) -> None:
    for item_id in ("real", "junk0", "junk1", "junk299"):
        api.put(f"/v1/items/{item_id}", ITEM)
    viewed = {"userId": "u1", "event": "Product Added", "properties": {"product_id": "real"}}
    assert api.post("/v1/track", viewed).json_body["accepted"] == 1
    flood()

    from chalicelib.recommendations import known
    from chalicelib.recommendations.known import CLAIMS_MAX, Asker
    from chalicelib.recommendations.model import Act

    hints = known.load("u1", None, Asker.SHOP).history.hints
    assert [hint.item_id for hint in hints if hint.act == Act.CART] == ["real"]
    assert [hint.act for hint in hints if hint.item_id != "real"] == [Act.HEARSAY] * CLAIMS_MAX
    assert [item["details"]["product_id"] for item in own(api)] == ["real"]

    api.put("/v1/computed-traits/added", {"event": "cart", "aggregate": "count", "trusted_only": True})
    assert api.get("/v1/customers/u1").json_body["computed_traits"]["added"]["value"] == 1


def test_what_a_linked_browser_says_of_its_customer_is_believed(api: Any) -> None:
    from chalicelib.recommendations import known
    from chalicelib.recommendations.known import Asker
    from chalicelib.recommendations.model import Act

    api.post("/v1/identify", {"userId": "u1", "anonymousId": "a1"})
    added = {"event": "Product Added", "properties": {"product_id": "a"}}
    claim(api, 1, anonymousId="a1", **added)
    claim(api, 2, anonymousId="a2", **added)

    hints = known.load("u1", None, Asker.SHOP).history.hints
    assert sorted(hint.act for hint in hints) == [Act.CART, Act.HEARSAY]


def test_one_browsers_message_id_does_not_silence_another(api: Any) -> None:
    claim(api, 1, name="Home")
    claim(api, 1, name="Home", userId="u2")
    claim(api, 1, name="Home", userId=None, anonymousId="a1")
    again = {"userId": "u1", "messageId": "h1", "name": "Home"}
    assert api.post("/v1/page", again, PUBLISHABLE).json_body["duplicates"] == 1


def test_claims_leave_with_the_customer(api: Any, aws: Any) -> None:
    from chalicelib.activity import reads, service
    from chalicelib.shared.dynamo import table

    claim(api, 1, name="Home")
    assert reads.is_known("u1")
    assert [entry["customer_id"] for entry in reads.export_of(["u1"], [])["timeline"]] == ["u1"]

    service.erase(["u1"], [], now=clock.now())
    assert table("activity").query("H#u1") == []
    assert not reads.is_known("u1")


def test_a_title_names_the_item_as_the_catalogue_does(api: Any) -> None:
    api.put("/v1/items/22423", ITEM)
    api.post("/v1/track", {"userId": "u1", "event": "Product Viewed", "properties": {"product_id": "22423"}})
    api.post("/v1/track", {"userId": "u1", "event": "Product Viewed", "properties": {"product_id": "gone"}})

    assert {item["title"] for item in theirs(api)} == {"Viewed Candle", "Viewed gone"}
