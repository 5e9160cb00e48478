"""Coupons and unlocked content: given once, used once, over when they are over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.support.circuit import Circuit
from tests.support.embedded import PUBLISHABLE

PET = {"text": "Which pet?", "kind": "text", "trait": "pet", "purpose": "To show what fits."}
COUPON = {"coupon": {"title": "10% off", "title_ja": "10%引き", "valid_days": 30, "percent": 10}}
CONTENT = {"content": {"item_id": "guide", "valid_hours": 48}}
GUIDE = {
    "kind": "content",
    "title": "A puppy's first week",
    "url": "https://shop.example.com/puppy.pdf",
    "hidden": True,
}


def coupon(api: Any, customer_id: str = "u1") -> dict[str, Any]:
    assert api.put("/v1/profile-questions/pet", PET | {"reward": COUPON}).status_code == 200
    answer = api.post("/v1/profile-answers", {"customer_id": customer_id, "answers": {"pet": "dog"}})
    [granted] = answer.json_body["granted"]
    found: dict[str, Any] = granted["coupon"]
    return found


def redeem(api: Any, code: str, order_id: str, customer_id: str = "u1") -> Any:
    return api.post(f"/v1/coupons/{code}/redeem", {"customer_id": customer_id, "order_id": order_id})


def test_a_coupon_is_issued_once_and_redeemed_for_one_order(api: Any) -> None:
    code = coupon(api)["code"]
    again = api.post("/v1/profile-answers", {"customer_id": "u1", "answers": {"pet": "cat"}}).json_body

    assert again["granted"] == []
    assert again["already_granted"][0]["coupon"]["code"] == code
    listed = api.get("/v1/customers/u1/coupons", **{"Accept-Language": "ja"}).json_body["data"]
    assert [(each["code"], each["title"], each["status"]) for each in listed] == [(code, "10%引き", "issued")]

    first = redeem(api, code, "o1")
    assert (first.status_code, first.json_body["status"], first.json_body["order_id"]) == (
        200,
        "redeemed",
        "o1",
    )
    assert redeem(api, code, "o1").body == first.body
    other = redeem(api, code, "o2")
    assert (other.status_code, other.json_body["type"]) == (409, "/problems/coupon-used")
    assert api.get(f"/v1/coupons/{code}").json_body == first.json_body


def test_a_code_is_long_random_and_read_as_people_type_it(api: Any) -> None:
    codes = {coupon(api, f"u{number}")["code"] for number in range(20)}

    assert len(codes) == 20
    assert {len(code) for code in codes} == {16}
    code = codes.pop()
    typed = "-".join(code[start : start + 4] for start in range(0, 16, 4)).lower().replace("1", "l")
    assert api.get(f"/v1/coupons/{typed}").json_body["code"] == code
    assert api.get(f"/v1/coupons/{'0' * 16}").status_code == 404


def test_one_of_fifty_at_once_redeems_it(api: Any) -> None:
    from chalicelib.coupons import service
    from chalicelib.coupons.model import CouponUsed
    from chalicelib.coupons.schemas import RedeemBody
    from chalicelib.shared import clock

    code = coupon(api)["code"]

    def use(number: int) -> str | None:
        try:
            asked = RedeemBody(customer_id="u1", order_id=f"o{number}")
            return service.redeem(code, asked, language="en", now=clock.now()).order_id
        except CouponUsed:
            return None

    with ThreadPoolExecutor(16) as threads:
        redeemed = [each for each in threads.map(use, range(50)) if each]

    assert len(redeemed) == 1
    assert api.get(f"/v1/coupons/{code}").json_body["order_id"] == redeemed[0]


def test_a_coupon_expires_and_is_its_own_customers(api: Any, travel: Any) -> None:
    code = coupon(api)["code"]

    other = redeem(api, code, "o1", "u2")
    assert (other.status_code, other.json_body["type"]) == (409, "/problems/coupon-of-another")
    travel(days=30)
    late = redeem(api, code, "o1")
    assert (late.status_code, late.json_body["type"]) == (409, "/problems/coupon-expired")
    assert api.get(f"/v1/coupons/{code}").json_body["status"] == "expired"


def test_what_was_redeemed_in_time_stays_redeemed(api: Any, travel: Any) -> None:
    code = coupon(api)["code"]
    first = redeem(api, code, "o1")
    travel(days=31)

    assert redeem(api, code, "o1").body == first.body
    assert redeem(api, code, "o2").json_body["type"] == "/problems/coupon-used"


def test_a_visitors_coupon_waits_and_a_browser_never_reads_the_code(api: Any, circuit: Circuit) -> None:
    assert api.put("/v1/profile-questions/pet", PET | {"reward": COUPON}).status_code == 200
    said = {"anonymous_id": "a1", "answers": {"pet": "dog"}}
    [first] = api.post("/v1/profile-answers", said, PUBLISHABLE).json_body["granted"]
    assert (first["status"], first["coupon"]["code"], first["coupon"]["expires_at"]) == (
        "pending",
        None,
        None,
    )

    api.post("/v1/identify", {"userId": "u1", "anonymousId": "a1", "messageId": "m1"})
    circuit.settle()
    [issued] = api.get("/v1/customers/u1/coupons").json_body["data"]
    [later] = api.post("/v1/profile-answers", said, PUBLISHABLE).json_body["already_granted"]
    assert (later["status"], later["coupon"]["code"]) == ("granted", None)
    own = api.post("/v1/customer-tokens", {"customer_id": "u1"}).json_body["token"]
    mine = api.get("/v1/me/coupons", {"Authorization": f"Bearer {own}"}).json_body["data"]
    assert mine == [issued]
    assert redeem(api, issued["code"], "o1").status_code == 200


def test_content_is_unlocked_by_a_link_that_expires(api: Any, travel: Any) -> None:
    assert api.put("/v1/items/guide", GUIDE).status_code == 201
    assert api.put("/v1/profile-questions/pet", PET | {"reward": CONTENT}).status_code == 200
    said = {"anonymous_id": "a1", "answers": {"pet": "dog"}}
    answered = api.post("/v1/profile-answers", said, PUBLISHABLE).json_body
    [granted] = answered["granted"]
    path = granted["content"]["url"].removeprefix("https://shop.example.com")

    opened = api.get(path, {})
    assert (granted["status"], opened.status_code) == ("granted", 302)
    assert opened.headers["Location"] == GUIDE["url"]
    travel(hours=47)
    again = api.post("/v1/profile-answers", said, PUBLISHABLE).json_body
    assert again == answered | {"granted": [], "already_granted": [granted]}, (
        "the same link, not a longer one"
    )
    assert api.get(path, {}).status_code == 302
    travel(hours=1)
    gone = api.get(path, {})
    assert (gone.status_code, gone.json_body["type"]) == (410, "/problems/gone")


def test_a_link_that_was_altered_or_made_for_something_else_opens_nothing(api: Any) -> None:
    from chalicelib.shared import clock, tokens

    api.put("/v1/items/guide", GUIDE)
    now = clock.now()
    forged = [
        "x",
        tokens.sign("unsubscribe", {"item": "guide", "until": 4102444800}, now=now),
        tokens.sign("content", {"item": "guide"}, now=now),
        tokens.sign("content", {"item": "guide", "until": True}, now=now),
        tokens.sign("content", {"item": "nothing", "until": 4102444800}, now=now),
        tokens.sign("content", {"item": "guide", "until": 4102444800}, now=now)[:-4] + "AAAA",
    ]

    assert [api.get(f"/c/{each}", {}).status_code for each in forged] == [404, 404, 404, 410, 404, 404]
    api.put("/v1/items/guide", GUIDE | {"url": None})
    good = tokens.sign("content", {"item": "guide", "until": 4102444800}, now=now)
    assert api.get(f"/c/{good}", {}).status_code == 404
