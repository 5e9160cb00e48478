"""The catalogue over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.catalog.model import KINDS
from tests.support.embedded import PUBLISHABLE, SECRET

HEART = {
    "kind": "product",
    "title": "White hanging heart",
    "title_ja": "白いハートの飾り",
    "price": {"amount": 1990, "currency": "JPY"},
    "categories": ["home/candles", "gifts"],
    "brand": "Kokyaku",
    "image_url": "https://shop.example.com/heart.jpg",
    "url": "https://shop.example.com/heart",
    "in_stock": True,
    "hidden": False,
    "audience": {"genders": ["female"], "age_min": 18, "age_max": None},
    "attributes": {"weight_kg": 0.25, "colours": ["white"]},
}
PATH = "/v1/items/85123A"


def test_an_item_comes_back_as_it_was_sent(api: Any) -> None:
    put = api.put(PATH, HEART)
    got = api.get(PATH)

    assert (put.status_code, got.status_code) == (201, 200)
    assert HEART.items() <= got.json_body.items()
    assert got.json_body["item_id"] == "85123A"
    assert got.json_body["created_at"] == got.json_body["updated_at"]
    assert put.headers["ETag"] == got.headers["ETag"]


def test_the_same_content_again_changes_nothing(api: Any) -> None:
    first = api.put(PATH, HEART)
    again = api.put(PATH, HEART)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.body == again.body


def test_a_put_replaces_the_whole_item_and_keeps_its_age(api: Any) -> None:
    from chalicelib.shared import clock

    created = api.put(PATH, HEART).json_body["created_at"]
    clock.travel(timedelta(days=1))
    replaced = api.put(PATH, {"title": "Heart"}).json_body

    assert replaced["title"] == "Heart"
    assert replaced["price"] is replaced["brand"] is replaced["audience"] is None
    assert (replaced["categories"], replaced["attributes"], replaced["in_stock"]) == ([], {}, True)
    assert replaced["created_at"] == created < replaced["updated_at"]


def test_an_id_may_be_japanese(api: Any) -> None:
    assert api.put("/v1/items/%E8%B1%86%E8%85%90", {"title": "豆腐"}).status_code == 201
    assert api.get("/v1/items/%E8%B1%86%E8%85%90").json_body["item_id"] == "豆腐"


def test_two_editors_do_not_overwrite_each_other(api: Any) -> None:
    seen = api.put(PATH, HEART).headers["ETag"]
    mine = api.put(PATH, HEART | {"brand": "Mine"}, **{"If-Match": seen})
    theirs = api.put(PATH, HEART | {"brand": "Theirs"}, **{"If-Match": seen})

    assert (mine.status_code, theirs.status_code) == (200, 412)
    assert api.get(PATH).json_body["brand"] == "Mine"
    assert api.delete(PATH, **{"If-Match": seen}).status_code == 412
    assert api.put("/v1/items/none", HEART, **{"If-Match": "*"}).status_code == 412
    assert api.get("/v1/items/none").status_code == 404


def test_a_deletion_is_safe_to_repeat(api: Any) -> None:
    api.put(PATH, HEART)

    assert [api.delete(PATH).status_code for _ in range(2)] == [204, 204]
    assert api.get(PATH).status_code == 404
    assert api.put(PATH, HEART).status_code == 201


def test_a_write_whose_reply_was_lost_is_not_a_conflict(api: Any, aws: Any) -> None:
    from tests.support.faults import FaultyWire

    wire = FaultyWire(aws)
    wire.plan = ["ok", "reply_lost"]  # the read, then the write

    assert api.put(PATH, HEART).status_code in (200, 201)
    assert api.get(PATH).json_body["title"] == HEART["title"]


def test_the_shelf_shows_newest_first_page_by_page(api: Any) -> None:
    from chalicelib.shared import clock

    for number in range(5):
        clock.travel(timedelta(minutes=number))
        api.put(f"/v1/items/p{number}", {"title": f"Product {number}", "hidden": number == 2})
    api.put("/v1/items/guide", {"title": "Guide", "kind": "content"})

    pages, cursor = [], ""
    while not pages or cursor:
        page = api.get(f"/v1/items?kind=product&limit=2&cursor={cursor}").json_body
        pages.append([item["item_id"] for item in page["data"]])
        cursor = page["next_cursor"]

    assert pages == [["p4", "p3"], ["p2", "p1"], ["p0"]]
    assert [item["item_id"] for item in api.get("/v1/items?kind=content").json_body["data"]] == ["guide"]


def test_a_cursor_belongs_to_its_kind(api: Any) -> None:
    for number in range(2):
        api.put(f"/v1/items/p{number}", {"title": "x"})
    cursor = api.get("/v1/items?limit=1").json_body["next_cursor"]

    foreign = api.get(f"/v1/items?kind=content&cursor={cursor}")

    assert foreign.status_code == 400
    assert foreign.json_body["errors"][0]["field"] == "cursor"
    assert api.get(f"/v1/items?cursor={cursor[:-2]}").status_code == 400


def test_a_batch_stores_what_is_right_and_names_what_is_wrong(api: Any) -> None:
    answer = api.post(
        "/v1/items/batch",
        {
            "items": [
                {"item_id": "a", "title": "A"},
                {"item_id": "b"},
                {"item_id": "a", "title": "A again"},
                {"item_id": "c/d", "title": "C"},
                "e",
                {"item_id": "f", "title": "F", "price": {"amount": 1.5, "currency": "JPY"}},
                {"item_id": "g", "title": "G", "attributes": {"n": 0.5}},
                {"item_id": "batch", "title": "Nobody could read it"},
                {"item_id": "..", "title": "Nor this"},
            ]
        },
    )

    assert answer.status_code == 200
    assert (answer.json_body["success"], answer.json_body["accepted"]) == (False, 2)
    assert [
        (each["index"], each["item_id"], [error["field"] for error in each["errors"]])
        for each in answer.json_body["refused"]
    ] == [
        (1, "b", ["title"]),
        (2, "a", ["item_id"]),
        (3, "c/d", ["item_id"]),
        (4, None, ["body"]),
        (5, "f", ["price.amount"]),
        (7, "batch", ["item_id"]),
        (8, "..", ["item_id"]),
    ]
    assert api.get("/v1/items/a").json_body["title"] == "A"
    assert api.get("/v1/items/g").json_body["attributes"] == {"n": 0.5}
    assert [api.get(f"/v1/items/{item_id}").status_code for item_id in "bf"] == [404, 404]


def test_a_batch_keeps_the_age_of_what_was_there(api: Any) -> None:
    from chalicelib.shared import clock

    created = api.put(PATH, HEART).json_body["created_at"]
    clock.travel(timedelta(days=1))
    api.post("/v1/items/batch", {"items": [{"item_id": "85123A", "title": "Heart"}]})

    item = api.get(PATH).json_body
    assert (item["title"], item["created_at"]) == ("Heart", created)


@pytest.mark.parametrize("count", [0, 501])
def test_a_batch_has_a_size(api: Any, count: int) -> None:
    refused = api.post(
        "/v1/items/batch", {"items": [{"item_id": f"i{n}", "title": "x"} for n in range(count)]}
    )

    assert refused.status_code == 400
    assert refused.json_body["errors"][0]["field"] == "items"


def test_a_batch_of_five_hundred_is_taken_and_a_heavy_one_is_not(api: Any) -> None:
    items = [{"item_id": f"i{n}", "title": "x"} for n in range(500)]

    assert api.post("/v1/items/batch", {"items": items}).json_body["accepted"] == 500
    assert api.post("/v1/items/batch", {"items": items, "more": "x" * 500_000}).status_code == 413


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "thing"}, "kind"),
        ({"title": ""}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"price": {"amount": -1, "currency": "JPY"}}, "price.amount"),
        ({"price": {"amount": 10**13, "currency": "JPY"}}, "price.amount"),
        ({"price": {"amount": "5", "currency": "JPY"}}, "price.amount"),
        ({"price": {"amount": 5, "currency": "yen"}}, "price.currency"),
        ({"price": 5}, "price"),
        ({"categories": ["home//candles"]}, "categories.0"),
        ({"categories": ["/home"]}, "categories.0"),
        ({"categories": ["x"] * 21}, "categories"),
        ({"image_url": "http://shop.example.com/a.jpg"}, "image_url"),
        ({"image_url": "https:///a.jpg"}, "image_url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://shop.example.com@evil.example/"}, "url"),
        ({"url": 'https://shop.example.com/"onload="'}, "url"),
        ({"url": "https://[::1"}, "url"),
        ({"in_stock": "yes"}, "in_stock"),
        ({"audience": {"age_min": 40, "age_max": 18}}, "audience"),
        ({"audience": {"age_min": -1}}, "audience.age_min"),
        ({"attributes": {"a": {"b": "x" * 10_001}}}, "attributes"),
        ({"attributes": {"a": ["x" * 9_000, "x" * 9_000]}}, "attributes"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_input_is_refused_by_name_and_stores_nothing(
    api: Any, wrong: dict[str, Any], field: str
) -> None:
    refused = api.put(PATH, {"title": "x"} | wrong)

    assert refused.status_code == 400
    assert [error["field"] for error in refused.json_body["errors"]] == [field]
    assert api.get(PATH).status_code == 404


@pytest.mark.parametrize(
    "query", ["kind=thing", "limit=0", "limit=101", "limit=ten", "colour=red", "kind=plan&kind=offer"]
)
def test_a_wrong_question_names_the_parameter(api: Any, query: str) -> None:
    refused = api.get(f"/v1/items?{query}")

    assert refused.status_code == 400
    assert refused.json_body["errors"][0]["field"] == query.partition("=")[0]


def test_only_the_shop_reads_and_writes_it(api: Any) -> None:
    from chalicelib.shared import clock, tokens

    token = tokens.customer_token("u1", now=clock.now(), ttl=timedelta(hours=1))
    for headers in (PUBLISHABLE, {"Authorization": f"Bearer {token}"}):
        assert api.put(PATH, HEART, headers).status_code == 403
        assert api.get(PATH, headers).status_code == 403
        assert api.delete(PATH, headers).status_code == 403
        assert api.get("/v1/items", headers).status_code == 403
        assert api.post("/v1/items/batch", {"items": []}, headers).status_code == 403
    assert api.get(PATH, SECRET).status_code == 404


def test_the_demo_fills_an_empty_catalogue_in_bulk(api: Any, aws: Any) -> None:
    from chalicelib.catalog import service
    from chalicelib.shared import clock

    bodies = ({"item_id": f"i{number:03d}", "title": "x"} for number in range(501))

    chunks: list[int] = []

    assert service.import_items(bodies, now=clock.now(), on_written=chunks.append) == 501
    assert chunks == [500, 1]
    assert api.get("/v1/items/i500").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_other_rooms_read_items_and_the_newest_of_a_kind(api: Any, kind: str) -> None:
    from chalicelib.catalog import reads
    from chalicelib.shared import clock

    for number in range(3):
        clock.travel(timedelta(minutes=number))
        api.put(f"/v1/items/i{number}", HEART | {"kind": kind, "in_stock": number != 1})

    newest = reads.newest(kind, 2)
    assert [item.item_id for item in newest] == ["i2", "i1"]
    assert [item.item_id for item in reads.newest(kind, 2, after=newest[-1])] == ["i0"]
    assert [item.is_on_sale for item in newest] == [True, False]
    assert reads.items(["i0", "unknown"]).keys() == {"i0"}
    assert newest[0].title_in("ja") == HEART["title_ja"]
