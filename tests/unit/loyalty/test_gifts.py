"""Gifts: the customer's own day, in their own zone, once a year."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.coupons import reads as coupons
from chalicelib.customers import merges
from chalicelib.loyalty import gifts, program_store, running
from chalicelib.loyalty.model import Entry
from chalicelib.loyalty.store import entries as entries_of
from chalicelib.shared.errors import InvalidInput
from tests.support.members import JOINED, given, join, put_program

TOKYO, UTC_ZONE = ZoneInfo("Asia/Tokyo"), ZoneInfo("UTC")
LEAP = date(2000, 2, 29)


def due(day: date, now: str, *, zone: str = "UTC", since: datetime | None = None) -> int | None:
    return gifts.year_due(day, since=since, zone=ZoneInfo(zone), now=datetime.fromisoformat(now))


def gifts_for(*occasions: str, points: int = 300, **terms: Any) -> None:
    put_program(gifts=[{"occasion": each, "points": points} for each in occasions], **terms)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "year"),
    [
        ("2027-02-27T23:59:59+00:00", None),
        ("2027-02-28T00:00:00+00:00", 2027),
        ("2027-03-07T23:59:59+00:00", 2027),  # a week of missed runs
        ("2027-03-08T00:00:00+00:00", None),
        ("2028-02-28T12:00:00+00:00", None),  # a year that has the day
        ("2028-02-29T12:00:00+00:00", 2028),
        ("2100-02-28T12:00:00+00:00", 2100),
    ],
)
def test_29_february_is_kept_on_the_28th_where_there_is_no_29th(now: str, year: int | None) -> None:
    assert due(LEAP, now) == year


def test_a_day_of_last_december_is_caught_up_for_last_year() -> None:
    assert due(date(1980, 12, 31), "2027-01-03T00:00:00+00:00") == 2026


def test_nobody_has_a_gift_for_the_day_itself_or_for_one_before_they_came() -> None:
    assert due(date(2027, 3, 1), "2027-03-01T09:00:00+00:00") is None
    assert due(date(2027, 3, 1), "2028-03-01T09:00:00+00:00") == 2028
    assert due(date(1980, 10, 31), "2026-11-01T12:00:00+00:00", since=JOINED) is None
    assert due(date(1980, 11, 1), "2026-11-01T12:00:00+00:00", since=JOINED) == 2026


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        ("Asia/Tokyo", "2027-03-13T15:00:00+00:00"),
        ("Pacific/Kiritimati", "2027-03-13T10:00:00+00:00"),
        ("Pacific/Pago_Pago", "2027-03-14T11:00:00+00:00"),
        ("America/New_York", "2027-03-14T05:00:00+00:00"),  # the clocks go forward on this very day
        ("Asia/Beirut", "2027-03-13T22:00:00+00:00"),
    ],
)
def test_a_day_begins_at_its_owners_midnight(zone: str, begins: str) -> None:
    day, first = date(1990, 3, 14), datetime.fromisoformat(begins)

    assert gifts.year_due(day, since=None, zone=ZoneInfo(zone), now=first) == 2027
    just_before = datetime.fromtimestamp(first.timestamp() - 1, UTC)
    assert gifts.year_due(day, since=None, zone=ZoneInfo(zone), now=just_before) is None


def test_a_day_that_begins_at_one_o_clock_begins_then() -> None:
    # In Beirut the clocks go forward at midnight: 28 March 2027 has no 00:30.
    zone, day = ZoneInfo("Asia/Beirut"), date(1990, 3, 28)

    assert gifts.year_due(day, since=None, zone=zone, now=at("2027-03-27T21:59:59+00:00")) is None
    assert gifts.year_due(day, since=None, zone=zone, now=at("2027-03-27T22:00:00+00:00")) == 2027


@pytest.mark.parametrize(
    ("trait", "day"),
    [
        ("2000-02-29", LEAP),
        ("2000-02-29T00:00:00.000Z", LEAP),
        ("1999-02-29", None),
        ("29/02/2000", None),
        ("", None),
        (20000229, None),
        (None, None),
        ({"day": 1}, None),
    ],
)
def test_only_an_iso_date_is_a_birthday(trait: Any, day: date | None) -> None:
    assert gifts.birthday_of(trait) == day


@pytest.mark.parametrize("name", [None, "", "Nowhere/Here", "../../etc/passwd", "Asia", "\x00"])
def test_who_names_no_zone_lives_in_the_programs(name: str | None) -> None:
    assert gifts.zone_of(name, "Asia/Tokyo") == TOKYO


def test_a_birthday_is_given_once_on_the_customers_own_day(aws: Any) -> None:
    gifts_for("birthday")
    join("u1", birthday="2000-02-29", timezone="Asia/Tokyo")
    join("u2", birthday="2000-02-29", timezone="America/Los_Angeles")

    running.run(at("2027-02-27T14:59:00+00:00"))
    assert (given("u1"), given("u2")) == ([], [])
    for _ in range(3):
        running.run(at("2027-02-27T15:00:00+00:00"))
    assert (given("u1"), given("u2")) == ([("gift:birthday:2027", 300)], [])
    running.run(at("2027-02-28T08:00:00+00:00"))
    running.run(at("2027-03-04T08:00:00+00:00"))

    assert given("u2") == [("gift:birthday:2027", 300)]
    assert given("u1") == [("gift:birthday:2027", 300)]
    running.run(at("2028-02-29T12:00:00+00:00"))
    assert [each for each, _ in given("u1")] == ["gift:birthday:2027", "gift:birthday:2028"]


def test_an_anniversary_is_of_becoming_a_customer_in_the_programs_zone(aws: Any) -> None:
    gifts_for("anniversary", points=50, timezone="Asia/Tokyo")
    join("u1", at=at("2026-11-01T16:00:00+00:00"))  # 2 November in Tokyo

    running.run(at("2027-11-01T14:00:00+00:00"))
    assert given("u1") == []
    running.run(at("2027-11-01T15:00:00+00:00"))

    assert given("u1") == [("gift:anniversary:2027", 50)]
    [entry] = entries_of("u1")
    assert (entry.reason, entry.rules[0].rule) == ("anniversary", "gift")


def test_what_a_browser_says_of_itself_is_no_birthday(aws: Any) -> None:
    gifts_for("birthday")
    join("u1", trusted=False, birthday="2000-02-28")
    join("u2")
    join("u2", trusted=False, birthday="2000-02-28")

    running.run(at("2027-02-28T12:00:00+00:00"))

    assert (given("u1"), given("u2")) == ([], [])


def test_a_person_with_two_ids_has_one_birthday_a_year(aws: Any) -> None:
    gifts_for("birthday")
    join("u1", birthday="2000-02-28")
    join("u2", birthday="2000-02-28")
    running.run(at("2027-02-28T01:00:00+00:00"))
    merges.merge(
        "u1", "u2", reason="same person", merge_id="m1", said_by="staff", now=at("2027-02-28T02:00:00+00:00")
    )
    running.run(at("2028-02-28T12:00:00+00:00"))

    ids = [each for customer_id in ("u1", "u2") for each, _ in given(customer_id)]
    assert sorted(ids) == ["gift:birthday:2027", "gift:birthday:2027", "gift:birthday:2028"]


def test_an_id_that_had_its_gift_has_it_for_the_person(aws: Any) -> None:
    gifts_for("birthday")
    join("u1")
    join("u2", birthday="2000-02-28")
    running.run(at("2027-02-28T01:00:00+00:00"))
    merges.merge(
        "u1", "u2", reason="same person", merge_id="m1", said_by="staff", now=at("2027-02-28T02:00:00+00:00")
    )
    running.run(at("2027-02-28T12:00:00+00:00"))

    assert (given("u1"), given("u2")) == ([], [("gift:birthday:2027", 300)])


def test_who_was_erased_gets_nothing(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gifts_for("birthday")
    join("u1", birthday="2000-02-28")
    monkeypatch.setattr("chalicelib.privacy.reads.is_erased", lambda _customer_id: True)

    running.run(at("2027-02-28T12:00:00+00:00"))

    assert given("u1") == []


def test_a_gift_is_told_as_an_accrual_and_as_a_gift(aws: Any) -> None:
    from chalicelib.loyalty import telling
    from chalicelib.loyalty.mapping import of_entry

    gifts_for("birthday")
    join("u1", birthday="2000-02-28")
    running.run(at("2027-02-28T12:00:00+00:00"))
    [entry] = entries_of("u1")

    accrued, gift = telling.facts_of(of_entry(entry) | {"active": 300})
    assert (accrued.type, accrued.data["points"], accrued.data["reason"]) == (
        "loyalty.points_accrued",
        300,
        "birthday",
    )
    assert (gift.id, gift.type) == ("loyalty.gift_given:u1#gift:birthday:2027", "loyalty.gift_given")
    assert gift.data == {
        "customer_id": "u1",
        "occasion": "birthday",
        "year": 2027,
        "points": 300,
        "coupon": "",
    }


def test_points_by_hand_are_no_gift_whatever_they_are_called() -> None:
    from chalicelib.loyalty import telling
    from chalicelib.loyalty.mapping import of_entry

    entry = Entry(
        "key:gift:birthday:2027", "accrue", "u1", 5, "birthday", JOINED, {"lot:2027-11": 5}, number=1
    )

    assert [each.type for each in telling.facts_of(of_entry(entry) | {"active": 5})] == [
        "loyalty.points_accrued"
    ]


def test_a_shop_without_gifts_reads_no_people(aws: Any) -> None:
    join("u1", birthday="2000-02-28")
    program, _ = program_store.load()
    assert not program.gifts
    asked: list[str] = []
    aws.meta.events.register(
        "provide-client-params.dynamodb.Scan", lambda params, **_: asked.append(params["TableName"])
    )

    running.run(at("2027-02-28T12:00:00+00:00"))

    assert asked == ["kokyaku-test-ledger"]


REWARD = {
    "reward_id": "cake", "title": "A cake", "title_ja": "ケーキ", "points": 500, "amount_off": 500, "currency": "JPY",
    "valid_days": 30,
}  # fmt: skip


def test_a_gift_may_be_a_coupon_with_or_without_points(aws: Any) -> None:
    put_program(
        rewards=[REWARD],
        gifts=[
            {"occasion": "birthday", "reward_id": "cake"},
            {"occasion": "anniversary", "points": 50, "reward_id": "cake"},
        ],
    )
    join("u1", birthday="2000-11-01")

    for _ in range(3):
        running.run(at("2027-11-01T12:00:00+00:00"))

    assert sorted(given("u1")) == [("gift:anniversary:2027", 50), ("gift:birthday:2027", 0)]
    found = {each.cause: each for each in coupons.newest(["u1"])}
    assert sorted(found) == ["gift:anniversary:2027", "gift:birthday:2027"]
    assert {each.origin for each in found.values()} == {"gift"}
    assert {entry.entry_id: entry.coupon for entry in entries_of("u1")} == {
        cause: each.code for cause, each in found.items()
    }


@pytest.mark.parametrize(
    ("gift", "field"),
    [
        ({"occasion": "birthday"}, "gifts.0"),
        ({"occasion": "birthday", "reward_id": "pie"}, "gifts.0.reward_id"),
    ],
)
def test_a_gift_of_nothing_is_refused_with_its_field(aws: Any, gift: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        put_program(rewards=[REWARD], gifts=[gift])

    assert [each.field for each in refused.value.fields] == [field]
