"""No time that a sender makes up harms a page that shows it, or the other events of its batch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.activity import rules
from chalicelib.activity.model import SKEW_MAX
from chalicelib.activity.schemas import time_of
from chalicelib.shared import clock
from chalicelib.shared.errors import InvalidInput
from tests.support.embedded import PUBLISHABLE

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
VIEW = {"userId": "u1", "event": "Product Viewed", "properties": {"product_id": "a"}}


def test_a_clock_ahead_is_set_right_only_so_far() -> None:
    ahead = NOW + SKEW_MAX

    assert rules.happened_at("track", ahead, ahead, now=NOW) == NOW
    with pytest.raises(InvalidInput) as refused:
        rules.happened_at("track", ahead, ahead + timedelta(seconds=1), now=NOW)
    assert refused.value.fields[0].field == "sentAt"


def test_a_corrected_time_stays_among_those_that_are_known() -> None:
    with pytest.raises(InvalidInput) as refused:
        rules.happened_at("track", clock.EARLIEST, NOW + timedelta(hours=1), now=NOW)
    assert refused.value.fields[0].field == "timestamp"


@pytest.mark.parametrize(
    "sent_at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2100-01-01T00:00:00Z"]
)
def test_a_batch_left_at_no_impossible_time(sent_at: str) -> None:
    assert time_of(sent_at) is None


@pytest.mark.parametrize("path", ["track", "batch"])
def test_an_impossible_correction_is_refused_and_nothing_is_stored(api: Any, path: str) -> None:
    event = VIEW | {"timestamp": "2000-01-01T00:00:00Z", "sentAt": "2099-12-31T00:00:00Z"}
    api.post("/v1/track", VIEW)

    if path == "track":
        refused = api.post("/v1/track", event, headers=PUBLISHABLE)
        assert refused.status_code == 400
        assert refused.json_body["errors"][0]["field"] == "sentAt"
    else:
        batch = {"batch": [event | {"type": "track"}]}
        refused = api.post("/v1/batch", batch, headers=PUBLISHABLE)
        assert [each["errors"][0]["field"] for each in refused.json_body["refused"]] == ["sentAt"]

    assert len(api.get("/v1/customers/u1/timeline").json_body["data"]) == 1


def test_a_batch_with_an_impossible_time_of_its_own_is_taken(api: Any) -> None:
    timed = VIEW | {"type": "track", "timestamp": datetime.now(UTC).isoformat()}
    late = timed | {"timestamp": "9999-12-31T23:59:59Z"}

    taken = api.post("/v1/batch", {"sentAt": "9999-12-31T23:59:59Z", "batch": [timed, late]})

    assert taken.status_code == 200, taken.body
    assert taken.json_body["accepted"] == 1
    assert [each["index"] for each in taken.json_body["refused"]] == [1]


def test_what_was_stored_with_an_odd_time_is_shown(api: Any) -> None:
    from chalicelib.activity import telling

    telling.tell(
        "u1",
        cause="c1",
        kind="note",
        event="note",
        channel="shop",
        at=datetime(1927, 1, 2, tzinfo=UTC),
        details={},
        now=clock.now(),
    )

    assert api.get("/v1/customers/u1/timeline").json_body["data"][0]["at"] == "1927-01-02T00:00:00.000Z"
    assert api.get("/v1/customers/u1").json_body["created_at"] == "1927-01-02T00:00:00.000Z"


def test_the_last_second_of_the_calendar_answers(api: Any) -> None:
    clock.travel(clock.LATEST - timedelta(seconds=1) - datetime.now(UTC))

    for _ in range(2):
        changed = api.patch("/v1/customers/u1", {"traits": {"name": "A"}})
        assert changed.status_code == 200, changed.body
    issued = api.post("/v1/customer-tokens", {"customer_id": "u1"})
    assert issued.status_code in (200, 201), issued.body
