"""The timeline over the app's door: newest first, several devices as one, page by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.activity import rules, titles
from chalicelib.activity.model import KINDS, Draft, Entry, Message, Said

START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = START + timedelta(days=1)


@pytest.fixture
def put(aws: Any) -> Any:
    """Puts an entry `minutes` after the start, of a customer or an anonymous visitor."""
    from chalicelib.activity import service

    def put(
        minutes: float, kind: str = "view", channel: str = "web", who: Any = ("customer", "u1"), **more: Any
    ) -> str:
        message = Message("bus", f"{kind}{minutes}{who}{channel}")
        at = START + timedelta(minutes=minutes)
        entry = Entry(rules.entry_id_of(message), who, kind, kind, channel, at, trusted=True, **more)
        assert service.record(Draft(message, entry), now=NOW)
        return entry.entry_id

    return put


@pytest.fixture
def page(aws: Any) -> Any:
    from chalicelib.activity import service
    from chalicelib.activity.schemas import TimelineQuery

    def page(customer_id: str = "u1", *, own: bool = False, **query: Any) -> Any:
        return service.timeline(customer_id, TimelineQuery(**query), own=own, language="en", now=NOW)

    return page


def walk(page: Any, **query: Any) -> list[str]:
    """Every id, page by page."""
    found, cursor = [], None
    for _ in range(100):
        answer = page(cursor=cursor, **query)
        found += [item.id for item in answer.data]
        cursor = answer.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the pages do not end")


def link(*anonymous_ids: str) -> None:
    from chalicelib.customers import service

    for anonymous_id in anonymous_ids:
        service.link("u1", anonymous_id, at=START, now=START)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_several_devices_are_one_timeline_newest_first(put: Any, page: Any, limit: int) -> None:
    link("a1", "a2")
    who = [("customer", "u1"), ("anonymous", "a1"), ("anonymous", "a2"), ("anonymous", "a1")]
    ids = [put(minutes, who=who[minutes * 7 % 4]) for minutes in range(23)]
    put(5, who=("anonymous", "of somebody else"))

    assert walk(page, limit=limit) == ids[::-1]


def test_entries_of_the_same_moment_are_all_found_once(put: Any, page: Any) -> None:
    link("a1")
    ids = {
        put(1, kind=kind, who=who)
        for kind in ("view", "cart", "page")
        for who in [("customer", "u1"), ("anonymous", "a1")]
    }

    walked = walk(page, limit=1)
    assert len(walked) == 6
    assert set(walked) == ids


def test_what_arrives_while_somebody_reads_does_not_disturb_them(put: Any, page: Any) -> None:
    ids = [put(minutes) for minutes in range(6)]
    first = page(limit=3)
    put(100)
    put(2.5)
    second = page(limit=3, cursor=first.next_cursor)

    assert [item.id for item in first.data] == ids[:2:-1]
    assert [item.id for item in second.data][1:] == [ids[2], ids[1]]


def test_rare_kinds_are_found_far_down(put: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.activity import service

    monkeypatch.setattr(service, "LOOKED_AT", 5)
    monkeypatch.setattr(service, "ROUNDS_MAX", 2)
    link("a1")
    rare = put(0, kind="order", channel="store")
    for minutes in range(1, 40):
        put(minutes, who=("customer", "u1") if minutes % 3 else ("anonymous", "a1"))
    newer = put(40, kind="message", channel="email")

    assert walk(page, kind="order,message", limit=2) == [newer, rare]
    assert walk(page, channel="store", limit=2) == [rare]
    assert walk(page, kind="points", limit=2) == []
    first = page(kind="order", limit=2)
    assert first.data == []
    assert first.next_cursor, "a page may be empty while the search goes on"


def test_a_customer_sees_their_own_and_nothing_internal(put: Any, page: Any) -> None:
    details = {"order_id": "o1", "margin": 40, "note": "difficult", "name": "Heart"}
    put(1, kind="view", details=details)
    for minutes, kind in enumerate(
        ("identify", "group", "alias", "event", "experiment", "order_claimed"), start=2
    ):
        put(minutes, kind=kind)

    assert [(item.kind, item.details) for item in page(own=True).data] == [
        ("view", {"order_id": "o1", "name": "Heart"})
    ]
    assert page().data[-1].details == details
    assert page(own=True, kind="identify").data == []


def test_what_has_expired_is_gone_before_the_store_deletes_it(put: Any, aws: Any) -> None:
    from chalicelib.activity import reads, service
    from chalicelib.activity.schemas import TimelineQuery
    from chalicelib.shared import clock

    put(1)
    clock.travel(NOW - datetime.now(UTC))
    assert reads.is_known("u1")
    assert len(reads.newest([("customer", "u1")], 10)) == 1

    late = NOW + timedelta(days=401)
    clock.travel(late - datetime.now(UTC))
    assert service.timeline("u1", TimelineQuery(), own=False, language="en", now=late).data == []
    assert not reads.is_known("u1")
    assert reads.newest([("customer", "u1")], 10) == []


def test_other_rooms_see_the_newest_of_several_at_once(put: Any, aws: Any) -> None:
    from chalicelib.activity import reads

    put(1, item_ids=("a",), order_id="o1")
    newest = put(3, who=("anonymous", "a1"))
    middle = put(2)

    touches = reads.newest([("customer", "u1"), ("anonymous", "a1")], 2)
    assert [touch.entry_id for touch in touches] == [newest, middle]
    oldest = reads.newest([("customer", "u1"), ("anonymous", "a1")], 3)[-1]
    assert (oldest.item_ids, oldest.order_id, oldest.at, oldest.trusted) == (
        ("a",),
        "o1",
        START + timedelta(minutes=1),
        True,
    )
    assert reads.newest([], 5) == []
    assert reads.first_seen("u1") == START + timedelta(minutes=1)


def test_history_may_be_brought_along_twice(aws: Any, page: Any) -> None:
    from chalicelib.activity import service

    def order(number: int, at: datetime) -> Draft:
        message = Message("order", f"o{number}")
        entry = Entry(
            rules.entry_id_of(message),
            ("customer", "u1"),
            "order",
            "order.placed",
            "shop",
            at,
            trusted=True,
            customer_id="u1",
        )
        return Draft(message, entry)

    drafts = [order(number, NOW - timedelta(days=number)) for number in range(500)]
    assert service.import_entries(drafts, now=NOW) == 400, "what is older would be forgotten already"
    assert service.import_entries(drafts, now=NOW) == 400

    assert len(walk(page, limit=200)) == 400
    assert not service.record(order(3, NOW), now=NOW), (
        "an imported order is known when somebody tells of it again"
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kind=nonsense", "kind"),
        ("kind=", "kind"),
        ("kind=view,", "kind"),
        ("channel=Web%23", "channel"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("cursor=x", "cursor"),
        ("unknown=1", "unknown"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_wrong_queries_are_refused_by_name(api: Any, query: str, field: str) -> None:
    refused = api.get(f"/v1/customers/u1/timeline?{query}")

    assert refused.status_code == 400
    assert [error["field"] for error in refused.json_body["errors"]] == [field]


def test_a_cursor_belongs_to_its_list(api: Any, put: Any, page: Any) -> None:
    for minutes in range(3):
        put(minutes)
    cursor = page(limit=1).next_cursor
    paths = ["u2/timeline?", "u1/timeline?kind=view&", "u1/timeline?channel=web&"]

    assert api.get(f"/v1/customers/u1/timeline?cursor={cursor}").status_code == 200
    for path in paths:
        assert api.get(f"/v1/customers/{path}cursor={cursor}").status_code == 400
    assert api.get(f"/v1/customers/u1/timeline?cursor={cursor[:-3]}AAA").status_code == 400


def test_nobody_is_known_of_whom_nothing_is_known(api: Any) -> None:
    answer = api.get("/v1/customers/nobody/timeline")

    assert answer.json_body == {"data": [], "next_cursor": None}


def test_a_customer_reads_their_own_timeline_only(api: Any, put: Any) -> None:
    put(1)
    token = api.post("/v1/customer-tokens", {"customer_id": "u2"}).json_body["token"]
    bearer = {"Authorization": f"Bearer {token}"}

    assert api.get("/v1/me/timeline", bearer).json_body["data"] == []
    assert api.get("/v1/customers/u1/timeline", bearer).status_code == 403
    assert api.get("/v1/customers/u1/timeline", {"X-Api-Key": "pk_test_local"}).status_code == 403


def test_titles_speak_the_callers_language(api: Any) -> None:
    heart = {"product_id": "85123A", "name": "WHITE HANGING HEART"}
    api.post("/v1/track", {"userId": "u1", "messageId": "m1", "event": "Product Viewed", "properties": heart})

    [english] = api.get("/v1/customers/u1/timeline").json_body["data"]
    [japanese] = api.get("/v1/customers/u1/timeline", None, **{"Accept-Language": "ja"}).json_body["data"]
    assert english["title"] == "Viewed WHITE HANGING HEART"
    assert japanese["title"] == "WHITE HANGING HEART を見ました"


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_title_with_and_without_a_name(kind: str, language: str) -> None:
    bare = Entry("e", ("customer", "u1"), kind, "Sofa {measured}", "web", START, trusted=True)

    assert titles.title_of(bare, language).strip()
    assert "{" not in titles.title_of(bare, language).replace("Sofa {measured}", "")


def test_titles_take_names_from_wherever_they_are() -> None:
    def title(event: str, properties: dict[str, Any], event_type: Any = "track") -> str:
        said = Said(
            event_type,
            START,
            "m",
            "u1",
            event=event,
            properties=properties,
            group_id="g",
            traits={"name": "ACME"},
        )
        return titles.title_of(rules.draft(said, trusted=True).entry, "en")

    assert (
        title("add_to_cart", {"items": [{"item_id": "a", "item_name": "Big\nSofa"}]})
        == "Put Big Sofa into the cart"
    )
    assert title("Product Viewed", {"product_id": "a", "name": {"odd": 1}}) == "Viewed a"
    assert title("Products Searched", {"query": "sofa"}) == "Searched for sofa"
    assert title("Home", {"path": "/"}, "page") == "Visited Home"
    assert title("", {"path": "/a"}, "page") == "Visited /a"
    assert title("", {}, "group") == "Belongs to ACME"
    order = {"order_id": "o1", "currency": "JPY", "products": [{"product_id": "a", "price": 1}]}
    assert title("Order Completed", order) == "Ordered 1 item"
    assert title("Cart {emptied}", {}) == "Cart {emptied}"
