"""Orders and parcels on the store: what is written, what survives a wire that misbehaves."""

from __future__ import annotations

import itertools
import random
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.orders import mapping, reads, service, store, tracking
from chalicelib.orders.model import Order, OrderLine, Shipment, Status
from chalicelib.orders.schemas import EventBody, OrderBody, OrdersQuery, ShipmentBody
from chalicelib.shared.dynamo import table
from chalicelib.shared.errors import Busy, Conflict, InvalidInput, NotFound, StaleVersion
from chalicelib.shared.rounds import TRIES_MAX
from tests.support.faults import Baton, Crash, FaultyWire

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def body(**changes: Any) -> OrderBody:
    sent = {
        "customer_id": "u1",
        "placed_at": NOW,
        "currency": "JPY",
        "total": 3980,
        "lines": [{"line_id": "1", "item_id": "85123A", "quantity": 2, "price": 1990}],
    }
    return OrderBody.model_validate(sent | changes)


def parcel(**changes: Any) -> ShipmentBody:
    return ShipmentBody.model_validate(
        {"shipment_id": "s1", "carrier": "jp.yamato", "tracking_number": "1234-5678-9012"} | changes
    )


def happened(number: int, status: str, **more: Any) -> EventBody:
    at = NOW + timedelta(hours=number)
    return EventBody.model_validate({"event_id": f"e{number}", "status": status, "at": at, **more})


@pytest.fixture
def shipment(aws: Any) -> Any:
    service.put("o1", body(), if_match=None, now=LATER)
    tracking.add_shipment("o1", parcel(), now=NOW)
    return aws


def stored() -> list[dict[str, Any]]:
    return table("orders").query("O#o1") + table("orders").query("C#u1") + table("orders").query("S#s1")


def test_an_order_is_kept_once_with_its_line_of_history(aws: Any) -> None:
    assert service.put("o1", body(), if_match=None, now=LATER)[1]
    before = stored()

    order, is_new = service.put("o1", body(), if_match=None, now=LATER)

    assert (is_new, order.version, stored()) == (False, 1, before)
    assert [past.order_id for past in reads.newest("u1")] == ["o1"]
    assert reads.newest("u1")[0].lines == (("85123A", 2),)
    assert reads.order("o1") == order


def test_a_moment_finer_than_we_keep_is_the_same_moment_again(aws: Any) -> None:
    fine = NOW.replace(microsecond=123_456)
    service.put("o1", body(placed_at=fine), if_match=None, now=LATER)

    assert service.put("o1", body(placed_at=fine), if_match=None, now=LATER)[0].version == 1


def test_a_changed_order_is_the_next_version_and_its_history_follows(aws: Any) -> None:
    service.put("o1", body(), if_match=None, now=LATER)

    order, is_new = service.put(
        "o1", body(total=1000, lines=[{"item_id": "x", "quantity": 1, "price": 1}]), if_match='"1"', now=LATER
    )

    assert (is_new, order.version, order.lines[0].line_id) == (False, 2, "1")
    assert reads.newest("u1")[0].lines == (("x", 1),)
    with pytest.raises(StaleVersion):
        service.put("o1", body(), if_match='"1"', now=LATER)
    with pytest.raises(StaleVersion):
        service.put("o2", body(), if_match="*", now=LATER)


@pytest.mark.parametrize(
    "changed", [{"customer_id": "u2"}, {"placed_at": NOW + timedelta(1)}, {"currency": "USD"}]
)
def test_what_cannot_change_is_named(aws: Any, changed: dict[str, Any]) -> None:
    service.put("o1", body(), if_match=None, now=LATER)

    with pytest.raises(Conflict) as refused:
        service.put("o1", body(**changed), if_match=None, now=LATER)

    assert [field.field for field in refused.value.fields] == [next(iter(changed))]


def test_an_event_never_overwrites_what_the_shop_said(aws: Any) -> None:
    service.put("o1", body(total=1), if_match=None, now=LATER)

    service.accept_completed(order_of_event(total=9))

    assert service.get("o1").total == 1


def test_the_shop_may_put_right_what_an_event_told_first(aws: Any) -> None:
    service.accept_completed(order_of_event(placed_at=NOW + timedelta(seconds=7)))
    service.accept_completed(order_of_event(total=9))

    order, is_new = service.put("o1", body(), if_match=None, now=LATER)

    assert (is_new, order.source, order.version) == (False, "shop", 2)
    assert [past.placed_at for past in reads.newest("u1")] == [NOW]  # and not a second line of history


def order_of_event(**changes: Any) -> Order:
    fields: dict[str, Any] = {
        "order_id": "o1", "customer_id": "u1", "placed_at": NOW, "currency": "JPY", "total": 3980,
        "lines": (OrderLine("1", "85123A", 2, 1990),),
    }  # fmt: skip
    return Order(**(fields | changes))


@pytest.mark.parametrize(
    ("whole", "of_lines", "only_gifts"),
    [
        (False, [False, False, False], ()),
        (False, [False, True, False], ("b",)),
        (True, [False, False, False], ("a", "b")),
        (False, [True, False, False], ()),
        (False, [True, False, True], ("a",)),
    ],
)
def test_history_keeps_what_was_bought_for_somebody_else_only(
    aws: Any, whole: bool, of_lines: list[bool], only_gifts: tuple[str, ...]
) -> None:
    lines = [
        {"item_id": item_id, "quantity": 1, "price": 100, "gift": gift}
        for item_id, gift in zip("aba", of_lines, strict=True)
    ]
    order, _ = service.put("o1", body(lines=lines, gift=whole), if_match=None, now=LATER)

    assert reads.newest("u1")[0].gift_item_ids == only_gifts
    assert reads.order("o1") == order
    assert service.answer(order).gift is whole
    assert [line.gift for line in service.answer(order).lines] == of_lines


def test_history_is_paged_newest_first(aws: Any) -> None:
    for number in range(5):
        service.put(f"o{number}", body(placed_at=NOW + timedelta(days=number)), if_match=None, now=LATER)

    seen, cursor = [], None
    for _ in range(3):
        page = service.page("u1", OrdersQuery(limit=2, cursor=cursor), now=NOW)
        seen.append([order.order_id for order in page.data])
        cursor = page.next_cursor

    assert seen == [["o4", "o3"], ["o2", "o1"], ["o0"]]
    assert cursor is None


def test_imported_history_may_be_imported_again(aws: Any) -> None:
    sent = [body().model_dump() | {"order_id": f"o{number}", "placed_at": NOW} for number in range(70)]
    chunks: list[int] = []

    assert service.import_orders(sent, on_written=chunks.append) == 70
    assert service.import_orders(sent) == 70

    assert chunks == [60, 10]
    assert len(reads.newest("u1", limit=100)) == 70
    assert service.get("o3").imported
    assert (
        service.put("o3", body(), if_match=None, now=LATER)[0].version == 1
    )  # the same again, still imported


def test_a_parcel_is_added_once(shipment: Any) -> None:
    assert not tracking.add_shipment("o1", parcel(), now=NOW)[1]

    service.put("o2", body(), if_match=None, now=LATER)
    with pytest.raises(Conflict) as another:
        tracking.add_shipment("o2", parcel(), now=NOW)
    with pytest.raises(Conflict):
        tracking.add_shipment("o1", parcel(carrier="jp.sagawa"), now=NOW)
    with pytest.raises(NotFound):
        tracking.add_shipment("o9", parcel(shipment_id="s9"), now=NOW)
    for wrong in (["1", "1"], ["1", "7"]):
        with pytest.raises(InvalidInput) as unknown:
            tracking.add_shipment("o1", parcel(shipment_id="s2", line_ids=wrong), now=NOW)
        assert unknown.value.fields[0].field == "line_ids.1"

    assert another.value.fields[0].field == "order_id"
    assert store.shipment_ids("o1") == ["s1"]


def test_an_order_has_a_limit_of_parcels(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "SHIPMENTS_PER_ORDER_MAX", 2)
    service.put("o1", body(), if_match=None, now=LATER)
    for number in range(2):
        tracking.add_shipment("o1", parcel(shipment_id=f"s{number}"), now=NOW)

    with pytest.raises(tracking.TooManyShipments):
        tracking.add_shipment("o1", parcel(shipment_id="s9"), now=NOW)
    assert not tracking.add_shipment("o1", parcel(shipment_id="s1"), now=NOW)[1]


STORY = [
    happened(1, "label_created"),
    happened(2, "picked_up"),
    happened(3, "in_transit", raw_status="輸送中"),
    happened(4, "out_for_delivery"),
    happened(5, "delivered"),
]


def test_every_event_three_times_shuffled_gives_the_same_parcel(shipment: Any) -> None:
    sent = [*STORY, *STORY, *STORY]
    random.Random(8).shuffle(sent)

    answers = [tracking.record_event("s1", each, now=NOW) for each in sent]

    assert answers[-1].shipment.status is Status.DELIVERED
    assert sum(not answer.duplicate for answer in answers) == len(STORY)
    assert not any(answer.applied for answer in answers if answer.duplicate)
    assert len(store.load_events("s1")) == len(STORY)


def test_an_event_is_known_by_its_id_and_by_what_it_says(shipment: Any) -> None:
    first = tracking.record_event("s1", happened(1, "in_transit"), now=NOW)
    same_scan = happened(1, "in_transit").model_copy(
        update={"event_id": "other", "at": NOW + timedelta(hours=1, seconds=20)}
    )
    same_id = happened(1, "delivered")

    answers = [tracking.record_event("s1", each, now=NOW + timedelta(1)) for each in (same_scan, same_id)]

    assert (first.applied, first.duplicate) == (True, False)
    assert [(answer.applied, answer.duplicate) for answer in answers] == [(False, True), (False, True)]
    assert answers[-1].shipment.status is Status.IN_TRANSIT


def test_a_late_event_enters_the_timeline_and_moves_nothing(shipment: Any) -> None:
    tracking.record_event("s1", happened(3, "out_for_delivery"), now=NOW)
    version = store.load_shipment("s1").version  # type: ignore[union-attr]

    late = tracking.record_event("s1", happened(2, "in_transit"), now=NOW)

    assert (late.applied, late.duplicate, late.shipment.status) == (False, False, Status.OUT_FOR_DELIVERY)
    assert store.load_shipment("s1").version == version  # type: ignore[union-attr]
    shown = tracking.track("o1").shipments[0]
    assert [event.status for event in shown.events] == [Status.IN_TRANSIT, Status.OUT_FOR_DELIVERY]
    assert shown.tracking_url == "https://member.kms.kuronekoyamato.co.jp/parcel/detail?pno=1234-5678-9012"


def test_a_full_parcel_refuses_new_events_and_still_knows_the_old(
    shipment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.orders.rules.EVENTS_PER_SHIPMENT_MAX", 3)
    for each in STORY[:3]:
        tracking.record_event("s1", each, now=NOW)

    with pytest.raises(tracking.TooManyEvents):
        tracking.record_event("s1", STORY[4], now=NOW)

    assert tracking.record_event("s1", STORY[0], now=NOW).duplicate
    assert len(store.load_events("s1")) == 3


def test_an_event_of_an_unknown_parcel_is_refused(aws: Any) -> None:
    with pytest.raises(NotFound):
        tracking.record_event("nobody", happened(1, "delivered"), now=NOW)


@pytest.mark.parametrize("healed_by", ["the same event", "the next event"])
def test_a_crash_at_any_call_is_healed(shipment: Any, healed_by: str) -> None:
    """Killed before and after each AWS call; then the same event again, or just the next one."""
    wire = FaultyWire(shipment)
    for number, (fault, call) in enumerate(itertools.product(("crash_before", "crash_after"), range(5))):
        parcel_id = f"s1-{number}"
        tracking.add_shipment("o1", parcel(shipment_id=parcel_id), now=NOW)
        tracking.record_event(parcel_id, STORY[0], now=NOW)
        wire.plan = ["ok"] * call + [fault]
        with pytest.raises(Crash) if call < 4 else nullcontext():
            tracking.record_event(parcel_id, STORY[4], now=NOW)
        wire.plan = []
        was_kept = any(event.event_id == "e5" for event in store.load_events(parcel_id))
        again = STORY[4] if healed_by == "the same event" else STORY[1]

        answer = tracking.record_event(parcel_id, again, now=NOW)

        expected = Status.DELIVERED if was_kept or again is STORY[4] else Status.PICKED_UP
        assert answer.shipment.status is expected
        assert store.load_shipment(parcel_id).head.status is expected  # type: ignore[union-attr]


ORDERS_OF_TURNS = list(itertools.product((False, True), repeat=6))


def test_two_events_at_once_leave_the_head_of_both_whoever_takes_which_call(shipment: Any) -> None:
    """Alone neither would end where both together do, so an event that is overlooked shows."""
    wire = FaultyWire(shipment)
    for number, turns in enumerate(ORDERS_OF_TURNS):
        parcel_id = f"s1-{number}"
        table("orders").put(mapping.of_shipment(Shipment(parcel_id, "o1", "u1", "jp.yamato", "1234")))
        tracking.record_event(parcel_id, happened(1, "in_transit"), now=NOW)
        baton = Baton(turns)
        wire.gate = baton.gate
        baton.run(
            lambda at=parcel_id: tracking.record_event(at, happened(3, "in_transit"), now=NOW),
            lambda at=parcel_id: tracking.record_event(at, happened(2, "attempt_failed"), now=NOW),
        )
        wire.gate = lambda: None

        head = store.load_shipment(parcel_id).head  # type: ignore[union-attr]
        assert (head.status, head.attempt) == (Status.IN_TRANSIT, 2), turns


def test_a_lost_reply_is_neither_a_conflict_nor_a_duplicate(aws: Any) -> None:
    wire = FaultyWire(aws)
    for call in range(1, 3):
        wire.plan = ["ok"] * (call - 1) + ["reply_lost"]
        order, _ = service.put(f"o{call}", body(), if_match=None, now=LATER)
        assert order.version == 1
        wire.plan = ["ok"] * call + ["reply_lost"]
        assert tracking.add_shipment(f"o{call}", parcel(shipment_id=f"s{call}"), now=NOW)
    for call in range(4):
        parcel_id = f"p{call}"
        tracking.add_shipment("o1", parcel(shipment_id=parcel_id), now=NOW)
        wire.plan = ["ok"] * call + ["reply_lost"]
        answer = tracking.record_event(parcel_id, STORY[0], now=NOW)

        assert (answer.applied, answer.duplicate) == (True, False)
        assert store.load_shipment(parcel_id).head.status is Status.LABEL_CREATED  # type: ignore[union-attr]


def test_an_order_whose_transaction_keeps_being_cancelled_is_refused_and_not_half_written(aws: Any) -> None:
    wire = FaultyWire(aws)
    wire.plan = ["ok", "ok", "conflict"] * TRIES_MAX  # the order, whether its customer was erased, the write
    with pytest.raises(Busy):
        service.put("o1", body(), if_match=None, now=LATER)
    assert stored() == []

    wire.plan = ["ok", "ok", "conflict"] * (TRIES_MAX - 1)
    assert service.put("o1", body(), if_match=None, now=LATER)[1]


def test_what_is_dated_ahead_is_refused(aws: Any) -> None:
    ahead = NOW + timedelta(days=2)
    with pytest.raises(InvalidInput, match="placed_at: lies more than a day"):
        service.put("o1", body(placed_at=ahead), if_match=None, now=NOW)
    with pytest.raises(InvalidInput, match="at: lies more than a day"):
        tracking.record_event("s1", EventBody(event_id="e1", status=Status.DELIVERED, at=ahead), now=NOW)


def test_an_order_without_a_time_was_placed_when_it_was_first_said(aws: Any) -> None:
    for number, said_at in enumerate((NOW, LATER)):
        order, _ = service.put("o1", body(placed_at=None, total=number), if_match=None, now=said_at)

        assert order.placed_at == NOW
