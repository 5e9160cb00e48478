"""Check B1 inside a batch: one event that means harm is refused by name, and the others are stored."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.support.embedded import PUBLISHABLE

GOOD = b'{"type":"track","messageId":"good-%d","userId":"u1","event":"Cart Viewed"}'
DEEP = b"[" * 30_000 + b"]" * 30_000
OBJECTS = b'{"a":' * 4000 + b"1" + b"}" * 4000
DEEPEST = "may be nested 12 levels deep at most"
HALF = "may not hold half a character (a lone surrogate)"
TOO_LARGE = "numbers must be finite and at most 10^15"
CONTROL = "may not hold control characters"


def event(**members: bytes) -> bytes:
    """One event as it goes over the wire; what is given replaces a member as it stands."""
    written = {
        "type": b'"track"',
        "messageId": b'"bad"',
        "userId": b'"u1"',
        "event": b'"Tried"',
    } | members
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in written.items()) + b"}"


def holding(value: bytes) -> bytes:
    return event(properties=b'{"note":' + value + b"}")


HOSTILE: dict[str, tuple[bytes, str, str | None]] = {
    "a lone surrogate": (holding(rb'"a\ud800"'), "properties.note", HALF),
    "a pair the wrong way round": (holding(rb'"\udc00\ud800"'), "properties.note", HALF),
    "a lone surrogate for a name": (event(properties=rb'{"\ud800":1}'), "properties", None),
    "a lone surrogate for a member": (event() [:-1] + rb',"\ud800":1}', "event", None),
    "a lone surrogate in its name": (event(event=rb'"\ud83d"'), "event", HALF),
    "a lone surrogate for a customer": (event(userId=rb'"\ud83d"'), "userId", HALF),
    "a lone surrogate for a message": (event(messageId=rb'"\ud83d"'), "messageId", HALF),
    "a lone surrogate in its context": (event(context=rb'{"userAgent":"\ud83d"}'), "context.userAgent", HALF),
    "a lone surrogate in a trait": (
        event(type=b'"identify"', traits=rb'{"name":"\ud800"}'), "traits.name", HALF,
    ),
    "300 lists deep": (holding(b"[" * 300 + b"]" * 300), "properties.note", DEEPEST),
    "300 objects deep": (holding(b'{"a":' * 300 + b"1" + b"}" * 300), "properties.note", DEEPEST),
    "30,000 lists deep": (holding(DEEP), "properties.note", DEEPEST),
    "4,000 objects deep": (holding(OBJECTS), "properties.note", DEEPEST),
    "deep where nobody looks": (event(context=b'{"x":' + OBJECTS + b"}"), "context.x", DEEPEST),
    "deep with brackets in a text": (holding(b'[["]]]}}}\\"",' + DEEP + b"]]"), "properties.note", DEEPEST),
    "nothing but depth": (DEEP, "event", "must be an object"),
    "5,000 digits": (holding(b"1" * 5000), "properties.note", TOO_LARGE),
    "minus 5,000 digits": (holding(b"-" + b"1" * 5000), "properties.note", TOO_LARGE),
    "5,000 digits for a customer": (event(userId=b"1" * 5000), "userId", None),
    "5,000 digits of a price": (
        event(
            event=b'"Order Completed"',
            properties=b'{"order_id":"o","currency":"JPY","products":[{"product_id":"p","price":'
            + b"1" * 5000 + b"}]}",
        ),
        "properties.products", TOO_LARGE,
    ),
    "not a number": (holding(b"NaN"), "properties.note", TOO_LARGE),
    "infinite": (holding(b"-Infinity"), "properties.note", TOO_LARGE),
    "1e400": (holding(b"1e400"), "properties.note", TOO_LARGE),
    "a control character": (holding(rb'"\u0007"'), "properties.note", CONTROL),
    "a control character as it is": (holding(b'"\x07"'), "properties.note", CONTROL),
    "33 KB": (holding(b'"' + b"x" * 33_000 + b'"'), "event", "may have 32768 bytes of JSON at most"),
    "a customer with a number sign": (event(userId=b'"u#1"'), "userId", None),
    "a customer with a slash": (event(userId=b'"u/1"'), "userId", None),
    "a visitor with a number sign": (event(anonymousId=b'"a#1"'), "anonymousId", None),
    "a customer in two characters that look like one": (event(userId='"e\u0301"'.encode()), "userId", None),
    "a customer with a character nobody sees": (event(userId='"u1\u200b"'.encode()), "userId", None),
    "a customer read backwards": (event(userId='"\u202eu1"'.encode()), "userId", None),
    "1970": (event(timestamp=b'"1970-01-01T00:00:00Z"'), "timestamp", None),
    "2100": (event(timestamp=b'"2100-01-01T00:00:00Z"'), "timestamp", None),
}  # fmt: skip


def stored(aws: Any) -> dict[str, int]:
    tables = ("activity", "people", "orders", "ledger", "engagement")
    return {name: aws.scan(TableName=f"kokyaku-test-{name}")["Count"] for name in tables}


@pytest.mark.parametrize("headers", [None, PUBLISHABLE], ids=["secret", "publishable"])
@pytest.mark.parametrize("name", HOSTILE)
def test_one_event_is_refused_by_name_and_its_neighbours_are_stored(
    api: Any, aws: Any, name: str, headers: dict[str, str] | None
) -> None:
    hostile, field, message = HOSTILE[name]
    answer = api.post("/v1/batch", b'{"batch":[%s,%s,%s]}' % (GOOD % 1, hostile, GOOD % 2), headers)

    assert answer.status_code == 200, answer.body
    assert (answer.json_body["accepted"], len(answer.json_body["refused"])) == (2, 1)
    refused = answer.json_body["refused"][0]
    assert refused["index"] == 1
    assert refused["message_id"] == ("bad" if b'"bad"' in hostile else None)
    assert refused["errors"][0]["field"] == field
    assert message in (None, refused["errors"][0]["message"])
    assert stored(aws) == {"activity": 4, "people": 0, "orders": 0, "ledger": 0, "engagement": 0}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_same_event_alone_is_a_problem_and_leaves_nothing(api: Any, aws: Any, name: str) -> None:
    hostile, field, message = HOSTILE[name]
    path = "/v1/identify" if b'"identify"' in hostile else "/v1/track"
    answer = api.post(path, hostile)

    if len(hostile) > 32_768:
        assert answer.status_code == 413
    else:
        assert answer.status_code == 400
        assert answer.json_body["errors"][0]["field"] in (field, "body")
        assert message in (None, answer.json_body["errors"][0]["message"]) or field == "event"
    assert sum(stored(aws).values()) == 0


def test_all_of_them_at_once_are_refused_each_at_its_place(api: Any, aws: Any) -> None:
    small = [(body, field) for body, field, _ in HOSTILE.values() if len(body) < 20_000]
    answer = api.post("/v1/batch", b'{"batch":[%s]}' % b",".join([GOOD % 0, *(body for body, _ in small)]))

    assert answer.json_body["accepted"] == 1
    assert [(each["index"], each["errors"][0]["field"]) for each in answer.json_body["refused"]] == [
        (place, field) for place, (_, field) in enumerate(small, 1)
    ]


UNREADABLE = {
    "empty": (b"", "must be a JSON document"),
    "half": (b'{"batch":[', "must be a JSON document"),
    "deep and without an end": (b'{"batch":[' + b"[" * 400_000, "must be a JSON document"),
    "deep with brackets that do not match": (
        b'{"batch":[' + b"[" * 300 + b"}" * 300 + b"]}", "must be a JSON document",
    ),
    "quotes without an end": (b'{"batch":[' + b'"\\' * 200_000, "must be a JSON document"),
    "escapes without an end": (b'{"batch":["' + b'\\"' * 200_000, "must be a JSON document"),
    "one event that is not JSON": (b'{"batch":[' + GOOD % 1 + b',{"type" "track"}]}', "must be a JSON document"),
    "something after its end": (b'{"batch":[' + GOOD % 1 + b"]} x", "must be a JSON document"),
    "not UTF-8": (b'{"batch":["\xff"]}', "must be UTF-8"),
    "UTF-16": ('{"batch":[]}'.encode("utf-16"), "must be UTF-8"),
    "a list": (b"[" + GOOD % 1 + b"]", "must be a JSON object"),
    "null": (b"null", "must be a JSON object"),
    "a deep list": (DEEP, "must be a JSON object"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_body_that_cannot_be_read_is_told_the_truth(api: Any, aws: Any, name: str) -> None:
    body, message = UNREADABLE[name]
    started = time.thread_time()
    answer = api.post("/v1/batch", body)

    assert time.thread_time() - started < 5, "reading it takes no more than its length"
    assert answer.status_code == 400
    assert answer.json_body["errors"] == [{"field": "body", "message": message}]
    assert sum(stored(aws).values()) == 0


@pytest.mark.parametrize("batch", [b"[]", b"{}", b"null", b'"x"', b"[" + b"{}," * 2500 + b"{}]"])
def test_a_batch_of_none_or_too_many_is_refused(api: Any, aws: Any, batch: bytes) -> None:
    answer = api.post("/v1/batch", b'{"batch":%s}' % batch)

    assert answer.status_code == 400
    assert answer.json_body["errors"] == [{"field": "batch", "message": "must be a list of 1 to 2500 events"}]
    assert sum(stored(aws).values()) == 0


def test_a_batch_of_more_than_500_kb_is_refused(api: Any, aws: Any) -> None:
    body = b'{"batch":[%s],"more":"%s"}' % (GOOD % 1, b"x" * 512_000)

    assert api.post("/v1/batch", body).status_code == 413
    assert sum(stored(aws).values()) == 0


def test_what_all_events_share_is_refused_by_its_own_name(api: Any, aws: Any) -> None:
    answer = api.post("/v1/batch", b'{"batch":[%s],"context":{"locale":"\\ud800"}}' % (GOOD % 1))

    assert answer.status_code == 400
    assert answer.json_body["errors"] == [{"field": "context.locale", "message": HALF}]
    assert sum(stored(aws).values()) == 0


def test_a_key_that_is_no_key_lets_nobody_in(api: Any, aws: Any) -> None:
    for key in (b'"\\ud800"', b"1" * 5000, DEEP):
        answer = api.post("/v1/batch", b'{"batch":[%s],"writeKey":%s}' % (GOOD % 1, key), {})
        assert answer.status_code == 401
    assert sum(stored(aws).values()) == 0


def test_a_key_beside_a_hostile_event_still_opens(api: Any) -> None:
    hostile = HOSTILE["a lone surrogate"][0]
    answer = api.post("/v1/batch", b'{"batch":[%s,%s],"writeKey":"pk_test_local"}' % (hostile, GOOD % 1), {})

    assert (answer.json_body["accepted"], answer.json_body["refused"][0]["index"]) == (1, 0)


def test_look_alikes_are_different_customers(api: Any, aws: Any) -> None:
    alike = ["u1", "\u0075\u0661", "\uff55\uff11", "\u03c51"]
    events = [
        {"type": "track", "messageId": f"m{place}", "userId": each, "event": "Cart Viewed"}
        for place, each in enumerate(alike)
    ]
    assert api.post("/v1/batch", {"batch": events}).json_body["accepted"] == len(alike)

    found = aws.scan(TableName="kokyaku-test-activity")["Items"]
    assert {item["pk"]["S"] for item in found if item["sk"]["S"] != "MSG"} == {f"C#{each}" for each in alike}


def test_an_event_with_thousands_of_faults_names_a_few(api: Any) -> None:
    faults = b",".join(b'"a%d":NaN' % number for number in range(2500))
    answer = api.post("/v1/batch", b'{"batch":[%s]}' % event(properties=b"{" + faults + b"}"))

    assert len(answer.json_body["refused"][0]["errors"]) == 20
    assert len(json.dumps(answer.json_body)) < 4000
