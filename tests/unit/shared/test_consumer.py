"""What handlers report when something goes wrong around them, beside what each room's own tests show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from chalice.app import CloudWatchEvent, DynamoDBEvent

from chalicelib.shared import consumer
from chalicelib.shared.consumer import Change, RunFailed, on_tick, relay
from chalicelib.shared.facts import Fact

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TICK = {
    "version": "0",
    "id": "t",
    "account": "1",
    "region": "r",
    "time": "2026-11-22T09:00:00Z",
    "source": "aws.events",
    "detail-type": "Scheduled Event",
    "detail": {},
    "resources": [],
}


def changes(*sequences: str) -> DynamoDBEvent:
    records = [
        {"dynamodb": {"SequenceNumber": each, "NewImage": {"pk": {"S": each}, "sk": {"S": "x"}}}}
        for each in sequences
    ]
    return DynamoDBEvent({"Records": records}, None)


def fact_of(change: Change) -> list[Fact]:
    assert change.new is not None
    if change.new["pk"] == "poison":
        raise KeyError("poison")
    return [Fact(change.new["pk"], "item.changed", "items/i1", NOW, {})]


@pytest.mark.parametrize(
    ("sequences", "lost", "reported"),
    [
        (["1", "2", "3"], set(), []),
        (["1", "2", "3"], {"2", "3"}, ["2"]),
        (["1", "poison", "3"], set(), ["poison"]),
        (["1", "poison", "3"], {"1"}, ["1"]),
    ],
)
def test_a_stream_begins_again_at_the_first_that_failed(
    monkeypatch: pytest.MonkeyPatch, sequences: list[str], lost: set[str], reported: list[str]
) -> None:
    monkeypatch.setattr(consumer, "publish", lambda facts: lost & {fact.id for fact in facts})

    answer = relay(fact_of)(changes(*sequences))

    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == reported


def test_a_bus_that_cannot_be_asked_has_taken_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> set[str]:
        raise ConnectionError("the whole of it")

    monkeypatch.setattr(consumer, "publish", fail)

    assert relay(fact_of)(changes("1", "2"))["batchItemFailures"] == [{"itemIdentifier": "1"}]


def test_a_run_that_fails_is_known_to_have_failed_and_says_no_more() -> None:
    def run(now: datetime) -> None:
        raise ValueError("somebody's address")

    with pytest.raises(RunFailed, match=r"^run$") as failure:
        on_tick(run)(CloudWatchEvent(TICK, None))
    assert failure.value.__suppress_context__
