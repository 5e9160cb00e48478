"""The ledger over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.embedded import PUBLISHABLE, SECRET

ACCRUALS = "/v1/customers/u1/loyalty/accruals"
ENTRIES = "/v1/customers/u1/loyalty/entries"
SURVEY = {"points": 120, "reason": "survey"}
NOON = "2026-11-22T12:00:00Z"
PROGRAM: dict[str, Any] = {
    "currency": "JPY",
    "earn": [
        {"name": "spend", "kind": "amount", "points": 1, "per_amount": 100},
        {"name": "basket", "kind": "basket", "steps": [{"amount": 5000, "points": 50}]},
        {"name": "review", "kind": "action", "action": "review", "points": 30, "cap": {"per_day": 50}},
    ],
}


def test_the_same_key_gives_the_same_answer_byte_for_byte(api: Any) -> None:
    first = api.post(ACCRUALS, SURVEY, **{"Idempotency-Key": "k1"})
    again = api.post(ACCRUALS, SURVEY, **{"Idempotency-Key": "k1"})

    assert first.status_code == again.status_code == 201
    assert first.body == again.body
    assert api.get("/v1/customers/u1/loyalty").json_body["active_points"] == 120


def test_a_key_used_for_another_body_is_refused_and_changes_nothing(api: Any) -> None:
    api.post(ACCRUALS, SURVEY, **{"Idempotency-Key": "k1"})
    other = api.post(ACCRUALS, SURVEY | {"points": 121}, **{"Idempotency-Key": "k1"})

    assert other.status_code == 422
    assert other.json_body["type"] == "/problems/idempotency-key-reused"
    assert api.get("/v1/customers/u1/loyalty").json_body["active_points"] == 120


def test_a_key_belongs_to_one_customer(api: Any) -> None:
    api.post(ACCRUALS, SURVEY, **{"Idempotency-Key": "k1"})
    other = api.post(ACCRUALS.replace("u1", "u2"), {"points": 7, "reason": "x"}, **{"Idempotency-Key": "k1"})

    assert other.status_code == 201
    assert api.get("/v1/customers/u2/loyalty").json_body["active_points"] == 7


def test_many_at_once_count_once(api: Any, aws: Any) -> None:
    from chalicelib.loyalty import service
    from chalicelib.loyalty.schemas import AccrualRequest
    from chalicelib.shared import clock
    from chalicelib.shared.errors import Busy

    def send(number: int) -> str | None:
        try:
            return service.give_points("u1", AccrualRequest(**SURVEY), key=f"k{number % 4}", now=clock.now())
        except Busy:
            return None

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(32)))
    for number in range(4):
        same = {answer for answer in answers[number::4] if answer}
        assert len(same) <= 1, "equal requests must get equal answers"
    while None in answers:  # what heard 503 is sent again, as a client would
        answers = [answer or send(number) for number, answer in enumerate(answers)]

    assert api.get("/v1/customers/u1/loyalty").json_body["active_points"] == 4 * 120


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"points": 0, "reason": "x"}, "points"),
        ({"points": -5, "reason": "x"}, "points"),
        ({"points": 2**63, "reason": "x"}, "points"),
        ({"points": 0.5, "reason": "x"}, "points"),
        ({"points": "5", "reason": "x"}, "points"),
        ({"points": True, "reason": "x"}, "points"),
        ({"points": 5}, "reason"),
        ({"points": 5, "reason": "a\nb"}, "reason"),
        ({"points": 5, "reason": "x", "balance": 9}, "balance"),
        ({"points": 10_000_001, "reason": "x"}, "points"),
        ({"reason": "x"}, "points"),
        ({"points": 5, "action": "review", "reason": "x"}, "points"),
        ({"action": "review", "reason": "x"}, "action"),
        ({"points": 5, "reason": "x", "pending_until": "soon"}, "pending_until"),
        ({"points": 5, "reason": "x", "pending_until": "2031-01-01T00:00:00Z"}, "pending_until"),
    ],
)
def test_wrong_input_is_refused_by_name(api: Any, body: dict[str, Any], field: str) -> None:
    refused = api.post(ACCRUALS, body, **{"Idempotency-Key": "k1"})

    assert refused.status_code == 400
    assert [error["field"] for error in refused.json_body["errors"]] == [field]
    assert api.get("/v1/customers/u1/loyalty").json_body["version"] == 0


@pytest.mark.parametrize("key", ["", "x" * 129, "schlüssel"])
def test_the_idempotency_key_is_checked(api: Any, key: str) -> None:
    assert api.post(ACCRUALS, SURVEY, **{"Idempotency-Key": key}).status_code == 400


def test_a_limit_is_named(api: Any) -> None:
    refused = api.post(ACCRUALS, {"points": 2**63, "reason": "x"}, **{"Idempotency-Key": "k1"})

    assert "10000000" in refused.json_body["errors"][0]["message"]


def test_what_would_happen_is_what_happens(api: Any) -> None:
    api.put("/v1/loyalty/program", PROGRAM)
    for number, body in enumerate(
        [SURVEY, {"action": "review", "reason": "tea"}, SURVEY | {"pending_until": "2027-02-01T00:00:00Z"}]
    ):
        before = api.get("/v1/customers/u1/loyalty").body
        key = {"Idempotency-Key": f"k{number}"}
        dry = api.post(f"{ACCRUALS}?dry_run=true&now={NOON}", body, **key)
        unchanged = api.get("/v1/customers/u1/loyalty").body
        done = api.post(f"{ACCRUALS}?now={NOON}", body, **key)

        assert (dry.status_code, dry.body) == (201, done.body)
        assert before == unchanged
        assert api.post(f"{ACCRUALS}?dry_run=true", body, **key).body == done.body, (
            "and then it is what it was"
        )


def test_an_action_gives_what_the_program_says(api: Any) -> None:
    api.put("/v1/loyalty/program", PROGRAM)
    review = {"action": "review", "reason": "tea"}
    answers = [
        api.post(ACCRUALS, review, **{"Idempotency-Key": f"k{number}"}).json_body for number in range(3)
    ]

    assert [each["points"] for each in answers] == [30, 20, 0], "50 a day at most"
    assert answers[0]["rules"] == [{"rule": "review", "points": 30}]


def test_points_that_wait_are_told_apart(api: Any) -> None:
    body = SURVEY | {"pending_until": "2027-02-01T00:00:00Z"}
    answer = api.post(ACCRUALS, body, **{"Idempotency-Key": "k1"}).json_body
    later = api.get("/v1/customers/u1/loyalty?now=2027-02-01T00:00:00Z").json_body

    assert (answer["status"], answer["balance"]["pending"]) == (
        "pending",
        [{"points": 120, "on": "2027-02-01"}],
    )
    assert (answer["balance"]["active_points"], later["active_points"], later["pending_points"]) == (
        0,
        120,
        0,
    )


def test_time_can_be_travelled(api: Any) -> None:
    api.post(f"{ACCRUALS}?now=2027-03-05T00:00:00Z", SURVEY, **{"Idempotency-Key": "k1"})

    def active(now: str) -> int:
        return int(api.get(f"/v1/customers/u1/loyalty?now={now}").json_body["active_points"])

    assert [active("2028-03-31T23:59:59Z"), active("2028-04-01T00:00:00Z")] == [120, 0]
    assert api.get("/v1/customers/u1/loyalty?now=2028-03-01T00:00:00Z").json_body["expiring"] == [
        {"points": 120, "on": "2028-03-31"}
    ]


def test_entries_are_paged_newest_first_and_add_up(api: Any) -> None:
    for number in range(7):
        api.post(
            ACCRUALS, {"points": number + 1, "reason": f"r{number}"}, **{"Idempotency-Key": f"k{number}"}
        )
    path, seen = f"{ENTRIES}?limit=3", []
    first = api.get(path).json_body
    api.post(ACCRUALS, {"points": 100, "reason": "between"}, **{"Idempotency-Key": "between"})
    while True:
        page = api.get(path).json_body if seen else first
        seen += page["data"]
        if page["next_cursor"] is None:
            break
        path = f"{ENTRIES}?limit=3&cursor={page['next_cursor']}"

    assert [each["points"] for each in seen] == [7, 6, 5, 4, 3, 2, 1], "what came between shifts nothing"
    assert [each["number"] for each in seen] == [7, 6, 5, 4, 3, 2, 1]
    assert {each["reason"] for each in seen} == {f"r{number}" for number in range(7)}
    assert all(sum(each["moves"].values()) == 0 for each in seen), "both legs"


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=201", "limit"), ("cursor=x", "cursor"), ("page=2", "page")],
)
def test_a_wrong_page_is_refused(api: Any, query: str, field: str) -> None:
    refused = api.get(f"{ENTRIES}?{query}")

    assert refused.status_code == 400
    assert refused.json_body["errors"][0]["field"] == field


def test_a_cursor_belongs_to_one_customer(api: Any) -> None:
    for number in range(3):
        api.post(ACCRUALS, SURVEY, **{"Idempotency-Key": f"k{number}"})
    cursor = api.get(f"{ENTRIES}?limit=1").json_body["next_cursor"]

    assert api.get(f"{ENTRIES.replace('u1', 'u2')}?limit=1&cursor={cursor}").status_code == 400


def test_a_cart_says_what_it_would_earn_and_what_it_lacks(api: Any) -> None:
    api.put("/v1/loyalty/program", PROGRAM)
    cart = {"currency": "JPY", "lines": [{"item_id": "a", "quantity": 2, "price": 2190}]}
    answer = api.post("/v1/loyalty/quotes", cart, PUBLISHABLE).json_body

    assert answer == {
        "points": 43,
        "rules": [{"rule": "spend", "points": 43}],
        "next_steps": [{"rule": "basket", "spend_more": 620, "points": 57}],  # 50, and 7 of what is spent
    }
    assert api.get("/v1/customers/u1/loyalty").json_body["version"] == 0
    assert api.post("/v1/loyalty/quotes", cart | {"customer_id": "u1"}, PUBLISHABLE).status_code == 403


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"currency": "USD"}, "currency"),
        ({"lines": []}, "lines"),
        ({"lines": [{"item_id": "a", "quantity": 0, "price": 5}]}, "lines.0.quantity"),
        ({"lines": [{"item_id": "a", "quantity": 1, "price": -5}]}, "lines.0.price"),
        ({"lines": [{"item_id": "a", "quantity": 1, "price": 0.5}]}, "lines.0.price"),
        ({"total": 2**63}, "total"),
    ],
)
def test_a_wrong_cart_is_refused(api: Any, changed: dict[str, Any], field: str) -> None:
    cart = {"currency": "JPY", "lines": [{"item_id": "a", "quantity": 2, "price": 2190}]} | changed
    refused = api.post("/v1/loyalty/quotes", cart)

    assert refused.status_code == 400
    assert refused.json_body["errors"][0]["field"] == field


def test_a_publishable_key_never_gives_points(api: Any) -> None:
    assert api.post(ACCRUALS, SURVEY, PUBLISHABLE, **{"Idempotency-Key": "k1"}).status_code == 403
    assert api.get("/v1/customers/u1/loyalty", PUBLISHABLE).status_code == 403
    assert api.get("/v1/customers/u1/loyalty", SECRET).json_body["active_points"] == 0
