"""Checks F1, F2, F3: erased is erased, whatever dies in between and whatever arrives late."""

from __future__ import annotations

import io
import json
import os
import random
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.privacy import service
from chalicelib.shared import aws as clients
from chalicelib.shared import clock
from chalicelib.shared.clock import to_text
from tests.support.circuit import Circuit
from tests.support.faults import Baton, Crash, FaultyWire
from tests.support.person import CUSTOMER, DEVICE, Person, Snapshot, everything, marks_in
from tests.support.post import Post
from tests.support.routes import contracts

pytestmark = pytest.mark.privacy

LONG = os.environ.get("KOKYAKU_SIMULATE") == "long"
CRASHES = 12  # spread over the writes of an erasure; after every single one with KOKYAKU_SIMULATE=long
POINTS = 5  # what `marked` gives her


def test_f1_nothing_of_a_customer_is_found_anywhere_after_erasure(
    api: Any, aws: Any, circuit: Circuit, figure: Any, logged: io.StringIO
) -> None:
    person = Person(api, circuit).live()
    before = marks_in(everything(aws))

    erasure_id = person.erase()
    receipt = api.get(f"/v1/erasures/{erasure_id}").json_body
    after = marks_in(everything(aws))

    assert person.refused == {}, "she used every feature"
    assert len(before) > 40
    assert after == []
    assert receipt["status"] == "done"
    assert marks_in(json.dumps(receipt)) == []
    assert all(each["note"] for each in [*receipt["stores"], *receipt["kept"]])
    assert circuit.dead == []
    assert marks_in("\n".join(_logged(logged.getvalue()))) == []
    figure(
        f"F1  {len(before)} items and documents spoke of one customer, {len(after)} after erasure; "
        f"{sum(each['items'] for each in receipt['stores'])} removed from {len(receipt['stores'])} stores"
    )


def test_f1_from_the_answer_on_she_is_gone_for_everybody(api: Any, circuit: Circuit) -> None:
    person = Person(api, circuit).live()

    first = api.delete(f"/v1/customers/{CUSTOMER}").json_body["erasure_id"]

    assert api.delete(f"/v1/customers/{CUSTOMER}").json_body["erasure_id"] == first
    assert api.delete("/v1/me", person.token()).json_body["erasure_id"] == first
    assert api.get(f"/v1/erasures/{first}").json_body["status"] == "running"
    reading = [each for each in contracts() if each.signature.startswith("GET /v1/customers/{customer_id}")]
    seen = {
        each.signature: api.get(each.signature[4:].replace("{customer_id}", CUSTOMER)) for each in reading
    }
    assert len(seen) > 8
    assert {name: answer.status_code for name, answer in seen.items() if marks_in(answer.body.decode())} == {}
    assert api.get(f"/v1/erasures/{first}", person.token()).status_code == 200
    assert api.get(f"/v1/erasures/{first}", Person.token_of("somebody")).status_code == 404
    assert api.get(f"/v1/customers/{CUSTOMER}").status_code == 410
    assert api.get("/v1/me", person.token()).status_code == 410
    assert api.delete("/v1/customers/nobody").status_code == 404


@pytest.mark.slow
def test_f2_a_crash_after_any_write_is_finished_by_the_next_run(
    api: Any, aws: Any, circuit: Circuit, figure: Any
) -> None:
    Person(api, circuit).live()
    erasure_id = api.delete(f"/v1/customers/{CUSTOMER}").json_body["erasure_id"]
    begun, now = Snapshot(aws), clock.now()
    wires = [_Watched(aws), _Watched(clients.client("s3"), "s3")]

    def sweep_twice() -> None:
        service.run(erasure_id, now=now)
        service.run(erasure_id, now=now + timedelta(minutes=3))

    sweep_twice()
    written = [wire.writes() for wire in wires]
    ended = _books(aws)
    crashes = 0
    for wire, places in zip(wires, written, strict=True):
        for place in places if LONG else places[:: len(places) // CRASHES + 1]:
            begun.restore()
            wire.plan = ["ok"] * place + ["crash_after"]
            with pytest.raises(Crash):
                sweep_twice()
            sweep_twice()
            crashes += 1
            assert marks_in(everything(aws)) == [], f"after call {place}"
            assert _books(aws) == ended, f"after call {place}"
            assert service.receipt(erasure_id, customer_id=None).status == "done"

    figure(
        f"F2  {crashes} crashes, each after another of the {sum(map(len, written))} writes of an erasure: 0 left anything, "
        "books unchanged"
    )


@pytest.mark.slow
def test_f2_two_runs_at_once_end_as_one(api: Any, aws: Any, circuit: Circuit, figure: Any) -> None:
    Person(api, circuit).live()
    erasure_id = api.delete(f"/v1/customers/{CUSTOMER}").json_body["erasure_id"]
    begun, now = Snapshot(aws), clock.now()
    wire = FaultyWire(aws)
    service.run(erasure_id, now=now)
    service.run(erasure_id, now=now + timedelta(minutes=3))
    ended = _books(aws)

    orders = 20 if LONG else 4
    for seed in range(orders):
        begun.restore()
        draw = random.Random(seed)
        for late in (timedelta(0), timedelta(minutes=3)):
            baton = Baton([draw.random() < 0.5 for _ in range(2000)])
            wire.gate = baton.gate
            outcomes = baton.run(
                lambda late=late: service.run(erasure_id, now=now + late),
                lambda late=late: service.run(erasure_id, now=now + late),
            )
            wire.gate = lambda: None
            assert [each for each in outcomes if isinstance(each, BaseException)] == []
        assert marks_in(everything(aws)) == []
        assert _books(aws) == ended
        assert service.receipt(erasure_id, customer_id=None).status == "done"

    figure(f"F2  {orders} interleavings of two runs at once: 0 left anything, one receipt")


def test_f3_nothing_that_arrives_late_brings_her_back(
    api: Any, aws: Any, circuit: Circuit, figure: Any
) -> None:
    person = Person(api, circuit).live()
    told = list(circuit.published)
    person.erase()
    post, ended = Post(), _rows(aws)
    mailed = post.count()

    for fact in told:  # as from a dead letter queue, to everybody who heard it
        circuit._publish([fact])
    circuit.settle()
    refused = {path: api.request(method, path, body, **more).status_code for method, path, body, more in LATE}
    batch = api.post("/v1/batch", {"batch": EVENTS}).json_body
    circuit.settle()
    circuit.tick("campaigns_tick")
    circuit.settle()

    assert set(refused.values()) == {410}, refused
    assert [each["errors"][0]["field"] for each in batch["refused"]] == ["userId", "userId", "anonymousId"]
    assert batch["accepted"] == 1
    assert circuit.dead == []
    assert post.count() == mailed
    assert [row for row in _rows(aws) - ended if CUSTOMER in row] == []
    assert marks_in(everything(aws)) == marks_in("\n".join(_rows(aws) - ended)), (
        "only the stranger's new visit"
    )
    figure(
        f"F3  {len(told)} facts delivered again, {len(refused)} late requests and {len(EVENTS) - 1} late events: "
        "0 brought her back, 0 mails"
    )


AT = "2026-11-02T09:00:00Z"
VIEW = {"type": "track", "event": "Product Viewed", "properties": {"product_id": "85123A"}}
SOON = to_text(clock.now() + timedelta(hours=20))
EVENTS = [
    VIEW | {"messageId": "late1", "userId": CUSTOMER, "timestamp": AT},
    {"type": "identify", "messageId": "late2", "userId": CUSTOMER, "anonymousId": "new", "traits": {"email": "x@y.de"}},
    VIEW | {"messageId": "late3", "anonymousId": DEVICE, "timestamp": AT},
    VIEW | {"messageId": "new1", "anonymousId": "a-stranger", "timestamp": AT},
]  # fmt: skip
ORDER = {
    "customer_id": CUSTOMER, "placed_at": AT, "currency": "GBP", "total": 590,
    "lines": [{"item_id": "85123A", "quantity": 2, "price": 295}],
}  # fmt: skip
LATE: list[tuple[str, str, Any, dict[str, str]]] = [
    ("POST", "/v1/track", EVENTS[0], {}),
    ("POST", "/v1/identify", EVENTS[1], {}),
    ("PUT", "/v1/orders/late", ORDER, {}),
    ("POST", "/v1/shipments/s1/events", {"event_id": "late", "status": "delivered", "at": AT}, {}),
    ("POST", "/v1/orders/o1/shipments",
     {"shipment_id": "late", "carrier": "jp.yamato", "tracking_number": "12345"}, {}),
    ("POST", f"/v1/customers/{CUSTOMER}/loyalty/accruals", {"points": 1, "reason": "x"}, {"Idempotency-Key": "k"}),
    ("PATCH", f"/v1/customers/{CUSTOMER}", {"traits": {"firstName": "X"}}, {}),
    ("POST", f"/v1/customers/{CUSTOMER}/export", None, {"Idempotency-Key": "k"}),
    ("GET", f"/v1/customers/{CUSTOMER}", None, {}),
]  # fmt: skip


def test_a_device_may_start_anew_as_a_strangers(api: Any, circuit: Circuit) -> None:
    Person(api, circuit).live().erase()

    new = VIEW | {"messageId": "anew", "anonymousId": DEVICE, "timestamp": to_text(clock.now())}

    assert api.post("/v1/batch", {"batch": [new]}).json_body["accepted"] == 1


def _logged(text: str) -> list[str]:
    """What the log says, without the ids of the facts and requests that it was about."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert lines, "something was logged"
    return [json.dumps(line | {"correlation_id": ""}) for line in lines]


class _Watched(FaultyWire):
    """Remembers which requests wrote something; a crash after a read is a crash after the write before it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._seen: list[bool] = []

    def __call__(self, event_name: str, request: Any, **more: Any) -> Any:
        target = str(request.headers.get("X-Amz-Target", request.method))
        self._seen.append(not any(name in target for name in ("GetItem", "Query", "Scan", "GET")))
        return super().__call__(event_name, request, **more)

    def writes(self) -> list[int]:
        """The places of writes among the requests so far."""
        return [place for place, is_write in enumerate(self._seen) if is_write]


def _books(client: Any) -> list[str]:
    """What is kept of her: orders and points, without the counters of how often something was tried."""
    kept = [json.loads(line) for line in everything(client).splitlines()]
    books = [each for each in kept if each.get("table") in ("orders", "ledger")]
    points = [each["lifetime"] for each in books if each.get("sk") == "CLOSED"]
    assert points == [POINTS], "no point is lost or counted twice"
    return sorted(json.dumps(each) for each in books)


def _rows(client: Any) -> set[str]:
    return set(everything(client).splitlines())


def test_from_the_answer_on_they_are_gone_for_everybody(api: Any) -> None:
    """The sweep comes by a queue; nobody may be served until then what the answer says is gone."""
    traits = {"email": "gone@example.com"}
    api.post("/v1/identify", {"userId": "gz0", "messageId": "a1", "traits": traits})
    token = api.post("/v1/customer-tokens", {"customer_id": "gz0", "ttl_seconds": 600}).json_body["token"]

    assert api.delete("/v1/customers/gz0").status_code == 202

    for path in ("", "/timeline", "/notes", "/watchlist", "/orders", "/loyalty"):
        assert api.get(f"/v1/customers/gz0{path}").status_code == 410, path
    assert api.get("/v1/me", {"Authorization": f"Bearer {token}"}).status_code == 410
    assert api.get("/v1/customers?email=gone@example.com").json_body["data"] == []
    body = {"customer_id": "gz0", "ttl_seconds": 600}
    assert api.post("/v1/customer-tokens", body).status_code == 410
