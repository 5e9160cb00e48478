"""The run that lets time pass: once for each thing, whoever dies, overlaps or comes late."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.loyalty import books, ledger, program_store, rules, run_store, running, service, store
from chalicelib.loyalty.ledger import Command
from tests.support.faults import Crash, FaultyWire
from tests.support.members import given, join, put_program
from tests.support.person import Snapshot

EARNED = datetime(2026, 11, 1, 9, tzinfo=UTC)  # to the end of November 2027
WARNED = datetime(2027, 10, 31, tzinfo=UTC)
OVER = datetime(2027, 12, 1, tzinfo=UTC)


def give(
    customer_id: str, points: int = 100, *, key: str = "k1", at: datetime = EARNED, waits: str = ""
) -> None:
    program, _ = program_store.load()
    entry_id = f"key:{key}"

    def decide(account: Any, _: Any) -> Any:
        return rules.give(
            account, program, entry_id=entry_id, points=points, reason="test", pending_until=waits, now=at
        )

    ledger.run(Command(customer_id, entry_id, entry_id, decide), program, now=at)


def told(customer_id: str) -> list[tuple[str, int]]:
    """What time did to an account."""
    entries = store.entries(customer_id)
    assert books.rebuilt(customer_id, entries) == store.read_many([customer_id], consistent=True)[0]
    return [(each.kind, each.points) for each in entries if each.kind != "accrue"]


def test_points_are_told_of_once_before_they_expire_and_then_they_do(aws: Any) -> None:
    give("u1")

    running.run(WARNED - timedelta(milliseconds=1))
    assert told("u1") == []
    for hours in (0, 1, 24, 48):
        running.run(WARNED + timedelta(hours=hours))
    assert told("u1") == [("expiring", 100)]
    running.run(OVER - timedelta(milliseconds=1))
    assert told("u1") == [("expiring", 100)]
    for hours in (0, 1, 24):
        running.run(OVER + timedelta(hours=hours))

    assert told("u1") == [("expiring", 100), ("expire", -100)]
    [notice] = [each for each in store.entries("u1") if each.kind == "expiring"]
    assert (notice.entry_id, notice.lot, notice.moves) == (
        "expiring:2027-11",
        "2027-11",
        {"noticed:2027-11": 1},
    )


def test_a_missed_notice_is_not_told_of_points_that_are_over(aws: Any) -> None:
    give("u1")

    running.run(OVER + timedelta(days=60))

    assert told("u1") == [("expire", -100)]


def test_each_lot_has_its_own_notice_and_its_own_end(aws: Any) -> None:
    for number, month in enumerate((10, 11, 12)):
        give("u1", 10 * month, key=f"k{number}", at=datetime(2026, month, 5, tzinfo=UTC))

    running.run(WARNED)  # the last day of October's

    assert told("u1") == [("expiring", 100), ("expiring", 110)]
    running.run(OVER)
    assert [each for each in told("u1") if each[0] == "expire"] == [("expire", -100), ("expire", -110)]


@pytest.mark.parametrize(
    ("days", "first"), [(0, None), (1, "2027-11-29"), (7, "2027-11-23"), (90, "2027-09-01")]
)
def test_the_program_says_how_long_before(aws: Any, days: int, first: str | None) -> None:
    put_program(expiry_notice_days=days)
    give("u1")
    noticed = []
    for day in range(100):
        now = datetime(2027, 8, 24, tzinfo=UTC) + timedelta(days=day)
        running.run(now)
        if told("u1") and not noticed:
            noticed.append(f"{now:%Y-%m-%d}" if told("u1")[0][0] == "expiring" else None)

    assert (noticed or [None]) == [first]


def test_days_are_those_of_the_programs_zone(aws: Any) -> None:
    put_program(timezone="Asia/Tokyo")
    give("u1")

    running.run(OVER - timedelta(hours=9, milliseconds=1))
    assert ("expire", -100) not in told("u1")
    running.run(OVER - timedelta(hours=9))

    assert ("expire", -100) in told("u1")


def test_pending_points_mature_and_holds_return(aws: Any) -> None:
    from chalicelib.loyalty import spending
    from chalicelib.loyalty.schemas import RedemptionRequest

    give("u1", waits="2026-11-05")
    give("u2")
    spending.reserve(["u2"], RedemptionRequest(points=60), key="r1", now=EARNED, dry_run=False)

    running.run(EARNED + timedelta(minutes=14))
    assert (told("u1"), told("u2")) == ([], [("reserve", -60)])
    running.run(datetime(2026, 11, 5, tzinfo=UTC))

    assert (told("u1"), told("u2")) == ([("mature", 100)], [("reserve", -60), ("release", 60)])


def test_ten_runs_at_once_write_everything_once(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PAGE", 3)
    ids = [f"u{number}" for number in range(8)]
    for customer_id in ids:
        give(customer_id)
    for now in (WARNED, OVER):
        runs = [threading.Thread(target=running.run, args=(now,)) for _ in range(10)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()

    assert [told(each) for each in ids] == [[("expiring", 100), ("expire", -100)]] * 8


def test_a_run_that_is_killed_anywhere_is_gone_on_with(aws: Any) -> None:
    """Before and after every call of a run over two accounts and a birthday, then one run that lives."""
    put_program(gifts=[{"occasion": "birthday", "points": 300}])
    for each in "ab":
        give(each)
    join("g", birthday="2000-12-01")
    begun, wire = Snapshot(aws), FaultyWire(aws)
    places = ((call, fault) for call in itertools.count() for fault in ("crash_before", "crash_after"))
    for call, fault in places:
        begun.restore()
        wire.plan[:] = ["ok"] * call + [fault]
        try:
            running.run(OVER)
        except Crash:
            crashed = True
        else:
            crashed = False
        wire.plan.clear()
        running.run(OVER)
        running.run(OVER)  # what was behind the one that died

        assert [told(each) for each in "ab"] == [[("expire", -100)]] * 2
        assert given("g") == [("gift:birthday:2027", 300)]
        if not crashed:
            break
    assert call > 10  # every call was a place to die


@pytest.mark.parametrize("fault", ["conflict", "reply_lost", "never_sent"])
def test_a_fault_at_any_call_is_survived_or_made_up_for(aws: Any, fault: str) -> None:
    put_program(gifts=[{"occasion": "birthday", "points": 300}])
    give("a")
    join("g", birthday="2000-12-01")
    begun, wire = Snapshot(aws), FaultyWire(aws)
    for call in range(14):
        begun.restore()
        wire.plan[:] = ["ok"] * call + [fault]
        running.run(OVER)
        wire.plan.clear()

        assert told("a") == [("expire", -100)]
        assert given("g") == [("gift:birthday:2027", 300)]


def test_a_run_whose_time_is_up_is_gone_on_with_where_it_was(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"u{number}" for number in range(6)]
    for customer_id in ids:
        give(customer_id)
    seconds, settle = [0.0], running._settle
    done: list[str] = []

    def slow(account: Any, *more: Any) -> None:
        seconds[0] += running.RUN_SECONDS_MAX * 0.4
        done.append(account.customer_id)
        settle(account, *more)

    monkeypatch.setattr(running.time, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(running, "_settle", slow)
    for _ in range(2):
        seconds[0] = 0.0
        running.run(OVER)
        assert len(done) in (3, 6)

    assert sorted(done) == ids
    assert not run_store.load(running.ACCOUNTS).after


def test_a_large_table_is_gone_through_once_a_day(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PAGE", 1)
    monkeypatch.setattr(running, "SMALL_PAGES", 3)
    for number in range(4):
        give(f"u{number}")
    scans: list[str] = []
    aws.meta.events.register("provide-client-params.dynamodb.Scan", lambda **_: scans.append("page"))

    def pages(now: datetime) -> int:
        scans.clear()
        running.run(now)
        return len(scans)

    first = pages(WARNED)
    assert first >= 8, "four accounts and their entries"
    assert pages(WARNED + timedelta(hours=1)) == 0
    assert pages(WARNED + timedelta(hours=23)) == 0
    assert pages(WARNED + timedelta(hours=24)) > 0
    assert pages(WARNED + timedelta(days=9)) > 0


def test_a_round_of_an_earlier_day_is_finished_and_todays_begun(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PAGE", 1)
    monkeypatch.setattr(running, "SMALL_PAGES", 3)
    ids = [f"u{number}" for number in range(4)]
    for each in ids:
        give(each)
    wire = FaultyWire(aws)
    wire.plan[:] = ["ok"] * 12 + ["crash_before"]
    with pytest.raises(Crash):
        running.run(WARNED)
    assert run_store.load(running.ACCOUNTS).after

    running.run(OVER)  # a month later, by one run

    assert [("expire", -100) in told(each) for each in ids] == [True] * 4


def test_one_account_that_fails_does_not_stop_the_others_and_is_told(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("u1", "u2", "u3"):
        give(each)
    settle = ledger.settle

    def failing(account: Any, *more: Any) -> Any:
        if account.customer_id == "u2":
            raise RuntimeError
        return settle(account, *more)

    monkeypatch.setattr(ledger, "settle", failing)
    with pytest.raises(running.RunIncomplete):
        running.run(OVER)
    monkeypatch.setattr(ledger, "settle", settle)
    assert [told(each) for each in ("u1", "u2", "u3")] == [[("expire", -100)], [], [("expire", -100)]]

    running.run(OVER)

    assert told("u2") == [("expire", -100)]


def test_an_account_that_is_erased_meanwhile_does_not_come_back(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    give("u1")
    seen, _ = store.page(None, limit=10)
    service.erase(["u1"], [], now=OVER, pseudonym="erased:x")

    running._settle(seen[0], program_store.load()[0], OVER)

    assert store.read_many(["u1"], consistent=True)[0].version == 0
    assert store.entries("u1") == []


def test_what_is_due_to_nobody_costs_the_scan_and_its_mark(aws: Any) -> None:
    for number in range(5):
        give(f"u{number}")
    wire = FaultyWire(aws)

    running.run(EARNED + timedelta(days=1))

    assert wire.requests == 4, "the program, how far the last run came, one page, and how far this one came"
