"""Check F5: a consent that was withdrawn is used by nothing any more; and the page that says so and flips it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.customers.model import PURPOSES
from chalicelib.privacy import texts
from chalicelib.shared import clock
from chalicelib.shared.clock import to_text
from tests.support.circuit import Circuit
from tests.support.person import Person
from tests.support.post import Post

pytestmark = pytest.mark.privacy

ME = Person.token_of
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ITEMS = [f"i{number}" for number in range(8)]


def _hana(api: Any, circuit: Circuit) -> None:
    """Ten orders of vegetables, views, a rule that infers from them, and consent to everything."""
    for item_id in ITEMS:
        body = {"kind": "product", "title": item_id, "categories": ["grocery/vegetables"], "brand": "Farm"}
        api.put(f"/v1/items/{item_id}", body)
    support = {"no_item_of": ["grocery/meat"], "orders_at_least": 3}
    rule = {"trait": "diet", "value": "vegetarian", "among": {"categories": ["grocery"]}, "support": support}
    assert api.put("/v1/inference-rules/vegetarian", rule).status_code < 300
    consent = {"categoryPreferences": dict.fromkeys(PURPOSES, True)}
    traits = {"email": "hana@example.com", "firstName": "Hana"}
    api.post(
        "/v1/identify", {"userId": "u1", "messageId": "m0", "traits": traits, "context": {"consent": consent}}
    )
    for number, item_id in enumerate(ITEMS):
        lines = [{"item_id": item_id, "quantity": 1, "price": 100}]
        order = {
            "customer_id": "u1",
            "placed_at": to_text(clock.now()),
            "currency": "JPY",
            "total": 100,
            "lines": lines,
        }
        assert api.put(f"/v1/orders/o{number}", order).status_code == 201
        view = {
            "userId": "u1",
            "messageId": f"v{number}",
            "event": "Product Viewed",
            "properties": {"product_id": item_id},
        }
        api.post("/v1/track", view)
    circuit.settle()


def _switch(api: Any, purpose: str) -> None:
    """Flip a purpose by the very request that the page names."""
    page = api.get("/v1/me/explanation", ME("u1")).json_body
    [found] = [each["switch"] for each in page["purposes"] if each["purpose"] == purpose]
    assert api.request(found["method"], found["path"], found["body"], ME("u1")).status_code == 200


def test_f5_withdrawn_personalization_is_used_by_nothing(api: Any, circuit: Circuit, figure: Any) -> None:
    _hana(api, circuit)
    before = api.get("/v1/me/explanation", ME("u1")).json_body
    personal = _personal(api)

    _switch(api, "personalization")
    after = api.get("/v1/me/explanation", ME("u1")).json_body
    uses = _personal(api)
    profile = api.get("/v1/customers/u1").json_body

    assert personal > 0
    assert before["interests"]["categories"], "there was something to withdraw"
    assert [(each["name"], each["value"], len(each["evidence"])) for each in before["inferred"]] == [
        ("diet", "vegetarian", len(ITEMS))
    ]
    assert uses == 0
    assert after["inferred"] == []
    assert profile["inferred_traits"] == {}
    assert after["interests"]["categories"] == after["interests"]["brands"] == []
    assert _purpose(after, "personalization") == ("withdrawn", False)
    figure(
        f"F5  personalization withdrawn: {personal} personal reasons before, {uses} after; nothing inferred"
    )


def test_every_time_on_the_page_has_milliseconds(api: Any, circuit: Circuit) -> None:
    _hana(api, circuit)
    spent = {"event": "Order Completed", "aggregate": "sum", "property": "total", "within": "P30D"}
    assert api.put("/v1/computed-traits/spent", spent).status_code == 200

    page = api.get("/v1/me/explanation", ME("u1")).json_body
    times = [page["computed"]["spent"]["since"]]
    times += [each["at"] for each in page["inferred"][0]["evidence"]]
    times += [each["last_at"] for each in page["interests"]["categories"]]
    times += [each["since"] for each in page["declared"]]

    assert len(times) > len(ITEMS)
    assert [each for each in times if not TIME.fullmatch(each)] == []


def test_f5_withdrawn_mail_is_not_sent(api: Any, circuit: Circuit, figure: Any) -> None:
    from datetime import timedelta

    _hana(api, circuit)
    post = Post()
    _switch(api, "email_marketing")
    circuit.travel(clock.now() + timedelta(days=1, hours=1))
    circuit.tick("campaigns_tick")
    circuit.settle()

    assert post.asked == []
    [withheld] = [
        each
        for each in api.get("/v1/customers/u1/messages").json_body["data"]
        if each["template"] == "welcome"
    ]
    assert (withheld["status"], withheld["reason"]) == ("withheld", "no_consent")
    figure("F5  e-mail withdrawn between planning and sending: 0 mails, 1 record that says why")


def test_the_page_says_what_is_known_in_both_languages(api: Any, circuit: Circuit) -> None:
    _hana(api, circuit)
    pages = {
        language: api.get("/v1/me/explanation", ME("u1"), **{"Accept-Language": language}).json_body
        for language in ("en", "ja")
    }

    for language, page in pages.items():
        assert page["language"] == language
        assert [each["purpose"] for each in page["purposes"]] == list(PURPOSES)
        assert {each["name"]: each["value"] for each in page["declared"]}["firstName"] == "Hana"
        assert page["linked_devices"] == 0
    assert not set(_words(pages["en"])) & set(_words(pages["ja"])), "every sentence is said in its language"


def test_every_text_is_there_in_both_languages() -> None:
    tables = [texts.TITLE, texts.INTRODUCTION, texts.OTHER_SOURCE, texts.INFERRED, texts.RIGHTS]
    tables += [*texts.PURPOSES.values(), *texts.SOURCES.values(), *texts.DEVICES.values()]

    assert set(texts.PURPOSES) == set(PURPOSES)
    assert all(set(table) == {"en", "ja"} for table in tables)


def test_every_switch_flips_its_purpose_and_back(api: Any) -> None:
    for purpose in PURPOSES:
        start = _purpose(api.get("/v1/me/explanation", ME("u9")).json_body, purpose)
        _switch_of(api, purpose)
        flipped = _purpose(api.get("/v1/me/explanation", ME("u9")).json_body, purpose)
        _switch_of(api, purpose)
        back = _purpose(api.get("/v1/me/explanation", ME("u9")).json_body, purpose)

        assert (start[0], flipped[1], back[1]) == ("not_asked", not start[1], start[1]), purpose


def test_sensitive_categories_are_a_setting(api: Any) -> None:
    default = api.get("/v1/settings/sensitive-categories").json_body["categories"]
    answer = api.put("/v1/settings/sensitive-categories", {"categories": ["health", "diet", "health"]})

    assert default == ["health", "religion", "pregnancy", "sexuality", "politics", "finances"]
    assert answer.json_body == {"categories": ["health", "diet"]}
    assert api.get("/v1/settings/sensitive-categories").json_body == answer.json_body
    assert api.put("/v1/settings/sensitive-categories", {"categories": ["Health #1"]}).status_code == 400


def _switch_of(api: Any, purpose: str) -> None:
    page = api.get("/v1/me/explanation", ME("u9")).json_body
    [found] = [each["switch"] for each in page["purposes"] if each["purpose"] == purpose]
    assert api.request(found["method"], found["path"], found["body"], ME("u9")).status_code == 200


def _purpose(page: dict[str, Any], purpose: str) -> tuple[str, bool]:
    [found] = [each for each in page["purposes"] if each["purpose"] == purpose]
    return found["status"], found["in_use"]


def _personal(api: Any) -> int:
    """How many recommended items are there for a reason that is about her."""
    items = api.get("/v1/recommendations/for_you?customer_id=u1&limit=20").json_body["items"]
    again = api.get("/v1/recommendations/buy_again?customer_id=u1&limit=20").json_body["items"]
    return sum(each["reason"]["code"] not in ("popular", "newest") for each in [*items, *again])


def _words(page: dict[str, Any]) -> list[str]:
    purposes = [text for each in page["purposes"] for text in (each["title"], each["text"])]
    return [page["title"], page["introduction"], page["linked_devices_text"], *page["rights"], *purposes]
