"""What keeps items from people they are not made for, and what brings them back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.catalog.reads import CatalogItem
from chalicelib.recommendations.audience import Audience, Shopper, age_of, avoided, lifting, shopper
from chalicelib.recommendations.merchandising import AudienceSettings, TraitFilter
from chalicelib.recommendations.model import Basket, History
from tests.support.faults import FaultyWire
from tests.support.recommender import Recommender
from tests.support.waves import Rounds

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MENS, KIDS, STUDENT, BAG = "mens-shirt", "kids-shoe", "student-dress", "bag"
ALL = {MENS, KIDS, STUDENT, BAG}
VEGETARIAN = {
    "trait": "diet",
    "value": "vegetarian",
    "among": {"categories": ["grocery"]},
    "support": {"orders_at_least": 4, "no_item_of": ["grocery/meat"]},
}


def item(item_id: str = "x", categories: tuple[str, ...] = (), **audience: Any) -> CatalogItem:
    return CatalogItem(
        item_id,
        "product",
        item_id,
        None,
        None,
        None,
        categories,
        None,
        None,
        None,
        True,
        False,
        "",
        NOW,
        NOW,
        audience,
    )


@pytest.fixture
def clothes(api: Any) -> Recommender:
    shop = Recommender(api)
    shop.item(BAG)
    shop.item(STUDENT, audience={"genders": ["female"], "age_min": 18, "age_max": 25})
    shop.item(KIDS, audience={"age_max": 12})
    shop.item(MENS, audience={"genders": ["male"]})
    return shop


@pytest.fixture
def grocer(api: Any) -> Recommender:
    shop = Recommender(api)
    for item_id, path in (
        ("tofu", "soy"),
        ("rice", "rice"),
        ("beef", "meat/beef"),
        ("ham", "meat"),
        ("cod", "fish"),
    ):
        shop.item(item_id, categories=[f"grocery/{path}"])
    assert api.put("/v1/inference-rules/vegetarian", VEGETARIAN).status_code == 200
    filters = [{"trait": "diet", "value": "vegetarian", "categories": ["grocery/meat", "grocery/fish"]}]
    assert api.put("/v1/settings/audience", {"traits": filters}).json_body["traits"] == filters
    for number in range(8):
        shop.order(f"o{number}", "hanako", "tofu", "rice", days_ago=number)
    return shop


def identify(shop: Recommender, customer_id: str, **traits: Any) -> None:
    body = {"messageId": f"i-{customer_id}-{len(traits)}", "userId": customer_id, "traits": traits}
    assert shop.api.post("/v1/identify", body).json_body["accepted"] == 1


def test_a_woman_of_22_is_shown_what_is_made_for_her_first(clothes: Recommender) -> None:
    identify(clothes, "misaki", gender="female", birthday="2004-05-02")

    assert clothes.ids("for_you", customer_id="misaki") == [STUDENT, BAG]
    assert set(clothes.ids("for_you")) == set(clothes.ids("for_you", anonymous_id="a1")) == ALL
    assert set(clothes.ids("for_you", customer_id="nobody")) == ALL


def test_what_she_bought_for_herself_brings_back_its_like(clothes: Recommender) -> None:
    identify(clothes, "misaki", gender="female", birthday="2004-05-02")
    clothes.item("kids-hat", audience={"age_min": 3, "age_max": 9})
    clothes.completed("o1", KIDS, userId="misaki")

    assert set(clothes.ids("for_you", customer_id="misaki", limit=100)) == {KIDS, "kids-hat", STUDENT, BAG}


def test_a_gift_says_nothing_of_her(clothes: Recommender) -> None:
    identify(clothes, "misaki", gender="female")
    order = {
        "customer_id": "misaki",
        "placed_at": "2026-11-01T09:00:00Z",
        "currency": "JPY",
        "total": 100,
        "lines": [{"item_id": MENS, "quantity": 1, "price": 100, "gift": True}],
    }
    assert clothes.api.put("/v1/orders/o1", order).status_code == 201

    assert MENS not in clothes.ids("for_you", customer_id="misaki", limit=100)
    clothes.order("o2", "misaki", MENS)
    assert MENS in clothes.ids("for_you", customer_id="misaki", limit=100)


def test_the_shop_may_leave_it_alone(clothes: Recommender) -> None:
    identify(clothes, "misaki", gender="female", birthday="2004-05-02")
    settings = clothes.api.get("/v1/settings/audience").json_body
    assert settings == {"genders": True, "ages": True, "age_percent": 150, "traits": []}

    for sent, shown in (
        ({"genders": False}, ALL - {KIDS}),
        ({"ages": False}, ALL - {MENS}),
        ({"genders": False, "ages": False}, ALL),
    ):
        assert clothes.api.put("/v1/settings/audience", sent).status_code == 200
        assert set(clothes.ids("for_you", customer_id="misaki")) == shown


def test_who_withdrew_consent_is_judged_by_nothing(clothes: Recommender) -> None:
    identify(clothes, "misaki", gender="female", birthday="2004-05-02")
    clothes.withdraw("misaki")

    assert set(clothes.ids("for_you", customer_id="misaki")) == ALL


def test_a_visitors_id_does_not_tell_what_its_customer_is(clothes: Recommender) -> None:
    body = {"messageId": "i", "userId": "misaki", "anonymousId": "a1", "traits": {"gender": "female"}}
    clothes.api.post("/v1/identify", body)

    assert set(clothes.ids("for_you", anonymous_id="a1")) == ALL
    assert MENS not in clothes.ids("for_you", customer_id="misaki")


def test_an_inferred_trait_keeps_away_what_contradicts_it_and_is_never_named(grocer: Recommender) -> None:
    answer = grocer.ask("for_you", customer_id="hanako", limit=100)

    assert {each["item_id"] for each in answer["items"]} == {"tofu", "rice"}
    assert "vegetarian" not in str(answer)
    assert "diet" not in str(answer)
    assert {"beef", "ham", "cod"} <= set(grocer.ids("for_you", customer_id="tanaka", limit=100))
    for placement in ("trending", "similar", "buy_again", "popular_nearby"):
        assert not {"beef", "ham", "cod"} & set(grocer.ids(placement, customer_id="hanako", limit=100))


def test_a_withdrawal_counts_in_the_next_list(grocer: Recommender) -> None:
    assert "beef" not in grocer.ids("for_you", customer_id="hanako", limit=100)
    grocer.withdraw("hanako")

    assert "beef" in grocer.ids("for_you", customer_id="hanako", limit=100)


def test_what_is_said_outweighs_what_is_inferred(grocer: Recommender) -> None:
    identify(grocer, "hanako", diet="everything")
    assert "beef" in grocer.ids("for_you", customer_id="hanako", limit=100)
    identify(grocer, "tanaka", diet="Vegetarian", since=1)
    assert not {"beef", "cod"} & set(grocer.ids("for_you", customer_id="tanaka", limit=100))


def test_beef_that_a_vegetarian_buys_brings_back_meat_and_no_fish(grocer: Recommender) -> None:
    grocer.order("beef", "hanako", "beef")

    assert set(grocer.ids("for_you", customer_id="hanako", limit=100)) == {"tofu", "rice", "beef", "ham"}


def test_no_pin_overrules_for_whom_it_is_made(grocer: Recommender) -> None:
    rule = {"action": "pin", "items": {"item_ids": ["ham"]}, "placements": ["for_you"], "position": 1}
    assert grocer.api.put("/v1/recommendation-rules/ham", rule).status_code == 200

    assert grocer.ids("for_you", customer_id="tanaka")[0] == "ham"
    assert "ham" not in grocer.ids("for_you", customer_id="hanako")


def test_what_it_takes_to_judge_is_read_beside_the_rest(grocer: Recommender, aws: Any) -> None:
    """In the second trip what was bought and the facts that traits follow from, in the third the items in those."""
    grocer.train()
    identify(grocer, "hanako", pet="dog")
    wire = FaultyWire(aws)
    wire.gate = rounds = Rounds(6, 7, 2)

    grocer.ask("for_you", customer_id="hanako", limit=2)

    assert rounds.is_over


@pytest.mark.parametrize(
    ("gender", "genders", "is_admitted"),
    [
        ("female", ["male"], False),
        ("Female", ["メンズ"], False),
        ("女性", ["men"], False),
        ("f", ["women", "men"], True),
        ("female", [], True),
        ("female", ["unisex"], True),
        ("female", ["male", "unisex"], True),
        ("nonbinary", ["male"], True),
        ("", ["male"], True),
        (None, ["male"], True),
        (7, ["male"], True),
    ],
)
def test_only_a_gender_that_is_known_keeps_anything_away(
    gender: Any, genders: list[str], is_admitted: bool
) -> None:
    who = shopper({"gender": gender}, AudienceSettings(), (), NOW)

    assert Audience(who).admits(item(genders=genders)) is is_admitted


@pytest.mark.parametrize(
    ("traits", "age"),
    [
        ({"birthday": "2004-11-22"}, 22),
        ({"birthday": "2004-11-23"}, 21),
        ({"birthday": "2004-02-29T00:00:00Z"}, 22),
        ({"birthday": "2004-11-22", "age": 40}, 22),
        ({"birthday": "--11-22", "age": 40}, 40),
        ({"birthday": 2004}, None),
        ({"birthday": "2030-01-01"}, None),
        ({"birthday": "1800-01-01"}, None),
        ({"age": True}, None),
        ({"age": "22"}, None),
        ({}, None),
    ],
)
def test_how_old_somebody_is(traits: dict[str, Any], age: int | None) -> None:
    assert age_of(traits, NOW) == age


@pytest.mark.parametrize(
    ("low", "high", "admitted", "factor"),
    [
        (None, None, True, 1.0),
        (22, 22, True, 1.5),
        (18, None, True, 1.5),
        (None, 25, True, 1.5),
        (23, None, False, 1.0),
        (None, 21, False, 1.0),
    ],
)
def test_what_is_made_for_an_age(low: int | None, high: int | None, admitted: bool, factor: float) -> None:
    audience = Audience(Shopper(age=22), age_percent=150)

    assert audience.admits(item(age_min=low, age_max=high)) is admitted
    assert audience.factor(item(age_min=low, age_max=high)) == factor
    assert Audience(Shopper(), age_percent=150).factor(item(age_min=low, age_max=high)) == 1.0


def test_a_purchase_lifts_what_it_is_like_and_nothing_else() -> None:
    bought = [item("toy", age_min=3, age_max=6), item("tie", genders=["male"])]
    audience = Audience(Shopper("female", 22, ("meat",)), bought)

    assert audience.admits(item(age_min=5, age_max=9))
    assert not audience.admits(item(age_min=7, age_max=9))
    assert audience.admits(item(genders=["men"], age_max=6))
    assert not audience.admits(item(genders=["men"], age_min=60))
    assert not audience.admits(item(categories=("meat/beef",)))
    assert audience.admits(item(categories=("meatless",)))
    assert audience.admits(item("tie", categories=("meat",)))


def test_the_newest_purchases_of_a_year_without_gifts_lift() -> None:
    old = Basket("o0", NOW - timedelta(days=366), ("old",))
    baskets = [
        Basket(f"o{number}", NOW - timedelta(days=number), (f"i{number}", "gift"), frozenset({"gift"}))
        for number in range(1, 30)
    ]

    assert lifting(History((*baskets, old)), NOW) == [f"i{number}" for number in range(1, 21)]
    assert lifting(History((old,)), NOW) == []


def test_a_trait_with_several_values_has_each() -> None:
    filters = [TraitFilter("diet", "Vegan", ("meat",)), TraitFilter("faith", "x", ("pork",))]

    assert avoided(filters, {"diet": ["halal", "vegan"], "faith": None}) == ["meat"]
    assert avoided(filters, {"diet": "vegetarian"}) == []


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"age_percent": 99}, "age_percent"),
        ({"genders": 1}, "genders"),
        ({"traits": [{"trait": "diet", "value": "vegan"}]}, "traits.0.categories"),
        ({"traits": [{"trait": "diet", "value": "vegan", "categories": []}]}, "traits.0.categories"),
        ({"diet": "vegan"}, "diet"),
    ],
)
def test_wrong_settings_name_the_field(api: Any, sent: dict[str, Any], field: str) -> None:
    refused = api.put("/v1/settings/audience", sent)

    assert refused.status_code == 400
    assert refused.json_body["errors"][0]["field"] == field
