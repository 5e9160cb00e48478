"""Checks C1 and C7: what hears of customers ends the same, however often and in whatever order it is told."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.customers import service as customers
from chalicelib.loyalty import reads as loyalty
from chalicelib.questions import answering, store
from chalicelib.questions.model import Question, Reward, Voice
from chalicelib.shared.config import TABLES, config
from tests.support.embedded import Api
from tests.support.person import Snapshot

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
COPIES, PEOPLE = 5, 5
Facts = list[dict[str, Any]]


def fact(kind: str, **data: Any) -> dict[str, Any]:
    return {
        "id": f"{kind}:{sorted(map(str, data.values()))}", "type": kind, "subject": "x", "time": "2026-11-01T09:00:00.000Z",
        "data": data,
    }  # fmt: skip


def visitors_who_answered() -> Facts:
    pet = Question(
        "pet", "Which pet?", None, "text", (), "pet", "why", None, Reward(points=50), "pet", 0, None, NOW
    )
    store.save_question(pet)
    facts = []
    for number in range(PEOPLE):
        answering.answer(None, f"a{number}", {"pet": "dog"}, Voice(trusted=False, language="en", now=NOW))
        customers.link(f"u{number}", f"a{number}", at=NOW, now=NOW)
        facts.append(fact("customer.linked", customer_id=f"u{number}", anonymous_id=f"a{number}"))
        facts.append(fact("profile.answered", customer_id=None, anonymous_id=f"a{number}"))
    return facts


def people_who_want_copies_and_to_be_forgotten() -> Facts:
    facts = []
    with Api() as api:
        for number in range(PEOPLE):
            body = {"userId": f"u{number}", "messageId": f"m{number}", "traits": {"nick": "x"}}
            assert api.post("/v1/identify", body).status_code == 200
            key = {"Idempotency-Key": f"k{number}"}
            made = api.post(f"/v1/customers/u{number}/export", None, **key).json_body["export_id"]
            facts.append(fact("export.requested", customer_id=f"u{number}", export_id=made))
            if number % 2:
                erasure = api.delete(f"/v1/customers/u{number}").json_body["erasure_id"]
                facts.append(fact("customer.erased", customer_id=f"u{number}", erasure_id=erasure))
    return facts


CONSUMERS: dict[
    str, tuple[Callable[[], Facts], int]
] = {  # what happened before, and how many records a batch has
    "questions": (visitors_who_answered, 10),
    "privacy": (people_who_want_copies_and_to_be_forgotten, 1),
}


@pytest.mark.parametrize("room", CONSUMERS)
def test_c1_delivered_five_times_is_delivered_once(aws: Any, figure: Any, room: str) -> None:
    begin, size = CONSUMERS[room]
    facts = begin()
    begun = Snapshot(aws)
    deliver(room, facts, size)
    once = state(aws)
    shuffles = 3
    for seed in range(shuffles):
        begun.restore()
        copies = facts * COPIES
        random.Random(seed).shuffle(copies)
        deliver(room, copies, size)
        deliver(room, copies[: len(facts)], size)  # a batch that came back although it was done
        assert state(aws) == once

    figure(f"C1  {room}: {len(facts)} facts {COPIES} times in {shuffles} shuffles: the same as once")


def test_c7_in_every_order_the_end_is_the_same(aws: Any, figure: Any) -> None:
    visitors_who_answered()
    customers.link("u0", "a1", at=NOW, now=NOW)
    begun = Snapshot(aws)
    facts = [
        fact("customer.linked", customer_id="u0", anonymous_id="a0"),
        fact("profile.answered", customer_id=None, anonymous_id="a0"),
        fact("profile.answered", customer_id="u0", anonymous_id=None),
        fact("customer.linked", customer_id="u0", anonymous_id="a1"),
        fact("profile.answered", customer_id=None, anonymous_id="a1"),
    ]
    ends = set()
    orders = list(itertools.permutations(facts))
    for order in orders:
        begun.restore()
        deliver("questions", list(order), 1)
        ends.add((str(state(aws)), loyalty.active_points("u0")))

    assert len(ends) == 1
    assert [points for _, points in ends] == [50]
    figure(f"C7  questions: {len(orders)} orders of {len(facts)} facts about one customer: one end")


def deliver(room: str, facts: Facts, size: int) -> None:
    from chalicelib.privacy.handlers import privacy_on_facts
    from chalicelib.questions.handlers import questions_on_facts

    handler = {"privacy": privacy_on_facts, "questions": questions_on_facts}[room]
    for start in range(0, len(facts), size):
        records = [
            {"messageId": f"m{start + place}", "body": json.dumps({"detail": each})}
            for place, each in enumerate(facts[start : start + size])
        ]
        assert handler({"Records": records}, None) == {"batchItemFailures": []}


def state(client: Any) -> list[tuple[str, ...]]:
    """Every item's place, with what counts in it: points and how things stand."""
    return sorted(
        (name, item["pk"]["S"], item["sk"]["S"], *(str(item.get(each)) for each in ("status", "lifetime", "points")))
        for name in TABLES
        for item in client.scan(TableName=config().tables[name])["Items"]
    )  # fmt: skip


pytestmark = pytest.mark.slow
