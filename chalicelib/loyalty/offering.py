"""Use cases of offers to one customer: something off what she buys often, and what tips the balance of a purchase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.activity import reads as activity
from chalicelib.activity.reads import Timeline, Touch
from chalicelib.catalog import reads as catalog
from chalicelib.catalog.reads import CatalogItem
from chalicelib.coupons import reads as issued_coupons
from chalicelib.coupons import store as coupons
from chalicelib.coupons.model import Coupon, CouponTerms
from chalicelib.coupons.schemas import issued, shown
from chalicelib.customers import reads as customers
from chalicelib.customers.reads import Person
from chalicelib.loyalty import incentives, offer_store, price_downs, program_store
from chalicelib.loyalty.incentives import Bought, Given, Signal
from chalicelib.loyalty.offer_schemas import (
    IncentiveAnswer,
    IncentiveRequest,
    OffersAnswer,
    SignalAnswer,
)
from chalicelib.loyalty.program import Incentive, IncentiveLevel, PriceDowns
from chalicelib.orders import reads as orders
from chalicelib.shared import money
from chalicelib.shared.errors import Busy, InvalidInput
from chalicelib.shared.rounds import rounds

PURPOSE = "personalization"
PERSONAL = ("price_down", "incentive")
ORDERS_MAX = 200
TOUCHES_MAX = 200
OFFERED, NOTHING_DUE, NO_PRICE_DOWNS = "offered", "nothing-due", "no-price-downs"


def offers(customer_id: str, *, own: bool, language: str, now: datetime) -> OffersAnswer:
    """What she can use now of what was offered to her alone. Three trips and one per 100 coupons.

    None for who withdrew the consent to personalization; her coupons stay good all the same. Raises Moved and Gone.
    """
    person, customer_ids = _asked(customer_id, own=own)
    if _withdrew(person):
        return OffersAnswer(data=[], reason=incentives.WITHDRAWN)
    return _open(customer_ids, language, now)


def offer(customer_id: str, *, own: bool, language: str, dry_run: bool, now: datetime) -> OffersAnswer:
    """Issue what is due on what she buys often, once for each item and window; answers as `offers` does.

    With `dry_run` nothing is issued, and the reason says whether anything would be.
    """
    person, customer_ids = _asked(customer_id, own=own)
    program, _ = program_store.load()
    terms = program.price_downs
    if terms is None:
        return _open(customer_ids, language, now, otherwise=NO_PRICE_DOWNS)
    if _withdrew(person):
        return OffersAnswer(data=[], reason=incentives.WITHDRAWN)
    for _ in rounds():
        marks = offer_store.load(customer_ids, "OFFERS")
        items = _due(customer_ids, marks, terms, now)
        due = [_price_down(customer_ids[0], each, terms, now) for each in items]
        if dry_run:
            return _open(customer_ids, language, now, reason=OFFERED if due else NOTHING_DUE)
        try:
            if due:
                offer_store.issue(marks[0], due)
        except offer_store.MarksMoved:
            continue
        return _open(customer_ids, language, now)
    raise Busy("other requests for this customer kept coming first")


@dataclass(frozen=True)
class Cart:
    """What lies in a cart, as far as an incentive depends on it."""

    total: int
    currency: str


def invite(
    customer_id: str, request: IncentiveRequest, *, own: bool, dry_run: bool, now: datetime
) -> IncentiveAnswer:
    """The smallest incentive for somebody at the tipping point, once in a window; every "no" has its reason.

    About ten trips. Raises Moved, Gone, InvalidInput for a currency the program does not know.
    """
    person, customer_ids = _asked(customer_id, own=own)
    program, _ = program_store.load()
    terms = program.incentive
    if terms is None:
        return _none(incentives.NO_INCENTIVE)
    if request.currency != program.currency:
        raise InvalidInput.of("currency", f"the program knows {program.currency} only")
    if _withdrew(person):
        return _none(incentives.WITHDRAWN)
    total = sum(line.price * line.quantity for line in request.lines)
    cart = Cart(total if request.total is None else request.total, request.currency)
    touches = _touches(person, customer_ids)
    for _ in rounds():
        marks = offer_store.load(customer_ids, "INCENTIVES")
        try:
            return _invited(terms, marks, touches, cart, now=now, dry_run=dry_run)
        except offer_store.MarksMoved:
            continue
    raise Busy("other requests for this customer kept coming first")


def _invited(
    terms: Incentive,
    marks: Sequence[offer_store.Marks],
    touches: Sequence[Touch],
    cart: Cart,
    *,
    now: datetime,
    dry_run: bool,
) -> IncentiveAnswer:
    customer_ids = [each.customer_id for each in marks]
    past = orders.newest(customer_ids, ORDERS_MAX)
    found = incentives.signals(touches, past[0].placed_at if past else None, now)
    given = issued_coupons.coupons(mark.code for each in marks for mark in each.given)
    standing = next((each for each in given if each.is_open(now)), None)
    if standing:
        return _answer(found, incentives.OFFERED_ALREADY, standing)
    reason = incentives.objection(
        terms,
        intent=incentives.intent_of(found),
        carts=incentives.abandoned_carts(touches, [each.placed_at for each in past], now),
        given=[Given(each.issued_at, each.redeemed_at is None) for each in given],
        now=now,
    )
    if reason is None and _as_usual(customer_ids, past, now):
        reason = incentives.BUYS_AS_USUAL
    level = incentives.smallest(terms.levels, cart.total)
    if reason or level is None:
        return _answer(found, reason or incentives.CART_TOO_SMALL)
    coupon = _incentive(customer_ids[0], level, cart, terms, now)
    if not dry_run:
        offer_store.issue(marks[0], [coupon])
    return _answer(found, incentives.OFFERED, coupon, dry_run=dry_run)


def _asked(customer_id: str, *, own: bool) -> tuple[Person | None, tuple[str, ...]]:
    person = customers.asked_person(customer_id, own=own)
    return person, person.customer_ids if person else (customer_id,)


def _withdrew(person: Person | None) -> bool:
    return person is not None and person.consents.get(PURPOSE) is False


def _open(
    customer_ids: Sequence[str],
    language: str,
    now: datetime,
    *,
    reason: str = "",
    otherwise: str = NOTHING_DUE,
) -> OffersAnswer:
    found = [
        shown(each, language=language, status=each.status(now))
        for each in issued_coupons.newest(customer_ids)
        if each.origin in PERSONAL and each.is_open(now)
    ]
    return OffersAnswer(data=found, reason=reason or (OFFERED if found else otherwise))


def _due(
    customer_ids: Sequence[str], marks: Sequence[offer_store.Marks], terms: PriceDowns, now: datetime
) -> list[CatalogItem]:
    """The items that something is due on, which she can buy. Two trips for each id, and one to the catalogue."""
    often = price_downs.often(orders.newest(customer_ids, ORDERS_MAX), terms, now)
    known = catalog.items(often) if often else {}
    on_sale = [each for each in often if each in known and known[each].is_on_sale]
    given = [(mark.item_id, mark.at) for each in marks for mark in each.given]
    return [known[each] for each in price_downs.due(on_sale, given, terms, now)]


def _price_down(customer_id: str, item: CatalogItem, terms: PriceDowns, now: datetime) -> Coupon:
    off = terms.percent_off
    worth = CouponTerms(
        f"{off}% off {item.title_in('en')}",
        f"{item.title_in('ja')} {off}%オフ",
        terms.valid_days,
        percent=off,
    )
    until = now + timedelta(days=terms.valid_days)
    return Coupon(
        coupons.new_code(), customer_id, worth, now, until, origin="price_down", item_ids=(item.item_id,)
    )


def _incentive(
    customer_id: str, level: IncentiveLevel, cart: Cart, terms: Incentive, now: datetime
) -> Coupon:
    if level.percent is not None:
        title, title_ja = f"{level.percent}% off this order", f"このご注文 {level.percent}%オフ"
    else:
        off = _written(level.amount or 0, cart.currency)
        title, title_ja = f"{off} off this order", f"このご注文 {off}引き"
    days = -(-terms.valid_hours // 24)
    currency = cart.currency if level.amount is not None else None
    worth = CouponTerms(title, title_ja, days, level.percent, level.amount, currency)
    until = now + timedelta(hours=terms.valid_hours)
    return Coupon(coupons.new_code(), customer_id, worth, now, until, origin="incentive")


def _written(amount: int, currency: str) -> str:
    digits = money.digits(currency)
    major, minor = divmod(amount, 10**digits)
    return f"{currency} {major}.{minor:0{digits}d}" if digits else f"{currency} {major}"


def _touches(person: Person | None, customer_ids: Sequence[str]) -> list[Touch]:
    """What somebody did, newest first; of what browsers say of her, what her own linked ones say.

    It is asked for apart, so that a flood of it pushes out nothing. Two trips.
    """
    devices = person.anonymous_ids if person else ()
    sure: list[Timeline] = [("customer", each) for each in customer_ids]
    sure += [("anonymous", each) for each in devices]
    said: list[Timeline] = [("claimed", each) for each in customer_ids]
    found = activity.newest(sure, TOUCHES_MAX)
    found += [each for each in activity.newest(said, TOUCHES_MAX) if each.anonymous_id in devices]
    return sorted(found, key=lambda each: each.at, reverse=True)


def _as_usual(customer_ids: Sequence[str], past: Sequence[orders.PastOrder], now: datetime) -> bool:
    """Whether she comes by herself. A trip for each of the last orders, and those for her coupons, if there are enough."""
    newest = past[: incentives.AS_USUAL_ORDERS]
    if len(newest) < incentives.AS_USUAL_ORDERS:
        return False
    with_coupon = {each.order_id for each in issued_coupons.newest(customer_ids)}
    full = [_at_full_price(each.order_id) and each.order_id not in with_coupon for each in newest]
    known = [Bought(each.placed_at, full[n] if n < len(full) else False) for n, each in enumerate(past)]
    return incentives.buys_as_usual(known, now)


def _at_full_price(order_id: str) -> bool:
    order = orders.order(order_id)
    return order is not None and order.discount == 0


def _none(reason: str) -> IncentiveAnswer:
    return IncentiveAnswer(incentive=None, reason=reason, intent=0, lines=[])


def _answer(
    found: Sequence[Signal], reason: str, coupon: Coupon | None = None, *, dry_run: bool = False
) -> IncentiveAnswer:
    return IncentiveAnswer(
        incentive=issued(coupon, dry_run=dry_run) if coupon else None,
        reason=reason,
        intent=incentives.intent_of(found),
        lines=[SignalAnswer(signal=each.signal, points=each.points) for each in found],
    )
