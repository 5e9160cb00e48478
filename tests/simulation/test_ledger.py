"""A customer who never gives up, a wire that misbehaves, and books that must balance."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from chalicelib.loyalty import service, store
from chalicelib.loyalty.schemas import AccrualRequest
from chalicelib.shared import dynamo
from chalicelib.shared.dynamo import table
from chalicelib.shared.errors import KeyReused, Refused
from tests.support.faults import FAULTS, Baton, Crash, FaultyWire

LONG = os.environ.get("KOKYAKU_SIMULATE") == "long"
SETTINGS = settings(
    max_examples=2000 if LONG else 30,
    stateful_step_count=25 if LONG else 12,
    deadline=None,
    print_blob=True,  # a failure prints what replays it
    suppress_health_check=list(HealthCheck),
)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
CUSTOMERS = st.sampled_from(["u1", "u2"])
KEYS = st.sampled_from(["k1", "k2", "k3"])  # few, so that they collide
POINTS = st.integers(1, 3)
PLANS = st.lists(st.sampled_from(FAULTS), max_size=6)


class Ledger(RuleBasedStateMachine):
    """The service on a faulty wire against an independent model: which key gave whom how many points."""

    wire: FaultyWire

    @initialize()
    def empty_books(self) -> None:
        for item in _items():
            table("ledger").delete(item["pk"], item["sk"])
        self.given: dict[tuple[str, str], int] = {}
        self.answers: dict[tuple[str, str], str] = {}

    @rule(customer=CUSTOMERS, key=KEYS, points=POINTS, plan=PLANS)
    def one(self, customer: str, key: str, points: int, plan: list[str]) -> None:
        self.wire.plan = list(plan)
        outcome = _outcome(lambda: _give(customer, key, points))
        self.settle(customer, key, points, outcome)

    @rule(
        customer=CUSTOMERS, keys=st.tuples(KEYS, KEYS), points=st.tuples(POINTS, POINTS),
        order=st.lists(st.booleans(), max_size=14), plan=PLANS,
    )  # fmt: skip
    def two_at_once(
        self,
        customer: str,
        keys: tuple[str, str],
        points: tuple[int, int],
        order: list[bool],
        plan: list[str],
    ) -> None:
        baton = Baton(order)
        self.wire.plan, self.wire.gate = list(plan), baton.gate
        try:
            outcomes = baton.run(
                lambda: _outcome(lambda: _give(customer, keys[0], points[0])),
                lambda: _outcome(lambda: _give(customer, keys[1], points[1])),
            )
        finally:
            self.wire.gate = lambda: None
        # Answers first: when both used one key, the one that was answered says which body won.
        for number in sorted((0, 1), key=lambda n: not isinstance(outcomes[n], str)):
            self.settle(customer, keys[number], points[number], outcomes[number])

    def settle(self, customer: str, key: str, points: int, outcome: Any) -> None:
        """An unknown outcome is asked again with the same key on a healthy wire; then the model learns it."""
        self.wire.plan = []
        if not isinstance(outcome, str | KeyReused):
            outcome = _outcome(lambda: _give(customer, key, points))
        scoped = (customer, key)
        if isinstance(outcome, KeyReused):
            assert self.given.get(scoped, points) != points, (
                "refused as reused, yet the body is the same or new"
            )
            return
        assert isinstance(outcome, str), f"a healthy wire must give an answer, not {outcome!r}"
        assert self.given.setdefault(scoped, points) == points, "one key gave points for two bodies"
        assert self.answers.setdefault(scoped, outcome) == outcome, "the first answer must be given for ever"

    @invariant()
    def books_balance(self) -> None:
        items = _items()
        for customer in ("u1", "u2"):
            entries = [each for each in items if each["pk"] == f"A#{customer}" and each["sk"] != "ACCOUNT"]
            account = store.read(customer)
            expected = sum(points for (owner, _), points in self.given.items() if owner == customer)

            assert account.active_points == sum(entry["points"] for entry in entries) == expected
            assert sum(account.lots.values()) == account.active_points
            assert account.version == len(entries)


def test_the_books_balance_whatever_the_wire_does(faulty: type[Ledger]) -> None:
    run_state_machine_as_test(faulty, settings=SETTINGS)


def _no_version_check(self: Any, item: Any, *, condition: str = "", values: Any = None) -> Any:
    return (
        _putting(self, item)
        if item["sk"] == "ACCOUNT"
        else _putting(self, item, condition=condition, values=values)
    )


def _unconditional_add(operations: list[dict[str, Any]]) -> None:
    """A counter that is simply added to, with a note of it afterwards."""
    entry = dynamo.unpack_item(operations[0]["Put"]["Item"])
    account = dynamo.unpack_item(operations[1]["Put"]["Item"])
    ledger = table("ledger")
    values = {":points": entry["points"], ":one": 1, ":lots": account["lots"]}
    ledger.update(
        entry["pk"],
        "ACCOUNT",
        "SET lots = :lots ADD active :points, lifetime :points, version :one",
        values=values,
    )
    ledger.put(entry)


def _two_writes(operations: list[dict[str, Any]]) -> None:
    """The mark after the effect, as in a decorator around a counter."""
    for operation in reversed(operations):
        _transact([operation])


_putting = dynamo.Table.putting
_transact = dynamo.transact


def _small_scope(machine: type[Ledger]) -> None:
    """Every way two commands can interleave in six calls, and every single fault at every call of one command."""
    play = machine()
    for order in itertools.product([False, True], repeat=6):
        play.empty_books()
        play.two_at_once(customer="u1", keys=("k1", "k2"), points=(1, 2), order=list(order), plan=[])
        play.books_balance()
    for call, fault in itertools.product(range(4), FAULTS):
        play.empty_books()
        play.one(customer="u1", key="k1", points=1, plan=["ok"] * call + [fault])
        play.books_balance()


def test_the_books_balance_in_every_small_case(faulty: type[Ledger]) -> None:
    _small_scope(faulty)


@pytest.mark.parametrize(
    ("where", "mutant"),
    [
        ("chalicelib.shared.dynamo.Table.putting", _no_version_check),
        ("chalicelib.loyalty.store.transact", _unconditional_add),
        ("chalicelib.loyalty.store.transact", _two_writes),
    ],
    ids=["no-version-check", "unconditional-add", "mark-after-effect"],
)
def test_a_planted_bug_is_found(faulty: type[Ledger], where: str, mutant: Any) -> None:
    with mock.patch(where, mutant), pytest.raises(AssertionError):
        _small_scope(faulty)


@pytest.mark.parametrize(
    "fault", ["crash_before", "crash_after", "reply_lost", "never_sent", "throttle", "conflict"]
)
def test_a_fault_at_every_single_call_changes_nothing_for_a_patient_caller(
    faulty: type[Ledger], fault: str
) -> None:
    """Check A3: the fault at each AWS call in turn, then the same key again, ends as the undisturbed run does."""
    undisturbed = _give("calm", "k", 3)
    for call in range(4):
        customer = f"{fault}{call}"
        faulty.wire.plan = ["ok"] * call + [fault]
        _outcome(lambda: _give(customer, "k", 3))  # noqa: B023  (called before the loop goes on)
        faulty.wire.plan = []

        assert _give(customer, "k", 3) == undisturbed
        assert store.read(customer).active_points == 3


@pytest.fixture
def faulty(aws: Any) -> Iterator[type[Ledger]]:
    """The machine with a faulty wire on the service's own client; the SDK's back-off does not really sleep."""
    Ledger.wire = FaultyWire(aws)
    with _no_waiting():
        yield Ledger


@contextmanager
def _no_waiting() -> Iterator[None]:
    with mock.patch("botocore.endpoint.time.sleep"):
        yield


def _give(customer: str, key: str, points: int) -> str:
    return service.give_points(customer, AccrualRequest(points=points, reason="sim"), key=key, now=NOW)


def _outcome(command: Callable[[], str]) -> Any:
    try:
        return command()
    except (Refused, Crash) as known:
        return known
    except Exception as failure:  # botocore's many: to a caller they are all "I do not know"
        if not type(failure).__module__.startswith("botocore"):
            raise
        return failure


def _items() -> list[dict[str, Any]]:
    answer = dynamo._db().scan(TableName=table("ledger").name, ConsistentRead=True)
    return [dynamo.unpack_item(item) for item in answer["Items"]]
