"""The mail that goes with a birthday's gift: one a year, whatever is delivered or run how often."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.campaigns import service
from chalicelib.coupons import reads as coupons
from chalicelib.loyalty import running
from chalicelib.messages import gate
from chalicelib.messages import service as messages
from chalicelib.messages.schemas import MessagesQuery
from chalicelib.shared import clock
from tests.support.circuit import Circuit
from tests.support.members import join, put_program
from tests.support.post import Post, person

DAY = datetime(2027, 2, 28, 0, 30, tzinfo=UTC)
CAKE = {
    "reward_id": "cake", "title": "A cake", "title_ja": "ケーキ", "points": 500, "amount_off": 500, "currency": "JPY",
    "valid_days": 30,
}  # fmt: skip


@pytest.fixture
def post(aws: Any) -> Post:
    return Post()


def fact(year: int = 2027, occasion: str = "birthday", **data: Any) -> dict[str, Any]:
    return {
        "id": f"loyalty.gift_given:u1#gift:{occasion}:{year}",
        "type": "loyalty.gift_given",
        "subject": "customers/u1",
        "time": DAY.replace(year=year).isoformat(),
        "data": {"customer_id": "u1", "occasion": occasion, "year": year, "points": 300} | data,
    }


def deliver(*facts: dict[str, Any]) -> Any:
    from chalicelib.campaigns.handlers import campaigns_on_facts

    records = [
        {"messageId": f"m{place}", "body": json.dumps({"detail": each})} for place, each in enumerate(facts)
    ]
    return campaigns_on_facts({"Records": records}, None)["batchItemFailures"]


def told(now: datetime = DAY) -> list[tuple[str, str]]:
    page = messages.page("u1", MessagesQuery(), now=now)
    return [(message.status.value, message.reason) for message in page.data]


def test_a_gift_is_one_mail_however_often_it_is_told_and_run(post: Post) -> None:
    person("u1")
    clock.travel(DAY - datetime.now(UTC))
    for _ in range(3):
        assert deliver(fact(), fact()) == []
        runs = [threading.Thread(target=service.run, args=(clock.now(),)) for _ in range(10)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()

    assert post.count() == 1
    assert told() == [("sent", "campaign_birthday")]


def test_another_year_is_another_mail(post: Post) -> None:
    person("u1")
    for year in (2027, 2028):
        clock.travel(DAY.replace(year=year) - datetime.now(UTC))
        assert deliver(fact(year)) == []
        service.run(clock.now())

    assert post.count() == 2


def test_consent_counts_when_it_is_sent(post: Post) -> None:
    person("u1")
    clock.travel(DAY - datetime.now(UTC))
    assert deliver(fact()) == []
    gate.withdraw("u1", "email_marketing", source="one_click", now=clock.now())

    service.run(clock.now())

    assert (post.count(), told()) == (0, [("withheld", "no_consent")])


def test_a_birthday_of_last_week_is_wished_no_more(post: Post) -> None:
    person("u1")
    clock.travel(DAY - datetime.now(UTC))
    assert deliver(fact()) == []

    service.run(DAY + timedelta(days=4))

    assert (post.count(), told(DAY + timedelta(days=4))) == (0, [("withheld", "expired")])


def test_other_gifts_have_no_mail(post: Post) -> None:
    person("u1")
    clock.travel(DAY - datetime.now(UTC))
    assert deliver(fact(occasion="anniversary")) == []

    service.run(clock.now())

    assert post.count() == 0


@pytest.mark.parametrize("locale", ["en-GB", "ja-JP"])
def test_29_february_from_the_run_to_the_mailbox(aws: Any, post: Post, locale: str) -> None:
    """Ten runs at once on the 28th; the coupon and its code come by one mail."""
    put_program(rewards=[CAKE], gifts=[{"occasion": "birthday", "reward_id": "cake"}], timezone="Asia/Tokyo")
    address = person("u1", locale=locale)
    join("u1", at=datetime(2026, 11, 2, tzinfo=UTC), birthday="2000-02-29", timezone="Asia/Tokyo")
    with Circuit() as circuit:
        circuit.settle()
        for moment, mails in ((DAY - timedelta(hours=10), 0), (DAY - timedelta(hours=9), 1), (DAY, 1)):
            circuit.travel(moment)
            runs = [threading.Thread(target=running.run, args=(moment,)) for _ in range(10)]
            for run in runs:
                run.start()
            for run in runs:
                run.join()
            circuit.settle()
            for _ in range(2):
                circuit.tick("campaigns_tick")
            assert len(post.to(address)) == mails
    [coupon] = coupons.newest(["u1"])
    [mail] = post.to(address)
    body = mail["Content"]["Simple"]["Body"]
    for part in (body["Text"]["Data"], body["Html"]["Data"]):
        assert coupon.code in part
        assert ("ケーキ" if locale == "ja-JP" else "A cake") in part
    assert circuit.dead == []
