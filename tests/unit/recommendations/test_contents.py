"""What was watched leads to products, and what is owned to its manuals and tips."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.shared import clock
from tests.support.embedded import PUBLISHABLE
from tests.support.recommender import Recommender, reason_of


def content(shop: Recommender, item_id: str, categories: tuple[str, ...] = (), **about: Any) -> None:
    shop.item(item_id, kind="content", categories=list(categories), attributes=about)


@pytest.mark.parametrize("trained", [False, True])
def test_a_cooking_video_leads_to_pans(shop: Recommender, trained: bool) -> None:
    if trained:
        shop.train()
    for item_id in ("pan", "wok"):
        shop.item(item_id, categories=["kitchen/pans"])
    content(shop, "video", for_items=["wok"], for_categories=["kitchen"])
    content(shop, "other-video", for_categories=["kitchen"])
    shop.event("Product Viewed", item_id="video", anonymousId="a1")

    answer = shop.ask("for_you", PUBLISHABLE, anonymous_id="a1")

    expected = ["wok"] if trained else ["pan", "wok"]  # of a category only among what sells, or is new
    codes = {each["item_id"]: each["reason"]["code"] for each in answer["items"]}
    assert sorted(each for each, code in codes.items() if code == "content_watched") == expected
    assert "other-video" not in codes
    assert codes["video"] == "viewed"
    wok = reason_of(answer, "wok")
    assert wok["text"] == "Goes with “VIDEO”, which you looked at"
    assert [(each["kind"], each["item_id"]) for each in wok["evidence"]] == [("view", "video")]


def test_what_content_is_about_sells_as_before_and_moves_up(shop: Recommender) -> None:
    shop.train()
    before = shop.ids("for_you", anonymous_id="a1")
    content(shop, "article", ("food/basic",), for_items=["eggs", "gone"])
    shop.event("Product Viewed", item_id="article", anonymousId="a1")

    after = shop.ask("for_you", anonymous_id="a1", explain="true")

    ids = [each["item_id"] for each in after["items"]]
    assert before.index("eggs") > 1
    assert ids[0] == "eggs"
    parts = {each["part"]: each["share"] for each in after["items"][0]["explanation"]["parts"]}
    assert parts["content"] == pytest.approx(0.3)
    assert "gone" not in ids


def test_hidden_content_and_products_looked_at_lead_nowhere(shop: Recommender) -> None:
    shop.train()
    shop.item("rice", attributes={"for_items": ["soap"]})
    shop.item("secret", kind="content", hidden=True, attributes={"for_items": ["soap"]})
    for item_id in ("rice", "secret", "unheard-of"):
        shop.event("Product Viewed", item_id=item_id, anonymousId="a1")

    codes = {each["reason"]["code"] for each in shop.ask("for_you", anonymous_id="a1", limit=100)["items"]}
    assert "content_watched" not in codes


@pytest.mark.parametrize(
    "attributes", [{"for_items": "soap"}, {"for_items": [1, None, ""]}, {"for_categories": {"a": 1}}]
)
def test_attributes_of_another_shape_say_nothing(shop: Recommender, attributes: dict[str, Any]) -> None:
    content(shop, "odd", **attributes)
    shop.event("Product Viewed", item_id="odd", anonymousId="a1")

    codes = {each["reason"]["code"] for each in shop.ask("for_you", anonymous_id="a1", limit=100)["items"]}
    assert "content_watched" not in codes
    assert shop.ask("help", item_id="soap")["fallback"] == "newest"


def test_what_is_owned_leads_to_its_manual_and_tips(shop: Recommender) -> None:
    for hours, (item_id, about) in enumerate(
        (
            ("manual", {"for_items": ["soap"]}),
            ("tips", {"for_categories": ["food"]}),
            ("news", {}),
            ("tea-manual", {"for_items": ["tea"]}),
        )
    ):
        clock.travel(timedelta(hours=hours))
        content(shop, item_id, **about)
    shop.order("o1", "u1", "soap", days_ago=9)
    shop.order("o2", "u1", "bread", days_ago=1)

    answer = shop.ask("help", customer_id="u1")

    assert [each["item_id"] for each in answer["items"]] == ["manual", "tips"]
    assert answer["fallback"] is None
    assert reason_of(answer, "manual")["text"] == "About SOAP"
    assert [(each["kind"], each["id"]) for each in reason_of(answer, "tips")["evidence"]] == [("order", "o2")]
    assert shop.ids("help", item_id="tea") == ["tea-manual", "tips"]
    assert shop.ids("help", customer_id="u1", exclude="manual") == ["tips"]
    shop.item("manual", kind="content", hidden=True, attributes={"for_items": ["soap"]})
    assert shop.ids("help", customer_id="u1") == ["tips"]


def test_who_owns_nothing_is_shown_what_content_is_new(shop: Recommender) -> None:
    assert shop.ask("help")["items"][0]["item"]["kind"] == "product"  # rather than nothing
    content(shop, "news")
    shop.completed("o1", "soap", anonymousId="a1")
    content(shop, "manual", for_items=["soap"])

    for headers, who in ((None, {}), (PUBLISHABLE, {"anonymous_id": "a1"})):
        answer = shop.ask("help", headers, **who)
        assert {each["item_id"] for each in answer["items"]} == {"news", "manual"}
        assert answer["fallback"] == "newest"


def test_a_ranked_list_follows_what_was_watched(shop: Recommender) -> None:
    content(shop, "video", for_items=["soap"])
    shop.event("Product Viewed", item_id="video", anonymousId="a1")

    answer = shop.api.post(
        "/v1/recommendations/rank", {"anonymous_id": "a1", "item_ids": ["tea", "soap"]}
    ).json_body

    assert [each["item_id"] for each in answer["items"]] == ["soap", "tea"]
    assert reason_of(answer, "soap")["code"] == "content_watched"
