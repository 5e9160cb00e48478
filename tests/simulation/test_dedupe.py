"""A sender that never gives up, on a wire that misbehaves: each message is one entry and one effect, whatever arrives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from chalicelib.activity import service, store
from chalicelib.activity.reading import Sending
from chalicelib.activity.store import Claim
from chalicelib.shared.dynamo import table
from chalicelib.shared.errors import InvalidInput
from tests.support.faults import FAULTS, Baton, FaultyWire

LONG = os.environ.get("KOKYAKU_SIMULATE") == "long"
SETTINGS = settings(
    max_examples=1000 if LONG else 25,
    stateful_step_count=20 if LONG else 8,
    deadline=None,
    print_blob=True,  # a failure prints what replays it
    suppress_health_check=list(HealthCheck),
)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
CALLS_MAX = 8  # more than the calls of any one message


@dataclass(frozen=True)
class Message:
    """One telling: `name` is its messageId, `hour` the timestamp it carries this time."""

    name: str
    hour: int

    @property
    def kind(self) -> str:
        return "identify" if self.name.startswith("i") else "track"

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = {
            "type": self.kind,
            "messageId": self.name,
            "userId": "u1",
            "timestamp": (NOW - timedelta(hours=self.hour)).isoformat(),
        }
        if self.kind == "identify":
            return event | {"traits": {"said": self.name}}
        return event | {"event": "Product Added to Wishlist", "properties": {"product_id": self.name}}


MESSAGES = st.builds(
    Message, st.sampled_from(["t1", "t2", "i1", "i2"]), st.integers(1, 3)
)  # few: they collide
PLANS = st.lists(st.sampled_from(FAULTS), max_size=8)


class Door(RuleBasedStateMachine):
    """The door for events on a faulty wire against a model that knows what was sent, and with which times."""

    wire: FaultyWire

    @initialize()
    def empty_house(self) -> None:
        for name in ("activity", "people"):
            for item in _items(name):
                table(name).delete(item["pk"], item["sk"])
        self.sent: dict[str, set[str]] = {}
        self.accepted: dict[str, int] = {}

    @rule(message=MESSAGES, plan=PLANS)
    def one(self, message: Message, plan: list[str]) -> None:
        self.play([message], plan=plan)

    @rule(messages=st.lists(MESSAGES, min_size=2, max_size=3), plan=PLANS)
    def a_batch(self, messages: list[Message], plan: list[str]) -> None:
        self.play(messages, plan=plan)

    @rule(first=MESSAGES, second=MESSAGES, order=st.lists(st.booleans(), max_size=20), plan=PLANS)
    def two_at_once(self, first: Message, second: Message, order: list[bool], plan: list[str]) -> None:
        self.interleave(first, second, order=order, plan=plan)

    def interleave(self, first: Message, second: Message, *, order: list[bool], plan: list[str]) -> None:
        baton = Baton(order)
        self.wire.plan, self.wire.gate = list(plan), baton.gate
        try:
            outcomes = baton.run(lambda: _send([first]), lambda: _send([second]))
        finally:
            self.wire.gate = lambda: None
        for message, outcome in zip((first, second), outcomes, strict=True):
            self.settle([message], outcome)

    def play(self, messages: list[Message], *, plan: list[str]) -> None:
        self.wire.plan = list(plan)
        try:
            outcome: Any = _send(messages)
        except BaseException as error:  # a crash is an outcome here
            outcome = error
        self.settle(messages, outcome)

    def settle(self, messages: list[Message], outcome: Any) -> None:
        """What was not answered is sent again on a healthy wire; only then is it known to have arrived."""
        self.wire.plan = []
        for each in messages:
            self.sent.setdefault(each.name, set()).add(each.event["timestamp"])
        if isinstance(outcome, BaseException):
            assert not isinstance(outcome, InvalidInput | AssertionError), outcome
            outcome = _send(messages)
        assert outcome.refused == []
        assert outcome.accepted + outcome.duplicates == len(messages)
        names = {each.name for each in messages}
        if len(names) == 1:
            self.accepted[names.pop()] = self.accepted.get(messages[0].name, 0) + outcome.accepted

    @invariant()
    def each_message_is_one_entry_and_one_effect(self) -> None:
        entries = store.newest([("customer", "u1")], now=NOW, limit=100)[0].rows
        mine = {row.entry.entry_id: row.entry for row in entries}
        assert len(entries) == len(self.sent), "every message that arrived is one entry"
        assert all(times <= 1 for times in self.accepted.values()), "a message is new once"
        at = {each.at.isoformat() for each in mine.values()}
        assert at <= {when for times in self.sent.values() for when in times}, (
            "an entry has a time that was sent"
        )

        profile = table("people").get("C#u1", "PROFILE", consistent=True)
        said = max((each.at for each in mine.values() if each.kind == "identify"), default=None)
        assert _trait_at(profile) == said, "the profile says what the latest entry says, as of its time"


def _trait_at(profile: Any) -> datetime | None:
    from chalicelib.customers import mapping

    trait = mapping.to_profile("u1", profile).traits.get("said") if profile else None
    return trait.at if trait else None


def _send(messages: list[Message]) -> Any:
    sending = Sending(trusted=True, now=NOW)
    if len(messages) == 1:
        return service.take_one(messages[0].event, messages[0].kind, sending)  # type: ignore[arg-type]
    with mock.patch(
        "chalicelib.activity.store.THREADS_MAX", 1
    ):  # one after the other, so that a failure replays
        return service.take_batch([each.event for each in messages], sending)


def _items(name: str) -> list[dict[str, Any]]:
    from chalicelib.shared import aws
    from chalicelib.shared.config import config
    from chalicelib.shared.dynamo import unpack_item

    found = aws.client("dynamodb").scan(TableName=config().tables[name])["Items"]
    return [unpack_item(each) for each in found]


def _small_scope(machine: type[Door]) -> None:
    """Every single fault at every call of one message, and every way two tellings of one message can interleave."""
    play = machine()
    for name in ("t1", "i1"):
        for fault in FAULTS:
            for call in range(CALLS_MAX):
                play.empty_house()
                play.play([Message(name, 1)], plan=["ok"] * call + [fault])
                play.each_message_is_one_entry_and_one_effect()
                play.play([Message(name, 2)], plan=[])
                play.each_message_is_one_entry_and_one_effect()
        for pattern in range(2**CALLS_MAX if LONG else 32):
            play.empty_house()
            order = [bool(pattern >> bit & 1) for bit in range(CALLS_MAX)]
            play.interleave(Message(name, 1), Message(name, 2), order=order, plan=[])
            play.each_message_is_one_entry_and_one_effect()


def test_each_message_counts_once_whatever_the_wire_does(faulty: type[Door]) -> None:
    run_state_machine_as_test(faulty, settings=SETTINGS)


def test_each_message_counts_once_in_every_small_case(faulty: type[Door]) -> None:
    _small_scope(faulty)


def _no_claim(draft: Any, *, now: datetime) -> Claim:
    entry = draft.entry
    return Claim(store.partition_of(entry.who), f"E#{store.to_text(entry.at)}#{entry.entry_id}", is_new=True)


def _claimed_is_done(draft: Any, *, now: datetime) -> Claim:
    claim = _claim(draft, now=now)
    return claim if claim.is_new else Claim(claim.pk, claim.sk, is_new=False, closed=True)


_claim = store.claim


@pytest.mark.parametrize("mutant", [_no_claim, _claimed_is_done], ids=["no-claim", "claimed-is-done"])
def test_a_planted_bug_is_found(faulty: type[Door], mutant: Any) -> None:
    with mock.patch("chalicelib.activity.store.claim", mutant), pytest.raises(AssertionError):
        _small_scope(faulty)


@pytest.fixture
def faulty(aws: Any) -> Iterator[type[Door]]:
    """The machine with a faulty wire on the service's own client; the SDK's back-off does not really sleep."""
    Door.wire = FaultyWire(aws)
    with mock.patch("botocore.endpoint.time.sleep"):
        yield Door
