"""Checks A1, A5, A6, A9 and A10: many callers at once on a real DynamoDB protocol, and every point accounted for."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.loyalty import ledger, mapping, program_store, service, spending, store, telling
from chalicelib.loyalty.schemas import AccrualRequest, ConfirmRequest, RedemptionRequest
from chalicelib.shared import dynamo, rounds
from chalicelib.shared.errors import Busy
from chalicelib.shared.ids import fingerprint
from tests.support import crowd, till
from tests.support.crowd import FULL, Dice
from tests.support.paper import Command, Goods

NOW = datetime(2026, 11, 29, 16, 30, tzinfo=UTC)
SEED = 20261129
ASKED_MAX = 20  # times a caller asks again before giving up


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with crowd.dynamodb(tmp_path_factory.mktemp("dynamodb")) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[Any]:
    with crowd.tables(address) as client:
        yield client


def give(who: str, key: str, points: int, now: datetime = NOW) -> str:
    return service.give_points(who, AccrualRequest(points=points, reason="crowd"), key=key, now=now)


def patiently(who: str, key: str, points: int) -> str:
    """Ask with the same key until there is an answer, as every caller should."""
    for _ in range(ASKED_MAX):
        try:
            return give(who, key, points)
        except (AssertionError, LookupError, TypeError):
            raise
        except BaseException as failure:  # a crash, a timeout, a 503: it is not known what happened
            last = failure
    raise last


def rebuilt(client: Any) -> tuple[int, int, int]:
    """Check A10: accounts, entries and points of the whole ledger, after each account was rebuilt from its entries."""
    items = everything(client)
    by_owner: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        by_owner.setdefault(item["pk"].removeprefix("A#"), []).append(item)
    for who, found in by_owner.items():
        till.check_books(found, who)
    entries = [item for item in items if item["sk"] != mapping.ACCOUNT]
    shop = sum(item.get("moves", {}).get("shop", 0) for item in entries)
    standing = [mapping.to_account(who, _account(found)) for who, found in by_owner.items()]
    assert shop == -sum(each.active + each.pending + each.held - each.owed for each in standing)
    return len(by_owner), len(entries), -shop


def everything(client: Any) -> list[dict[str, Any]]:
    pages = client.get_paginator("scan").paginate(TableName=dynamo.table("ledger").name, ConsistentRead=True)
    return [dynamo.unpack_item(item) for page in pages for item in page["Items"]]


@pytest.mark.slow
def test_a1_every_accrual_counts_once_however_often_it_is_sent(client: Any, figure: Any) -> None:
    count, threads = (10_000 if FULL else 300), 8
    dice, shuffled = Dice(client, SEED), random.Random(SEED)
    wanted = {f"k{n}": (f"u{n % 50}", shuffled.randrange(1, 1000)) for n in range(count)}
    sends = [key for key in wanted for _ in range(3)]
    shuffled_in_windows = [
        key
        for start in range(0, len(sends), 30)
        for key in shuffled.sample(sends[start : start + 30], len(sends[start : start + 30]))
    ]
    began = time.monotonic()

    answers = crowd.at_once(
        [partial(patiently, wanted[key][0], key, wanted[key][1]) for key in shuffled_in_windows], threads
    )

    seconds, dice.one_in = time.monotonic() - began, 0
    failed = [answer for answer in answers if not isinstance(answer, str)]
    assert not failed, f"seed {SEED}: {failed[:3]}"
    assert len({*zip(shuffled_in_windows, answers, strict=True)}) == count, (
        "one key, one answer, byte for byte"
    )
    entries = [item for item in everything(client) if item["sk"] != mapping.ACCOUNT]
    assert Counter(item["sk"] for item in entries) == Counter(f"T#key:{key}" for key in wanted)
    facts = {fact.id for item in entries for fact in telling.facts_of(item)}
    assert len(facts) == count
    _, _, points = rebuilt(client)
    assert points == sum(points for _, points in wanted.values())
    figure(
        f"A1 {count:,} accruals x 3 sends, {threads} threads, {dice.faults:,} faults in {dice.requests:,} calls "
        f"(seed {SEED}), {seconds:.0f} s: {points:,} points, 0 lost, 0 twice, {len(facts):,} facts"
    )


def test_a5_one_of_fifty_redemptions_of_the_whole_balance_wins(client: Any, figure: Any) -> None:
    give("u1", "k", 900)
    seen: list[int] = []

    def redeem(number: int) -> str:
        request = RedemptionRequest(points=900)
        try:
            return spending.reserve(["u1"], request, key=f"r{number}", now=NOW, dry_run=False)
        finally:
            [account] = store.read_many(["u1"])
            seen.append(account.active)

    outcomes = crowd.at_once([partial(redeem, number) for number in range(50)], 50)

    kinds = Counter(type(outcome).__name__ for outcome in outcomes)
    assert kinds == {"str": 1, "NotEnoughPoints": 49}
    assert min(seen) >= 0
    [account] = store.read_many(["u1"], consistent=True)
    assert (account.active, account.held, account.owed) == (0, 900, 0)
    rebuilt(client)
    figure(
        f"A5 50 redemptions of the whole balance at once: 1 accepted, 49 refused with 409, balance 0; {len(seen)} reads, 0 below 0"
    )


@pytest.mark.slow
def test_a6_a_crowd_of_writers_on_one_account_is_answered(client: Any, figure: Any, monkeypatch: Any) -> None:
    writers, each = 64, 100 if FULL else 2
    took: list[float] = []
    tries: list[int] = []
    plain = rounds.rounds

    def counted(*arguments: Any) -> Iterator[int]:
        for number in plain(*arguments):
            tries.append(number)
            yield number

    monkeypatch.setattr(ledger, "rounds", counted)

    def write(number: int) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        for nth in range(each):
            began = time.monotonic()
            try:
                give("u1", f"w{number}-{nth}", 1)
                outcomes["given"] += 1
            except Busy:
                outcomes["busy"] += 1
            took.append(time.monotonic() - began)
        return outcomes

    outcomes = crowd.at_once([partial(write, number) for number in range(writers)], writers)
    failed = [outcome for outcome in outcomes if not isinstance(outcome, Counter)]
    assert not failed, failed[:3]
    total = sum(outcomes, Counter())

    [account] = store.read_many(["u1"], consistent=True)
    rebuilt(client)
    p99 = sorted(took)[len(took) * 99 // 100 - 1]
    figure(
        f"A6 {writers} writers on one account, {each} commands each: {total['given']:,} given, {total['busy']} x 503, "
        f"{len(tries) / len(took):.1f} tries on average, {max(tries) + 1} at most, p99 {p99 * 1000:.0f} ms"
    )
    assert account.active == account.version == total["given"], "what was answered 503 has given nothing"
    if (
        FULL
    ):  # how many are left over depends on how fast the machine answers; what they leave behind does not
        assert total["busy"] * 100 <= len(took), "at most one in a hundred is to be told 503"


@pytest.mark.slow
def test_a8_a_refund_that_comes_twice_beside_its_order_is_one(client: Any, figure: Any) -> None:
    count = 500 if FULL else 30
    goods = {f"o{n}": Goods({"a": (2, 150), "b": (1, 250)}, 550, NOW) for n in range(count)}
    owners = {order: f"u{n % 10}" for n, order in enumerate(goods)}
    till.take_orders(goods, owners, NOW)
    commands = []
    for order, who in owners.items():
        refund = Command("refund", who, "r", order=order)
        commands += [Command("earn", who, order=order), refund, refund]

    dice = Dice(client, SEED)

    def play(command: Command) -> Any:
        for _ in range(ASKED_MAX):
            outcome = till.outcome_of(command, goods, NOW)
            if isinstance(outcome, str):
                return outcome
        return outcome

    outcomes = crowd.at_once([partial(play, command) for command in commands], 8)

    dice.one_in = 0
    assert all(isinstance(outcome, str) for outcome in outcomes), f"seed {SEED}: {outcomes}"
    entries = [item for item in everything(client) if item["sk"] != mapping.ACCOUNT]
    kinds = Counter(item["kind"] for item in entries)
    assert kinds["refund"] == count
    assert all(outcomes[n + 1] == outcomes[n + 2] for n in range(0, len(outcomes), 3)), (
        "one refund, one answer"
    )
    _, _, points = rebuilt(client)
    assert points == 0
    figure(
        f"A8 {count} orders, each refunded twice while it is earned, {dice.faults} faults (seed {SEED}): {kinds['accrue']} "
        f"came first and were taken back, {count - kinds['accrue']} earned nothing; {count} refunds, 0 points left"
    )


@pytest.mark.slow
def test_a9_a_point_is_spent_or_expires_and_never_both(client: Any, figure: Any) -> None:
    """Two clocks: by the one the month has not ended, by the other it has."""
    count = 1000 if FULL else 60
    program, _ = program_store.load()
    before_end = datetime(2027, 11, 30, 23, 59, tzinfo=UTC)
    after_end = before_end + timedelta(minutes=2)
    names = [f"u{n}" for n in range(count)]
    for who in names:
        give(who, "k", 100)

    def spend(who: str) -> Any:
        spending.reserve([who], RedemptionRequest(points=100), key="r", now=before_end, dry_run=False)
        return spending.confirm(
            [who], fingerprint(who, "r")[:26], ConfirmRequest(), now=before_end, dry_run=False
        )

    def expire(who: str) -> Any:
        for _ in range(2):
            [account] = store.read_many([who], consistent=True)
            try:
                return ledger.settle(account, program, after_end)
            except store.AccountMoved:
                continue
        return None

    # Who spends begins a little earlier, having more to ask; so now the one comes first and now the other.
    acts = [(place * 2, spend, who) for place, who in enumerate(names)]
    acts += [(place * 2 + 5, expire, who) for place, who in enumerate(names)]
    in_turn = sorted(acts, key=lambda each: each[0])
    outcomes = crowd.at_once([partial(act, who) for _, act, who in in_turn], 8)

    unexpected = [
        each
        for each in outcomes
        if isinstance(each, BaseException) and type(each).__name__ != "NotEnoughPoints"
    ]
    assert not unexpected, unexpected[:3]
    ends: Counter[str] = Counter()
    for who in names:
        account = store.read_many([who], consistent=True)[0]
        lost = Counter(
            {each.kind: -each.points for each in store.entries(who) if each.kind in ("redeem", "expire")}
        )
        assert account.active + account.held + lost.total() == 100, f"{who}: {lost}"
        assert sorted(lost.values()) == [100], f"{who}: {lost}"
        ends.update(lost.keys())
    accounts, entries, _ = rebuilt(client)
    figure(
        f"A9 expiry against redemption on {count:,} accounts: {ends['redeem']:,} spent, {ends['expire']:,} expired, 0 both, 0 neither"
    )
    figure(f"A10 rebuilt {accounts:,} accounts from {entries:,} entries after A9: 0 differences")


def _account(items: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next(itertools.chain((item for item in items if item["sk"] == mapping.ACCOUNT), [None]))
