"""Use cases of orders: what they earn when they are placed, confirm when they arrive, and lose when they come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.catalog import reads as catalog
from chalicelib.loyalty import answers, books, changing, ledger, program_store, refunding, rules, store
from chalicelib.loyalty.earning import Basket, BasketLine, day_of
from chalicelib.loyalty.ledger import Command
from chalicelib.loyalty.model import VISIT, Account, Decision, Entry, Refunded
from chalicelib.loyalty.program import Program
from chalicelib.loyalty.rules import Placed
from chalicelib.loyalty.schemas import RefundRequest
from chalicelib.orders import reads as orders
from chalicelib.orders.reads import Order
from chalicelib.privacy import reads as privacy
from chalicelib.shared.errors import Gone, InvalidInput, NotFound
from chalicelib.shared.ids import fingerprint
from chalicelib.shared.logs import logger

PRINT_LENGTH = 8  # of what an order holds; enough to tell a few versions of one order apart


class UnknownOrder(Exception):
    """A refund of an order that nobody has told us of yet."""


def earn(order: Order, *, store_id: str = "", now: datetime) -> None:
    """Give what an order earns, once per order however often its fact is delivered.

    Counted is the order as it is now, which may be another than when it was placed.
    """
    program, _ = program_store.load()

    def decide(account: Account, entries: Sequence[Entry]) -> Decision | None:
        known = orders.order(order.order_id)
        is_theirs = known is not None and known.customer_id == order.customer_id
        placed = Placed(order.order_id, basket_of(known if known and is_theirs else order, program), store_id)
        left = refunding.left_of(placed.basket, entries)
        account = _remembering(account, program, placed)
        return rules.earn_from_order(account, program, placed, left=left, imported=order.imported, now=now)

    # The order itself is the cause, so a redelivery is the same command whatever else it says.
    _run(
        Command(
            order.customer_id, f"order:{order.order_id}", fingerprint("order", order.order_id), decide,
            order_id=order.order_id,
        ),
        program, now=now,
    )  # fmt: skip


def change(customer_id: str, order_id: str, *, now: datetime) -> None:
    """Reckon anew what an order earned, once for each of its versions; the latest wins, in whatever order they are heard.

    A change that was heard of before the order itself lets it earn as it is now.
    """
    order = orders.order(order_id)
    if order is None or order.customer_id != customer_id:
        return  # it is nobody's any more
    earn(order, store_id=order.store_id, now=now)
    program, _ = program_store.load()
    # A version may come again with other lines, when a shop brings its history along a second time.
    entry_id = f"order:{order_id}#change#{order.version}.{_print_of(order)}"

    def decide(account: Account, entries: Sequence[Entry]) -> Decision | None:
        known = orders.order(order_id)
        if known is None or _print_of(known) != _print_of(order):
            return None  # it changed again, which has a fact of its own
        then = _program_of(entries, program)
        accrual = rules.accrual_of(entries)
        if accrual and accrual.basis:
            account = _with_visit(account, accrual.basis.visit)
        return changing.change_order(
            account, (program, then), (basket_of(order, then), entries), entry_id=entry_id, now=now
        )

    _run(Command(customer_id, entry_id, fingerprint(entry_id), decide, order_id=order_id), program, now=now)


def confirm(customer_id: str, order_id: str, *, now: datetime) -> None:
    """Let an order's points be used, when every parcel of it was delivered and the program says so. Safe to repeat."""
    program, _ = program_store.load()
    if not program.confirm_on_delivery or not orders.is_delivered(order_id):
        return

    def decide(account: Account, entries: Sequence[Entry]) -> Decision | None:
        return rules.confirm_order(account, program, order_id, entries, now=now)

    entry_id = f"order:{order_id}#confirm"
    _run(Command(customer_id, entry_id, fingerprint(entry_id), decide, order_id=order_id), program, now=now)


def visit(customer_id: str, *, at: datetime, store_id: str, now: datetime) -> None:
    """Count a visit without a purchase, once a day and store."""
    program, _ = program_store.load()
    day = day_of(program, at).isoformat()
    entry_id = f"visit:{rules.visit_key(day, store_id)}"

    def decide(account: Account, entries: Sequence[Entry]) -> Decision | None:  # noqa: ARG001
        account = _with_visit(account, rules.visit_key(day, store_id))
        return rules.visit(account, program, day=day, store_id=store_id, now=now)

    _run(Command(customer_id, entry_id, fingerprint(entry_id), decide), program, now=now)


def refund(
    customer_ids: Sequence[str], request: RefundRequest, *, key: str, now: datetime, dry_run: bool
) -> str:
    """Take back what an order of this person no longer earns; returns the JSON of a RefundAnswer.

    Raises NotFound for an order that is not theirs, InvalidInput for what is more than is left.
    """
    order = orders.order(request.order_id)
    if order is None or order.customer_id not in customer_ids:
        raise NotFound("there is no such order of this customer")
    refunded = _refunded(request, order)
    entry_id = f"order:{order.order_id}#refund#{key}"
    answer = _refund(
        order, refunded, entry_id=entry_id, seen=request.model_dump_json(), reason=request.reason, now=now, dry_run=dry_run,
        beside=store.beside(order.customer_id, customer_ids),
    )  # fmt: skip
    assert answer is not None, "a refund is always an entry"
    return answer


def refund_told(order_id: str, refunded: Refunded, *, cause: str, reason: str, now: datetime) -> None:
    """Take back by what an event told, once per `cause`; more than is left is cut to what is left.

    Raises UnknownOrder where the refund was heard of first: it comes again, and then the order is there.
    """
    order = orders.order(order_id)
    if order is None:
        raise UnknownOrder
    if order.customer_id.startswith(privacy.PSEUDONYM_PREFIX):
        return  # whoever bought it was erased, with their points
    entry_id = f"order:{order_id}#refund#{cause}"
    try:
        _refund(order, refunded, entry_id=entry_id, seen=cause, reason=reason, now=now, cut=True)
    except Gone:
        logger.info("dropped: the customer was erased", extra={"kind": "refund"})


def basket_of(order: Order, program: Program) -> Basket:
    """An order as the rules see it. One trip to the catalogue where the program asks for categories."""
    kinds = categories_of([line.item_id for line in order.lines], program)
    lines = tuple(
        BasketLine(
            line.line_id, line.item_id, line.quantity, line.price, kinds.get(line.item_id, frozenset())
        )
        for line in order.lines
    )
    return Basket(order.total, order.currency, lines, order.placed_at)


def categories_of(item_ids: Sequence[str], program: Program) -> Mapping[str, frozenset[str]]:
    """The categories of items, asked for only where the program needs them."""
    if not program.needs_categories:
        return {}
    return {item_id: frozenset(item.categories) for item_id, item in catalog.items(item_ids).items()}


def _refund(
    order: Order,
    refunded: Refunded,
    *,
    entry_id: str,
    seen: str,
    reason: str,
    now: datetime,
    dry_run: bool = False,
    cut: bool = False,
    beside: Sequence[Account] = (),
) -> str | None:
    program, _ = program_store.load()

    def decide(account: Account, entries: Sequence[Entry]) -> Decision:
        then = _program_of(entries, program)
        basket = basket_of(order, then)
        given = _cut(refunded, basket, entries) if cut else refunded
        accrual = rules.accrual_of(entries)
        if accrual and accrual.basis:
            account = _with_visit(account, accrual.basis.visit)
        return refunding.refund_order(
            account, (program, then), (basket, entries), given, entry_id=entry_id, reason=reason, now=now
        )

    command = Command(
        order.customer_id, entry_id, fingerprint(seen), decide,
        lambda decision: answers.refund(decision, program, now, beside=beside).model_dump_json(), order.order_id,
    )  # fmt: skip
    return ledger.run(command, program, now=now, dry_run=dry_run)


def _run(command: Command, program: Program, *, now: datetime) -> None:
    try:
        ledger.run(command, program, now=now)
    except Gone:
        logger.info("dropped: the customer was erased", extra={"kind": "points"})


def _print_of(order: Order) -> str:
    lines = [f"{each.line_id}|{each.item_id}|{each.quantity}|{each.price}" for each in order.lines]
    return fingerprint(str(order.total), *lines)[:PRINT_LENGTH]


def _program_of(entries: Sequence[Entry], program: Program) -> Program:
    accrual = rules.accrual_of(entries)
    if accrual is None or accrual.basis is None or accrual.basis.program == program.version:
        return program
    return program_store.version(accrual.basis.program)


def _refunded(request: RefundRequest, order: Order) -> Refunded:
    if request.lines and request.amount:
        raise InvalidInput.of("amount", "either lines or an amount")
    if request.amount:
        if request.amount.currency != order.currency:
            raise InvalidInput.of("amount.currency", f"the order is in {order.currency}")
        if request.amount.amount == 0:
            raise InvalidInput.of("amount.amount", "must be more than 0")
        return Refunded(amount=request.amount.amount)
    if not request.lines:
        return Refunded(whole=True)
    lines: dict[str, int] = {}
    for place, line in enumerate(request.lines):
        having = [
            each.line_id
            for each in order.lines
            if line.line_id == each.line_id or line.item_id == each.item_id
        ]
        if (line.line_id is None) == (line.item_id is None) or len(having) != 1:
            raise InvalidInput.of(
                f"lines.{place}", "must name one line of the order, by line_id or by item_id"
            )
        lines[having[0]] = lines.get(having[0], 0) + line.quantity
    return Refunded(lines=lines)


def _cut(refunded: Refunded, basket: Basket, entries: Sequence[Entry]) -> Refunded:
    left = refunding.left_of(basket, entries)
    if refunded.whole or not left.lines:
        return Refunded(whole=refunded.whole and bool(left.lines))
    still = {line.line_id: line.quantity for line in left.lines}
    lines = {line_id: min(n, still.get(line_id, 0)) for line_id, n in refunded.lines.items()}
    return replace(
        refunded, lines={k: n for k, n in lines.items() if n}, amount=min(refunded.amount, left.total)
    )


def _remembering(account: Account, program: Program, placed: Placed) -> Account:
    if not any(rule.kind == "stamps" for rule in program.earn):
        return account
    return _with_visit(
        account, rules.visit_key(day_of(program, placed.basket.at).isoformat(), placed.store_id)
    )


def _with_visit(account: Account, key: str) -> Account:
    """The account knowing of a visit so long ago that only its entries remember. One trip per MB then, else none."""
    known = sorted(account.of(VISIT))
    if len(known) < books.KEPT[VISIT] or key >= known[0]:
        return account
    times = sum(each.moves.get(f"{VISIT}:{key}", 0) for each in store.entries(account.customer_id))
    return replace(account, sums={**account.sums, f"{VISIT}:{key}": times}) if times else account
