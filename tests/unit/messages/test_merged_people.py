"""Mail for a person of several customer ids: their one address, and the consent that counts for all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.customers import merges
from chalicelib.customers import service as customers
from chalicelib.customers.model import Merge
from chalicelib.messages import gate, rules, service
from chalicelib.messages.model import Message, MessageClass, Outcome
from chalicelib.messages.schemas import MessagesQuery
from chalicelib.shared.dynamo import table
from tests.support.faults import FaultyWire
from tests.support.post import Post, person

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def post(aws: Any) -> Post:
    return Post()


def promotion(customer_id: str, campaign: str = "welcome") -> Message:
    return Message(
        customer_id, f"campaign:{campaign}", "welcome", MessageClass.PROMOTIONAL, "campaign_welcome"
    )


def news(customer_id: str) -> Message:
    texts = {"carrier": "Yamato Transport", "expected": ""}
    return Message(
        customer_id,
        rules.shipment_key("s1", 1, "delivered"),
        "shipment",
        MessageClass.TRANSACTIONAL,
        "shipment_delivered",
        "delivered",
        {"order_id": "o1", "tracking_number": "1234", "link": ""},
        {"en": texts, "ja": texts},
    )


def join(survivor: str, other: str, *, merge_id: str = "m1", now: datetime = NOW) -> Merge:
    return merges.merge(survivor, other, reason="test", merge_id=merge_id, said_by="test", now=now)


def consent(customer_id: str, *, granted: bool, now: datetime) -> None:
    patch = customers.CustomerPatch.model_validate({"consents": {"email_marketing": granted}})
    customers.edit(customer_id, patch, if_match="", by_customer=False, now=now)


def test_news_of_an_absorbed_id_goes_to_the_persons_address_once(post: Post) -> None:
    person("u1", email="head@example.com", agrees=False)
    person("u2", email="")
    join("u1", "u2")

    assert [service.send(news("u2"), now=NOW) for _ in range(2)] == [Outcome.SENT, Outcome.EARLIER]
    assert len(post.to("head@example.com")) == 1
    listed = service.page("u1", MessagesQuery(), now=NOW).data
    assert [message.reason for message in listed] == ["shipment_delivered"]


def test_an_invitation_follows_the_most_restrictive_consent_until_a_new_word(post: Post) -> None:
    person("u1", agrees=True)
    person("u2", agrees=False)
    merge = join("u1", "u2")

    assert service.send(promotion("u1"), now=NOW) is Outcome.WITHHELD
    consent("u1", granted=True, now=NOW + timedelta(minutes=1))
    assert service.send(promotion("u1", "again"), now=NOW + timedelta(minutes=2)) is Outcome.SENT
    merges.undo(merge.merge_id, said_by="test", now=NOW + timedelta(minutes=3))
    assert service.send(promotion("u2", "third"), now=NOW + timedelta(minutes=4)) is Outcome.WITHHELD
    assert service.send(promotion("u1", "third"), now=NOW + timedelta(minutes=4)) is Outcome.SENT


@pytest.mark.parametrize("leaves", ["u1", "u2"])
def test_whoever_unsubscribes_under_one_id_is_unsubscribed_and_stays_so(post: Post, leaves: str) -> None:
    person("u1", agrees=False)
    person("u2", agrees=False)
    merge = join("u1", "u2")
    consent("u1", granted=True, now=NOW + timedelta(minutes=1))
    later = NOW + timedelta(minutes=2)
    assert gate.withdraw(leaves, gate.EMAIL_MARKETING, source="one_click", now=later)

    assert service.send(promotion("u1"), now=later) is Outcome.WITHHELD
    assert service.send(promotion("u2"), now=later) is Outcome.WITHHELD
    merges.undo(merge.merge_id, said_by="test", now=later)
    for each in ("u1", "u2"):
        assert service.send(promotion(each, "later"), now=later) is Outcome.WITHHELD


def test_one_person_gets_an_invitation_once(post: Post) -> None:
    for customer_id in ("u1", "u2", "u3"):
        person(customer_id)
    service.send(promotion("u2"), now=NOW)
    join("u1", "u2")
    join("u1", "u3", merge_id="m2")

    assert service.send(promotion("u1"), now=NOW) is Outcome.WITHHELD
    assert service.send(promotion("u3"), now=NOW) is Outcome.WITHHELD
    assert post.count() == 1
    reasons = {message.reason for message in service.page("u1", MessagesQuery(), now=NOW).data}
    assert reasons == {"campaign_welcome", "duplicate"}


def test_a_suppressed_id_suppresses_the_person(post: Post) -> None:
    person("u1")
    person("u2")
    gate.suppress("u2", "bounce")
    join("u1", "u2")

    assert service.send(news("u1"), now=NOW) is Outcome.WITHHELD
    assert post.count() == 0


@pytest.mark.parametrize("call", range(4))
def test_a_merge_between_any_two_calls_is_heeded(post: Post, aws: Any, call: int) -> None:
    """Somebody who agreed is merged with somebody who left, at every moment before the gate is passed."""
    person("u1", agrees=True)
    person("u2", agrees=False)
    wire = FaultyWire(aws)
    calls: list[int] = []

    def gate_of_wire() -> None:
        calls.append(len(calls))
        if len(calls) - 1 == call:
            wire.gate = lambda: None
            join("u1", "u2")
            wire.gate = gate_of_wire

    wire.gate = gate_of_wire
    outcome = service.send(promotion("u1"), now=NOW)
    wire.gate = lambda: None
    passed_before = call == 3  # who she is, her address, the gate: after these the mail is on its way
    assert outcome is (Outcome.SENT if passed_before else Outcome.WITHHELD)


def test_a_withdrawal_between_reading_and_passing_the_gates_is_heeded(post: Post, aws: Any) -> None:
    person("u1")
    person("u2")
    join("u1", "u2")
    wire = FaultyWire(aws)
    original = gate.transact

    def withdrawn_first(operations: list[dict[str, Any]]) -> None:
        with mock.patch.object(gate, "transact", original):
            gate.withdraw("u2", gate.EMAIL_MARKETING, source="one_click", now=NOW + timedelta(minutes=1))
            original(operations)

    with mock.patch.object(gate, "transact", withdrawn_first):
        assert service.send(promotion("u1"), now=NOW + timedelta(minutes=2)) is Outcome.WITHHELD
    assert wire.requests
    assert post.count() == 0


def test_gates_that_keep_regrouping_leave_the_mail_for_later(post: Post) -> None:
    person("u1")
    table("engagement").update("C#u1", "GATE", "SET merges = :other", values={":other": "elsewhere"})

    assert service.send(promotion("u1"), now=NOW) is Outcome.DEFERRED
    assert service.page("u1", MessagesQuery(), now=NOW).data == []
