"""Whatever breaks off: the reward is given once, by the same request sent again or by the queue alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.loyalty import reads as loyalty
from chalicelib.questions import answering, store
from chalicelib.questions.model import Question, Reward, Voice
from chalicelib.questions.store import questions
from tests.support.circuit import Circuit
from tests.support.faults import Crash, FaultyWire

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
VOICE = Voice(trusted=True, language="en", now=NOW)
CALLS_MAX = 30


def answer(value: str = "dog") -> Any:
    return answering.answer("u1", None, {"pet": value}, VOICE)


@pytest.fixture(autouse=True)
def question(api: Any) -> None:
    store.save_question(
        Question(
            "pet", "Which pet?", None, "text", (), "pet", "why", None, Reward(points=50), "pet", 0, None, NOW
        )
    )
    assert len(questions()) == 1


def crash_at(wire: FaultyWire, call: int, fault: str) -> bool:
    """Whether the request was killed at this call of its."""
    wire.plan = ["ok"] * call + [fault]
    try:
        answer()
    except Crash:
        return True
    finally:
        wire.plan = []
    return False


def forget(aws: Any) -> None:
    for name in ("people", "ledger"):
        for item in aws.scan(TableName=f"kokyaku-test-{name}")["Items"]:
            aws.delete_item(TableName=f"kokyaku-test-{name}", Key={key: item[key] for key in ("pk", "sk")})


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_a_crash_at_any_call_is_healed_by_the_same_request(aws: Any, fault: str) -> None:
    wire = FaultyWire(aws)
    crashed = 0
    for call in range(CALLS_MAX):
        forget(aws)
        if not crash_at(wire, call, fault):
            break
        crashed += 1
        answered = answer()
        assert answered.traits == {"pet": "dog"}
        assert len(answered.granted) + len(answered.already_granted) == 1
        assert loyalty.active_points("u1") == 50
    assert crashed > 8
    assert answer().granted == []


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_a_crash_after_the_answer_is_stored_is_healed_by_the_queue_alone(
    api: Any, aws: Any, fault: str
) -> None:
    wire = FaultyWire(aws)
    stored = 0
    with Circuit() as circuit:
        for call in range(CALLS_MAX):
            forget(aws)
            circuit.settle()
            if not crash_at(wire, call, fault):
                break
            [sheet] = store.sheets([("customer", "u1")], now=NOW)
            circuit.settle()
            stored += sheet.version
            assert loyalty.active_points("u1") == 50 * sheet.version
            assert ("pet" in api.get("/v1/customers/u1").json_body.get("traits", {})) == bool(sheet.version)
        assert circuit.dead == []
    assert stored > 4


def test_a_reply_that_was_lost_changes_nothing(aws: Any) -> None:
    wire = FaultyWire(aws)
    for call in range(CALLS_MAX):
        forget(aws)
        wire.plan = ["ok"] * call + ["reply_lost"]
        answered = answer()
        assert len(answered.granted) + len(answered.already_granted) == 1
        assert loyalty.active_points("u1") == 50
        if wire.plan:
            break
        assert call < CALLS_MAX - 1
    wire.plan = []
