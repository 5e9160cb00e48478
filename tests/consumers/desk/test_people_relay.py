"""What the people table's relay tells of notes, complaints and satisfaction, imported alone as Lambda does."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

AT = datetime(2026, 1, 1, tzinfo=UTC)
Change = tuple[Any, Any]


@pytest.fixture
def told(aws: Any) -> Callable[..., list[dict[str, Any]]]:
    """Relays changes and returns what reached the bus."""
    from chalicelib.customers.handlers import people_relay
    from chalicelib.shared import aws as clients

    facts: list[dict[str, Any]] = []

    def listen(params: dict[str, Any], **_: Any) -> None:
        facts.extend(json.loads(entry["Detail"]) for entry in params["Entries"])

    clients.client("events").meta.events.register("provide-client-params.events.PutEvents", listen)

    def told(*changes: Change) -> list[dict[str, Any]]:
        facts.clear()
        records = []
        for sequence, (old, new) in enumerate(changes):
            images = {name: each for name, each in (("OldImage", old), ("NewImage", new)) if each}
            records.append({"dynamodb": {"SequenceNumber": str(sequence), **images}})
        assert people_relay({"Records": records}, None) == {"batchItemFailures": []}
        return list(facts)

    return told


def stored(prefix: str) -> Any:
    from chalicelib.shared.dynamo import pack_item, table

    [item] = table("people").query("C#u1", prefix=prefix)
    return pack_item(item)


def test_a_note_is_told_once_and_its_text_stays_here(told: Any) -> None:
    from chalicelib.desk import service
    from chalicelib.desk.schemas import NoteBody

    body = NoteBody(text="likes the sea", topics=["travel"], item_ids=["a"], channel="phone")
    note = service.add_note("u1", body, actor="sato", key="k1", now=AT)
    item, mark = stored("NOTE#"), stored("ONCE#")

    [fact] = told((None, mark), (None, item), (item, item), (item, None))
    assert (fact["id"], fact["type"], fact["subject"]) == (
        f"note.added:{note.note_id}",
        "note.added",
        "customers/u1",
    )
    assert fact["data"] == {
        "customer_id": "u1",
        "note_id": note.note_id,
        "channel": "phone",
        "topics": ["travel"],
        "item_ids": ["a"],
        "visible_to_customer": False,
        "at": "2026-01-01T00:00:00.000Z",
    }


def test_a_complaint_is_told_when_it_is_opened_and_when_it_is_resolved(told: Any) -> None:
    from chalicelib.feedback import service
    from chalicelib.feedback.schemas import ComplaintBody

    complaint = service.complain(
        "u1", ComplaintBody(text="secret", order_id="o1"), own=False, key="k", now=AT
    )
    opened = stored("COMPLAINT#")
    service.resolve("u1", complaint.complaint_id, now=AT)
    resolved = stored("COMPLAINT#")

    facts = told((None, opened), (opened, resolved), (resolved, resolved), (resolved, None))
    assert [each["id"] for each in facts] == [
        f"complaint.opened:{complaint.complaint_id}",
        f"complaint.resolved:{complaint.complaint_id}",
    ]
    assert {each["data"]["order_id"] for each in facts} == {"o1"}
    assert "secret" not in str(facts)


def test_a_score_is_told_once(told: Any) -> None:
    from chalicelib.feedback import service
    from chalicelib.feedback.schemas import SatisfactionBody, SatisfactionGiven

    given = service.give("u1", SatisfactionBody(score=9, scale="nps"), own=True, key="k", now=AT)
    item = stored("CSAT#")

    [fact] = told((None, item), (item, None))
    assert fact["type"] == "satisfaction.given"
    data = SatisfactionGiven.model_validate(fact["data"])
    assert (data.satisfaction_id, data.score, data.scale, data.channel) == (
        given.satisfaction_id,
        9,
        "nps",
        "web",
    )


def test_projects_and_watchlists_are_nobodys_news(told: Any) -> None:
    from chalicelib.desk import service
    from chalicelib.desk.schemas import ProjectBody

    service.put_project("u1", "p1", ProjectBody(title="cellar"), if_match="", own=False, now=AT)
    service.watch("u1", "a", channel=None, own=False, language="en", now=AT)

    assert told((None, stored("PROJECT#")), (None, stored("WATCHLIST"))) == []
