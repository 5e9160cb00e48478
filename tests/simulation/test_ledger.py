"""Customers who never give up, a wire that misbehaves, and books that must say what paper says."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from chalicelib.loyalty import books, ledger, refunding, store
from chalicelib.shared import dynamo
from chalicelib.shared.dynamo import table
from chalicelib.shared.errors import Busy, Refused
from tests.support import till
from tests.support.faults import FAULTS, Baton, FaultyWire
from tests.support.paper import OPENED, Command, Goods, Paper, Terms

LONG = os.environ.get("KOKYAKU_SIMULATE") == "long"
SETTINGS = settings(
    max_examples=2000 if LONG else 25,
    stateful_step_count=25 if LONG else 12,
    deadline=None,
    print_blob=True,  # a failure prints what replays it
    phases=tuple(
        each for each in Phase if LONG or each is not Phase.shrink
    ),  # `make simulate` also makes it short
    suppress_health_check=list(HealthCheck),
)
NOW = OPENED
PEOPLE = ("u1", "u2")
GOODS = {
    "o1": Goods({"a": (2, 150), "b": (1, 250)}, 550, NOW),
    "o2": Goods({"a": (3, 400)}, 1100, NOW - timedelta(days=7)),
    "o3": Goods({"a": (1, 1000), "b": (1, 60)}, 1060, NOW),
}
OWNERS = {"o1": "u1", "o2": "u1", "o3": "u2"}
TERMS = (Terms(waits=3), Terms(sliding=True, overdraft=6), Terms(waits=3, sliding=True, overdraft=3))
PLANS = st.lists(st.sampled_from(FAULTS), max_size=10)
KEYS = st.sampled_from(["k1", "k2", "k3"])  # few, so that they collide
BEHIND = st.sampled_from([0, 0, 0, 1, 24])
ORDERS = st.sampled_from(sorted(GOODS))
BACK = st.sampled_from(
    [{}, {"lines": (("a", 1),)}, {"lines": (("a", 1), ("b", 1))}, {"amount": 100}, {"amount": 550}]
)  # fmt: skip


def _of_order(kind: str, order: str, **more: Any) -> Command:
    return Command(kind, OWNERS[order], order=order, **more)


COMMANDS = st.one_of(
    st.builds(Command, st.just("give"), st.sampled_from(PEOPLE), KEYS, st.integers(1, 9), st.sampled_from([0, 0, 2, 40]), behind=BEHIND),
    st.builds(_of_order, st.just("earn"), ORDERS),
    st.builds(_of_order, st.just("arrive"), ORDERS),
    st.builds(lambda order, key, back: _of_order("refund", order, key=key, **back), ORDERS, KEYS, BACK),
    st.builds(Command, st.just("reserve"), st.sampled_from(PEOPLE), KEYS, st.integers(1, 16), behind=BEHIND),
    st.builds(Command, st.just("confirm"), st.sampled_from(PEOPLE), KEYS, st.sampled_from([None, None, 1, 4])),
    st.builds(Command, st.just("release"), st.sampled_from(PEOPLE), KEYS),
)  # fmt: skip


class Wire(FaultyWire):
    left: Sequence[str] = ()  # of the last plan, what there was no call for


class Ledger(RuleBasedStateMachine):
    """The service on a faulty wire; every outcome must be one that paper allows, and paper must show the same points."""

    wire: Wire

    @initialize(terms=st.sampled_from(TERMS))
    def open_shop(self, terms: Terms) -> None:
        till.forget("ledger", "settings")
        till.put_in_force(terms, NOW)
        self.paper = Paper(terms, GOODS)
        self.now = NOW
        self.answers: dict[Command, str] = {}

    @rule(
        passes=st.sampled_from([timedelta(hours=2), timedelta(days=1), timedelta(days=3), timedelta(days=33)])
    )
    def later(self, passes: timedelta) -> None:
        self.now += passes

    @rule(command=COMMANDS, plan=PLANS)
    def one(self, command: Command, plan: list[str]) -> None:
        self.play(command, plan=plan)

    @rule(commands=st.tuples(COMMANDS, COMMANDS), order=st.lists(st.booleans(), max_size=20), plan=PLANS)
    def two_at_once(self, commands: tuple[Command, Command], order: list[bool], plan: list[str]) -> None:
        self.play(*commands, order=order, plan=plan)

    def play(self, *commands: Command, order: Sequence[bool] = (), plan: Sequence[str] = ()) -> None:
        """Whoever does not know what came of it asks again on a healthy wire; then some order explains everything."""
        self.wire.plan = list(plan)
        if len(commands) == 1:
            outcomes = [till.outcome_of(commands[0], GOODS, self.now)]
        else:
            baton = Baton(order)
            self.wire.gate = baton.gate
            try:
                outcomes = baton.run(
                    *(lambda each=each: till.outcome_of(each, GOODS, self.now) for each in commands)
                )
            finally:
                self.wire.gate = lambda: None
        self.wire.left, self.wire.plan = self.wire.plan, []
        for place, outcome in enumerate(outcomes):
            if isinstance(outcome, BaseException) and (
                isinstance(outcome, Busy) or not isinstance(outcome, Refused)
            ):
                assert not isinstance(outcome, AssertionError), repr(outcome)
                outcomes[place] = till.outcome_of(commands[place], GOODS, self.now)
        self.explain(list(zip(commands, outcomes, strict=True)))

    def explain(self, happened: list[tuple[Command, Any]]) -> None:
        items = till.stored()
        for line_up in itertools.permutations(happened):
            paper = self.paper.copy()
            if all(_fits(paper.do(command, self.now), outcome) for command, outcome in line_up) and (
                len(line_up) == 1 or all(self.agrees(paper, items, who) for who in PEOPLE)
            ):
                self.paper = paper
                break
        else:
            expected = [self.paper.copy().do(command, self.now) for command, _ in happened]
            raise AssertionError(f"nothing explains {happened}; alone they would come to {expected}")
        for command, outcome in happened:
            if isinstance(outcome, str) and command.kind not in ("confirm", "release"):
                first = self.answers.setdefault(command, outcome)
                assert outcome == first, "the first answer must be given for ever"

    def agrees(self, paper: Paper, items: list[dict[str, Any]], who: str) -> bool:
        return till.picture(items, who, self.now) == paper.picture(who, self.now)

    @invariant()
    def books_balance(self) -> None:
        items = till.stored()
        for who in PEOPLE:
            till.check_books(items, who)
            assert till.picture(items, who, self.now) == self.paper.picture(who, self.now)


def _fits(expected: Any, outcome: Any) -> bool:
    if isinstance(outcome, BaseException):
        return bool(type(outcome).__name__ == expected)
    if outcome == till.DONE:
        return not isinstance(expected, str)
    return bool(json.loads(outcome)["points"] == expected)


def test_the_books_say_what_paper_says_whatever_the_wire_does(faulty: type[Ledger], figure: Any) -> None:
    run_state_machine_as_test(faulty, settings=SETTINGS)
    figure(
        f"A2 {SETTINGS.max_examples:,} histories of up to {SETTINGS.stateful_step_count} steps, {faulty.wire.requests:,} "
        f"AWS calls, {len(FAULTS)} kinds of fault: 0 differences from paper"
    )


# What stands before, in commands and in time that passes; then two commands that could trip over each other.
FIXED, SLIDING, BORROWING = TERMS
GIVE = Command("give", "u1", "k1", 9)
RESERVE = Command("reserve", "u1", "k1", 9)
EARN = _of_order("earn", "o1")
DAYS, MONTH, HOURS = timedelta(days=3), timedelta(days=33), timedelta(hours=2)
Before = tuple[Command | timedelta, ...]
PAIRS: dict[str, tuple[Terms, Before, Command, Command]] = {
    "two keys": (FIXED, (), GIVE, Command("give", "u1", "k2", 2)),
    "one key, two bodies": (FIXED, (GIVE,), Command("give", "u1", "k2", 3), Command("give", "u1", "k2", 4)),
    "one balance, two redemptions": (FIXED, (GIVE,), RESERVE, Command("reserve", "u1", "k2", 9)),
    "one hold, two ends": (
        BORROWING, (GIVE, Command("reserve", "u1", "k1", 11)), Command("confirm", "u1", "k1", 4), Command("release", "u1", "k1"),
    ),
    "two refunds": (
        FIXED, (EARN, _of_order("refund", "o1", key="k3", lines=(("a", 1),))),
        _of_order("refund", "o1", key="k1", amount=100), _of_order("refund", "o1", key="k2"),
    ),
    "a refund before its order": (FIXED, (), EARN, _of_order("refund", "o1", key="k1", lines=(("b", 1),))),
    "a delivery and a refund": (FIXED, (EARN,), _of_order("arrive", "o1"), _of_order("refund", "o1", key="k1")),
    "two who see points become usable": (
        FIXED, (EARN, DAYS), Command("reserve", "u1", "k2", 8), Command("give", "u1", "k1", 1),
    ),
    "points that only one of two clocks lets be used": (
        FIXED, (EARN, DAYS), Command("reserve", "u1", "k2", 8), Command("give", "u1", "k1", 1, behind=24),
    ),
    "two who see a hold end": (SLIDING, (GIVE, RESERVE, HOURS), Command("give", "u1", "k2", 1), Command("confirm", "u1", "k1")),
    "two who see points expire": (
        SLIDING, (EARN, MONTH, Command("give", "u1", "k1", 9), MONTH, MONTH),
        _of_order("refund", "o1", key="k1"), Command("reserve", "u1", "k2", 1),
    ),
    "points that slid along and expired": (
        SLIDING, (EARN, DAYS, GIVE, MONTH, MONTH), _of_order("refund", "o1", key="k1"), Command("reserve", "u1", "k2", 1),
    ),
    "borrowed, repaid, and returned": (
        BORROWING, (Command("reserve", "u1", "k1", 3),), Command("release", "u1", "k1"), GIVE,
    ),
}  # fmt: skip
CALLS_MAX = 20  # more than any command needs


def _set_up(play: Ledger, terms: Terms, before: Before) -> till.Kept:
    play.open_shop(terms)
    for step in before:
        if isinstance(step, Command):
            play.play(step)
        else:
            play.later(step)
    return till.Kept()


def _small_scope(machine: type[Ledger], name: str) -> None:
    """Of each pair, the one command at every call of the other; and either killed at every call, and asked again."""
    play = machine()
    terms, before, first, second = PAIRS[name]
    kept = _set_up(play, terms, before)
    paper = play.paper
    for one, other in ((first, second), (second, first)):
        for calls in range(12 if LONG else 7):
            kept.restore()
            play.paper, play.answers = paper.copy(), {}
            play.play(one, other, order=[False] * calls + [True] * CALLS_MAX)
            play.books_balance()
        for fault in FAULTS[1:] if LONG else ("crash_after",):
            for calls in range(
                1, CALLS_MAX
            ):  # the first call asks whether somebody was erased, or for the program
                kept.restore()
                play.paper, play.answers = paper.copy(), {}
                play.play(one, plan=["ok"] * calls + [fault])
                if play.wire.left:
                    break  # there are no more calls
                play.play(other)
                play.books_balance()


@pytest.mark.parametrize("name", PAIRS)
def test_the_books_say_what_paper_says_in_every_small_case(faulty: type[Ledger], name: str) -> None:
    _small_scope(faulty, name)


# --- planted bugs


def _no_version_check(self: Any, item: Any, *, condition: str = "", values: Any = None) -> Any:
    asked = {} if item["sk"] == "ACCOUNT" else {"condition": condition, "values": values}
    return _putting(self, item, **asked)


def _mark_after_effect(operations: list[dict[str, Any]]) -> None:
    """The mark after the effect, as in a decorator around a counter."""
    for operation in reversed(operations):
        _transact([operation])


def _unconditional_add(operations: list[dict[str, Any]]) -> None:
    """Sums that are simply added to, with a note of it afterwards."""
    entry, account = (dynamo.unpack_item(each["Put"]["Item"]) for each in operations)
    stands = table("ledger").get(account["pk"], account["sk"], consistent=True) or {}
    sums = books.add(stands.get("sums", {}), entry["moves"])
    table("ledger").put(account | {"sums": sums, "version": stands.get("version", 0) + 1})
    table("ledger").put(entry)


def _refund_that_forgets(basket: Any, entries: Any, more: Any = None, *, check: bool = False) -> Any:
    return _left_of(basket, [], more, check=check)


def _hold_not_returned(account: Any, program: Any, held: Any, at: Any) -> Any:
    return {f"held:{key}": -n for key, n in held.items()}


def _settlement_without_version(account: Any, program: Any, now: Any) -> Any:
    while due := books.settlement(account, program, now):
        operations = store.committing(due)
        for name in (
            "ConditionExpression",
            "ExpressionAttributeValues",
            "ReturnValuesOnConditionCheckFailure",
        ):
            operations[1]["Put"].pop(name, None)
        store.commit(operations)
        account = due.account
    return account


_putting, _transact, _left_of = dynamo.Table.putting, dynamo.transact, refunding.left_of
# Where it is planted, and the small case that must find it.
MUTANTS = {
    "no version check": (dynamo.Table, "putting", _no_version_check, "two keys"),
    "mark after the effect": (store, "transact", _mark_after_effect, "two keys"),
    "unconditional add": (store, "transact", _unconditional_add, "two keys"),
    "refund that ignores earlier ones": (refunding, "left_of", _refund_that_forgets, "two refunds"),
    "hold not returned": (books, "returned", _hold_not_returned, "one hold, two ends"),
    "settlement without version": (
        ledger,
        "settle",
        _settlement_without_version,
        "points that only one of two clocks lets be used",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_is_found(faulty: type[Ledger], figure: Any, name: str) -> None:
    where, what, mutant, pair = MUTANTS[name]
    with mock.patch.object(where, what, mutant), pytest.raises(AssertionError):
        _small_scope(faulty, pair)
    figure(f"A2 planted and found: {name}")


@pytest.fixture
def faulty(aws: Any) -> Iterator[type[Ledger]]:
    """The machine with a faulty wire on the service's own client; the SDK's back-off does not really sleep."""
    till.without_streams()
    till.take_orders(GOODS, OWNERS, NOW)
    Ledger.wire = Wire(aws)
    with mock.patch("botocore.endpoint.time.sleep"):
        yield Ledger
