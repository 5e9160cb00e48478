"""Checks A3, A4, A7, A11 to A14: every fault at every call of every use case, keys that are used again, and odd clocks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock

import pytest

from chalicelib.loyalty import books, program_store, redeeming, rules, running, service, store
from chalicelib.loyalty.model import POINTS, SHOP, Account, Entry
from chalicelib.loyalty.program import Program
from chalicelib.loyalty.program_schemas import ProgramBody
from chalicelib.loyalty.schemas import AccrualRequest
from chalicelib.shared.errors import Busy, Refused
from chalicelib.shared.rounds import TRIES_MAX
from tests.simulation.test_ledger import CALLS_MAX, GOODS, NOW, OWNERS, PAIRS
from tests.support import till
from tests.support.crowd import FULL
from tests.support.faults import Crash, FaultyWire
from tests.support.known import make_known
from tests.support.paper import Command

CASES = [(name, nth) for name in PAIRS for nth in (0, 1)]


class Wire(FaultyWire):
    """Also refuses so many transactions, as somebody else's at the same moment would make DynamoDB do."""

    conflicts = 0

    def __call__(self, event_name: str, request: Any, **more: Any) -> Any:
        if self.conflicts and b"TransactItems" in (request.body or b""):
            self.conflicts -= 1
            self.plan = ["conflict"]
        return super().__call__(event_name, request, **more)


class Case:
    """One use case, with what must have happened before it, and how it ends when nothing disturbs it."""

    def __init__(self, name: str, nth: int) -> None:
        terms, before, *both = PAIRS[name]
        self.command: Command = both[nth]
        self.now = NOW
        till.forget("ledger", "settings")
        till.put_in_force(terms, NOW)
        for step in before:
            if isinstance(step, Command):
                till.outcome_of(step, GOODS, self.now)
            else:
                self.now += step
        self._kept = till.Kept()
        self.answer = self.again()
        self.end = ended()

    def restore(self) -> None:
        self._kept.restore()

    def again(self) -> Any:
        outcome = till.outcome_of(self.command, GOODS, self.now)
        return repr(outcome) if isinstance(outcome, Refused) else outcome


def ended() -> list[str]:
    return sorted(repr(sorted(item.items())) for item in till.stored())


@pytest.fixture
def wire(aws: Any) -> Iterator[Wire]:
    till.without_streams()
    till.take_orders(GOODS, OWNERS, NOW)
    with mock.patch("botocore.endpoint.time.sleep"):
        yield Wire(aws)


@pytest.mark.slow
def test_a3_a_crash_at_any_call_ends_as_no_crash_does(wire: Wire, figure: Any) -> None:
    points, cases = 0, 0
    for case in (Case(*each) for each in CASES):
        cases += 1
        for fault in ("crash_before", "crash_after"):
            for call in range(CALLS_MAX):
                case.restore()
                wire.plan = ["ok"] * call + [fault]
                outcome = case.again()
                if wire.plan:
                    break
                assert isinstance(outcome, Crash)
                assert (case.again(), ended()) == (case.answer, case.end), (
                    f"{case.command}: {fault} at {call}"
                )
                points += 1
            wire.plan = []
    figure(
        f"A3 {cases} use cases killed before and after every AWS call, {points} points, and asked again: {points} ended alike"
    )


@pytest.mark.slow
def test_a4_a_lost_reply_is_no_second_effect_and_no_false_refusal(wire: Wire, figure: Any) -> None:
    points = 0
    for case in (Case(*each) for each in CASES):
        for call in range(CALLS_MAX):
            case.restore()
            wire.plan = ["ok"] * call + ["reply_lost"]
            outcome = case.again()
            if wire.plan:
                break
            assert (outcome, ended()) == (case.answer, case.end), f"{case.command}: reply lost at {call}"
            points += 1
        wire.plan = []
    figure(
        f"A4 the reply lost at each of {points} calls, and the SDK's retry: 0 double effects, 0 false refusals"
    )


def test_a7_a_key_with_another_body_is_refused_and_independent_elsewhere(api: Any, figure: Any) -> None:
    till.without_streams()
    make_known(["u1", "u2"])
    pairs = 1000 if FULL else 25
    for n in range(pairs):
        key = {"Idempotency-Key": f"k{n}"}
        first = give(api, "u1", n + 1, key)
        assert first.status_code == 201, first.body
        assert give(api, "u1", n + 2, key).status_code == 422
        assert give(api, "u1", n + 1, key).body == first.body
        assert give(api, "u2", n + 2, key).status_code == 201, "a key belongs to one customer"
        other = api.post("/v1/customers/u1/loyalty/redemptions", {"points": 1}, **key)
        assert other.status_code == (201 if n < 5 else 409), "a key belongs to one kind of thing"
    u1, u2 = store.read_many(["u1", "u2"])
    assert u1.lifetime == sum(range(1, pairs + 1))
    assert u2.lifetime == sum(range(2, pairs + 2))
    figure(
        f"A7 {pairs:,} keys with another body: {pairs:,} x 422, 0 effects; other customer, other kind: independent"
    )


def give(api: Any, who: str, points: int, headers: dict[str, str]) -> Any:
    return api.post(f"/v1/customers/{who}/loyalty/accruals", {"points": points, "reason": "x"}, **headers)


def test_a11_random_decisions_conserve_points(figure: Any) -> None:
    count, seed = (100_000 if FULL else 1500), 20261129
    dice, steps = random.Random(seed), 0
    for _ in range(count):
        steps += _conserves(dice)
    figure(
        f"A11 {count:,} random sequences, {steps:,} decisions (seed {seed}): every one conserved points, 0 floats"
    )


def _conserves(dice: random.Random) -> int:
    program = Program(
        pending_days=dice.choice([0, 3]), expiry_months=dice.choice([1, 2]), expiry=dice.choice(["fixed", "sliding"]),
        overdraft=dice.choice([0, 7]),
    )  # fmt: skip
    account, now, entries = Account("u1"), NOW, list[Entry]()
    for step in range(dice.randrange(1, 9)):
        now += timedelta(hours=dice.choice([0, 1, 30, 700]))
        while due := books.settlement(account, program, now):
            account = _added(account, due.account, due.entry, entries)
        redemption = f"r{dice.randrange(3)}"
        decide = dice.choice([
            partial(rules.give, entry_id=f"key:{step}", points=dice.randrange(1, 20), reason="x",
                    pending_until=f"{now + timedelta(days=dice.choice([0, 40])):%Y-%m-%d}"),
            partial(redeeming.reserve, redemption_id=f"{redemption}{step}", points=dice.randrange(1, 15), hold=timedelta(hours=20)),
            partial(redeeming.confirm, redemption_id=next(iter(account.holds), "r"), points=dice.choice([None, 1, 3])),
            partial(redeeming.release, redemption_id=next(iter(account.holds), "r"), reason="x"),
        ])  # fmt: skip
        try:
            decision = decide(account, program, now=now)  # type: ignore[operator]
        except Refused:
            continue
        account = _added(account, decision.account, decision.entry, entries)
    assert books.rebuilt("u1", entries) == account
    return len(entries)


def _added(before: Account, after: Account, entry: Entry, entries: list[Entry]) -> Account:
    assert after.version == before.version + 1 == entry.number
    legs = [n for key, n in entry.moves.items() if key.partition(":")[0] in (*POINTS, SHOP)]
    assert sum(legs) == 0
    assert all(type(n) is int for n in (*entry.moves.values(), *after.sums.values(), entry.points))
    entries.append(entry)
    return after


@pytest.mark.parametrize("conflicts", range(TRIES_MAX + 1))
def test_a12_a_conflict_is_tried_again_and_then_said(wire: Wire, figure: Any, conflicts: int) -> None:
    wire.conflicts = conflicts
    given = partial(service.give_points, "u1", AccrualRequest(points=5, reason="x"), key="k", now=NOW)
    if conflicts < TRIES_MAX:
        given()
        assert store.read_many(["u1"])[0].active == 5
        return
    with pytest.raises(Busy) as refused:
        given()
    assert refused.value.status == 503
    assert refused.value.headers["Retry-After"]
    assert till.stored() == []
    figure(
        f"A12 TransactionConflict on k of {TRIES_MAX} tries: k < {TRIES_MAX} succeeds, k = {TRIES_MAX} is 503 with Retry-After, 0 effects"
    )


@pytest.mark.slow
def test_a13_a_run_that_dies_is_finished_by_the_next(wire: Wire, figure: Any) -> None:
    accounts, program = 105, Program(expiry_months=1)
    later = NOW + timedelta(days=70)
    for n in range(accounts):
        decision = rules.give(Account(f"u{n}"), program, entry_id="key:k", points=n + 1, reason="x", now=NOW)
        store.commit(store.committing(decision))
    expiring = {"currency": "JPY", "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}],
                "expiry_months": 1}  # fmt: skip
    service.replace_program(ProgramBody.model_validate(expiring), if_match="", said_by="test", now=NOW)
    kept, settings_before = till.Kept(), till.Kept("settings")
    wire.requests = 0
    running.run(later)
    calls, end, died = wire.requests, ended(), 0
    for call in range(0, calls, 1 if FULL else calls // 4):
        kept.restore()
        settings_before.restore()
        wire.plan = ["ok"] * call + ["crash_after"]
        with pytest.raises(Crash):
            running.run(later)
        wire.plan = []
        running.run(later)
        assert ended() == end, f"after call {call}"
        died += 1
    assert sum("'kind', 'expire'" in each for each in end) == accounts
    figure(
        f"A13 a run over {accounts} accounts, {calls} calls, died after {died} of them and ran again: {accounts} expired once, 0 lost, 0 twice"
    )


def test_a14_clocks_that_go_back_and_keys_that_come_late(aws: Any, figure: Any) -> None:
    ask = partial(service.give_points, "u1", AccrualRequest(points=5, reason="x"), key="k")
    first = ask(now=NOW)
    for away in (-timedelta(hours=1), timedelta(days=29), timedelta(days=400)):
        assert ask(now=NOW + away) == first, f"the key again after {away}"
    other = partial(service.give_points, "u1", key="back", now=NOW - timedelta(hours=1))
    other(AccrualRequest(points=2, reason="x"))
    assert store.read_many(["u1"])[0].active == 7
    till.check_books(till.stored(), "u1")
    figure("A14 the clock 1 h back, a key after 29 and 400 days: same answers, 0 lost, 0 doubled")


def test_a14_the_night_the_clocks_change(aws: Any, figure: Any) -> None:
    program = Program(timezone="America/New_York", expiry_months=1)
    once, twice = (
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
    )  # 01:30 and 01:30
    account = Account("u1")
    for key, at in (("a", once), ("b", twice)):
        account = rules.give(account, program, entry_id=f"key:{key}", points=5, reason="x", now=at).account
    account = redeeming.reserve(account, program, "r", 10, hold=timedelta(hours=1), now=once).account
    assert books.settled(account, program, once + timedelta(minutes=59)).held == 10
    assert books.settled(account, program, once + timedelta(hours=1)).active == 10
    ends = datetime(2027, 1, 1, 5, tzinfo=UTC)  # midnight there
    assert books.settled(account, program, ends - timedelta(seconds=1)).active == 10
    assert books.settled(account, program, ends).active == 0
    figure(
        "A14 the hour that comes twice: 2 accruals counted, a hold of 1 h lasts 1 h, months end at midnight there"
    )


def test_a14_the_29th_of_february(aws: Any, figure: Any) -> None:
    program = Program(timezone="Asia/Tokyo", expiry_months=12)
    leap = datetime(2028, 2, 29, 3, tzinfo=UTC)
    account = rules.give(Account("u1"), program, entry_id="key:a", points=5, reason="x", now=leap).account
    assert books.settled(account, program, datetime(2029, 2, 28, 14, 59, tzinfo=UTC)).active == 5
    assert books.settled(account, program, datetime(2029, 2, 28, 15, tzinfo=UTC)).active == 0
    back = service.give_points("u1", AccrualRequest(points=1, reason="x"), key="leap", now=leap)
    assert (
        service.give_points(
            "u1", AccrualRequest(points=1, reason="x"), key="leap", now=leap + timedelta(days=29)
        )
        == back
    )
    assert program_store.load()[0].version == 0
    figure("A14 points of 29 February last to the end of 28 February of the next year")
