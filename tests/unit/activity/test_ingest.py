"""Events in over the app's door: each once, whatever is repeated, refused or lost on the way."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.shared import access
from tests.support.embedded import PUBLISHABLE

VIEW = {
    "type": "track",
    "messageId": "m1",
    "userId": "u1",
    "event": "Product Viewed",
    "properties": {"product_id": "a"},
}
ORDER = {
    "type": "track",
    "messageId": "m9",
    "userId": "u1",
    "event": "Order Completed",
    "properties": {
        "order_id": "o1",
        "currency": "JPY",
        "products": [{"product_id": "a", "price": 100, "quantity": 2}],
    },
}
MANY = ("import", "batch", "b")
SINGLE = ("track", "identify", "page", "screen", "group", "alias", "t", "i", "p", "s", "g", "a")


def entries(aws: Any, *pks: str) -> list[dict[str, Any]]:
    from chalicelib.shared.dynamo import table

    timelines = pks or ("C#u1", "H#u1")
    return [entry for pk in timelines for entry in table("activity").query(pk, prefix="E#", limit=1000)]


def nothing_is_stored(aws: Any) -> bool:
    from chalicelib.shared.config import config

    return all(
        aws.scan(TableName=config().tables[name])["Count"] == 0
        for name in ("activity", "people", "engagement")
    )


def answer(accepted: int, duplicates: int = 0) -> dict[str, Any]:
    return {"success": True, "accepted": accepted, "duplicates": duplicates, "refused": []}


def test_every_rule_of_the_door_is_the_same() -> None:
    assert {access.ROUTES[f"POST /v1/{path}"] for path in (*SINGLE, *MANY)} == {access.EVENTS_IN}


def test_a_batch_is_taken_under_each_of_its_names_and_counts_once_over_all(api: Any, aws: Any) -> None:
    answers = [api.post(f"/v1/{path}", {"batch": [VIEW]}).json_body for path in MANY]

    assert answers == [answer(1), answer(0, 1), answer(0, 1)]
    assert len(entries(aws)) == 1


def test_the_same_message_is_one_entry(api: Any, aws: Any) -> None:
    later = (datetime.now(UTC) - timedelta(hours=1)).isoformat()

    assert api.post("/v1/track", VIEW).json_body == answer(1)
    assert api.post("/v1/track", VIEW).json_body == answer(0, 1)
    assert api.post("/v1/batch", {"batch": [VIEW, VIEW | {"timestamp": later}]}).json_body == answer(0, 2)
    assert api.post("/v1/track", VIEW | {"userId": "u2"}).json_body == answer(0, 1)

    assert len(entries(aws)) == 1
    assert entries(aws, "C#u2") == []


def test_the_same_message_in_one_batch_is_one_entry(api: Any, aws: Any) -> None:
    assert api.post("/v1/batch", {"batch": [VIEW, VIEW, VIEW | {"messageId": "m2"}]}).json_body == answer(
        2, 1
    )
    assert len(entries(aws)) == 2


def test_the_same_message_at_once_is_one_entry(api: Any, aws: Any) -> None:
    from chalicelib.activity import service
    from chalicelib.activity.reading import Sending
    from chalicelib.shared import clock

    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(
                lambda _: service.take_one(VIEW, "track", Sending(trusted=True, now=clock.now())), range(16)
            )
        )

    assert sum(each.accepted for each in answers) == 1
    assert sum(each.duplicates for each in answers) == 15
    assert len(entries(aws)) == 1


def test_a_week_later_it_is_still_the_same_and_after_its_entry_expired_too(api: Any, aws: Any) -> None:
    from chalicelib.shared import clock

    api.post("/v1/track", VIEW)
    clock.travel(timedelta(days=7))
    assert api.post("/v1/track", VIEW).json_body == answer(0, 1)

    clock.travel(timedelta(days=410))  # the entry has expired, and the store has deleted it
    entry = entries(aws)[0]
    from chalicelib.shared.dynamo import table

    table("activity").delete(entry["pk"], entry["sk"])
    assert api.post("/v1/track", VIEW).json_body == answer(0, 1)
    assert entries(aws) == []


def test_without_a_message_id_the_event_and_its_time_stand_for_it(api: Any, aws: Any) -> None:
    timed = {"userId": "u1", "event": "Cart Viewed", "timestamp": "2026-01-01T00:00:00Z"}
    untimed = {"userId": "u1", "event": "Cart Viewed"}

    assert api.post("/v1/track", timed | {"sentAt": "2026-01-01T00:00:01Z"}).json_body == answer(1)
    assert api.post("/v1/track", timed | {"sentAt": "2026-01-01T00:00:09Z"}).json_body == answer(0, 1)
    assert api.post("/v1/track", timed | {"timestamp": "2026-01-01T00:00:01Z"}).json_body == answer(1)
    assert [api.post("/v1/track", untimed).json_body for _ in range(2)] == [answer(1), answer(1)]


def test_a_hint_never_blocks_the_fact_of_the_same_id(api: Any, aws: Any) -> None:
    assert api.post("/v1/track", VIEW, PUBLISHABLE).json_body == answer(1)
    assert api.post("/v1/track", VIEW).json_body == answer(1)
    assert sorted(entry["trusted"] for entry in entries(aws)) == [False, True]


def test_an_order_is_one_entry_whoever_tells_of_it(api: Any, aws: Any) -> None:
    assert api.post("/v1/track", ORDER).json_body == answer(1)
    assert api.post("/v1/track", ORDER | {"messageId": "another"}).json_body == answer(0, 1)
    assert api.post("/v1/track", ORDER, PUBLISHABLE).json_body == answer(1)

    assert sorted(entry["kind"] for entry in entries(aws)) == ["order", "order_claimed"]


IDENTIFY = {
    "messageId": "m1",
    "userId": "u1",
    "anonymousId": "a1",
    "timestamp": "2026-01-01T00:00:00Z",
    "traits": {"email": "hana@example.com"},
    "context": {
        "consent": {"categoryPreferences": {"email_marketing": True, "sms": True, "analytics": False}}
    },
}


@pytest.mark.parametrize(("path", "event", "calls"), [("/v1/track", VIEW, 3), ("/v1/identify", IDENTIFY, 9)])
def test_a_fault_at_any_call_leaves_nothing_twice_and_nothing_half(
    api: Any, aws: Any, path: str, event: dict[str, Any], calls: int
) -> None:
    from tests.support.faults import Crash, FaultyWire

    wire = FaultyWire(aws)
    for place in range(calls + 1):  # the last one is the healthy wire, and counts the calls
        for fault in ("crash_before", "crash_after", "reply_lost"):
            name = f"{place}{fault}"
            numbered = event | {"messageId": f"m{name}", "userId": f"u{name}", "anonymousId": f"a{name}"}
            wire.requests, wire.plan = 0, ["ok"] * place + [fault]
            try:
                api.post(path, numbered)
            except Crash:
                assert place < calls
            if place == calls:
                assert wire.requests == calls
            wire.plan = []
            assert api.post(path, numbered).status_code == 200

            assert len(entries(aws, f"C#u{name}")) == 1
            if path == "/v1/identify":
                _is_complete(api.get(f"/v1/customers/u{name}").json_body, f"a{name}")


def _is_complete(customer: dict[str, Any], anonymous_id: str) -> None:
    assert customer["anonymous_ids"] == [anonymous_id]
    assert customer["identifiers"] == {"email": "hana@example.com"}
    assert {name: each["status"] for name, each in customer["consents"].items()} == {
        "email_marketing": "granted",
        "sms": "granted",
        "analytics": "withdrawn",
    }


def test_an_identify_heard_again_later_changes_nothing(api: Any, aws: Any) -> None:
    older = {
        "messageId": "m1",
        "userId": "u1",
        "timestamp": "2026-01-01T00:00:00Z",
        "traits": {"name": "Old"},
    }
    newer = {
        "messageId": "m2",
        "userId": "u1",
        "timestamp": "2026-01-02T00:00:00Z",
        "traits": {"name": "New"},
    }
    for event in (older, newer, older | {"timestamp": "2026-01-03T00:00:00Z"}):
        api.post("/v1/identify", event)

    customer = api.get("/v1/customers/u1")
    assert customer.json_body["traits"]["name"]["value"] == "New"
    assert customer.headers["ETag"] == '"2"'


def test_a_batch_of_a_thousand_is_taken_whole(api: Any, aws: Any) -> None:
    events = [VIEW | {"messageId": f"m{n}", "userId": f"u{n % 7}"} for n in range(1000)]
    assert api.post("/v1/batch", {"batch": events}).json_body == answer(1000)
    assert sum(len(entries(aws, f"C#u{n}")) for n in range(7)) == 1000


def test_who_is_in_many_events_of_a_batch_is_written_in_turn(api: Any, aws: Any) -> None:
    events = [
        {"type": "identify", "messageId": f"m{n}", "userId": f"u{n % 2}", "traits": {f"t{n}": n}}
        for n in range(40)
    ]

    assert api.post("/v1/batch", {"batch": events}).json_body == answer(40)
    assert len(api.get("/v1/customers/u0").json_body["traits"]) == 20


def test_a_batch_names_what_it_refuses_and_takes_the_rest(api: Any, aws: Any) -> None:
    hostile: list[tuple[Any, str]] = [
        ("text", "event"),
        ({"userId": "u1"}, "type"),
        ({"type": ["track"], "userId": "u1"}, "type"),
        ({"type": "track", "userId": "u1"}, "event"),
        ({"type": "track", "event": "x"}, "userId"),
        ({"type": "track", "event": "x", "userId": 5}, "userId"),
        ({"type": "track", "event": "x", "userId": "u#1"}, "userId"),
        ({"type": "track", "event": "x", "userId": "u/1"}, "userId"),
        ({"type": "track", "event": "x", "userId": "u1\u0000"}, "userId"),
        ({"type": "track", "event": "x", "userId": "e\u0301"}, "userId"),
        ({"type": "track", "event": "x", "userId": "u" * 129}, "userId"),
        ({"type": "track", "event": "x", "anonymousId": "a#1"}, "anonymousId"),
        ({"type": "track", "event": "a\u0007", "userId": "u1"}, "event"),
        ({"type": "track", "event": "", "userId": "u1"}, "event"),
        ({"type": "track", "event": "x", "userId": "u1", "messageId": "m" * 101}, "messageId"),
        ({"type": "track", "event": "x", "userId": "u1", "messageId": 7}, "messageId"),
        ({"type": "track", "event": "x", "userId": "u1", "timestamp": "1970-01-01T00:00:00Z"}, "timestamp"),
        ({"type": "track", "event": "x", "userId": "u1", "timestamp": "2100-01-01T00:00:00Z"}, "timestamp"),
        ({"type": "track", "event": "x", "userId": "u1", "timestamp": "2099-01-01T00:00:00Z"}, "timestamp"),
        ({"type": "track", "event": "x", "userId": "u1", "timestamp": 1767225600}, "timestamp"),
        ({"type": "track", "event": "x", "userId": "u1", "timestamp": "yesterday"}, "timestamp"),
        ({"type": "track", "event": "x", "userId": "u1", "sentAt": "1970-01-01T00:00:00Z"}, "sentAt"),
        ({"type": "track", "event": "x", "userId": "u1", "properties": []}, "properties"),
        ({"type": "track", "event": "x", "userId": "u1", "properties": {"a": "\u0001"}}, "properties.a"),
        ({"type": "track", "event": "x", "userId": "u1", "properties": {"a": float("nan")}}, "properties.a"),
        ({"type": "track", "event": "x", "userId": "u1", "properties": {"a": 10**400}}, "properties.a"),
        ({"type": "track", "event": "x", "userId": "u1", "properties": {"a": _nested(20)}}, "properties.a"),
        ({"type": "track", "event": "x", "userId": "u1", "properties": {"a": "x" * 33_000}}, "event"),
        ({"type": "track", "event": "Product Viewed", "userId": "u1"}, "properties.product_id"),
        ({"type": "identify", "userId": "u1", "traits": {"email": 5}}, "traits.email"),
        ({"type": "identify", "userId": "u1", "traits": {"email": "a@b\r\nBcc: c@d.e"}}, "traits.email"),
        ({"type": "identify", "userId": "u1", "traits": {"": 5}}, "traits."),
        ({"type": "identify", "userId": "u1", "traits": {f"t{n}": n for n in range(101)}}, "traits"),
        ({"type": "group", "userId": "u1"}, "groupId"),
        ({"type": "alias", "userId": "u1"}, "previousId"),
        ({"type": "alias", "previousId": "a1", "anonymousId": "a2"}, "userId"),
        (
            {
                "type": "identify",
                "userId": "u1",
                "context": {"consent": {"categoryPreferences": {"sms": "yes"}}},
            },
            "context.consent.categoryPreferences.sms",
        ),
    ]
    events = [event for event, _ in hostile]
    body = api.post("/v1/batch", {"batch": [*events, VIEW]}).json_body

    assert [(each["index"], each["errors"][0]["field"]) for each in body["refused"]] == [
        (index, field) for index, (_, field) in enumerate(hostile)
    ]
    assert (body["accepted"], body["duplicates"]) == (1, 0)
    assert aws.scan(TableName="kokyaku-test-activity")["Count"] == 2, "one entry and its mark"
    assert aws.scan(TableName="kokyaku-test-people")["Count"] == 0


@pytest.mark.parametrize("path", SINGLE)
def test_a_single_event_that_is_wrong_is_a_problem_naming_the_field(api: Any, aws: Any, path: str) -> None:
    refused = api.post(f"/v1/{path}", {"event": "x", "userId": "u#1", "groupId": "g", "previousId": "p"})

    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert [each["field"] for each in refused.json_body["errors"]] == ["userId"]
    assert nothing_is_stored(aws)


UNREADABLE = [
    b"",
    b"{",
    b"[",
    b"[" * 100_000,
    b'{"batch":' + b"[" * 100_000,
    b"null",
    b"[]",
    b'"text"',
    b"5",
    b"{}",
    b'{"batch": []}',
    b'{"batch": {}}',
    b'{"batch": "x"}',
    b'{"batch": null}',
    '{"batch": [{}]}'.encode("utf-16"),
    b"\xff\xfe{}",
    json.dumps({"batch": [{}] * 2501}).encode(),
]


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_batch_that_cannot_be_read_is_a_problem(api: Any, aws: Any, body: bytes) -> None:
    refused = api.post("/v1/batch", body)

    assert refused.status_code == 400
    assert refused.json_body["errors"][0]["field"] in ("batch", "body")
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert nothing_is_stored(aws)


def test_what_is_too_large_is_refused(api: Any, aws: Any) -> None:
    assert api.post("/v1/track", VIEW | {"properties": {"a": "x" * 33_000}}).status_code == 413
    assert api.post("/v1/batch", {"batch": [VIEW], "more": "x" * 512_000}).status_code == 413
    assert nothing_is_stored(aws)


def test_what_the_gateway_unpacked_still_says_that_it_was_compressed(api: Any, aws: Any) -> None:
    taken = api.post("/v1/track", VIEW, None, **{"Content-Encoding": "gzip"})

    assert taken.json_body == answer(accepted=1)


BASIC = {"Authorization": "Basic " + base64.b64encode(b"sk_test_local:").decode()}


@pytest.mark.parametrize(
    ("headers", "body", "trusted"),
    [
        ({"X-Api-Key": "sk_test_local"}, {}, True),
        (BASIC, {}, True),
        ({}, {"writeKey": "sk_test_local"}, True),
        ({}, {"writeKey": "pk_test_local"}, False),
        ({"X-Api-Key": "pk_test_local"}, {"writeKey": "sk_test_local"}, False),  # the header counts
        ({"Content-Type": "text/plain;charset=UTF-8"}, {"writeKey": "pk_test_local"}, False),
    ],
)
def test_the_key_may_be_in_a_header_or_in_the_body(
    api: Any, aws: Any, headers: dict[str, str], body: dict[str, str], trusted: bool
) -> None:
    assert api.post("/v1/t", VIEW | body, headers).json_body == answer(1)
    assert api.post("/v1/b", {"batch": [VIEW | {"messageId": "m2"}]} | body, headers).json_body == answer(1)
    assert [entry["trusted"] for entry in entries(aws)] == [trusted, trusted]
    assert "test_local" not in json.dumps(entries(aws), default=str)


def test_the_key_may_be_in_the_events_of_a_batch(api: Any, aws: Any) -> None:
    assert api.post("/v1/b", {"batch": [VIEW | {"writeKey": "pk_test_local"}]}, {}).json_body == answer(1)
    assert [entry["trusted"] for entry in entries(aws)] == [False]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, {}, 401),
        ({}, {"writeKey": "sk_wrong"}, 401),
        ({}, {"writeKey": ""}, 401),
        ({}, {"writeKey": {"a": 1}}, 401),
        ({"X-Api-Key": "sk_wrong"}, {"writeKey": "sk_test_local"}, 401),
        ({"Authorization": "Bearer nonsense"}, {}, 401),
        ({"Authorization": "Basic !!!"}, {}, 401),
        ({"Content-Type": "application/xml"}, {"writeKey": "sk_test_local"}, 415),
    ],
)
def test_nobody_else_gets_in_and_browsers_can_read_why(
    api: Any, aws: Any, headers: dict[str, str], body: dict[str, Any], status: int
) -> None:
    refused = api.post("/v1/track", VIEW | body, headers)

    assert refused.status_code == status
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert nothing_is_stored(aws)


def test_a_customer_token_does_not_send_events(api: Any, aws: Any) -> None:
    token = api.post("/v1/customer-tokens", {"customer_id": "u1"}).json_body["token"]

    assert api.post("/v1/track", VIEW, {"Authorization": f"Bearer {token}"}).status_code == 403
    assert nothing_is_stored(aws)


def test_who_may_not_call_is_not_told_what_is_wrong_with_the_body(api: Any, aws: Any) -> None:
    assert api.post("/v1/track", b"{", {}).status_code == 401


def test_a_browser_cannot_touch_who_is_known(api: Any, aws: Any) -> None:
    api.post("/v1/identify", IDENTIFY | {"anonymousId": None})
    before = api.get("/v1/customers/u1")

    forged = {
        "userId": "u1",
        "anonymousId": "evil",
        "traits": {"email": "evil@example.com", "extra": 1},
        "context": {"consent": {"categoryPreferences": {"ad_audiences": True}}},
    }
    assert api.post("/v1/identify", forged | {"messageId": "m2"}, PUBLISHABLE).json_body == answer(1)
    alias = {"userId": "u1", "previousId": "evil", "messageId": "m3"}
    assert api.post("/v1/alias", alias, PUBLISHABLE).json_body == answer(1)

    after = api.get("/v1/customers/u1")
    assert (after.json_body, after.headers["ETag"]) == (before.json_body, before.headers["ETag"])
    assert [entry["trusted"] for entry in entries(aws, "A#evil")] == [False]


def test_a_browser_may_begin_a_profile_without_consent_or_link(api: Any, aws: Any) -> None:
    from chalicelib.customers import reads

    api.post("/v1/identify", IDENTIFY, PUBLISHABLE)
    customer = api.get("/v1/customers/u1").json_body

    assert customer["traits"]["email"]["source"] == "hint"
    assert (customer["identifiers"], customer["consents"], customer["anonymous_ids"]) == ({}, {}, [])
    person = reads.person("u1")
    assert person is not None
    assert person.email is None, "nobody's mail goes where a browser says"

    api.post("/v1/identify", IDENTIFY | {"timestamp": "2025-06-01T00:00:00Z"})
    assert api.get("/v1/customers/u1").json_body["identifiers"] == {"email": "hana@example.com"}


def test_an_alias_links_what_was_seen_before(api: Any, aws: Any) -> None:
    from chalicelib.customers import reads

    api.post("/v1/track", VIEW | {"userId": None, "anonymousId": "a1"})
    api.post("/v1/alias", {"messageId": "m2", "previousId": "a1", "userId": "u1"})
    api.post("/v1/alias", {"messageId": "m3", "previousId": "a1", "userId": "u2"})

    assert reads.customer_of("a1") == "u1"
    assert [item["kind"] for item in api.get("/v1/customers/u1/timeline").json_body["data"]] == [
        "alias",
        "view",
    ]
    assert [item["kind"] for item in api.get("/v1/customers/u2/timeline").json_body["data"]] == ["alias"]


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value
