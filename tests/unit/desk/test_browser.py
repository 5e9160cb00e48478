"""What anybody's browser may do to a watchlist: put items on it, and take off what it put there itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.desk import rules
from chalicelib.desk.model import BROWSER, EVENT, WATCHED_MAX, Mark, Marks
from tests.support.embedded import PUBLISHABLE

PATH = "/v1/customers/u1/watchlist"
ADDED, REMOVED = "Product Added to Wishlist", "Product Removed from Wishlist"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def say(
    api: Any, minutes: int | None, item_id: str, name: str = ADDED, headers: Any = PUBLISHABLE, **who: str
) -> None:
    """An event so many minutes after noon of a day long past, or of this moment."""
    event: dict[str, Any] = {"event": name, "properties": {"product_id": item_id}}
    if minutes is not None:
        event["timestamp"] = (NOON + timedelta(minutes=minutes)).isoformat()
    answer = api.post("/v1/track", event | (who or {"anonymousId": "a1"}), headers)
    assert answer.status_code == 200, answer.body


def on(api: Any) -> list[str]:
    return [each["item_id"] for each in api.get(PATH).json_body["data"]]


@pytest.fixture
def linked(api: Any) -> Any:
    for device in ("a1", "a2"):
        api.post("/v1/identify", {"userId": "u1", "anonymousId": device, "traits": {"plan": "gold"}})
    return api


def bearer(api: Any) -> dict[str, str]:
    token = api.post("/v1/customer-tokens", {"customer_id": "u1"}).json_body["token"]
    return {"Authorization": f"Bearer {token}"}


def test_a_browser_takes_off_what_it_put_on_itself_and_nothing_else(linked: Any) -> None:
    linked.put(f"{PATH}/staff")
    linked.put("/v1/me/watchlist/own", None, bearer(linked))
    say(linked, 0, "server", headers=None, userId="u1")
    say(linked, 0, "device", headers=None, anonymousId="a1")
    say(linked, 0, "other", anonymousId="a2")
    say(linked, 0, "mine")
    everything = ["staff", "own", "server", "device", "other"]

    for item_id in (*everything, "mine"):
        say(linked, None, item_id, REMOVED)
    assert sorted(on(linked)) == sorted(everything)

    say(linked, 10, "b")
    say(linked, 20, "b", REMOVED)
    assert "b" not in on(linked)
    say(linked, 30, "b")
    assert "b" in on(linked), "it may change its mind"
    say(linked, 40, "device", REMOVED, None, anonymousId="a1")
    assert "device" not in on(linked), "a server may speak for the visitor"
    linked.delete(f"{PATH}/b")
    assert "b" not in on(linked)


def test_what_a_browser_put_on_stays_when_somebody_trusted_puts_it_on_too(linked: Any) -> None:
    say(linked, 0, "a")
    linked.put(f"{PATH}/a")
    say(linked, None, "a", REMOVED)

    assert on(linked) == ["a"]
    linked.delete(f"{PATH}/a")
    assert on(linked) == []


def test_a_browser_crowds_nobodys_items_out(linked: Any) -> None:
    from chalicelib.desk import watchlist

    linked.put(f"{PATH}/wanted")
    items = [f"i{number}" for number in range(WATCHED_MAX)]
    late = Mark(watched=True, at=datetime.now(UTC) + timedelta(hours=1), channel="web")
    watchlist.hear(("anonymous", "a1"), items, late, hint=True)

    assert "wanted" in on(linked)
    assert len(on(linked)) == WATCHED_MAX
    assert linked.put(f"{PATH}/more").status_code == 200
    assert {"wanted", "more"} <= set(on(linked))


WORDS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.builds(
            Mark,
            st.booleans(),
            st.integers(0, 4).map(lambda minute: NOON + timedelta(minutes=minute)),
            st.sampled_from(["web", "app"]),
        ),
        st.booleans(),
    ),
    max_size=10,
)


def heard(words: list[Any]) -> Marks:
    known = Marks(("anonymous", "a1"), 0, {})
    for item_id, mark, hint in words:
        known = rules.heard(known, {item_id: mark}, hint=hint)
    return known


@given(WORDS, st.randoms())
def test_in_any_order_and_twice_the_words_end_in_the_same_list(words: list[Any], random: Any) -> None:
    shuffled = words + words[: len(words) // 2]
    random.shuffle(shuffled)

    assert heard(shuffled) == heard(words)


@given(WORDS, WORDS)
def test_whatever_browsers_say_what_is_trusted_stays(words: list[Any], more: list[Any]) -> None:
    trusted = rules.fold([heard([each for each in words if not each[2]])])
    watched = {item_id for item_id, mark in trusted.items() if mark.watched}
    hints = [(item_id, mark, True) for item_id, mark, _ in more]

    everybody = rules.fold([heard(words), heard(hints)])

    assert watched <= {item_id for item_id, mark in everybody.items() if mark.watched}
    assert {mark.by for mark in everybody.values()} <= {EVENT, BROWSER}


def test_a_visitors_list_ends_after_its_last_word(api: Any, aws: Any) -> None:
    from chalicelib.desk import reads, watchlist
    from chalicelib.desk.model import VISITOR_KEPT

    def put(item_id: str, at: datetime) -> None:
        watchlist.hear_event(
            watched=True, item_ids=[item_id], at=at, channel="web", customer_id=None, anonymous_id="a1",
            trusted=False,
        )  # fmt: skip

    def watched(at: datetime) -> list[str]:
        return [each.item_id for each in reads.watchlist([], ["a1"], now=at)]

    def stored(pk: str) -> dict[str, Any]:
        key = {"pk": {"S": pk}, "sk": {"S": "WATCHLIST"}}
        found: dict[str, Any] = aws.get_item(TableName="kokyaku-test-people", Key=key)["Item"]
        return found

    last = NOON + timedelta(hours=1)
    put("a", NOON)
    put("b", last)
    assert int(stored("A#a1")["ttl"]["N"]) == (last + VISITOR_KEPT).timestamp()
    assert watched(last + VISITOR_KEPT - timedelta(seconds=1)) == ["b", "a"]
    assert watched(last + VISITOR_KEPT) == [], "the store has not got round to deleting it"

    put("c", last + VISITOR_KEPT)
    assert watched(last + VISITOR_KEPT) == ["c"], "it begins anew"
    assert int(stored("A#a1")["ttl"]["N"]) == (last + 2 * VISITOR_KEPT).timestamp()
    api.put(f"{PATH}/kept")
    assert "ttl" not in stored("C#u1"), "a customer's own stays"
