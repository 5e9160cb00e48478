"""The mail room's handlers, imported alone as Lambda does."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.messages import store
from chalicelib.messages.model import MessageClass, Send, Status
from chalicelib.shared import aws as clients
from chalicelib.shared import clock
from chalicelib.shared.clock import to_text
from chalicelib.shared.dynamo import pack_item
from tests.support.faults import FaultyWire
from tests.support.post import Post, person

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def post(aws: Any) -> Post:
    return Post()


def changed(status: str = "delivered", attempt: int = 1, **changes: Any) -> dict[str, Any]:
    data = {
        "shipment_id": "s1",
        "order_id": "o1",
        "customer_id": "u1",
        "status": status,
        "attempt": attempt,
        "at": to_text(clock.now()),
        "carrier": "jp.yamato",
        "tracking_number": "1234-5678-9012",
        "estimated_from": "2026-12-20",
        "estimated_until": "2026-12-22",
    } | changes
    return {
        "id": f"shipment.status_changed:s1:{attempt}:{status}",
        "type": "shipment.status_changed",
        "subject": "customers/u1",
        "time": data["at"],
        "data": data,
    }


def deliver(*facts: Any) -> int:
    """How many facts have to come again."""
    from chalicelib.messages.handlers import messages_on_facts

    records = [
        {"messageId": str(place), "body": json.dumps({"detail": fact})} for place, fact in enumerate(facts)
    ]
    return len(messages_on_facts({"Records": records}, None)["batchItemFailures"])


def test_each_entry_into_a_status_is_one_mail_however_often_and_in_whatever_order_it_comes(
    post: Post,
) -> None:
    person("u1", name="花子", locale="ja-JP")
    facts = [changed(status) for status in ("picked_up", "in_transit", "delivered")] * 5
    random.Random(5).shuffle(facts)

    for start in range(0, len(facts), 4):
        assert deliver(*facts[start : start + 4]) == 0

    subjects = [mail["Content"]["Simple"]["Subject"]["Data"] for mail in post.asked]
    assert len(subjects) == post.count() == 3
    assert sum("配達完了" in subject for subject in subjects) == 1


def test_a_mail_is_in_the_customers_language_and_states_the_facts(post: Post) -> None:
    person("u1", name="花子", locale="ja-JP")
    person("u2", name="Hana", locale="en-GB")
    deliver(changed("in_transit"), changed("in_transit", customer_id="u2", shipment_id="s2"))

    japanese, english = (mail["Content"]["Simple"]["Body"]["Text"]["Data"] for mail in post.asked)
    assert "ヤマト運輸" in japanese
    assert "2026年12月20日〜2026年12月22日" in japanese
    assert "Yamato Transport" in english
    assert "20 December 2026 to 22 December 2026" in english
    for text in (japanese, english):
        assert "https://member.kms.kuronekoyamato.co.jp/parcel/detail?pno=1234-5678-9012" in text


def test_what_has_arrived_is_no_longer_expected(post: Post) -> None:
    person("u1")
    deliver(changed("delivered"))

    assert "Expected" not in post.asked[0]["Content"]["Simple"]["Body"]["Text"]["Data"]


def test_history_brought_along_is_not_news(post: Post) -> None:
    person("u1")

    assert deliver(changed(at=to_text(clock.now() - timedelta(days=91)))) == 0

    assert post.count() == 0
    assert store.page("u1", now=clock.now())[0].reason == "outdated"


def test_a_poison_fact_harms_nobody_else(post: Post) -> None:
    person("u1")
    unknown = changed() | {"type": "something.else"}
    broken = changed() | {"data": {"status": "delivered"}}

    assert deliver(changed("picked_up"), unknown, broken, changed("delivered")) == 2
    assert post.count() == 2


def test_a_fact_comes_again_until_its_mail_is_out(post: Post) -> None:
    person("u1")
    FaultyWire(clients.client("sesv2"), "sesv2").plan = ["throttle", "never_sent"]

    assert [deliver(changed()) for _ in range(4)] == [1, 1, 0, 0]
    assert post.count() == 1


def relayed(old: Send | None, new: Send | None, **other: Any) -> list[dict[str, Any]]:
    from chalicelib.messages.handlers import engagement_relay

    published: list[dict[str, Any]] = []
    clients.client("events").meta.events.register(
        "provide-client-params.events.PutEvents",
        lambda params, **_: published.extend(json.loads(each["Detail"]) for each in params["Entries"]),
    )
    images = {
        name: pack_item(store._item(send) | other)
        for name, send in (("OldImage", old), ("NewImage", new))
        if send
    }
    assert engagement_relay({"Records": [{"dynamodb": {"SequenceNumber": "1", **images}}]}, None) == {
        "batchItemFailures": []
    }
    return published


CLAIMED = Send(
    customer_id="u1",
    send_key="campaign:welcome",
    send_id="abc",
    claim_id="01",
    template="welcome",
    message_class=MessageClass.PROMOTIONAL,
    cause="campaign_welcome",
    status=Status.CLAIMED,
    at=NOW,
)
SENT = replace(CLAIMED, status=Status.SENT, provider_id="p1")


def test_a_message_is_told_when_it_was_sent_and_not_before_or_after(aws: Any) -> None:
    [fact] = relayed(CLAIMED, SENT)

    assert (fact["id"], fact["type"]) == ("message.sent:u1#campaign:welcome", "message.sent")
    assert fact["data"] == {
        "customer_id": "u1",
        "send_id": "abc",
        "template": "welcome",
        "message_class": "promotional",
        "channel": "email",
        "at": "2026-11-22T09:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [(None, CLAIMED), (SENT, SENT), (SENT, None), (CLAIMED, replace(CLAIMED, status=Status.UNKNOWN)),
     (None, replace(CLAIMED, status=Status.WITHHELD))],
)  # fmt: skip
def test_nothing_else_is_told(aws: Any, old: Send | None, new: Send | None) -> None:
    assert relayed(old, new) == []


@pytest.mark.parametrize(
    "key",
    [("C#u1", "GATE"), ("DUE#2026-11-22T09", "x"), ("TICK", "HOUR#2026-11-22T09"), ("ADDR#1", "SUPPRESSED")],
)
def test_the_other_items_of_the_table_are_passed_over(aws: Any, key: tuple[str, str]) -> None:
    assert relayed(None, SENT, pk=key[0], sk=key[1]) == []


def test_the_handlers_run_without_the_front_door() -> None:
    code = (
        "import sys, chalicelib.messages.handlers as h; assert callable(h.messages_on_facts);"
        "assert 'app' not in sys.modules and 'jinja2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "."}, timeout=60)
