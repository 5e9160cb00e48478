"""What finishes answers from the queue, imported alone as Lambda does: redelivered, shuffled, poisoned."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.customers import service as customers
from chalicelib.loyalty import reads as loyalty
from chalicelib.questions import answering, store
from chalicelib.questions.model import Question, Reward, Voice
from chalicelib.shared import tombstones
from chalicelib.shared.dynamo import table
from tests.support.circuit import Circuit
from tests.support.embedded import Api

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
BROWSER = Voice(trusted=False, language="en", now=NOW)


@pytest.fixture(autouse=True)
def visitors(aws: Any) -> None:
    store.save_question(
        Question(
            "pet", "Which pet?", None, "text", (), "pet", "why", None, Reward(points=50), "pet", 0, None, NOW
        )
    )
    for number in range(5):
        answering.answer(None, f"a{number}", {"pet": "dog"}, BROWSER)
        customers.link(f"u{number}", f"a{number}", at=NOW, now=NOW)


def test_what_a_visitor_earned_is_given_once_however_often_and_in_whatever_order(aws: Any) -> None:
    facts = [_linked(number) for number in range(5)] + [_answered(number) for number in range(5)]
    records = [_record(fact, f"m{place}-{copy}") for place, fact in enumerate(facts) for copy in range(4)]
    random.Random(7).shuffle(records)
    for start in range(0, len(records), 10):
        assert _deliver(records[start : start + 10]) == {"batchItemFailures": []}

    for number in range(5):
        assert loyalty.active_points(f"u{number}") == 50


def test_a_poison_record_harms_nobody_else(aws: Any) -> None:
    poisons = ["{", "[]", json.dumps({"detail": {}}), json.dumps({"detail": _linked(0) | {"data": {"x": 1}}})]
    for place, poison in enumerate(poisons):
        records = [_record(_linked(number), f"m{number}") for number in range(5)]
        records[place] = {"messageId": "poison", "body": poison}
        assert _deliver(records) == {"batchItemFailures": [{"itemIdentifier": "poison"}]}

    assert loyalty.active_points("u4") == 50


def test_who_was_erased_meanwhile_is_passed_over(aws: Any) -> None:
    for pk, sk in (tombstones.key_of("customer", "u1"), tombstones.key_of("anonymous", "a1")):
        table("people").put({"pk": pk, "sk": sk, "erased_at": "2026-11-01T09:00:00.000Z"})

    assert _deliver([_record(_linked(1), "m1"), _record(_answered(1), "m2")]) == {"batchItemFailures": []}
    assert loyalty.active_points("u1") == 0


def test_finishing_tells_nothing_that_would_be_finished_again(aws: Any) -> None:
    with Api(), Circuit() as circuit:
        circuit.settle()
        told = [fact for fact in circuit.published if fact.type == "profile.answered"]

    assert len(told) == len({fact.id for fact in told}) == 5
    assert {fact.data["anonymous_id"] for fact in told} == {f"a{number}" for number in range(5)}
    assert "dog" not in str(told), "what they said stays in the house"


def _linked(number: int) -> dict[str, Any]:
    return _fact("customer.linked", {"customer_id": f"u{number}", "anonymous_id": f"a{number}"})


def _answered(number: int) -> dict[str, Any]:
    return _fact("profile.answered", {"customer_id": None, "anonymous_id": f"a{number}"})


def _fact(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"{kind}:1", "type": kind, "subject": "x", "time": "2026-11-01T09:00:00.000Z", "data": data}


def _record(fact: dict[str, Any], message_id: str) -> dict[str, Any]:
    return {"messageId": message_id, "body": json.dumps({"detail": fact})}


def _deliver(records: list[dict[str, Any]]) -> Any:
    from chalicelib.questions.handlers import questions_on_facts

    return questions_on_facts({"Records": records}, None)
