"""The relay of profiles, imported alone as Lambda does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def told(aws: Any) -> Any:
    """Relays changes and returns what reached the bus."""
    from chalicelib.customers.handlers import people_relay
    from chalicelib.shared import aws as clients

    facts: list[dict[str, Any]] = []

    def listen(params: dict[str, Any], **_: Any) -> None:
        facts.extend(json.loads(entry["Detail"]) for entry in params["Entries"])

    clients.client("events").meta.events.register("provide-client-params.events.PutEvents", listen)

    def told(*changes: tuple[Any, Any]) -> list[dict[str, Any]]:
        facts.clear()
        records = []
        for sequence, (old, new) in enumerate(changes):
            images = {name: each for name, each in (("OldImage", old), ("NewImage", new)) if each}
            records.append({"dynamodb": {"SequenceNumber": str(sequence), **images}})
        assert people_relay({"Records": records}, None) == {"batchItemFailures": []}
        return list(facts)

    return told


def stored(customer_id: str = "u1", pk: str = "", sk: str = "PROFILE") -> Any:
    from chalicelib.shared.dynamo import pack_item, table

    item = table("people").get(pk or f"C#{customer_id}", sk)
    assert item is not None
    return pack_item(item)


def say(trusted: bool, **traits: Any) -> Any:
    from chalicelib.customers import service

    service.identify(
        "u1",
        at=AT,
        traits=traits,
        consents={},
        anonymous_id="a1" if trusted else None,
        trusted=trusted,
        now=AT,
    )
    return stored()


def test_a_new_customer_is_told_once(told: Any) -> None:
    made = say(trusted=True, name="Hana")
    changed = say(trusted=True, email="hana@example.com")
    link = stored(pk="ID#anonymous#a1", sk="LINK")

    [fact, linked] = told((None, made), (made, changed), (None, link), (changed, None))
    assert (linked["type"], linked["data"]) == (
        "customer.linked",
        {"customer_id": "u1", "anonymous_id": "a1"},
    )
    assert (fact["id"], fact["type"], fact["subject"]) == (
        "customer.created:u1",
        "customer.created",
        "customers/u1",
    )
    assert fact["data"] == {"customer_id": "u1", "created_at": "2026-01-01T00:00:00.000Z", "imported": False}
    assert [each["id"] for each in told((None, made), (None, made))] == ["customer.created:u1"] * 2


def test_a_browsers_hint_is_news_only_when_somebody_trusted_confirms_it(told: Any) -> None:
    hint = say(trusted=False, name="Somebody")
    confirmed = say(trusted=True, name="Hana")

    assert told((None, hint)) == []
    assert [fact["id"] for fact in told((hint, confirmed))] == ["customer.created:u1"]


def test_a_merge_and_its_undoing_are_told_once_each(told: Any) -> None:
    from chalicelib.customers import merges, service

    for customer_id in ("u1", "u2"):
        service.identify(customer_id, at=AT, traits={}, consents={}, anonymous_id=None, trusted=True, now=AT)
    before = stored("u2")
    merges.merge("u1", "u2", reason="same", merge_id="m1", said_by="test", now=AT)
    merged = stored(pk="MERGE#m1", sk="MERGE")
    row = stored(pk="C#u2", sk="MERGE#m1")
    merges.undo("m1", said_by="test", now=AT)
    undone = stored(pk="MERGE#m1", sk="MERGE")

    facts = told((None, merged), (None, row), (before, stored("u2")), (merged, undone))
    assert [(fact["type"], fact["id"]) for fact in facts] == [
        ("customer.merged", "customer.merged:m1"),
        ("customer.unmerged", "customer.unmerged:m1"),
    ]
    assert [fact["data"] for fact in facts] == [{"merge_id": "m1", "survivor": "u1", "absorbed": "u2"}] * 2
    assert [fact["subject"] for fact in facts] == ["customers/u1"] * 2


def test_history_says_so(told: Any) -> None:
    from chalicelib.customers import service

    service.import_customers([{"customer_id": "u1", "created_at": AT, "traits": {}}], now=AT)

    assert [fact["data"]["imported"] for fact in told((None, stored()))] == [True]


def test_the_handlers_run_without_the_front_door() -> None:
    code = "import sys, chalicelib.customers.handlers as h; assert callable(h.people_relay); assert 'app' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "."}, timeout=60)
