"""Traits through the app's door: definitions, what follows for a customer, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.budget import metered
from chalicelib.customers import reads as customers
from chalicelib.shared import clock
from chalicelib.traits import answers, gathering, reads, service
from chalicelib.traits.model import Known

VEGETARIAN = {
    "trait": "diet",
    "value": "vegetarian",
    "among": {"categories": ["grocery"]},
    "support": {"orders_at_least": 8, "no_item_of": ["meat", "fish"]},
}
SPENT = {"event": "Order Completed", "aggregate": "sum", "property": "total", "within": "P30D"}
CATALOGUE = {
    "tofu": {"title": "Tofu", "categories": ["grocery/soy"], "brand": "Shiro"},
    "beef": {"title": "Beef", "categories": ["meat/beef"]},
    "tale": {"title": "A tale", "kind": "content", "categories": ["reading"], "attributes": {"topics": ["cooking"]}},
    "test": {"title": "A test", "categories": ["health/tests"], "brand": "Medi"},
}  # fmt: skip


@pytest.fixture
def shop(api: Any) -> Any:
    """A shop with some items, and 花子 in it."""
    for item_id, item in CATALOGUE.items():
        assert api.put(f"/v1/items/{item_id}", item).status_code == 201
    identify(api, "hana", {"personalization": True})
    return api


def identify(api: Any, customer_id: str, consents: dict[str, bool], **more: Any) -> None:
    context = {"consent": {"categoryPreferences": consents}}
    told(api, "identify", userId=customer_id, traits={"firstName": customer_id}, context=context, **more)


def told(api: Any, kind: str, **event: Any) -> None:
    answer = api.post(f"/v1/{kind}", event)
    assert answer.status_code == 200, answer.body


def order(
    api: Any, order_id: str, *item_ids: str, customer_id: str = "hana", days: float = 1, **more: Any
) -> None:
    body = {
        "customer_id": customer_id,
        "placed_at": clock.to_text(clock.now() - timedelta(days=days)),
        "currency": "JPY",
        "total": 1000,
        "lines": [{"item_id": item_id, "quantity": 1, "price": 1000} for item_id in item_ids],
    }
    answer = api.put(f"/v1/orders/{order_id}", body | more)
    assert answer.status_code == 201, answer.body


def define(api: Any, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.put(f"/v1/{path}", body)
    assert answer.status_code == 200, answer.body
    defined: dict[str, Any] = answer.json_body
    return defined


def traits(api: Any, customer_id: str = "hana") -> dict[str, Any]:
    answer = api.get(f"/v1/customers/{customer_id}/traits")
    assert answer.status_code == 200, answer.body
    body: dict[str, Any] = answer.json_body
    return body


def test_a_computed_trait_is_there_at_once_and_its_window_ends_by_itself(shop: Any) -> None:
    order(shop, "o1", "tofu", days=29)
    order(shop, "o2", "tofu", days=1)
    defined = define(shop, "computed-traits/spent", SPENT)

    assert shop.get("/v1/computed-traits/spent").json_body == defined
    assert shop.get("/v1/computed-traits").json_body == {"data": [defined]}
    assert traits(shop)["computed_traits"]["spent"]["value"] == {"JPY": 2000}
    assert traits(shop)["computed_traits"]["spent"]["facts"] == 2
    clock.travel(timedelta(days=1))
    spent = traits(shop)["computed_traits"]["spent"]
    assert (spent["value"], spent["facts"], spent["complete"]) == ({"JPY": 1000}, 1, True)
    assert shop.delete("/v1/computed-traits/spent").status_code == 204
    assert shop.delete("/v1/computed-traits/spent").status_code == 204
    assert traits(shop)["computed_traits"] == {}
    assert shop.get("/v1/computed-traits/spent").status_code == 404


def test_events_of_every_linked_id_count_by_whichever_name(shop: Any) -> None:
    told(shop, "track", anonymousId="a1", event="view_item", properties={"items": [{"item_id": "tofu"}]})
    told(shop, "track", userId="hana", event="Product Viewed", properties={"product_id": "beef"})
    define(shop, "computed-traits/looks", {"event": "view_item", "aggregate": "count"})
    define(shop, "computed-traits/sure", {"event": "view", "aggregate": "count", "trusted_only": True})
    assert traits(shop)["computed_traits"]["looks"]["value"] == 1

    told(shop, "identify", userId="hana", anonymousId="a1")
    told(shop, "track", anonymousId="a1", event="Product Viewed", properties={"product_id": "tale"})
    seen = shop.post(
        "/v1/track", {"anonymousId": "a1", "event": "Product Viewed", "properties": {"product_id": "tofu"}},
        {"X-Api-Key": "pk_test_local"},
    )  # fmt: skip

    assert seen.status_code == 200
    assert traits(shop)["computed_traits"]["looks"]["value"] == 4
    assert traits(shop)["computed_traits"]["sure"]["value"] == 3


def test_the_vegetarian(shop: Any) -> None:
    define(shop, "inference-rules/vegetarian", VEGETARIAN)
    for number in range(8):
        assert traits(shop)["inferred_traits"] == {}
        order(shop, f"o{number}", "tofu", days=8 - number)
    order(shop, "t1", "beef", customer_id="tanaka")

    diet = traits(shop)["inferred_traits"]["diet"]
    assert (diet["value"], diet["rule_id"]) == ("vegetarian", "vegetarian")
    assert [each["order_id"] for each in diet["evidence"]] == [f"o{number}" for number in range(7, -1, -1)]
    assert diet["evidence"][0]["item_ids"] == ["tofu"]
    assert traits(shop, "tanaka")["inferred_traits"] == {}

    order(shop, "present", "beef", gift=True)
    after = traits(shop)["inferred_traits"]["diet"]
    assert after["value"] == "vegetarian"
    assert 0.5 < after["confidence"] < diet["confidence"]
    assert [(each["order_id"], each["gift"]) for each in after["counter_evidence"]] == [("present", True)]

    identify(shop, "hana", {"personalization": False})
    withdrawn = traits(shop)
    assert withdrawn["inferred_traits"] == {}
    assert [each["outcome"] for each in withdrawn["rules"]] == ["personalization_withdrawn"]
    assert withdrawn["interests"]["categories"] == []


def test_a_profile_shows_it_with_the_newest_evidence(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "EVIDENCE_SHOWN", 3)
    define(shop, "inference-rules/vegetarian", VEGETARIAN)
    define(shop, "computed-traits/spent", SPENT)
    for number in range(8):
        order(shop, f"o{number}", "tofu", days=8 - number)
    profile = shop.get("/v1/customers/hana").json_body
    everything = traits(shop)

    assert profile["computed_traits"] == {"spent": {"value": {"JPY": 8000}, "complete": True}}
    assert profile["interests"]["brands"][0]["name"] == "Shiro"
    assert len(everything["inferred_traits"]["diet"]["evidence"]) == 8
    shortened = everything["inferred_traits"]["diet"]["evidence"][:3]
    assert profile["inferred_traits"] == {
        "diet": everything["inferred_traits"]["diet"] | {"evidence": shortened}
    }


def test_facts_of_all_ids_of_a_person_count(shop: Any) -> None:
    define(shop, "computed-traits/orders", {"event": "order", "aggregate": "count"})
    define(shop, "computed-traits/views", {"event": "view", "aggregate": "count"})
    for customer_id in ("hana", "hanako"):
        order(shop, f"o-{customer_id}", "tofu", customer_id=customer_id)
        told(shop, "track", userId=customer_id, event="Product Viewed", properties={"product_id": "tofu"})
    hana = customers.person("hana")
    assert hana is not None
    both = reads.of(replace(hana, customer_ids=("hana", "hanako")))

    assert {name: each.value for name, each in both.computed.items()} == {"orders": 2, "views": 2}
    assert reads.of(replace(hana, erased=True)) == Known()


def test_no_decision_rests_on_anything_once_personalization_is_withdrawn(shop: Any) -> None:
    define(shop, "inference-rules/vegetarian", VEGETARIAN | {"minimum_confidence": 0})
    define(shop, "computed-traits/orders", {"event": "order", "aggregate": "count"})
    for number in range(8):
        order(shop, f"o{number}", "tofu")
    hana = customers.person("hana")
    assert hana is not None
    allowed = reads.of(hana)
    assert (allowed.computed["orders"].value, allowed.inferred["diet"].value) == (8, "vegetarian")
    assert allowed.interests.brands

    identify(shop, "hana", {"personalization": False})
    hana = customers.person("hana")
    assert hana is not None
    assert reads.of(hana) == Known()
    profile = shop.get("/v1/customers/hana").json_body
    assert profile["computed_traits"] == {"orders": {"value": 8, "complete": True}}, "the shop's own books"
    assert (profile["inferred_traits"], profile["interests"]["brands"]) == ({}, [])


def test_an_order_told_by_an_event_counts_before_its_record_is_there(shop: Any) -> None:
    rule = VEGETARIAN | {"support": {"at_least": 1, "item_of": ["grocery"]}, "minimum_confidence": 0}
    define(shop, "inference-rules/cook", rule)
    products = [{"product_id": "tofu", "price": 100}, {"product_id": "beef", "price": 100, "gift": True}]
    bought = {"order_id": "told", "currency": "JPY", "total": 200, "products": products}
    told(shop, "track", userId="hana", event="Order Completed", properties=bought)
    assert [each["order_id"] for each in traits(shop)["inferred_traits"]["diet"]["evidence"]] == ["told"]

    told(shop, "track", userId="hana", event="Order Cancelled", properties={"order_id": "told"})
    assert traits(shop)["inferred_traits"] == {}


def test_a_sensitive_rule_waits_for_its_own_consent(shop: Any) -> None:
    rule = {
        "trait": "condition", "value": "diabetes", "support": {"item_of": ["health/tests"], "at_least": 1},
        "minimum_confidence": 0, "sensitive_category": "health",
    }  # fmt: skip
    define(shop, "inference-rules/condition", rule)
    define(
        shop,
        "computed-traits/tests",
        {"event": "order", "aggregate": "count", "filter": {"category": "health"}},
    )
    define(shop, "computed-traits/kinds", {"event": "order", "aggregate": "last", "property": "category"})
    order(shop, "o1", "test")

    before = traits(shop)
    assert before["inferred_traits"] == {}
    assert before["rules"][0]["outcome"] == "no_consent_to_sensitive_profiling"
    assert before["rules"][0]["found"] is None
    assert before["computed_traits"].keys() == {"kinds"}
    assert before["computed_traits"]["kinds"]["value"] is None
    assert before["interests"]["categories"] == before["interests"]["brands"] == []

    identify(shop, "hana", {"sensitive_profiling": True})
    after = traits(shop)
    assert after["inferred_traits"]["condition"]["value"] == "diabetes"
    assert after["inferred_traits"]["condition"]["sensitive_category"] == "health"
    assert after["computed_traits"]["tests"]["value"] == 1
    assert after["interests"]["categories"][0]["name"] == "health/tests"


def test_interests_fade_as_the_shop_says(shop: Any) -> None:
    ago = clock.to_text(clock.now() - timedelta(days=10))
    looked: dict[str, Any] = {"userId": "hana", "event": "Product Viewed"}
    told(shop, "track", **looked, properties={"product_id": "tofu"}, timestamp=ago)
    told(shop, "track", **looked, properties={"product_id": "tale", "duration_seconds": 30})
    assert shop.get("/v1/settings/interests").json_body == {"half_life_days": 30}
    slow = traits(shop)["interests"]
    define(shop, "settings/interests", {"half_life_days": 10})
    fast = traits(shop)["interests"]

    assert [each["name"] for each in slow["topics"]] == ["cooking", "reading"]
    assert slow["topics"][0]["based_on"] == {"seconds": 30, "views": 1}
    assert slow["brands"][0]["weight"] == pytest.approx(2 ** (-1 / 3), abs=0.001)
    assert fast["brands"][0]["weight"] == pytest.approx(0.5, abs=0.001)
    assert fast["half_life_days"] == 10


def test_a_rule_can_be_tried_before_it_is_in_force(shop: Any) -> None:
    order(shop, "o1", "tofu")
    order(shop, "o2", "beef")
    tried = shop.post("/v1/inference-rules/preview", {"rule": VEGETARIAN, "customer_id": "hana"})

    assert tried.status_code == 200, tried.body
    assert tried.json_body["outcome"] == "too_few_orders"
    assert [each["order_id"] for each in tried.json_body["found"]["evidence"]] == ["o1"]
    assert [each["order_id"] for each in tried.json_body["found"]["counter_evidence"]] == ["o2"]
    assert shop.get("/v1/inference-rules").json_body == {"data": []}
    nobody = shop.post("/v1/inference-rules/preview", {"rule": VEGETARIAN, "customer_id": "nobody"})
    assert nobody.status_code == 404


def test_somebody_with_orders_only_and_somebody_nobody_knows(shop: Any) -> None:
    define(shop, "computed-traits/orders", {"event": "order", "aggregate": "count"})
    order(shop, "o1", "tofu", customer_id="bare")

    assert traits(shop, "bare")["computed_traits"]["orders"]["value"] == 1
    assert shop.get("/v1/customers/nobody/traits").status_code == 404


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"aggregate": "median"}, "aggregate"),
        ({"event": ""}, "event"),
        ({"event": None}, "event"),
        ({"property": None}, "property"),
        ({"property": "price"}, "property"),
        ({"property": "properties"}, "property"),
        ({"property": "properties..a"}, "property"),
        ({"property": "properties" + ".a" * 6}, "property"),
        ({"property": "properties." + "a" * 101}, "property"),
        ({"property": "category"}, "property"),
        ({"aggregate": "count"}, "property"),
        ({"event": "view"}, "property"),
        ({"aggregate": "distinct"}, "aggregate"),
        ({"within": "30 days"}, "within"),
        ({"within": "P0D"}, "within"),
        ({"within": 30}, "within"),
        ({"filter": {"category": "a//b"}}, "filter.category"),
        ({"filter": {"channel": "Web Shop"}}, "filter.channel"),
        ({"filter": {"brand": "x"}}, "filter.brand"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_computed_trait_is_refused_by_its_field(
    api: Any, changed: dict[str, Any], field: str
) -> None:
    refused(api.put("/v1/computed-traits/spent", SPENT | changed), field)
    assert api.get("/v1/computed-traits").json_body == {"data": []}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"trait": "a#b"}, "trait"),
        *(({"trait": name}, "trait") for name in ("email", "name", "phone", "firstName", "Email", "card")),
        ({"value": ["x"]}, "value"),
        ({"value": None}, "value"),
        ({"value": ""}, "value"),
        ({"value": "a\nb"}, "value"),
        ({"value": 1.5}, "value"),
        ({"value": 10**16}, "value"),
        ({"among": {"categories": ["a/"]}}, "among.categories.0"),
        ({"among": {"categories": ["a"] * 21}}, "among.categories"),
        ({"support": {}}, "support.no_item_of"),
        ({"support": {"orders_at_least": 0, "no_item_of": ["a"]}}, "support.orders_at_least"),
        ({"support": {"orders_at_least": 201, "no_item_of": ["a"]}}, "support.orders_at_least"),
        ({"support": {"at_least": 2, "no_item_of": ["a"]}}, "support.at_least"),
        ({"support": {"item_of": ["a"], "no_item_of": ["b", "a"]}}, "support.item_of"),
        ({"support": {"no_item_of": ["a"], "all": [{"support": {}}]}}, "support.all"),
        ({"within": "P1Z"}, "within"),
        ({"minimum_confidence": 1.1}, "minimum_confidence"),
        ({"minimum_confidence": "0.5"}, "minimum_confidence"),
        ({"sensitive_category": "helth"}, "sensitive_category"),
        ({"sensitive_category": "Health!"}, "sensitive_category"),
    ],
)
def test_a_wrong_rule_is_refused_by_its_field(shop: Any, changed: dict[str, Any], field: str) -> None:
    rule = VEGETARIAN | changed

    refused(shop.put("/v1/inference-rules/r", rule), field)
    refused(shop.post("/v1/inference-rules/preview", {"rule": rule, "customer_id": "hana"}), f"rule.{field}")
    assert shop.get("/v1/inference-rules").json_body == {"data": []}


def refused(answer: Any, field: str) -> None:
    assert answer.status_code == 400, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert field in [each["field"] for each in answer.json_body["errors"]]


@pytest.mark.parametrize(("kind", "body"), [("computed-traits", SPENT), ("inference-rules", VEGETARIAN)])
def test_a_shop_has_so_many_definitions_and_no_more(
    api: Any, monkeypatch: pytest.MonkeyPatch, kind: str, body: dict[str, Any]
) -> None:
    monkeypatch.setattr(service, "DEFINITIONS_MAX", 2)
    define(api, f"{kind}/a", body)
    define(api, f"{kind}/b", body)
    define(api, f"{kind}/a", body)
    full = api.put(f"/v1/{kind}/c", body)

    assert full.status_code == 409
    assert full.json_body["type"] == "/problems/too-many-definitions"
    assert len(api.get(f"/v1/{kind}").json_body["data"]) == 2


def test_a_limit_that_was_hit_is_told(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "ORDERS_READ", 2)
    define(shop, "computed-traits/all", {"event": "order", "aggregate": "count"})
    define(shop, "computed-traits/week", {"event": "order", "aggregate": "count", "within": "P1W"})
    for number in range(3):
        order(shop, f"o{number}", "tofu", days=5 * number + 1)

    computed = traits(shop)["computed_traits"]
    assert (computed["all"]["value"], computed["all"]["complete"]) == (2, False)
    assert (computed["week"]["value"], computed["week"]["complete"]) == (2, False)
    monkeypatch.setattr(gathering, "ORDERS_READ", 3)
    computed = traits(shop)["computed_traits"]
    assert (computed["all"]["value"], computed["all"]["complete"]) == (3, False)
    assert (computed["week"]["value"], computed["week"]["complete"]) == (2, True)


def test_what_it_costs(shop: Any) -> None:
    define(shop, "inference-rules/vegetarian", VEGETARIAN)
    order(shop, "o1", "tofu", "beef")
    told(shop, "track", userId="hana", event="Product Viewed", properties={"product_id": "tale"})
    with metered() as meter:
        traits(shop)

    # At once: the person and whether they were erased; the sensitive categories; orders, two timelines, definitions.
    # Then the items.
    assert sorted(meter.calls) == ["BatchGetItem"] * 3 + ["Query"] * 4
    assert (meter.rounds.now, meter.read_units, meter.write_units) == (2, 8.5, 0)
