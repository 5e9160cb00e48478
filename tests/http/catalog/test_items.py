"""The catalogue of a running shop."""

from __future__ import annotations

from urllib.parse import quote

from tests.support.shop import Shop

PREFIX = "catalog-http"


def test_a_japanese_item_goes_in_comes_out_and_goes(shop: Shop) -> None:
    path = f"/v1/items/{quote(f'{PREFIX}-豆腐')}"
    body = {"title": "豆腐", "price": {"amount": 198, "currency": "JPY"}, "categories": ["食品/大豆"]}

    made, again = shop.put(path, body), shop.put(path, body)
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.headers["ETag"] == again.headers["ETag"]
    assert shop.get(path).json()["title"] == "豆腐"
    assert [shop.delete(path).status_code for _ in range(2)] == [204, 204]
    assert shop.get(path).status_code == 404


def test_a_batch_of_five_hundred_with_three_wrong_ones(shop: Shop) -> None:
    items = [{"item_id": f"{PREFIX}-b{number}", "title": "x", "hidden": True} for number in range(500)]
    for wrong in (7, 77, 477):
        items[wrong]["title"] = 7

    answer = shop.post("/v1/items/batch", {"items": items})

    assert answer.status_code == 200
    assert answer.json()["accepted"] == 497
    assert [each["index"] for each in answer.json()["refused"]] == [7, 77, 477]
    assert shop.get(f"/v1/items/{PREFIX}-b499").status_code == 200
    assert shop.get(f"/v1/items/{PREFIX}-b7").status_code == 404


def test_the_shelf_is_walked_page_by_page(shop: Shop) -> None:
    mine = {f"{PREFIX}-plan{number}" for number in range(5)}
    for item_id in mine:
        shop.put(f"/v1/items/{item_id}", {"title": "x", "kind": "plan", "hidden": True})
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = shop.get(
            "/v1/items",
            params={"kind": "plan", "limit": 2, "cursor": cursor} if cursor else {"kind": "plan", "limit": 2},
        ).json()
        seen += [item["item_id"] for item in page["data"]]
        cursor = page["next_cursor"]

    assert len(seen) == len(set(seen))
    assert mine <= set(seen)
