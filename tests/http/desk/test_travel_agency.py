"""The travel agency: what is added in one channel is there in the next request of another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from tests.support.shop import PUBLISHABLE, Shop

YAMADA = quote("desk-http-山田")
PARIS = quote("パリ7日間")


def bearer(shop: Shop, customer_id: str) -> dict[str, str]:
    token = shop.post("/v1/customer-tokens", {"customer_id": customer_id}).json()["token"]
    return {"Authorization": f"Bearer {token}"}


def write(shop: Shop, key: str, **note: Any) -> Any:
    return shop.post(f"/v1/customers/{YAMADA}/notes", note, shop.sk | {"Idempotency-Key": key})


def test_web_store_and_own_page_are_one_conversation(shop: Shop) -> None:
    customer_id, device = "desk-http-山田", "desk-http-browser"
    shop.put(f"/v1/items/{PARIS}", {"kind": "product", "title": "Paris, 7 days", "title_ja": "パリ7日間"})
    shop.post("/v1/identify", {"userId": customer_id, "anonymousId": device, "traits": {"lastName": "山田"}})
    saved = {
        "userId": customer_id,
        "anonymousId": device,
        "event": "Product Added to Wishlist",
        "properties": {"product_id": "パリ7日間"},
    }
    assert shop.post("/v1/track", saved, PUBLISHABLE).json()["accepted"] == 1

    till = shop.post(
        "/v1/api-keys",
        {"name": "store", "kind": "secret", "scopes": ["staff", "customers:read"]},
        shop.sk | {"Idempotency-Key": "desk-http-till"},
    ).json()["key"]
    store = {"X-Api-Key": till, "Accept-Language": "ja", "X-Actor": "sato"}
    [watched] = shop.get(f"/v1/customers/{YAMADA}/watchlist", store).json()["data"]
    assert (watched["item_id"], watched["channel"]) == ("パリ7日間", "web")
    assert watched["item"]["title"] == "パリ7日間"

    author = {"name": "佐藤", "role": "店頭スタッフ"}
    note = {"text": "沖縄も検討", "author": author, "channel": "store", "visible_to_customer": True}
    visible = shop.post(f"/v1/customers/{YAMADA}/notes", note, store | {"Idempotency-Key": "v"})
    internal = write(shop, "i", text="値引きは5%まで", channel="store")
    assert (visible.status_code, internal.status_code) == (201, 201)
    assert (visible.json()["actor"], internal.json()["actor"]) == ("sato", None)

    me = bearer(shop, customer_id) | {"Accept-Language": "ja"}
    [mine] = shop.get("/v1/me/timeline?kind=note", me).json()["data"]
    assert (mine["title"], mine["details"]["text"]) == ("メモ: 沖縄も検討", "沖縄も検討")
    assert "値引き" not in shop.get("/v1/me/timeline", me).text + shop.get("/v1/me/notes", me).text
    staff = shop.get(f"/v1/customers/{YAMADA}/timeline?kind=note&channel=store", store).json()["data"]
    assert {each["details"]["text"] for each in staff} == {"沖縄も検討", "値引きは5%まで"}

    stranger = bearer(shop, "desk-http-stranger")
    for path in ("timeline", "notes", "watchlist", "projects", "complaints"):
        assert shop.get(f"/v1/me/{path}", stranger).json()["data"] == []
        assert shop.get(f"/v1/customers/{YAMADA}/{path}", stranger).status_code == 403

    assert shop.delete(f"/v1/me/watchlist/{PARIS}", me).status_code == 204
    assert shop.get(f"/v1/customers/{YAMADA}/watchlist", store).json()["data"] == []


def test_the_same_note_at_once_is_one_note(shop: Shop) -> None:
    """Against a store that really has several connections at once."""
    path = "/v1/customers/desk-http-busy/notes"

    def send(number: int) -> tuple[int, str]:
        while True:
            answer = shop.post(path, {"text": "once"}, shop.sk | {"Idempotency-Key": "same"})
            if answer.status_code != 503:
                return answer.status_code, answer.text

    with ThreadPoolExecutor(8) as threads:
        [(status, _)] = set(threads.map(send, range(16)))
    assert status == 201
    assert len(shop.get(path).json()["data"]) == 1
    assert len(shop.get("/v1/customers/desk-http-busy/timeline").json()["data"]) == 1


def test_browsers_staff_and_events_at_once_end_in_one_list(shop: Shop) -> None:
    path = "/v1/customers/desk-http-many"

    def add(number: int) -> int:
        item_id = f"i{number}"
        if number % 2:
            said = {
                "userId": "desk-http-many",
                "messageId": f"desk-http-{number}",
                "event": "Product Added to Wishlist",
                "properties": {"product_id": item_id},
            }
            send = lambda: shop.post("/v1/track", said)  # noqa: E731
        else:
            send = lambda: shop.put(f"{path}/watchlist/{item_id}")  # noqa: E731
        while (answer := send()).status_code == 503:
            assert answer.headers["Retry-After"]
        return answer.status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(add, range(24))) == {200}
    listed = shop.get(f"{path}/watchlist").json()["data"]
    assert sorted(each["item_id"] for each in listed) == sorted(f"i{number}" for number in range(24))


def test_a_complaint_is_open_until_somebody_resolves_it(shop: Shop) -> None:
    path = "/v1/customers/desk-http-angry"
    opened = shop.post(f"{path}/complaints", {"text": "Late."}, shop.sk | {"Idempotency-Key": "c"}).json()
    shop.post(f"{path}/satisfaction", {"score": 2, "scale": "csat"}, shop.sk | {"Idempotency-Key": "s"})

    assert len(shop.get(f"{path}/complaints?status=open").json()["data"]) == 1
    resolved = shop.post(f"{path}/complaints/{opened['complaint_id']}/resolve")
    assert (resolved.status_code, resolved.json()["status"]) == (200, "resolved")
    assert shop.get(f"{path}/complaints?status=open").json()["data"] == []
    shop.idle()
    kinds = {each["kind"] for each in shop.get(f"{path}/timeline").json()["data"]}
    assert kinds == {"complaint", "complaint_resolved", "satisfaction"}
