"""Customers of a running shop."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from tests.support.shop import Shop

PREFIX = "customers-http"


def test_a_japanese_customer_from_first_word_to_own_page(shop: Shop) -> None:
    customer_id = f"{PREFIX}-佐藤"
    path = f"/v1/customers/{quote(customer_id)}"
    traits = {
        "email": "hana@example.com",
        "lastName": "佐藤",
        "address": {"country": "JP", "state": "東京都"},
    }

    made = shop.patch(path, {"traits": traits, "consents": {"email_marketing": True}})
    assert made.status_code == 200
    assert made.json()["customer_id"] == customer_id
    assert shop.get(path).json() == made.json()

    token = shop.post("/v1/customer-tokens", {"customer_id": customer_id}).json()["token"]
    me = {"Authorization": f"Bearer {token}"}
    assert shop.get("/v1/me", me).json() == made.json() | {"updated_by": None}
    withdrawn = shop.patch("/v1/me", {"consents": {"email_marketing": False}}, me)
    assert withdrawn.json()["consents"]["email_marketing"]["status"] == "withdrawn"
    assert shop.get(path).json()["consents"]["email_marketing"]["source"] == "customer"
    assert shop.get("/v1/me/timeline", me).json() == {"data": [], "next_cursor": None}


def test_editors_at_once_lose_nothing_and_stale_ones_are_told(shop: Shop) -> None:
    """Against a store that really has several connections at once."""
    path = f"/v1/customers/{PREFIX}-busy"
    version = shop.patch(path, {"traits": {"start": 0}}).headers["ETag"]

    def edit(number: int) -> int:
        answer = shop.patch(path, {"traits": {f"t{number}": number}, "consents": {"sms": number % 2 == 0}})
        while answer.status_code == 503:
            assert answer.headers["Retry-After"]
            answer = shop.patch(path, {"traits": {f"t{number}": number}})
        return answer.status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(edit, range(24))) == {200}
        stale: list[Any] = list(
            threads.map(
                lambda n: shop.patch(path, {"traits": {"z": n}}, shop.sk | {"If-Match": version}), range(4)
            )
        )

    assert {answer.status_code for answer in stale} == {412}
    traits = shop.get(path).json()["traits"]
    assert {name: trait["value"] for name, trait in traits.items()} == {"start": 0} | {
        f"t{n}": n for n in range(24)
    }
