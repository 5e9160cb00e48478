"""The ledger over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.embedded import PUBLISHABLE, SECRET

ACCRUALS = "/v1/customers/u1/loyalty/accruals"
SURVEY = {"points": 120, "reason": "survey"}


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


def test_a_publishable_key_never_gives_points(api: Any) -> None:
    assert api.post(ACCRUALS, SURVEY, PUBLISHABLE, **{"Idempotency-Key": "k1"}).status_code == 403
    assert api.get("/v1/customers/u1/loyalty", PUBLISHABLE).status_code == 403
    assert api.get("/v1/customers/u1/loyalty", SECRET).json_body["active_points"] == 0


def test_the_program_is_a_setting(api: Any) -> None:
    program = {"currency": "GBP", "per_amount": 100, "points": 2, "expires_after_months": 24}

    assert api.get("/v1/loyalty/program").json_body["currency"] == "JPY"
    assert api.put("/v1/loyalty/program", program).json_body == program
    assert api.get("/v1/loyalty/program").json_body == program
