"""The pet shop's form on a running shop: asked once on any channel, rewarded once, whoever sends it how often."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.shop import Shop

NAME = {
    "text": "What may we call you?",
    "text_ja": "お名前",
    "kind": "text",
    "trait": "name",
    "purpose": "To greet you.",
    "purpose_ja": "ご挨拶のため",
    "reward": {"points": 50},
    "answer_set": "pet-form",
    "priority": 900,
}
PET = {
    "text": "Which pet lives with you?",
    "text_ja": "ペット",
    "kind": "choice",
    "choices": [
        {"value": "犬", "label": "Dog", "label_ja": "犬"},
        {"value": "猫", "label": "Cat", "label_ja": "猫"},
    ],
    "trait": "pet",
    "purpose": "To show what fits.",
    "reward": {"points": 50},
    "answer_set": "pet-form",
    "priority": 800,
}
JANUARY = {"country": "JP", "region": "北海道", "now": "2027-01-15T00:00:00Z"}


@pytest.fixture
def form(shop: Shop) -> Shop:
    for question_id, body in (("pet-name", NAME), ("pet-kind", PET)):
        assert shop.put(f"/v1/profile-questions/{question_id}", body).status_code == 200
    return shop


def _ask(shop: Shop, headers: dict[str, str], **query: str) -> Any:
    answer = shop.get("/v1/profile-questions", headers, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _say(shop: Shop, headers: dict[str, str], **body: Any) -> Any:
    answer = shop.post("/v1/profile-answers", body, headers)
    while answer.status_code == 503:
        answer = shop.post("/v1/profile-answers", body, headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _points(shop: Shop, customer_id: str) -> int:
    return int(shop.get(f"/v1/customers/{customer_id}/loyalty").json()["active_points"])


def test_a_visitor_answers_twice_becomes_a_customer_and_is_rewarded_once(form: Shop) -> None:
    shop, pk = form, form.pk
    visitor, customer = uuid.uuid4().hex, uuid.uuid4().hex[:10]
    japanese = pk | {"Accept-Language": "ja"}

    first = _ask(shop, japanese, anonymous_id=visitor)
    assert (first["question"]["text"], first["question"]["reward"]) == ("お名前", {"points": 50})
    context = _ask(shop, shop.sk, anonymous_id=visitor, **JANUARY)["context"]
    assert context == {"country": "JP", "region": "北海道", "region_code": "JP-01", "season": "winter"}

    answers = {"pet-name": "コハル", "pet-kind": "犬"}
    said = _say(shop, pk, anonymous_id=visitor, answers=answers)
    assert (said["traits"]["greeting_name"], said["traits"]["pet"]) == ("コハル", "犬")
    assert [(each["points"], each["status"]) for each in said["granted"]] == [(50, "pending")]
    assert _ask(shop, pk, anonymous_id=visitor)["question"] is None

    event = {"userId": customer, "anonymousId": visitor, "messageId": uuid.uuid4().hex}
    assert shop.post("/v1/identify", event).status_code == 200
    token = shop.post("/v1/customer-tokens", {"customer_id": customer}).json()["token"]
    own = {"Authorization": f"Bearer {token}"}

    def again(number: int) -> Any:
        if number % 3 == 0:
            return _say(shop, pk, anonymous_id=visitor, answers=answers)
        if number % 3 == 1:
            return _say(shop, own, answers=answers)
        return _say(shop, shop.sk, customer_id=customer, answers=answers)

    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(again, range(12)))
    shop.idle()

    assert _points(shop, customer) == 50
    assert sum(len(each["granted"]) for each in outcomes) <= 1
    for headers, who in ((shop.sk, {"customer_id": customer}), (own, {}), (pk, {"anonymous_id": visitor})):
        assert _ask(shop, headers, **who)["question"] is None
    traits = shop.get(f"/v1/customers/{customer}").json()["traits"]
    assert {name: traits[name]["value"] for name in ("name", "greeting_name", "pet")} == {
        "name": "コハル",
        "greeting_name": "コハル",
        "pet": "犬",
    }
    entries = shop.get(f"/v1/customers/{customer}/timeline?kind=points").json()["data"]
    assert [each["details"]["points"] for each in entries] == [50]


def test_the_queue_alone_gives_a_visitor_what_they_earned(form: Shop) -> None:
    visitor, customer = uuid.uuid4().hex, uuid.uuid4().hex[:10]
    _say(form, form.pk, anonymous_id=visitor, answers={"pet-kind": "猫"})
    event = {"userId": customer, "anonymousId": visitor, "messageId": uuid.uuid4().hex}
    assert form.post("/v1/identify", event).status_code == 200
    form.idle()

    assert _points(form, customer) == 50
    assert form.get(f"/v1/customers/{customer}").json()["traits"]["pet"]["value"] == "猫"


def test_fifty_at_once_redeem_a_coupon_once(form: Shop) -> None:
    question = PET | {
        "trait": "gift",
        "answer_set": "gift",
        "reward": {"coupon": {"title": "Gift", "valid_days": 9}},
    }
    assert form.put("/v1/profile-questions/pet-gift", question).status_code == 200
    customer = uuid.uuid4().hex[:10]
    [granted] = _say(form, form.sk, customer_id=customer, answers={"pet-gift": "犬"})["granted"]
    path = f"/v1/coupons/{granted['coupon']['code']}/redeem"
    assert form.delete("/v1/profile-questions/pet-gift").status_code == 204

    def use(number: int) -> int:
        return form.post(path, {"customer_id": customer, "order_id": f"o{number}"}).status_code

    with ThreadPoolExecutor(10) as threads:
        statuses = list(threads.map(use, range(50)))
    assert sorted(set(statuses)) == [200, 409]
    assert statuses.count(200) == 1
