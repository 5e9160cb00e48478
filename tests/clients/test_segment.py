"""Segment's own client for Python against the running service: everything it sends is told once."""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from segment.analytics import request
from segment.analytics.client import Client
from segment.analytics.request import APIError

from tests.support.shop import Shop

EVENTS = 1000
CUSTOMERS = [f"segment-{number}" for number in range(9)]
VISITOR = "segment-visitor"
VISITORS_OWN = 50  # of the events; they are hers before anybody knows who she is
HERSELF = CUSTOMERS[0]

Failures = list[tuple[Exception, int]]
MakeClient = Callable[..., Client]


@pytest.fixture
def failures() -> Failures:
    """What the client gave up on: the error and how many events went with it."""
    return []


@pytest.fixture
def client(shop: Shop, failures: Failures) -> Iterator[MakeClient]:
    """Makes clients as their manual says; only the host is ours."""
    request._session.trust_env = False  # no proxy between us and 127.0.0.1
    made: list[Client] = []

    def make(key: str = "sk_test_local", **options: Any) -> Client:
        def give_up(error: Exception, batch: list[Any]) -> None:
            failures.append((error, len(batch)))

        made.append(Client(key, host=shop.base_url, on_error=give_up, **options))
        return made[-1]

    yield make
    for each in made:
        if not each.sync_mode:  # such a client has nothing to end
            each.shutdown()
    request._session.close()


def send(client: Client) -> None:
    """A day in the shop: nine customers and a visitor look around, and some say who they are."""
    opened = datetime.now(UTC) - timedelta(hours=1)
    for number in range(EVENTS):
        common = {"message_id": f"segment-{number}", "timestamp": opened + timedelta(seconds=number)}
        about = {"number": number, "product_id": f"p{number % 40}", "price": 12.5}
        if number < VISITORS_OWN:
            client.track(None, "Product Viewed", about, anonymous_id=VISITOR, **common)
            continue
        customer = CUSTOMERS[number % len(CUSTOMERS)]
        if number % 10 == 1:
            device = {"anonymous_id": VISITOR} if customer == HERSELF else {}
            client.identify(customer, {"name": f"Customer {number}"}, **device, **common)
        elif number % 2:
            client.page(customer, "Shop", f"Page {number}", {"number": number}, **common)
        else:
            client.track(customer, "Product Added", about, **common)


def timeline(shop: Shop, customer_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        parameters: dict[str, Any] = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        answer = shop.get(f"/v1/customers/{customer_id}/timeline", params=parameters)
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def everything(shop: Shop) -> list[dict[str, Any]]:
    return [entry for customer in CUSTOMERS for entry in timeline(shop, customer)]


def test_a_thousand_events_are_told_once_however_often_they_are_sent(
    shop: Shop, client: MakeClient, failures: Failures
) -> None:
    first = client()
    send(first)
    first.flush()

    told = everything(shop)
    numbered = Counter(entry["details"]["number"] for entry in told if entry["kind"] != "identify")
    said_who = [number for number in range(VISITORS_OWN, EVENTS) if number % 10 == 1]
    assert failures == []
    assert numbered == Counter(set(range(EVENTS)) - set(said_who))
    assert len(told) == len({entry["id"] for entry in told}) == EVENTS
    assert Counter(entry["kind"] for entry in told)["identify"] == len(said_who)
    assert all(entry["trusted"] for entry in told)
    assert {
        entry["details"]["number"] for entry in timeline(shop, HERSELF) if entry["kind"] == "view"
    } == set(range(VISITORS_OWN))

    again = client(gzip=True, upload_size=333)
    send(again)
    again.flush()

    assert failures == []
    assert everything(shop) == told


def test_times_are_those_of_the_sender(shop: Shop, client: MakeClient, failures: Failures) -> None:
    happened = datetime.now(UTC).replace(microsecond=123000) - timedelta(days=3)
    client(sync_mode=True).track("segment-late", "Product Viewed", {"product_id": "p1"}, timestamp=happened)

    [entry] = timeline(shop, "segment-late")
    assert datetime.fromisoformat(entry["at"]) == happened


def test_a_retry_after_a_lost_answer_tells_nothing_twice(
    shop: Shop, client: MakeClient, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = request._session.post
    sent = []

    def lossy(*arguments: Any, **more: Any) -> Any:
        answer = post(*arguments, **more)
        sent.append(more["headers"].get("X-Retry-Count"))
        if len(sent) == 1:
            raise ConnectionResetError("the answer was lost")
        return answer

    monkeypatch.setattr(request._session, "post", lossy)
    one = client()
    one.track("segment-lost", "Product Viewed", {"product_id": "p1"})
    one.flush()

    assert sent == [None, "1"]
    assert failures == []
    assert len(timeline(shop, "segment-lost")) == 1


def test_one_wrong_event_does_not_hold_up_the_others(
    shop: Shop, client: MakeClient, failures: Failures
) -> None:
    one = client()
    one.track("segment-mixed", "Product Viewed", {"product_id": "p1"})
    one.track("segment-mixed", "Product Viewed", {})  # of nothing
    one.track("segment-mixed", "Product Viewed", {"product_id": "p2"})
    one.flush()

    assert failures == []
    assert {entry["details"]["product_id"] for entry in timeline(shop, "segment-mixed")} == {"p1", "p2"}


def test_a_wrong_key_is_given_up_at_once(client: MakeClient, failures: Failures) -> None:
    one = client("sk_live_unknown", max_retries=0)
    one.track("segment-nobody", "Product Viewed", {"product_id": "p1"})
    one.flush()

    [(error, count)] = failures
    assert isinstance(error, APIError)
    assert (error.status, count) == (401, 1)


def test_a_publishable_keys_events_are_hints(shop: Shop, client: MakeClient, failures: Failures) -> None:
    one = client("pk_test_local")
    one.track("segment-hint", "Product Viewed", {"product_id": "p1"})
    one.flush()

    assert failures == []
    assert [entry["trusted"] for entry in timeline(shop, "segment-hint")] == [False]


def test_numbers_as_ids_are_the_clients_way_of_writing_text(
    shop: Shop, client: MakeClient, failures: Failures
) -> None:
    client(sync_mode=True).track(20260101, "Product Viewed", {"product_id": "p1"})

    assert len(timeline(shop, "20260101")) == 1


def test_mobile_clients_compress_and_name_themselves(shop: Shop) -> None:
    event = {
        "type": "screen",
        "messageId": "segment-mobile-1",
        "userId": "segment-mobile",
        "name": "Home",
        "context": {"library": {"name": "analytics-kotlin", "version": "1.16.3"}},
    }
    body = gzip.compress(json.dumps({"batch": [event], "writeKey": "pk_test_local"}).encode())
    basic = base64.b64encode(b"pk_test_local:").decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "text/plain", "Content-Encoding": "gzip"}
    answer = shop.post("/v1/b", body, headers)

    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    [entry] = timeline(shop, "segment-mobile")
    assert (entry["kind"], entry["channel"]) == ("screen", "app")
