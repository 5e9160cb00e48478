"""The ledger's real use cases behind the commands that are kept on paper too, and what its books say."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from chalicelib.loyalty import answers, books, mapping, ordering, program_store, service, spending
from chalicelib.loyalty.model import POINTS, SHOP, Account
from chalicelib.loyalty.program_schemas import ProgramBody
from chalicelib.loyalty.schemas import AccrualRequest, ConfirmRequest, RedemptionRequest, RefundRequest
from chalicelib.orders import store as orders
from chalicelib.orders.model import Head, Order, OrderLine, Shipment, Status
from chalicelib.shared import dynamo
from chalicelib.shared.config import TABLES, config
from chalicelib.shared.dynamo import table
from chalicelib.shared.errors import Refused
from chalicelib.shared.ids import fingerprint
from tests.support.faults import Crash
from tests.support.paper import OPENED, ZONE, Command, Goods, Terms

HOLD_SECONDS = 3600
DONE = "done"  # what is not answered


def put_in_force(terms: Terms, now: datetime) -> None:
    """Make these terms the program of the shop."""
    rules: list[Any] = [
        {"name": "spend", "kind": "amount", "points": 1, "per_amount": 100},
        {"name": "big", "kind": "basket", "steps": [{"amount": 500, "points": 3}, {"amount": 1000, "points": 8}]},
        {"name": "card", "kind": "stamps", "every": 2, "counts": "purchases", "points": 4},
    ]  # fmt: skip
    tiers = {"levels": [{"name": "gold", "threshold": 12}], "window_months": 2, "valid_months": 1}
    body = {
        "currency": "JPY", "timezone": "Asia/Tokyo", "earn": rules, "tiers": tiers, "pending_days": terms.waits,
        "expiry_months": terms.months, "expiry": "sliding" if terms.sliding else "fixed",
        "overdraft": terms.overdraft,
    }  # fmt: skip
    service.replace_program(ProgramBody.model_validate(body), if_match="", said_by="test", now=now)


def take_orders(goods: dict[str, Goods], owners: dict[str, str], now: datetime) -> None:
    """Store orders that have arrived; the ledger has yet to hear of them."""
    for order_id, order in goods.items():
        orders.save_orders([_order(order_id, owners[order_id], order)])
        parcel = Shipment(
            f"s-{order_id}", order_id, owners[order_id], "yamato", "1", head=Head(Status.DELIVERED)
        )
        orders.commit_shipment(parcel, now=now)


def do(command: Command, goods: dict[str, Goods], now: datetime) -> Any:
    """The JSON that was answered, `DONE` where nothing is; raises whatever the use case does."""
    who, key, now = command.who, command.key, now - timedelta(hours=command.behind)
    if command.kind == "earn":
        ordering.earn(_order(command.order, who, goods[command.order]), now=now)
        return DONE
    if command.kind == "arrive":
        ordering.confirm(who, command.order, now=now)
        return DONE
    if command.kind == "give":
        usable = OPENED.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        until = usable + timedelta(days=command.waits) if command.waits else None
        given = AccrualRequest(points=command.points, reason="sim", pending_until=until)
        return service.give_points(who, given, key=key, now=now)
    if command.kind == "refund":
        asked = {
            "order_id": command.order,
            "lines": [{"line_id": line, "quantity": n} for line, n in command.lines] or None,
            "amount": {"amount": command.amount, "currency": "JPY"} if command.amount else None,
        }
        return ordering.refund([who], RefundRequest.model_validate(asked), key=key, now=now, dry_run=False)
    if command.kind == "reserve":
        wanted = RedemptionRequest(points=command.points, hold_seconds=HOLD_SECONDS)
        return spending.reserve([who], wanted, key=key, now=now, dry_run=False)
    redemption_id = fingerprint(who, key)[:26]
    if command.kind == "confirm":
        spent = ConfirmRequest(points=command.points)
        return spending.confirm([who], redemption_id, spent, now=now, dry_run=False)
    return spending.release([who], redemption_id, now=now, dry_run=False)


def outcome_of(command: Command, goods: dict[str, Goods], now: datetime) -> Any:
    """What a command comes to, with refusals, crashes and AWS's failures as they were raised."""
    try:
        return do(command, goods, now)
    except (Refused, Crash) as known:
        return known
    except Exception as failure:  # botocore's many: to a caller they are all "I do not know"
        if not type(failure).__module__.startswith("botocore"):
            raise
        return failure


def picture(items: list[dict[str, Any]], who: str, now: datetime) -> dict[str, Any]:
    """What a customer would be told of their points, from what is stored of them."""
    program, _ = program_store.load()
    told = answers.balance([_account(items, who)], program, now)
    return {
        "active": {each.on[:7]: each.points for each in told.expiring},
        "pending": {each.on: each.points for each in told.pending},
        "reserved": told.reserved_points,
        "negative": told.negative_points,
        "lifetime": told.lifetime_points,
    }


def check_books(items: list[dict[str, Any]], who: str) -> None:
    """Whatever the program: entries add up to the account, each entry to 0, and nothing but debts is below 0."""
    account = _account(items, who)
    entries = [mapping.to_entry(each) for each in _of(items, who) if each["sk"] != mapping.ACCOUNT]
    assert sorted(each.number for each in entries) == list(range(1, account.version + 1)), f"{who}: numbers"
    for entry in entries:
        legs = {key: n for key, n in entry.moves.items() if key.partition(":")[0] in (*POINTS, SHOP)}
        assert sum(legs.values()) == 0, f"{entry.entry_id} does not add up to 0"
    again = books.rebuilt(who, entries)
    assert (again.sums, again.holds, again.tier) == (account.sums, account.holds, account.tier), (
        f"{who}: rebuilt"
    )
    for key, n in account.sums.items():
        kind = key.partition(":")[0]
        assert n > 0 if kind in ("lot", "pending", "held") else n <= 0 if kind == "owed" else True, (
            f"{key}: {n}"
        )


def stored() -> list[dict[str, Any]]:
    """Every item of the ledger."""
    answer = dynamo._db().scan(TableName=table("ledger").name, ConsistentRead=True)
    return [dynamo.unpack_item(item) for item in answer["Items"]]


def forget(*tables: str) -> None:
    """Empty tables of moto at once."""
    for name in tables:
        _table(name).items.clear()


def without_streams() -> None:
    """Let moto keep no stream: nobody reads it here, and every transaction copies it."""
    for name in TABLES:
        _table(name).stream_shard = None


class Kept:
    """A table as it is now, to go back to; only for moto, and at once."""

    def __init__(self, name: str = "ledger") -> None:
        self._name = name
        self._items = copy.deepcopy(_table(name).items)

    def restore(self) -> None:
        """Make the table as it was."""
        forget(self._name)
        _table(self._name).items.update(copy.deepcopy(self._items))


def _table(name: str) -> Any:
    return dynamodb_backends["123456789012"]["ap-northeast-1"].tables[config().tables[name]]


def _order(order_id: str, who: str, order: Goods) -> Order:
    lines = tuple(OrderLine(line, f"item-{line}", n, price) for line, (n, price) in order.lines.items())
    return Order(order_id, who, order.at, "JPY", order.paid, lines)


def _account(items: list[dict[str, Any]], who: str) -> Account:
    found = [each for each in _of(items, who) if each["sk"] == mapping.ACCOUNT]
    return mapping.to_account(who, found[0] if found else None)


def _of(items: list[dict[str, Any]], who: str) -> list[dict[str, Any]]:
    return [each for each in items if each["pk"] == mapping.pk_of(who)]
