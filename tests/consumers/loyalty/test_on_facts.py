"""The ledger's handlers, imported alone as Lambda does."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ORDER = {
    "order_id": "o1",
    "customer_id": "u1",
    "placed_at": "2026-11-01T00:00:00.000Z",
    "total": 1980,
    "currency": "JPY",
    "lines": [],
}


def test_an_order_earns_once_however_often_and_in_whatever_order_it_is_delivered(aws: Any) -> None:
    from chalicelib.loyalty import service

    records = [
        _record(ORDER | {"order_id": f"o{number}"}, f"m{number}-{copy}")
        for number in range(5)
        for copy in range(5)
    ]
    random.Random(7).shuffle(records)
    for batch in itertools.batched(records, 10) if sys.version_info >= (3, 12) else _batches(records, 10):
        assert _deliver(list(batch)) == {"batchItemFailures": []}

    assert service.balance("u1", now=NOW).active_points == 5 * 19
    assert service.balance("u1", now=NOW).version == 5


def test_a_poison_record_at_any_place_of_a_batch_harms_nobody_else(aws: Any) -> None:
    from chalicelib.loyalty import service

    poisons = [
        "{",
        "[]",
        json.dumps({"detail": {}}),
        json.dumps({"detail": _fact(ORDER | {"total": "free"})}),
    ]
    for place in range(10):
        records = [
            _record(ORDER | {"order_id": f"p{place}-{n}", "customer_id": f"c{place}"}, f"m{n}")
            for n in range(10)
        ]
        records[place] = {"messageId": "poison", "body": poisons[place % len(poisons)]}

        assert _deliver(records) == {"batchItemFailures": [{"itemIdentifier": "poison"}]}
        assert service.balance(f"c{place}", now=NOW).version == 9


def test_a_fact_that_went_round_too_often_is_left_to_the_dead_letters(aws: Any) -> None:
    from chalicelib.loyalty import service

    looping = {"messageId": "m1", "body": json.dumps({"detail": _fact(ORDER) | {"hops": 6}})}

    assert _deliver([looping]) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert service.balance("u1", now=NOW).version == 0


def test_a_new_entry_is_published_with_an_id_of_its_cause(aws: Any) -> None:
    from chalicelib.loyalty.handlers import handlers  # noqa: F401  (alone, without app.py)

    published = _relay([_image("1", new=_entry())])

    assert [fact["id"] for fact in published] == ["loyalty.points_accrued:u1#order:o1"]
    assert published[0]["data"] == {
        "customer_id": "u1",
        "entry_id": "order:o1",
        "points": 19,
        "reason": "order",
        "active_points": 19,
    }


def test_what_is_not_a_new_entry_is_not_published(aws: Any) -> None:
    account = {"pk": {"S": "A#u1"}, "sk": {"S": "ACCOUNT"}, "version": {"N": "1"}}

    assert (
        _relay([_image("1", new=account), _image("2", old=_entry(), new=_entry()), _image("3", old=_entry())])
        == []
    )


def test_the_handlers_run_without_the_front_door() -> None:
    """Lambda imports `chalicelib.loyalty.handlers` alone; nothing may need app.py, the environment or AWS."""
    code = "import sys, chalicelib.loyalty.handlers as h; assert callable(h.loyalty_on_facts); assert 'app' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "."}, timeout=60)


def _fact(order: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"order.placed:{order['order_id']}",
        "type": "order.placed",
        "subject": "customers/u1",
        "time": "2026-11-01T00:00:00.000Z",
        "data": order,
    }


def _record(order: dict[str, Any], message_id: str) -> dict[str, Any]:
    return {"messageId": message_id, "body": json.dumps({"detail": _fact(order)})}


def _deliver(records: list[dict[str, Any]]) -> Any:
    from chalicelib.loyalty.handlers import loyalty_on_facts

    return loyalty_on_facts({"Records": records}, None)


def _batches(records: list[Any], size: int) -> list[list[Any]]:
    return [records[start : start + size] for start in range(0, len(records), size)]


def _entry() -> dict[str, Any]:
    from chalicelib.shared.dynamo import pack_item

    return pack_item(
        {"pk": "A#u1", "sk": "T#order:o1", "customer_id": "u1", "points": 19, "reason": "order", "active_after": 19,
         "at": "2026-11-01T00:00:00.000Z"}
    )  # fmt: skip


def _image(sequence: str, old: Any = None, new: Any = None) -> dict[str, Any]:
    images = {name: image for name, image in (("OldImage", old), ("NewImage", new)) if image}
    return {"dynamodb": {"SequenceNumber": sequence, **images}}


def _relay(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the relay puts on the bus for these records."""
    from chalicelib.loyalty.handlers import ledger_relay
    from chalicelib.shared import aws as clients

    published: list[dict[str, Any]] = []

    def seen(params: dict[str, Any], **_: Any) -> None:
        published.extend(json.loads(entry["Detail"]) for entry in params["Entries"])

    clients.client("events").meta.events.register("provide-client-params.events.PutEvents", seen)
    assert ledger_relay({"Records": records}, None) == {"batchItemFailures": []}
    return published


def test_two_entries_never_share_a_fact(aws: Any) -> None:
    ours, theirs = _entry(), _entry()
    ours |= {"sk": {"S": "T#key:b:key:c"}}
    theirs |= {"pk": {"S": "A#u1:key:b"}, "customer_id": {"S": "u1:key:b"}, "sk": {"S": "T#key:c"}}

    published = _relay([_image("1", new=ours), _image("2", new=theirs)])

    assert len({fact["id"] for fact in published}) == 2


def test_a_fact_of_a_newer_house_is_understood(aws: Any) -> None:
    """A producer is deployed before its consumers: what they do not know yet is passed over."""
    from chalicelib.loyalty import service

    assert _deliver([_record(ORDER | {"gift_wrap": True}, "m1")]) == {"batchItemFailures": []}
    assert service.balance("u1", now=NOW).active_points == 19
