"""The ledger's handlers, imported alone as Lambda does."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LINES = [{"line_id": "1", "item_id": "a", "quantity": 1, "price": 1980}]
PROGRAM = {
    "currency": "JPY",
    "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}],
    "pending_days": 14,
}
ORDER = {
    "order_id": "o1",
    "customer_id": "u1",
    "placed_at": "2026-11-01T00:00:00.000Z",
    "total": 1980,
    "currency": "JPY",
    "lines": LINES,
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
        "pending_until": "",
        "on": "",
    }


@pytest.mark.parametrize(
    ("entry", "fact_type", "points", "on"),
    [
        ({"kind": "confirm"}, "loyalty.points_confirmed", 19, ""),
        ({"kind": "mature"}, "loyalty.points_confirmed", 19, ""),
        ({"kind": "redeem", "points": -19}, "loyalty.points_redeemed", 19, ""),
        ({"kind": "refund", "points": -19}, "loyalty.points_reversed", 19, ""),
        ({"kind": "expire", "points": -19}, "loyalty.points_expired", 19, "2027-11-30"),
    ],
)
def test_every_change_of_points_has_a_fact_of_its_own(
    aws: Any, entry: dict[str, Any], fact_type: str, points: int, on: str
) -> None:
    [told] = _relay([_image("1", new=_entry(**entry))])

    assert (told["id"], told["type"]) == (f"{fact_type}:u1#order:o1", fact_type)
    assert (told["data"]["points"], told["data"]["on"], told["data"]["active_points"]) == (points, on, 19)


def test_a_tier_that_changed_is_told_beside_the_points_that_changed_it(aws: Any) -> None:
    tier = {"name": "gold", "won": "2026-11", "until": "2027-11"}
    won = _relay([_image("1", new=_entry(tier=tier, tier_changed=True))])
    lost = _relay([_image("1", new=_entry(kind="tier", points=0, tier_changed=True))])

    assert [fact["id"] for fact in won] == [
        "loyalty.points_accrued:u1#order:o1",
        "loyalty.tier_changed:u1#order:o1",
    ]
    assert [fact["data"]["tier"] for fact in (won[-1], *lost)] == ["gold", None]


def test_points_held_or_returned_are_nobodys_news(aws: Any) -> None:
    held = [_image(kind, new=_entry(kind=kind)) for kind in ("reserve", "release", "transfer")]

    assert _relay(held) == []


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


def test_points_can_be_used_when_every_parcel_has_arrived(aws: Any) -> None:
    from chalicelib.loyalty import service
    from chalicelib.shared import clock
    from tests.support.embedded import Api

    now = clock.now()
    with Api() as api:
        api.put("/v1/loyalty/program", PROGRAM)
        api.put("/v1/orders/o1", {"customer_id": "u1", "currency": "JPY", "total": 1980, "lines": LINES})
        for parcel in ("s1", "s2"):
            shipment = {
                "shipment_id": parcel,
                "carrier": "jp.yamato",
                "tracking_number": f"12345678901{parcel[-1]}",
            }
            assert api.post("/v1/orders/o1/shipments", shipment).status_code == 201
        _deliver([_record(ORDER | {"placed_at": clock.to_text(now)}, "m1")])

        seen = []
        for parcel in ("s1", "s2"):
            api.post(f"/v1/shipments/{parcel}/events", {"event_id": "e1", "status": "delivered"})
            for copy in range(3):
                assert _deliver([_delivered(parcel, f"{parcel}{copy}")]) == {"batchItemFailures": []}
            balance = service.balance("u1", now=now)
            seen.append((balance.active_points, balance.pending_points, balance.version))

    assert seen == [(0, 19, 1), (19, 0, 2)]


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


def _delivered(parcel: str, message_id: str) -> dict[str, Any]:
    data = {
        "shipment_id": parcel, "order_id": "o1", "customer_id": "u1", "status": "delivered", "attempt": 1,
        "at": "2026-11-03T00:00:00.000Z", "carrier": "jp.yamato", "tracking_number": "",
    }  # fmt: skip
    detail = _fact(ORDER) | {"id": f"shipment:{parcel}", "type": "shipment.status_changed", "data": data}
    return {"messageId": message_id, "body": json.dumps({"detail": detail})}


def _deliver(records: list[dict[str, Any]]) -> Any:
    from chalicelib.loyalty.handlers import loyalty_on_facts

    return loyalty_on_facts({"Records": records}, None)


def _batches(records: list[Any], size: int) -> list[list[Any]]:
    return [records[start : start + size] for start in range(0, len(records), size)]


def _entry(**more: Any) -> dict[str, Any]:
    from chalicelib.shared.dynamo import pack_item

    return pack_item(
        {"pk": "A#u1", "sk": "T#order:o1", "customer_id": "u1", "kind": "accrue", "points": 19, "reason": "order",
         "at": "2026-11-01T00:00:00.000Z", "number": 1, "lot": "2027-11", "moves": {"lot:2027-11": 19}, "active": 19}
        | more
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

    wire = clients.client("events").meta.events
    wire.register("provide-client-params.events.PutEvents", seen)
    try:
        assert ledger_relay({"Records": records}, None) == {"batchItemFailures": []}
    finally:
        wire.unregister("provide-client-params.events.PutEvents", seen)
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
