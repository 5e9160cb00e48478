"""Privacy's handlers, woken as Lambda wakes them: again, in any order, with one among others that cannot be done."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.customers.schemas import CUSTOMER_ERASED, EXPORT_REQUESTED
from chalicelib.privacy import rooms, service, store
from chalicelib.privacy.handlers import privacy_on_facts, privacy_tick
from chalicelib.shared import clock
from chalicelib.shared.clock import to_text
from chalicelib.shared.dynamo import table
from chalicelib.shared.facts import Fact

TICK = dict.fromkeys(("id", "time", "source", "account", "region", "version", "detail-type"), "")


def deliver(kind: str, **data: str) -> list[dict[str, str]]:
    """Bring one fact; answers what is reported as not done."""
    fact = Fact(f"{kind}:x", kind, "customers/u1", clock.now(), data)
    record = {"messageId": "m1", "body": json.dumps({"detail": json.loads(fact.to_json())})}
    failures: list[dict[str, str]] = privacy_on_facts({"Records": [record]}, None)["batchItemFailures"]
    return failures


def tick() -> None:
    privacy_tick(TICK | {"resources": [], "detail": {}}, None)


def points(customer_id: str) -> None:
    """An account, as the ledger keeps it."""
    account = {"version": 1, "active": 5, "lifetime": 5, "lots": {}}
    table("ledger").put({"pk": f"A#{customer_id}", "sk": "ACCOUNT", **account})


def status(erasure_id: str) -> str:
    erasure = store.load(erasure_id)
    assert erasure is not None
    return erasure.status


def test_an_erasure_is_worked_off_once_however_often_it_is_told(aws: Any) -> None:
    points("u1")
    erasure_id = service.request("u1", by_customer=False, now=clock.now())

    told = [deliver(CUSTOMER_ERASED, customer_id="u1", erasure_id=erasure_id) for _ in range(3)]
    receipt = service.receipt(erasure_id, customer_id=None)

    assert told == [[], [], []]
    assert {each.store: each.items for each in receipt.stores}["ledger.accounts"] == 1
    assert status(erasure_id) == "running"
    assert table("ledger").query("A#u1") == []


def test_the_schedule_sweeps_again_after_a_while_and_then_closes_it(aws: Any) -> None:
    points("u1")
    erasure_id = service.request("u1", by_customer=False, now=clock.now())
    tick()
    points("u1")  # somebody had looked before the tombstone stood, and writes now
    tick()
    soon = status(erasure_id)
    clock.travel(timedelta(minutes=3))
    tick()
    done = store.load(erasure_id)
    tick()

    assert soon == "running"
    assert done is not None
    assert (done.status, done.subject.customer_ids, done.subject.pseudonym) == ("done", (), "")
    assert table("ledger").query("A#u1") == []
    assert store.open_ids() == []
    assert store.load(erasure_id) == done


def test_one_that_cannot_be_done_does_not_stop_the_others(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for customer_id in ("u1", "u2"):
        points(customer_id)
    first, second = (service.request(each, by_customer=False, now=clock.now()) for each in ("u1", "u2"))
    whole = rooms.ERASERS["orders"]

    def broken(who: Any, now: Any) -> Any:
        if "u1" in who.customer_ids:
            raise RuntimeError("u1 cannot be erased")
        return whole(who, now)

    monkeypatch.setitem(rooms.ERASERS, "orders", broken)
    reported = deliver(CUSTOMER_ERASED, customer_id="u1", erasure_id=first)
    tick()
    stuck, swept = store.load(first), store.load(second)
    monkeypatch.setitem(rooms.ERASERS, "orders", whole)
    tick()
    healed = store.load(first)

    assert reported == [{"itemIdentifier": "m1"}]
    assert stuck is not None
    assert stuck.swept_at is None
    assert swept is not None
    assert swept.swept_at is not None
    assert healed is not None
    assert healed.swept_at is not None


def test_a_fact_for_somebody_else_is_a_dead_letter_and_one_about_nothing_is_nothing(aws: Any) -> None:
    assert deliver("order.placed") == [{"itemIdentifier": "m1"}]
    assert deliver(CUSTOMER_ERASED, customer_id="u1") == [{"itemIdentifier": "m1"}]
    assert deliver(CUSTOMER_ERASED, customer_id="u1", erasure_id="never", added="later") == []
    assert deliver(EXPORT_REQUESTED, customer_id="u1", export_id="never") == []


def test_the_relay_tells_of_each_id_of_an_erasure_and_of_copies_once(aws: Any) -> None:
    from chalicelib.customers.departures import facts_of
    from chalicelib.shared.consumer import Change

    erasure = {
        "pk": "ERASURE#e1", "sk": "RECEIPT", "erasure_id": "e1", "requested_at": to_text(clock.now()),
        "customer_ids": ["u1", "u2"],
    }  # fmt: skip
    grown = erasure | {"customer_ids": ["u1", "u2", "u3"]}
    done = {name: value for name, value in grown.items() if name != "customer_ids"}
    copy = {
        "pk": "C#u1", "sk": "EXPORT#x1", "customer_id": "u1", "export_id": "x1", "requested_at": to_text(clock.now()),
    }  # fmt: skip
    tombstone = {"pk": "GONE#abc", "sk": "ERASED", "erased_at": to_text(clock.now())}
    changes = [
        (None, erasure),
        (erasure, grown),
        (grown, done),
        (None, copy),
        (copy, copy),
        (copy, None),
        (None, tombstone),
    ]

    told = [[fact.id for fact in facts_of(Change("1", old, new))] for old, new in changes]

    assert told == [
        ["customer.erased:u1", "customer.erased:u2"], ["customer.erased:u3"], [], ["export.requested:x1"], [], [], [],
    ]  # fmt: skip
