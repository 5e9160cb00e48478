"""Runs that overlap, die, are missed or travel in time send each mail once."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.campaigns import service, store
from chalicelib.campaigns.model import CAMPAIGNS
from chalicelib.messages import gate
from chalicelib.messages import service as messages
from chalicelib.messages.rules import LEASE
from chalicelib.messages.schemas import MessagesQuery
from chalicelib.shared import aws as clients
from chalicelib.shared.dynamo import table
from tests.support.faults import Crash, FaultyWire
from tests.support.post import Post, person

JOINED = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DUE = JOINED + timedelta(days=1)


@pytest.fixture
def post(aws: Any) -> Post:
    return Post()


def join(*customer_ids: str, agrees: bool | None = True, at: datetime = JOINED) -> None:
    for customer_id in customer_ids:
        person(customer_id, agrees=agrees)
        service.plan("customer.created", customer_id, happened_at=at, now=at)


def told(customer_id: str, now: datetime = DUE) -> list[tuple[str, str]]:
    page = messages.page(customer_id, MessagesQuery(), now=now)
    return [(message.status.value, message.reason) for message in page.data]


def left() -> list[dict[str, Any]]:
    """Everything that is still filed as due."""
    found = clients.client("dynamodb").scan(TableName=table("engagement").name)["Items"]
    return [item for item in found if item["pk"]["S"].startswith("DUE#")]


def test_a_welcome_goes_out_a_day_later_and_not_before(post: Post) -> None:
    join("u1")

    assert service.run(DUE - timedelta(milliseconds=1)).settled == 0
    assert service.run(DUE).settled == 1
    assert service.run(DUE).settled == 0

    assert [mail["Content"]["Simple"]["Subject"]["Data"] for mail in post.asked] == [
        "Welcome to Kokyaku Demo Shop"
    ]
    assert told("u1") == [("sent", "campaign_welcome")]
    assert left() == []


def test_a_fact_that_comes_again_welcomes_nobody_again(post: Post) -> None:
    join("u1")
    join("u1")
    service.run(DUE)
    join("u1")  # also after it is done

    service.run(DUE + timedelta(minutes=1))

    assert post.count() == 1
    assert left() == []


def test_consent_is_asked_when_the_mail_is_due(post: Post) -> None:
    join("u1", "u2")
    join("u3", agrees=None)
    gate.withdraw("u2", "email_marketing", source="one_click", now=DUE)

    assert service.run(DUE).settled == 3

    assert post.count() == 1
    assert [told(each) for each in ("u1", "u2", "u3")] == [
        [("sent", "campaign_welcome")],
        [("withheld", "no_consent")],
        [("withheld", "no_consent")],
    ]


def test_other_facts_start_nothing(aws: Any) -> None:
    service.plan("customer.renamed", "u1", happened_at=JOINED, now=JOINED)

    assert left() == []


def test_ten_overlapping_runs_send_each_mail_once(post: Post) -> None:
    ids = [f"u{number}" for number in range(20)]
    join(*ids)
    threads = [threading.Thread(target=service.run, args=(DUE,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    service.run(DUE + timedelta(minutes=1))

    assert post.count() == 20
    assert all(told(each) == [("sent", "campaign_welcome")] for each in ids)
    assert left() == []


def test_a_missed_night_is_caught_up(post: Post) -> None:
    for number in range(10):
        join(f"u{number}", at=JOINED + timedelta(hours=number * 3))
    service.run(JOINED)

    run = service.run(DUE + timedelta(hours=30))

    assert (run.settled, run.left, post.count()) == (10, 0, 10)


def test_a_missed_month_welcomes_nobody(post: Post) -> None:
    join("u1")
    service.run(JOINED)
    back = DUE + timedelta(days=30)

    assert service.run(back).settled == 1

    assert post.count() == 0
    assert told("u1", back) == [("withheld", "expired")]
    assert left() == []


def test_a_pause_of_two_years_costs_one_run_and_what_fell_due_in_it(post: Post) -> None:
    join("u1")
    service.run(JOINED)
    join("u2", at=DUE + timedelta(days=700))
    now = DUE + timedelta(days=701)
    wire = FaultyWire(clients.client("dynamodb"), "dynamodb")

    run = service.run(now)

    assert (run.settled, post.count()) == (2, 1)
    assert (told("u1", now), told("u2", now)) == ([("withheld", "expired")], [("sent", "campaign_welcome")])
    assert wire.requests < 40, "and not the 16,800 hours in between"
    assert store.load_buckets(until="2099-01-01T00", limit=10) == ["2028-10-24T09"], "only the present one"


def test_a_clock_that_went_back_loses_nothing(post: Post) -> None:
    service.run(DUE + timedelta(days=300))
    join("u1")

    service.run(JOINED)
    assert service.run(DUE).settled == 1
    assert post.count() == 1


def test_a_withdrawn_campaign_is_cleared_away(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    join("u1")
    monkeypatch.delitem(CAMPAIGNS, "welcome")

    assert service.run(DUE).settled == 1
    assert (post.count(), left()) == (0, [])


def test_what_ses_refuses_for_now_is_tried_by_the_next_run(post: Post) -> None:
    join("u1", "u2")
    wire = FaultyWire(clients.client("sesv2"), "sesv2")
    wire.plan = ["throttle", "ok", "throttle"]

    first, second, third = (service.run(DUE + timedelta(hours=hours)) for hours in (0, 5, 10))

    assert [(run.settled, run.left) for run in (first, second, third)] == [(1, 1), (0, 1), (1, 0)]
    assert post.count() == 2
    assert left() == []


def test_one_mail_that_fails_does_not_stop_the_others(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    join("u1", "u2", "u3")
    send = messages.send

    def failing(message: Any, *, now: datetime) -> Any:
        if message.customer_id == "u2":
            raise RuntimeError
        return send(message, now=now)

    monkeypatch.setattr(messages, "send", failing)
    assert service.run(DUE) == service.Run(2, 1)
    monkeypatch.setattr(messages, "send", send)

    assert service.run(DUE + timedelta(hours=9)).settled == 1
    assert post.count() == 3


def test_a_run_whose_time_is_up_leaves_the_rest_to_the_next(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    join("u1", "u2", "u3")
    seconds, send = [0.0], messages.send

    def slow(message: Any, *, now: datetime) -> Any:
        seconds[0] += service.RUN_SECONDS_MAX * 0.6
        return send(message, now=now)

    monkeypatch.setattr(service.time, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(messages, "send", slow)
    assert service.run(DUE) == service.Run(2, 1)
    monkeypatch.undo()

    assert service.run(DUE).settled == 1
    assert post.count() == 3
    assert left() == []


def test_more_than_a_page_is_worked_off_in_one_run(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PAGE", 2)
    join(*(f"u{number}" for number in range(5)))
    wire = FaultyWire(clients.client("sesv2"), "sesv2")
    wire.plan = ["throttle"]  # the first stays behind, and its page must not be read for ever

    run = service.run(DUE)

    assert (run.settled, run.left) == (4, 1)


def test_a_run_killed_at_any_call_is_finished_by_later_ones_and_sends_nothing_twice(
    aws: Any, post: Post
) -> None:
    """Before and after every AWS call of a run with two mails: at most the one in hand is lost."""
    plan: list[str] = []
    FaultyWire(aws).plan = plan
    FaultyWire(clients.client("sesv2"), "sesv2").plan = plan
    service.run(JOINED)
    faults = ("crash_before", "crash_after")
    places = ((call, fault) for call in itertools.count() for fault in faults)
    for number, (call, fault) in enumerate(places):
        ids, sent_before = (f"a{number}", f"b{number}"), post.count()
        due = DUE + timedelta(hours=number)
        join(*ids, at=due - timedelta(days=1))
        plan[:] = ["ok"] * call + [fault]
        try:
            service.run(due)
        except Crash:
            crashed = True
        else:
            crashed = False
        plan.clear()
        for minutes in (1, 1 + LEASE.seconds // 60 + 1, 10):
            service.run(due + timedelta(minutes=minutes))

        outcomes = [told(each, due)[0][0] for each in ids]
        assert left() == []
        assert outcomes.count("unknown") <= 1
        assert set(outcomes) <= {"sent", "unknown"}
        assert outcomes.count("sent") <= post.count() - sent_before <= 2
        if not crashed:
            break
    assert number > 20  # every call was a place to die
