"""Use cases of referral: a code for friends, who came by it, and points for both once the friend's order has arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.customers import reads as customers
from chalicelib.customers.reads import Person
from chalicelib.loyalty import books, ledger, ordering, program_store, referral_store, refunding, rules, store
from chalicelib.loyalty.ledger import Command
from chalicelib.loyalty.model import LIFETIME, Account, Decision, Entry
from chalicelib.loyalty.offer_schemas import ReferralAnswer, ReferralCodeAnswer, ReferralRequest
from chalicelib.loyalty.program import Program, ReferralTerms
from chalicelib.loyalty.referral_store import Referral, ReferralsMoved, Room
from chalicelib.orders import reads as orders
from chalicelib.shared import codes
from chalicelib.shared.errors import Busy, Conflict, FieldError, Gone
from chalicelib.shared.ids import fingerprint
from chalicelib.shared.logs import logger
from chalicelib.shared.rounds import rounds

CODE_LENGTH = 8  # 40 random bits
RING_MAX = 50  # referrers that are walked up; a longer row of them takes no further friend
REASON = "referral"
REFUNDED = "referral refunded"


class ReferralRefused(Conflict):
    """This friend earns nobody anything; `reason` says why, and `errors` by which field."""

    code, title = "referral-refused", "This referral does not count"

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", fields=[FieldError(field, message)], extra={"reason": reason})
        self.reason = reason


@dataclass(frozen=True)
class Somebody:
    """A customer by all their ids, the surviving one first, and as a person where anybody has said who they are."""

    ids: tuple[str, ...]
    person: Person | None

    @classmethod
    def of(cls, person: Person | None, customer_id: str) -> Somebody:
        return cls(person.customer_ids if person else (customer_id,), person)

    def sign_of(self, other: Somebody) -> str | None:
        """What says that another is the same person, None where nothing does."""
        if set(self.ids) & set(other.ids):
            return "customer_id"
        return customers.common_sign(self.person, other.person) if self.person and other.person else None


def code_for(customer_id: str, *, own: bool, now: datetime) -> ReferralCodeAnswer:
    """A customer's code, the same each time, made when it is first asked for. Four or five trips.

    Raises Moved, Gone, and ReferralRefused where the program rewards no referrals.
    """
    customer_ids = customers.asked_for(customer_id, own=own)
    program, _ = program_store.load()
    terms = _terms(program)
    for _ in rounds():
        code = referral_store.code_of(customer_ids)
        if code is None:
            code = codes.new(CODE_LENGTH)
            try:
                referral_store.give_code(customer_ids[0], code, now=now)
            except ReferralsMoved:
                continue  # the next round finds hers, or draws another
        room = referral_store.room(customer_ids, terms, books.month_of(program, now))
        return ReferralCodeAnswer(
            code=code,
            points=terms.points,
            friend_points=terms.friend_points,
            left_this_month=room.left_this_month,
            left=room.left,
        )
    raise Busy("the same code was asked for too often at once")


def refer(request: ReferralRequest, customer_id: str, *, own: bool, now: datetime) -> ReferralAnswer:
    """Note by whose code a new customer came; the same code again gets the same answer. About ten trips.

    Raises Moved, Gone, and ReferralRefused: for who came by another code, has ordered before, is the referrer, would
    close a ring, or whose referrer has referred as many as one may.
    """
    friend = Somebody.of(customers.asked_person(customer_id, own=own), customer_id)
    program, _ = program_store.load()
    code = codes.read(request.code)
    for _ in rounds():
        known = referral_store.referral_of(friend.ids)
        if known and known.code == code:
            return _answer(known)
        try:
            referral, room, roots = _decided(friend, known, code, program, now=now)
            referral_store.refer(referral, room, roots)
        except ReferralsMoved:
            continue
        except ReferralRefused as refused:
            logger.info("referral refused", extra={"kind": refused.reason})
            raise
        return _answer(referral)
    raise Busy("others kept using the same code")


def reward(customer_id: str, order_id: str, *, now: datetime) -> None:
    """Give both sides what they were promised when the friend's first order was delivered, whole. Safe to repeat.

    The referral is first bound to the order, so no other one counts; each side's points are one entry for ever.
    """
    person, referral = _known(customer_id)
    if referral is None or referral.refused or referral.order_id not in (None, order_id):
        return
    if not _counts(referral, order_id):
        return
    referrer = _owner(referral.code)
    if referral.order_id is None:  # what was bound before is finished, whatever turned out since
        sign = customers.common_sign(person, referrer) if person and referrer else None
        if sign:
            logger.info("referral refused", extra={"kind": sign})
            referral_store.refuse(referral.friend, sign)
            return
    # Given back is asked again once it is bound: whoever gives it back after that finds what to take back.
    if not referral_store.claim(referral.friend, order_id) or _is_given_back(order_id):
        return
    program, _ = program_store.load()
    for who, entry_id, points in _sides(referral, referrer):
        _give(who, entry_id, points, program, now=now)


def take_back(customer_id: str, order_id: str, *, now: datetime) -> None:
    """Take both sides' points back when the order they were for was given back whole. Safe to repeat, in any order."""
    _, referral = _known(customer_id)
    if referral is None or referral.order_id != order_id or not _is_given_back(order_id):
        return
    program, _ = program_store.load()
    for who, entry_id, _points in _sides(referral, _owner(referral.code)):
        _take(who, entry_id, program, now=now)


def _decided(
    friend: Somebody, known: Referral | None, code: str, program: Program, *, now: datetime
) -> tuple[Referral, Room, list[str]]:
    """The referral to write, the room it takes, and who must still come by nobody's code."""
    terms = _terms(program)
    if known:
        raise ReferralRefused("already-referred", "customer_id", "came by another code")
    owner_id = referral_store.owner_of(code)
    person = customers.person(owner_id) if owner_id else None
    if owner_id is None or (person and person.erased):
        raise ReferralRefused("unknown-code", "code", "is nobody's")
    owner = Somebody.of(person, owner_id)
    sign = friend.sign_of(owner)
    if sign:
        raise ReferralRefused("self-referral", "customer_id", f"is whose code it is, by {sign}")
    if orders.newest(friend.ids, 1):
        raise ReferralRefused("has-ordered", "customer_id", "has ordered before")
    roots = _roots(owner.ids, friend.ids)
    room = referral_store.room(owner.ids, terms, books.month_of(program, now))
    if room.left <= 0:
        raise ReferralRefused(
            "lifetime-limit", "code", f"{terms.lifetime} friends came by it, and no more may"
        )
    if room.left_this_month <= 0:
        raise ReferralRefused("month-limit", "code", f"{terms.per_month} friends came by it this month")
    return Referral(friend.ids[0], code, now, terms.points, terms.friend_points), room, roots


def _roots(owner_ids: Sequence[str], friend_ids: Sequence[str]) -> list[str]:
    """The ids at the end of the row of referrers, who came by nobody's code; raises ReferralRefused for a ring.

    Referrals never change, so a ring can only be closed where such a row ends: that it still ends there is checked when
    the referral is written. Three trips for each referrer.
    """
    ids = tuple(owner_ids)
    for _ in range(RING_MAX):
        referral = referral_store.referral_of(ids)
        if referral is None:
            return list(ids)
        owner_id = referral_store.owner_of(referral.code)
        if owner_id is None:
            return []  # erased: nobody can come to stand above them
        owner = customers.person(owner_id)
        ids = owner.customer_ids if owner else (owner_id,)
        if set(ids) & set(friend_ids):
            break
    raise ReferralRefused("ring", "customer_id", "referred, by others, whose code it is")


def _known(customer_id: str) -> tuple[Person | None, Referral | None]:
    person = customers.person(customer_id)
    if person and person.erased:
        return None, None
    return person, referral_store.referral_of(person.customer_ids if person else (customer_id,))


def _owner(code: str) -> Person | None:
    """Whose code it is; None for who was erased, and for who has only an id: nothing can be told by that."""
    owner_id = referral_store.owner_of(code)
    return customers.person(owner_id) if owner_id else None


def _counts(referral: Referral, order_id: str) -> bool:
    """Whether an order is what a referral waits for: placed since, paid, delivered whole, and not given back."""
    order = orders.order(order_id)
    if order is None or order.imported or order.placed_at < referral.at or not order.total:
        return False
    return orders.is_delivered(order_id) and not _is_given_back(order_id)


def _is_given_back(order_id: str) -> bool:
    """Whether nothing is left of an order after its refunds. Two trips."""
    order = orders.order(order_id)
    if order is None:
        return False
    entries = [each.entry for each in store.of_order(order.customer_id, order_id)]
    return refunding.left_of(ordering.basket_of(order, Program()), entries).total <= 0


def _sides(referral: Referral, referrer: Person | None) -> list[tuple[str, str, int]]:
    """Who gets which entry of how many points. The referrer's names the friend by a hash, which outlives an erasure."""
    owner_id = referral_store.owner_of(referral.code)
    friend = (referral.friend, REASON, referral.friend_points)
    if owner_id is None or (referrer and referrer.erased):
        return [friend]
    return [(owner_id, f"{REASON}:{fingerprint(referral.friend)}", referral.points), friend]


def _give(customer_id: str, entry_id: str, points: int, program: Program, *, now: datetime) -> None:
    def decide(account: Account, entries: Sequence[Entry]) -> Decision | None:  # noqa: ARG001
        # Read after the account: what is taken back later finds this entry, and what was taken back is not given.
        if f"{entry_id}#refund" in store.load(customer_id, f"{entry_id}#refund")[1]:
            return None
        return rules.give(
            account, program, entry_id=entry_id, points=points, reason=REASON, rule=REASON, now=now
        )

    _run(Command(customer_id, entry_id, fingerprint(entry_id), decide), program, now=now)


def _take(customer_id: str, entry_id: str, program: Program, *, now: datetime) -> None:
    """Take points back by the waterfall of refunds. Where they were not given yet, the entry says they never will be."""
    gone_id = f"{entry_id}#refund"

    def decide(account: Account, entries: Sequence[Entry]) -> Decision:  # noqa: ARG001
        found = store.load(customer_id, entry_id)[1].get(entry_id)
        points = found.entry.points if found else 0
        taken = refunding.waterfall(account, program, points, 0, found.entry) if found else {}
        moves = books.join(taken, {LIFETIME: -points})
        lot = found.entry.lot if found else ""
        entry = Entry(gone_id, refunding.REFUND, account.customer_id, -points, REFUNDED, now, moves, lot=lot)
        return books.enter(account, entry)

    _run(Command(customer_id, gone_id, fingerprint(gone_id), decide), program, now=now)


def _run(command: Command, program: Program, *, now: datetime) -> None:
    try:
        ledger.run(command, program, now=now)
    except Gone:
        logger.info("dropped: the customer was erased", extra={"kind": "referral"})


def _terms(program: Program) -> ReferralTerms:
    if program.referral is None:
        raise ReferralRefused("no-referral", "code", "the program rewards no referrals")
    return program.referral


def _answer(referral: Referral) -> ReferralAnswer:
    status = "refused" if referral.refused else "rewarded" if referral.order_id else "waiting"
    return ReferralAnswer(
        customer_id=referral.friend,
        code=referral.code,
        referred_at=referral.at,
        friend_points=referral.friend_points,
        status=status,
    )
