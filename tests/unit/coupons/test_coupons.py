"""A coupon is good for one customer, one order, its days and what it is for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.coupons import reads, rules, store
from chalicelib.coupons.model import Coupon, CouponTerms
from chalicelib.shared import clock, codes
from chalicelib.shared.dynamo import TransactionRefused, transact

TERMS = CouponTerms("A gift", "贈り物", 30, amount=500, currency="JPY")


def issue(code: str = "7KQ2M8RT4WZX1B9D", who: str = "u1", **more: Any) -> Coupon:
    now = clock.now()
    coupon = Coupon(code, who, TERMS, now, now + timedelta(days=30), **more)
    transact(store.issuing(coupon))
    return coupon


def redeem(api: Any, coupon: Coupon, order: str = "o1", **more: Any) -> Any:
    return api.post(f"/v1/coupons/{coupon.code}/redeem", {"customer_id": "u1", "order_id": order} | more)


def test_what_is_stored_comes_back(api: Any) -> None:
    now = clock.now()
    full = issue(
        origin="gift", cause="birthday:2026", item_ids=("a", "b"), category="food", valid_from=now,
    )  # fmt: skip
    plain = issue("0" * 16)

    assert store.coupon(full.code) == full
    assert store.coupons([plain.code, "Z" * 16]) == [plain]
    assert {each.code for each in reads.newest(["u1", "u2"])} == {full.code, plain.code}


def test_a_code_is_issued_once(api: Any) -> None:
    issue()
    with pytest.raises(TransactionRefused):
        issue(who="u2")
    assert reads.newest(["u2"]) == []


def test_before_its_first_day_it_cannot_be_used(api: Any) -> None:
    coupon = issue(valid_from=clock.now() + timedelta(days=2))
    early = redeem(api, coupon)
    assert (early.status_code, early.json_body["type"]) == (409, "/problems/coupon-too-early")
    assert not coupon.is_open(clock.now())

    clock.travel(timedelta(days=2))
    assert redeem(api, coupon).json_body["status"] == "redeemed"


def test_it_is_for_its_items_or_its_category(api: Any) -> None:
    api.put("/v1/items/tea", {"kind": "product", "title": "Tea", "categories": ["food/tea"]})
    for_items = issue(item_ids=("milk",))
    for_food = issue("1" * 16, category="food")

    for coupon in (for_items, for_food):
        refused = redeem(api, coupon, item_ids=["lamp"])
        assert refused.json_body["type"] == "/problems/coupon-for-other-items"
    assert refused.json_body["category"] == "food"
    assert redeem(api, for_items, item_ids=["lamp", "milk"]).status_code == 200
    assert redeem(api, for_food, item_ids=["tea"]).status_code == 200
    assert rules.is_for(for_food, ["x"], {"x": ["foodless"]}) is False


def test_it_can_be_read_in_both_languages(api: Any) -> None:
    issue()
    told = api.get("/v1/customers/u1/coupons", **{"Accept-Language": "ja"}).json_body["data"][0]
    assert (told["title"], told["amount"]) == ("贈り物", {"amount": 500, "currency": "JPY"})
    assert (told["origin"], told["item_ids"], told["category"]) == ("questions", [], None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"order_id": "o1"}, "customer_id"),
        ({"customer_id": "u1", "order_id": "o/1"}, "order_id"),
        ({"customer_id": "u1", "order_id": "o1", "item_ids": []}, "item_ids"),
        ({"customer_id": "u1", "order_id": "o1", "amount": 1}, "amount"),
    ],
)
def test_wrong_input_is_refused_and_the_coupon_stays_good(api: Any, body: Any, field: str) -> None:
    coupon = issue()
    refused = api.post(f"/v1/coupons/{coupon.code}/redeem", body)
    assert (refused.status_code, refused.json_body["errors"][0]["field"]) == (400, field)
    assert redeem(api, coupon).status_code == 200


def test_erased_and_exported_with_their_customer(api: Any) -> None:
    from chalicelib.coupons import service

    mine, hers = issue(item_ids=("milk",)), issue("1" * 16, who="u2")
    [told] = reads.export_of(["u1"], [])["coupons"]
    assert (told["code"], told["item_ids"], told["amount"]) == (mine.code, ["milk"], 500)

    assert service.erase(["u1"], [], now=clock.now()) == {"coupons.coupons": 1}
    assert service.erase(["u1"], [], now=clock.now()) == {"coupons.coupons": 0}
    assert store.coupon(mine.code) is None
    assert store.coupon(hers.code) == hers


def test_codes_are_random_and_read_as_people_type_them() -> None:
    made = {codes.new(8) for _ in range(500)}
    assert len(made) == 500
    assert all(codes.read(f"{each[:4]} {each[4:]}".lower()) == each for each in made)
    assert codes.read("oil-0") == "0110"
