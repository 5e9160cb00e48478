"""One person under many ids, on a running shop: found by telephone, followed from device to device, merged and parted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.shop import Shop

PREFIX = "identity-http"


def known(shop: Shop, customer_id: str, **traits: Any) -> str:
    answer = shop.patch(f"/v1/customers/{customer_id}", {"traits": traits})
    assert answer.status_code == 200, answer.text
    return customer_id


def merge(shop: Shop, survivor: str, other: str, key: str) -> Any:
    body = {"from": other, "reason": "the same person at the till"}
    headers = shop.sk | {"Idempotency-Key": key, "X-Actor": "sato"}
    return shop.post(f"/v1/customers/{survivor}/merge", body, headers)


def kinds(shop: Shop, customer_id: str) -> list[str]:
    answer = shop.get(f"/v1/customers/{customer_id}/timeline")
    assert answer.status_code == 200, answer.text
    return [each["kind"] for each in answer.json()["data"]]


@pytest.mark.parametrize(
    "spelling",
    ["090-9876-5432", "+81 90 9876 5432", "０９０−９８７６−５４３２"],  # noqa: RUF001  (as people type it)
)
def test_who_phones_is_found_however_the_number_is_written(shop: Shop, spelling: str) -> None:
    customer_id = known(shop, f"{PREFIX}-yamada", phone="090-9876-5432", lastName="山田")
    seen = {"userId": customer_id, "messageId": f"{PREFIX}-m1", "event": "Product Added to Wishlist"}
    assert shop.post("/v1/track", seen | {"properties": {"product_id": "paris-7"}}).status_code == 200

    [found] = shop.get(f"/v1/customers?phone={quote(spelling)}").json()["data"]
    assert (found["customer_id"], found["name"]) == (customer_id, "山田")
    assert kinds(shop, found["customer_id"]) == ["wishlist"]
    token = shop.post("/v1/customer-tokens", {"customer_id": f"{PREFIX}-stranger"}).json()["token"]
    stranger = {"Authorization": f"Bearer {token}"}
    assert shop.get(f"/v1/customers?phone={quote(spelling)}", stranger).status_code == 403
    assert shop.get("/v1/me/timeline", stranger).json()["data"] == []


def test_a_visitors_past_becomes_the_customers(shop: Shop) -> None:
    device, customer_id = f"{PREFIX}-a1", f"{PREFIX}-u1"
    item = f"{PREFIX}-bowl"
    assert shop.put(f"/v1/items/{item}", {"title": "Bowl"}).status_code in (200, 201)
    viewed = {"anonymousId": device, "event": "Product Viewed", "properties": {"product_id": item}}
    assert shop.post("/v1/track", viewed | {"messageId": f"{PREFIX}-v1"}).status_code == 200
    event = {"userId": customer_id, "anonymousId": device, "messageId": f"{PREFIX}-i1"}
    assert shop.post("/v1/identify", event | {"traits": {"name": "コハル"}}).status_code == 200

    assert sorted(kinds(shop, customer_id)) == ["identify", "view"]
    assert shop.get(f"/v1/customers/{customer_id}").json()["anonymous_ids"] == [device]


def test_two_ids_are_merged_and_parted_again(shop: Shop) -> None:
    one, two = known(shop, f"{PREFIX}-m1", name="Hana"), known(shop, f"{PREFIX}-m2", city="Tokyo")
    order = {"customer_id": two, "placed_at": "2026-11-01T00:00:00Z", "currency": "JPY", "total": 500}
    order["lines"] = [{"line_id": "1", "item_id": "a", "quantity": 1, "price": 500}]
    assert shop.put(f"/v1/orders/{PREFIX}-o1", order).status_code == 201
    shop.idle()
    before = [shop.get(f"/v1/customers/{each}").json() for each in (one, two)]
    made = merge(shop, one, two, f"{PREFIX}-k1")
    assert made.status_code == 201, made.text
    assert made.json()["merged_by"] == "sato"

    person = shop.get(f"/v1/customers/{one}").json()
    assert person["customer_ids"] == [one, two]
    assert sorted(person["traits"]) == ["city", "name"]
    moved = shop.get(f"/v1/customers/{two}/timeline?kind=order")
    assert (moved.status_code, moved.headers["Location"]) == (
        308,
        f"/v1/customers/{one}/timeline?kind=order",
    )
    followed = shop.get(moved.headers["Location"]).json()
    assert [each["kind"] for each in followed["data"]] == ["order"]
    token = shop.post("/v1/customer-tokens", {"customer_id": two}).json()["token"]
    me = {"Authorization": f"Bearer {token}"}
    assert [each["order_id"] for each in shop.get("/v1/me/orders", me).json()["data"]] == [f"{PREFIX}-o1"]
    assert shop.get("/v1/me/loyalty", me).json()["active_points"] == 5

    parted = shop.post(f"/v1/merges/{made.json()['merge_id']}/undo")
    assert parted.status_code == 200
    assert [shop.get(f"/v1/customers/{each}").json() for each in (one, two)] == before


def test_merges_that_race_end_as_one_of_them(shop: Shop) -> None:
    """Four want different merges of the same three at once; identify and orders go on meanwhile."""
    people = [known(shop, f"{PREFIX}-r{number}", **{f"t{number}": number}) for number in range(3)]
    pairs = [(0, 1), (1, 0), (1, 2), (2, 0)]

    def run(number: int) -> int:
        if number < len(pairs):
            survivor, other = pairs[number]
            for _ in range(20):
                answer = merge(shop, people[survivor], people[other], f"{PREFIX}-race{number}")
                if answer.status_code != 503:
                    return int(answer.status_code)
            return 503
        who = people[number % 3]
        event = {"userId": who, "messageId": f"{PREFIX}-race-m{number}", "traits": {f"e{number}": number}}
        return int(shop.post("/v1/identify", event).status_code)

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(run, range(10)))
    assert set(statuses[:4]) <= {201, 409}
    assert statuses[4:] == [200] * 6
    heads = {shop.get(f"/v1/customers/{each}").headers.get("Location", each) for each in people}
    assert len(heads - set(people)) < len(people), "somebody still stands"
    standing = [each for each in people if shop.get(f"/v1/customers/{each}").status_code == 200]
    seen: dict[str, Any] = {}
    ids: list[str] = []
    for each in standing:
        person = shop.get(f"/v1/customers/{each}").json()
        ids += person["customer_ids"]
        seen |= {name: trait["value"] for name, trait in person["traits"].items()}
    assert sorted(ids) == sorted(people), "each id is somebody's, and nobody's twice"
    assert seen == {f"t{n}": n for n in range(3)} | {f"e{n}": n for n in range(4, 10)}
    assert len(people) - len(standing) == statuses[:4].count(201)
