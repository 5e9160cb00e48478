"""A page of the timeline of somebody with many ids and devices: ten queries, and what matters most is in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.activity import service
from chalicelib.activity.reading import Sending
from chalicelib.activity.schemas import TimelineQuery
from chalicelib.customers import merges, reads
from chalicelib.customers import service as customers

START = datetime(2026, 11, 22, tzinfo=UTC)
NOW = START + timedelta(days=1)


def visit(minute: int, *, trusted: bool = True, **who: str) -> None:
    at = START + timedelta(minutes=minute)
    event = {"messageId": f"m{minute}", "event": "Cart Viewed", "timestamp": at.isoformat(), **who}
    service.take_one(event, "track", Sending(trusted=trusted, now=NOW))


def know(customer_id: str, *devices: str) -> None:
    for device in devices or (None,):
        customers.link(customer_id, device, at=START, now=START)


def join(survivor: str, other: str) -> None:
    merges.merge(survivor, other, reason="same", merge_id=f"{survivor} {other}", said_by="test", now=START)


@contextmanager
def counted(aws: Any) -> Iterator[list[str]]:
    """Every query that goes out meanwhile."""
    queries: list[str] = []

    def count(params: dict[str, Any], **_: Any) -> None:
        queries.append(params["TableName"])

    aws.meta.events.register("provide-client-params.dynamodb.Query", count)
    yield queries
    aws.meta.events.unregister("provide-client-params.dynamodb.Query", count)


def shown(customer_id: str, *, own: bool = False, kind: str | None = None) -> set[int]:
    """The minutes of what is on a page."""
    query = TimelineQuery(kind=kind, limit=200)
    page = service.timeline(customer_id, query, own=own, language="en", now=NOW)
    return {(each.at - START) // timedelta(minutes=1) for each in page.data}


@pytest.mark.parametrize(("own", "devices"), [(False, 8), (True, 9)])
def test_of_many_devices_those_linked_last_are_read(aws: Any, own: bool, devices: int) -> None:
    for minute in range(20):
        know("u1", f"a{minute}")
        visit(minute, anonymousId=f"a{minute}")
    visit(20, userId="u1")
    visit(21, userId="u1", trusted=False)

    with counted(aws) as queries:
        found = shown("u1", own=own)
    assert len(queries) == 10
    assert found == {20, *range(20 - devices, 20)} | (set() if own else {21})


def test_a_person_of_ten_ids_is_ten_queries_with_all_their_facts(aws: Any) -> None:
    for number in range(10):
        know(f"u{number}", f"a{number}")
        visit(number, userId=f"u{number}")
        visit(10 + number, userId=f"u{number}", trusted=False)
        visit(20 + number, anonymousId=f"a{number}")
    for number in range(1, 10):
        join("u0", f"u{number}")

    with counted(aws) as queries:
        found = shown("u0")
    assert len(queries) == 10
    assert found == set(range(10))


def test_of_several_ids_each_has_its_newest_device_read(aws: Any) -> None:
    for who in (1, 2, 3):
        visit(who * 100, userId=f"u{who}")
        visit(who * 100 + 50, userId=f"u{who}", trusted=False)
        for device in range(5):
            know(f"u{who}", f"a{who}-{device}")
            visit(who * 100 + 60 + device, anonymousId=f"a{who}-{device}")
    join("u1", "u2")
    join("u1", "u3")

    person = reads.person("u1")
    assert person is not None
    assert person.anonymous_ids[-6:] == ("a2-3", "a3-3", "a1-3", "a2-4", "a3-4", "a1-4")
    with counted(aws) as queries:
        found = shown("u1")
    assert len(queries) == 10
    assert {minute for minute in found if minute % 100 == 0} == {100, 200, 300}, "facts of every id"
    assert {minute for minute in found if minute % 100 == 50} == {150}, "what is claimed of the surviving id"
    assert {minute for minute in found if minute % 100 >= 60} == {163, 164, 263, 264, 363, 364}


def test_who_has_few_ids_and_devices_sees_everything(aws: Any) -> None:
    for who in (1, 2, 3):
        know(f"u{who}", f"a{who}")
        visit(who, userId=f"u{who}")
        visit(10 + who, userId=f"u{who}", trusted=False)
        visit(20 + who, anonymousId=f"a{who}")
    join("u1", "u2")
    join("u1", "u3")

    assert shown("u1") == {1, 2, 3, 11, 12, 13, 21, 22, 23}
