"""One watchlist, whoever fills it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.embedded import PUBLISHABLE

PATH = "/v1/customers/u1/watchlist"
ADDED, REMOVED = "Product Added to Wishlist", "Product Removed from Wishlist"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def event(minutes: float, item_id: str = "a", name: str = ADDED, **who: str) -> dict[str, Any]:
    return {
        "type": "track",
        "event": name,
        "properties": {"product_id": item_id},
        "timestamp": (NOON + timedelta(minutes=minutes)).isoformat(),
        "messageId": f"{minutes}{item_id}{name}".replace(" ", "-"),
    } | (who or {"userId": "u1"})


def on(api: Any, path: str = PATH, headers: dict[str, str] | None = None) -> list[str]:
    return [each["item_id"] for each in api.get(path, headers).json_body["data"]]


def bearer(api: Any, customer_id: str = "u1") -> dict[str, str]:
    token = api.post("/v1/customer-tokens", {"customer_id": customer_id}).json_body["token"]
    return {"Authorization": f"Bearer {token}"}


def link(api: Any, anonymous_id: str, customer_id: str = "u1") -> None:
    api.post("/v1/identify", {"userId": customer_id, "anonymousId": anonymous_id, "traits": {"name": "Hana"}})


def test_an_event_is_on_the_list_in_the_next_request(api: Any) -> None:
    api.post("/v1/track", event(0))
    [watched] = api.get(PATH).json_body["data"]
    assert watched == {"item_id": "a", "added_at": "2026-01-01T12:00:00.000Z", "channel": "web", "item": None}

    api.post("/v1/track", event(1, name=REMOVED))
    assert on(api) == []
    api.post("/v1/track", event(0, "b") | {"channel": "store", "event": "add_to_wishlist"})
    assert api.get(PATH).json_body["data"][0]["channel"] == "store"


def test_late_and_repeated_events_do_not_bring_an_item_back(api: Any) -> None:
    api.post("/v1/track", event(5, name=REMOVED))
    api.post("/v1/track", event(1))
    assert on(api) == []

    api.post("/v1/track", event(9))
    api.delete(f"{PATH}/a")
    for _ in range(2):
        assert api.post("/v1/track", event(9)).json_body["duplicates"] == 1
    assert on(api) == []


def test_a_fast_clock_does_not_have_the_last_word_until_tomorrow(api: Any) -> None:
    ahead = event(0) | {"timestamp": (datetime.now(UTC) + timedelta(hours=20)).isoformat()}
    api.post("/v1/track", ahead)
    assert on(api) == ["a"]

    api.delete(f"{PATH}/a")
    assert on(api) == []
    api.post("/v1/track", ahead)
    assert on(api) == []


def test_a_browser_speaks_for_the_visitor_it_is_and_not_for_whom_it_claims(api: Any) -> None:
    api.post("/v1/track", event(0, "claimed", userId="u1"), PUBLISHABLE)
    api.post("/v1/track", event(0, "visitor", userId="u1", anonymousId="a1"), PUBLISHABLE)
    assert on(api) == []

    link(api, "a1")
    assert on(api) == ["visitor"]
    api.post("/v1/track", event(1, "later", anonymousId="a1"), PUBLISHABLE)
    assert on(api) == ["later", "visitor"]
    api.delete(f"{PATH}/visitor")
    assert on(api) == ["later"]


def test_putting_and_taking_away_changes_nothing_the_second_time(api: Any) -> None:
    api.put("/v1/items/a", {"kind": "product", "title": "PARIS", "title_ja": "パリ7日間",
                            "price": {"amount": 300_000, "currency": "JPY"}})  # fmt: skip
    first = api.put(f"{PATH}/a?channel=store", None, None, **{"Accept-Language": "ja"})
    again = api.put(f"{PATH}/a?channel=phone", None, None, **{"Accept-Language": "ja"})

    assert first.status_code == again.status_code == 200
    assert first.json_body == again.json_body
    assert first.json_body["channel"] == "store"
    assert first.json_body["item"]["title"] == "パリ7日間"
    assert [api.delete(f"{PATH}/a").status_code for _ in range(2)] == [204, 204]
    assert api.delete(f"{PATH}/never").status_code == 204
    kinds = [each["kind"] for each in api.get("/v1/customers/u1/timeline").json_body["data"]]
    assert kinds == ["wishlist_removed", "wishlist"]


def test_an_event_is_on_the_timeline_once_also_when_the_item_is_put_again(api: Any) -> None:
    api.post("/v1/track", event(0))
    api.put(f"{PATH}/a")

    assert len(api.get("/v1/customers/u1/timeline").json_body["data"]) == 1


@pytest.mark.parametrize("fault", ["crash_before", "crash_after", "reply_lost"])
def test_a_fault_at_any_call_leaves_one_item_with_one_place(api: Any, aws: Any, fault: str) -> None:
    from tests.support.faults import Crash, FaultyWire

    wire = FaultyWire(aws)
    api.put("/v1/customers/u0/watchlist/a")
    for place in range(wire.requests):
        path = f"/v1/customers/u{place}{fault}"
        wire.plan = ["ok"] * place + [fault]
        try:
            api.put(f"{path}/watchlist/a")
        except Crash:
            assert fault != "reply_lost"
        wire.plan = []

        assert api.put(f"{path}/watchlist/a").status_code == 200
        assert on(api, f"{path}/watchlist") == ["a"]
        assert len(api.get(f"{path}/timeline").json_body["data"]) == 1


def test_a_crash_between_the_list_and_the_timeline_is_finished_by_the_same_event(api: Any, aws: Any) -> None:
    from tests.support.faults import Crash, FaultyWire

    wire = FaultyWire(aws)
    api.post("/v1/track", event(0, userId="u0"))
    for place in range(wire.requests):
        said = event(place, userId=f"u{place}")
        wire.plan = ["ok"] * place + ["crash_before"]
        with pytest.raises(Crash):
            api.post("/v1/track", said)
        wire.plan = []

        assert api.post("/v1/track", said).status_code == 200
        assert on(api, f"/v1/customers/u{place}/watchlist")[0] == "a"


def test_a_batch_about_one_list_is_taken_whole(api: Any) -> None:
    batch = [event(number, f"i{number}") for number in range(60)]

    assert api.post("/v1/batch", {"batch": batch}).json_body["accepted"] == 60
    assert len(on(api)) == 60


def test_eight_at_once_lose_nothing(api: Any) -> None:
    def put(number: int) -> int:
        while (answer := api.put(f"{PATH}/i{number}")).status_code == 503:
            pass
        return int(answer.status_code)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(put, range(24))) == {200}
    assert sorted(on(api)) == sorted(f"i{number}" for number in range(24))


def test_a_full_list_says_so(api: Any) -> None:
    from chalicelib.desk import watchlist
    from chalicelib.desk.model import WATCHED_MAX, Mark

    items = [f"i{number}" for number in range(WATCHED_MAX)]
    watchlist.hear(("customer", "u1"), items, Mark(watched=True, at=NOON, channel="web"))

    assert api.put(f"{PATH}/one-more").status_code == 409
    assert api.put(f"{PATH}/i7").status_code == 200
    api.delete(f"{PATH}/i7")
    assert api.put(f"{PATH}/one-more").status_code == 200


def test_a_customer_keeps_their_own_and_sees_nobody_elses(api: Any) -> None:
    me, other = bearer(api), bearer(api, "u2")

    assert api.put("/v1/me/watchlist/a", None, me).json_body["channel"] == "web"
    assert on(api) == on(api, "/v1/me/watchlist", me) == ["a"]
    assert on(api, "/v1/me/watchlist", other) == []
    assert api.delete("/v1/me/watchlist/a", other).status_code == 204
    assert on(api) == ["a"]
    assert api.get(PATH, me).status_code == 403
    assert api.put(f"{PATH}/b", None, PUBLISHABLE).status_code == 403


def test_what_is_hidden_is_not_shown(api: Any) -> None:
    api.put("/v1/items/a", {"kind": "product", "title": "SECRET", "hidden": True})

    assert api.put(f"{PATH}/a").json_body["item"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channel": "store"}, "channel"),
        ({"item_id": "b", "note": "x"}, "item_id"),
        ([], "body"),
        (b"{", "body"),
        (b"null", "body"),
        (b"\xff", "body"),
    ],
    ids=str,
)
def test_a_body_that_nobody_reads_is_refused(api: Any, body: Any, field: str) -> None:
    refused = api.put(f"{PATH}/a", body)

    assert refused.status_code == 400
    assert refused.json_body["errors"][0]["field"] == field
    assert on(api) == []
    assert [
        api.put(f"{PATH}/{item_id}", empty).status_code for item_id, empty in (("a", b" "), ("b", {}))
    ] == [
        200,
        200,
    ]


@pytest.mark.parametrize(
    "path", [f"{PATH}/a%23b", f"{PATH}/a%2Fb", f"{PATH}/{'x' * 129}", f"{PATH}/a?channel=A%20B"]
)
def test_what_cannot_be_is_refused(api: Any, path: str) -> None:
    assert api.put(path).status_code == 400
    assert on(api) == []
