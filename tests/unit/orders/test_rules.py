"""Where a parcel stands after its events, whatever their order."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.orders import rules
from chalicelib.orders.model import (
    EVENT,
    EVENTS_PER_SHIPMENT_MAX,
    Head,
    Order,
    OrderLine,
    Shipment,
    ShipmentEvent,
    Status,
    Window,
)

START = datetime(2026, 12, 1, tzinfo=UTC)


def event(number: int, status: Status | str, minutes: int | None = None, **more: object) -> ShipmentEvent:
    at = START + timedelta(minutes=number * 10 if minutes is None else minutes)
    return ShipmentEvent(f"e{number}", Status(status), at, **more)  # type: ignore[arg-type]


def story(*statuses: str) -> list[ShipmentEvent]:
    return [event(number, status) for number, status in enumerate(statuses, start=1)]


def stands(*statuses: str) -> tuple[str, int]:
    head = rules.fold(story(*statuses))
    return head.status.value, head.attempt


@pytest.mark.parametrize(
    ("statuses", "status", "attempt"),
    [
        ([], "pending", 1),
        (["pending"], "pending", 1),
        (["label_created", "picked_up", "in_transit", "out_for_delivery", "delivered"], "delivered", 1),
        (["in_transit", "picked_up"], "in_transit", 1),  # a scan that comes late and low moves nothing
        (["out_for_delivery", "in_transit"], "out_for_delivery", 1),
        (["out_for_delivery", "attempt_failed"], "attempt_failed", 1),
        (["out_for_delivery", "attempt_failed", "out_for_delivery"], "out_for_delivery", 2),
        (
            ["out_for_delivery", "attempt_failed", "in_transit", "out_for_delivery", "delivered"],
            "delivered",
            2,
        ),
        (["attempt_failed", "available_for_pickup"], "available_for_pickup", 1),
        (["available_for_pickup", "in_transit", "attempt_failed", "out_for_delivery"], "out_for_delivery", 3),
        (["label_created", "exception", "picked_up"], "exception", 1),
        (["exception", "in_transit"], "in_transit", 2),
        (["exception", "attempt_failed"], "attempt_failed", 1),
        (["delivered", "in_transit"], "delivered", 1),  # final
        (["delivered", "cancelled"], "delivered", 1),
        (["delivered", "returned"], "delivered", 1),
        (["delivered", "returning"], "returning", 2),  # a new leg
        (["delivered", "returning", "in_transit", "returned"], "returned", 2),
        (["in_transit", "returning", "delivered"], "returning", 1),  # handed to the sender
        (["returned", "in_transit", "delivered"], "returned", 1),
        (["label_created", "cancelled", "picked_up"], "cancelled", 1),
    ],
)
def test_the_transition_table(statuses: list[str], status: str, attempt: int) -> None:
    assert stands(*statuses) == (status, attempt)


def test_only_a_correction_moves_a_parcel_out_of_a_final_status() -> None:
    events = [event(1, "delivered"), event(2, "in_transit", correction=True), event(3, "delivered")]

    assert rules.fold(events[:2]).status is Status.IN_TRANSIT
    assert (rules.fold(events).status, rules.fold(events).attempt) == (Status.DELIVERED, 2)


def test_at_the_same_moment_the_further_status_comes_last() -> None:
    events = [event(1, "delivered", 0), event(2, "out_for_delivery", 0), event(3, "in_transit", 0)]

    assert rules.fold(events).status is Status.DELIVERED


def test_a_delay_is_a_flag_that_stays_until_it_is_cleared_or_the_parcel_arrives() -> None:
    late = event(2, "in_transit", delayed=True)
    events = [event(1, "picked_up"), late, event(3, "out_for_delivery")]

    assert rules.fold(events[:2]).status is Status.IN_TRANSIT
    assert rules.fold(events).flags == ("delayed",)
    assert rules.fold([*events, event(4, "out_for_delivery", delayed=False)]).flags == ()
    assert rules.fold([*events, event(4, "delivered")]).flags == ()


def test_the_latest_estimate_counts_also_from_an_event_that_moves_nothing() -> None:
    first, second = (
        Window(date(2026, 12, 20), date(2026, 12, 24)),
        Window(date(2026, 12, 22), date(2026, 12, 22)),
    )
    events = [event(1, "in_transit", estimated=first), event(2, "picked_up", estimated=second)]

    assert rules.fold(events[:1]).estimated == first
    assert rules.fold(events) == rules.fold(events[::-1])
    assert rules.fold(events).estimated == second
    assert rules.fold(events).status is Status.IN_TRANSIT


def test_a_parcel_is_full_at_its_limit() -> None:
    events = [event(number, "in_transit") for number in range(EVENTS_PER_SHIPMENT_MAX)]

    assert not rules.fold(events[:-1]).is_full
    assert rules.fold(events).is_full


EVENTS = st.lists(
    st.builds(
        ShipmentEvent,
        event_id=st.uuids().map(str),
        status=st.sampled_from(Status),
        at=st.integers(0, 6).map(
            lambda hours: START + timedelta(hours=hours)
        ),  # few, so that moments collide
        estimated=st.none()
        | st.integers(1, 5).map(lambda day: Window(date(2026, 12, day), date(2026, 12, day + 1))),
        delayed=st.sampled_from([None, None, True, False]),
        correction=st.sampled_from([False, False, False, True]),
    ),
    max_size=6,
)


@given(EVENTS)
@settings(max_examples=150, deadline=None)
def test_every_permutation_of_the_events_gives_the_same_head(events: list[ShipmentEvent]) -> None:
    expected = rules.fold(events)

    assert all(rules.fold(shuffled) == expected for shuffled in itertools.permutations(events))


@given(EVENTS, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_what_customers_are_told_ends_with_where_the_parcel_is(
    events: list[ShipmentEvent], random: object
) -> None:
    """Heads while events arrive in any order: a change of status is told, an equal head never."""
    random.shuffle(events)  # type: ignore[attr-defined]
    heads = [rules.fold(events[:count]) for count in range(len(events) + 1)]

    for old, new in itertools.pairwise(heads):
        if new.status is not old.status:
            assert rules.is_entered(old, new) == (new.status is not Status.PENDING)
        if (new.status, new.since) == (old.status, old.since):
            assert not rules.is_entered(old, new)


SCENE = story("label_created", "picked_up", "in_transit", "out_for_delivery", "attempt_failed")
SCENE += [event(6, "out_for_delivery"), event(7, "delivered")]


def test_however_the_reports_of_a_delivery_arrive_it_is_told_once() -> None:
    """A failed attempt heard of late renumbers the attempts; that must not be a second delivery."""
    for shuffled in itertools.permutations(SCENE):
        heads = [rules.fold(shuffled[:count]) for count in range(len(shuffled) + 1)]
        told = [
            (new.attempt, new.status) for old, new in itertools.pairwise(heads) if rules.is_entered(old, new)
        ]

        assert [status for _, status in told].count(Status.DELIVERED) == 1
        assert told[-1][1] is Status.DELIVERED
        assert (heads[-1].status, heads[-1].attempt) == (Status.DELIVERED, 2)


def test_an_event_matters_when_the_parcel_would_stand_elsewhere_without_it() -> None:
    events = story("in_transit", "picked_up", "delivered")

    assert [rules.matters(each, events) for each in events] == [False, False, True]
    assert rules.matters(events[0], events[:2])


def test_a_pending_parcel_is_told_to_nobody() -> None:
    assert not rules.is_entered(Head(), Head())
    assert not rules.is_entered(Head(), rules.fold([event(1, "pending", delayed=True)]))


def order(**changes: object) -> Order:
    line = OrderLine("1", "85123A", 2, 1990)
    fields = {
        "order_id": "o1", "customer_id": "u1", "placed_at": START, "currency": "JPY", "total": 3980,
        "lines": (line,),
    }  # fmt: skip
    return Order(**(fields | changes))  # type: ignore[arg-type]


def test_an_order_said_again_is_no_change_and_said_otherwise_is_the_next_version() -> None:
    stored = order(version=4, imported=True)

    assert rules.next_version(stored, order()) is None
    assert rules.next_version(stored, order(total=1)) == order(total=1, version=5, imported=True)


@pytest.mark.parametrize(
    "changed", [{"customer_id": "u2"}, {"placed_at": START + timedelta(hours=1)}, {"currency": "USD"}]
)
def test_what_points_and_history_hang_on_cannot_change(changed: dict[str, object]) -> None:
    assert rules.fixed_field_changed(order(), order(total=1)) is None
    assert rules.fixed_field_changed(order(), order(**changed)) == next(iter(changed))


def test_the_shop_knows_better_than_an_event_when_an_order_was_placed() -> None:
    heard = order(source=EVENT)

    assert rules.fixed_field_changed(heard, order(placed_at=START + timedelta(hours=1))) is None
    assert rules.fixed_field_changed(heard, order(customer_id="u2")) == "customer_id"
    assert rules.next_version(heard, order()) == order(version=2)


def test_two_parcels_of_one_id_are_told_apart_by_name_of_the_field() -> None:
    parcel = Shipment("s1", "o1", "u1", "jp.yamato", "123")

    assert rules.shipment_contradiction(parcel, Shipment("s1", "o1", "u1", "jp.yamato", "123")) is None
    assert rules.shipment_contradiction(parcel, Shipment("s1", "o2", "u1", "jp.yamato", "123")) == "order_id"
    assert rules.shipment_contradiction(parcel, Shipment("s1", "o1", "u1", "jp.sagawa", "123")) == "carrier"
