"""What answers earn under several ids of one person: once while they are one, and each their own when they are two again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.circuit import Circuit
from tests.support.embedded import PUBLISHABLE
from tests.support.faults import Baton, FaultyWire

PET = {"text": "Which pet?", "kind": "text", "trait": "pet", "purpose": "why", "answer_set": "pet"}
COUPON = {"coupon": {"title": "10% off", "valid_days": 30, "percent": 10}}
POINTS = {"points": 50}


def say(api: Any, body: dict[str, Any], headers: Any = None) -> Any:
    answer = api.post("/v1/profile-answers", body | {"answers": {"pet": "dog"}}, headers)
    assert answer.status_code == 200, answer.body
    return answer.json_body


def post(api: Any, path: str, body: Any, key: str = "k1") -> Any:
    answer = api.post(path, body, None, **{"Idempotency-Key": key})
    assert answer.status_code in (200, 201), answer.body
    return answer.json_body


def merge(api: Any) -> str:
    return str(post(api, "/v1/customers/u1/merge", {"from": "u2", "reason": "same"})["merge_id"])


def link(api: Any, customer_id: str, anonymous_id: str) -> None:
    event = {"userId": customer_id, "anonymousId": anonymous_id, "messageId": f"{customer_id}{anonymous_id}"}
    assert api.post("/v1/identify", event).status_code == 200


def coupons(api: Any, customer_id: str) -> list[str]:
    return [each["code"] for each in api.get(f"/v1/customers/{customer_id}/coupons").json_body["data"]]


def points(api: Any, customer_id: str) -> int:
    return int(api.get(f"/v1/customers/{customer_id}/loyalty").json_body["active_points"])


@pytest.fixture
def two(api: Any) -> Any:
    """Two customers, the one with the laptop a1 and the other with the telephone a2."""
    for customer_id, device in (("u1", "a1"), ("u2", "a2")):
        api.patch(f"/v1/customers/{customer_id}", {"traits": {"plan": "gold"}})
        link(api, customer_id, device)
    return api


@pytest.mark.parametrize("reward", [COUPON, POINTS], ids=["coupon", "points"])
@pytest.mark.parametrize("who", [{"customer_id": "u2"}, {"anonymous_id": "a2"}], ids=["customer", "visitor"])
def test_what_an_answer_earned_while_two_were_one_stays_with_whose_it_was(
    two: Any, circuit: Circuit, who: dict[str, str], reward: dict[str, Any]
) -> None:
    assert two.put("/v1/profile-questions/pet", PET | {"reward": reward}).status_code == 200
    merge_id = merge(two)
    say(two, who)
    earned = coupons(two, "u1") + [points(two, "u1")] * (reward is POINTS)
    post(two, f"/v1/merges/{merge_id}/undo", None)

    say(two, who)
    say(two, {"customer_id": "u2"})
    circuit.settle()

    assert len(earned) == 1
    assert coupons(two, "u2") + [points(two, "u2")] * (reward is POINTS) == earned
    assert (coupons(two, "u1"), points(two, "u1")) == ([], 0)
    assert "pet" not in two.get("/v1/customers/u1").json_body["traits"]
    say(two, {"customer_id": "u1"})
    assert len(coupons(two, "u1")) + points(two, "u1") / 50 == 1, "the other one earns their own"
    post(two, "/v1/customers/u1/merge", {"from": "u2", "reason": "same"}, "k2")
    say(two, {"customer_id": "u1"})
    assert len(coupons(two, "u1")) + points(two, "u1") / 50 == 2, "what two have earned both keep"


def test_a_visitors_promise_that_waited_is_kept_once_by_whom_it_belongs_to(
    two: Any, circuit: Circuit
) -> None:
    assert two.put("/v1/profile-questions/pet", PET | {"reward": COUPON}).status_code == 200
    say(two, {"anonymous_id": "a3"}, PUBLISHABLE)
    link(two, "u2", "a3")
    merge_id = merge(two)
    circuit.settle()
    [code] = coupons(two, "u1")

    post(two, f"/v1/merges/{merge_id}/undo", None)
    circuit.settle()
    say(two, {"anonymous_id": "a3"}, PUBLISHABLE)

    assert (coupons(two, "u1"), coupons(two, "u2")) == ([], [code])
    traits = two.get("/v1/customers/u2").json_body["traits"]
    assert traits["pet"]["value"] == "dog"


@pytest.mark.parametrize("ahead", range(7))
def test_two_ids_of_one_person_that_answer_at_once_earn_once(two: Any, aws: Any, ahead: int) -> None:
    assert two.put("/v1/profile-questions/pet", PET | {"reward": COUPON}).status_code == 200
    merge(two)
    wire = FaultyWire(aws)
    baton = Baton([False] * ahead + [True, False] * 40)
    wire.gate = baton.gate

    def answer(who: dict[str, str]) -> Any:
        return lambda: two.post("/v1/profile-answers", who | {"answers": {"pet": "dog"}})

    outcomes = baton.run(answer({"anonymous_id": "a2"}), answer({"customer_id": "u1"}))
    wire.gate = lambda: None

    assert [each.status_code for each in outcomes] == [200, 200]
    assert sum(len(each.json_body["granted"]) for each in outcomes) == 1
    assert len(coupons(two, "u1")) == 1


def test_many_answers_under_every_id_earn_once(two: Any, circuit: Circuit) -> None:
    assert two.put("/v1/profile-questions/pet", PET | {"reward": POINTS}).status_code == 200
    merge(two)
    ids = [{"customer_id": "u1"}, {"customer_id": "u2"}, {"anonymous_id": "a1"}, {"anonymous_id": "a2"}]

    def send(number: int) -> int:
        body = ids[number % 4] | {"answers": {"pet": "dog"}}
        while (answer := two.post("/v1/profile-answers", body)).status_code == 503:
            pass
        return len(answer.json_body["granted"])

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(send, range(24))) <= 1
    circuit.settle()
    assert points(two, "u1") == 50
