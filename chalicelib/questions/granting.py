"""What follows from answers that are stored: the profile learns of them, and each promise is kept once.

Every step looks at what stands and may run again: after a crash, from the queue, or beside itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.coupons import store as coupons
from chalicelib.coupons.model import Coupon
from chalicelib.customers import service as customers
from chalicelib.customers.reads import Person
from chalicelib.customers.schemas import check_traits
from chalicelib.loyalty import service as loyalty
from chalicelib.questions import rules, store
from chalicelib.questions.model import Grant, Promise, Said, Sheet
from chalicelib.shared.errors import Busy
from chalicelib.shared.logs import logger
from chalicelib.shared.rounds import rounds

REASON = "profile answers"


@dataclass(frozen=True)
class Kept:
    """A promise that is kept, and whether this call kept it."""

    grant: Grant
    is_new: bool


def settle(person: Person, sheets: Sequence[Sheet], *, now: datetime) -> dict[str, Kept]:
    """Tell the profile what was answered and keep every promise; returns them by answer set.

    One trip when there is nothing to do. Points take seven trips more, a coupon one, a change of the profile two.
    """
    _tell_profile(person, sheets, now)
    promises = rules.promised(sheets)
    standing = store.grants_of(person.customer_ids, promises)
    return {name: _keep(person.head, promise, standing.get(name), now) for name, promise in promises.items()}


def _tell_profile(person: Person, sheets: Sequence[Sheet], now: datetime) -> None:
    for sheet in sheets:
        kind, identifier = sheet.who
        customer_id = identifier if kind == "customer" else person.head
        for at, traits in sorted(rules.to_declare(_last(sheet, sheets), person.traits).items()):
            problems = check_traits({**person.traits, **traits})
            if problems:
                # A visitor's answers are nobody's request any more; what does not fit stays on the sheet.
                logger.warning("answers do not fit the profile", extra={"count": len(traits)})
                continue
            customers.declare(customer_id, traits, at=at, now=now)


def _last(sheet: Sheet, sheets: Sequence[Sheet]) -> list[Said]:
    """What a sheet says that no other one of the person says later."""
    last = rules.latest(sheets)
    return [each for each in sheet.said.values() if last[each.question_id] is each]


def _keep(customer_id: str, promise: Promise, grant: Grant | None, now: datetime) -> Kept:
    is_new = False
    if grant is None:
        grant, is_new = _mark(customer_id, promise, now)
    if grant.done:
        return Kept(grant, is_new)
    assert grant.reward.points is not None, "only points take a second step"
    loyalty.reward_action(
        grant.customer_id,
        action=f"answers:{grant.answer_set}",
        points=grant.reward.points,
        reason=REASON,
        now=now,
    )
    return Kept(grant, store.finish_grant(grant))


def _mark(customer_id: str, promise: Promise, now: datetime) -> tuple[Grant, bool]:
    for _ in rounds():
        coupon = _coupon(customer_id, promise, now)
        grant = Grant(
            customer_id=customer_id,
            answer_set=promise.answer_set,
            question_id=promise.question_id,
            reward=promise.reward,
            promised_at=promise.at,
            granted_at=now,
            done=promise.reward.points is None,
            code=coupon.code if coupon else None,
        )
        if store.put_grant(grant, coupon):
            return grant, True
        standing = store.grants_of([customer_id], [promise.answer_set])
        if standing:
            found = standing[promise.answer_set]
            return found, grant.code is not None and found.code == grant.code
    raise Busy("the same reward was asked for too often at once")


def _coupon(customer_id: str, promise: Promise, now: datetime) -> Coupon | None:
    terms = promise.reward.coupon
    if terms is None:
        return None
    until = now + timedelta(days=terms.valid_days)
    return Coupon(coupons.new_code(), customer_id, terms, now, until, cause=promise.answer_set)
