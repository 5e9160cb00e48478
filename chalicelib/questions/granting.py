"""What follows from answers that are stored: the profile learns of them, and each promise is kept once.

Every step looks at what stands and may run again: after a crash, from the queue, or beside itself. What follows from an
answer is told and given to the id whose answer it was, so that undoing a merge parts it as it parts the answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.coupons import store as coupons
from chalicelib.coupons.model import Coupon
from chalicelib.customers import reads as people
from chalicelib.customers import service as customers
from chalicelib.customers.reads import Person
from chalicelib.customers.schemas import check_traits
from chalicelib.loyalty import service as loyalty
from chalicelib.questions import rules, store
from chalicelib.questions.asking import Asked
from chalicelib.questions.model import Grant, Promise, Said, Sheet, Who
from chalicelib.shared.errors import Busy
from chalicelib.shared.logs import logger
from chalicelib.shared.rounds import rounds

REASON = "profile answers"


@dataclass(frozen=True)
class Kept:
    """A promise that is kept, and whether this call kept it."""

    grant: Grant
    is_new: bool


class Owners:
    """Whose answers are whose, among the ids of one person; asked for at most once, by who needs it."""

    def __init__(self, person: Person, sheets: Sequence[Sheet]) -> None:
        self._person = person
        self._sheets = sheets
        self._of: Mapping[str, str] | None = None

    def of(self, who: Who) -> str:
        """The customer id that an answer belongs to: its own, or the one its visitor was linked to."""
        kind, identifier = who
        if kind == "customer":
            return identifier
        if self._of is None:
            self._of = people.owners_of(self._person.anonymous_ids)
        owner = self._of.get(identifier)
        return owner if owner in self._person.customer_ids else self._person.head

    def of_promise(self, promise: Promise) -> str:
        """The customer id whose answer earned a promise."""
        [who, *_] = [each.who for each in self._sheets if each.promises.get(promise.answer_set) == promise]
        return self.of(who)


def settle(somebody: Asked, sheets: Sequence[Sheet], *, now: datetime) -> dict[str, Kept]:
    """Tell the profile what was answered and keep every promise on these sheets; returns them by answer set.

    No trip when there is nothing to do and the grants were looked for, else one. Points take seven trips, a coupon one,
    a change of the profile two, and one more for all that visitors said.
    """
    person = somebody.person
    if person is None:
        return {}
    owners = Owners(person, sheets)
    _tell_profile(person, sheets, owners, now)
    promises = rules.promised(sheets)
    standing = {
        **store.grants_of(person.customer_ids, promises.keys() - somebody.looked_for),
        **somebody.grants,
    }
    return {
        name: _keep(person, promise, standing.get(name), owners, now) for name, promise in promises.items()
    }


def _tell_profile(person: Person, sheets: Sequence[Sheet], owners: Owners, now: datetime) -> None:
    for sheet in sheets:
        told = rules.to_declare(_last(sheet, sheets), person.traits)
        for (at, trusted), traits in sorted(told.items()):
            problems = check_traits({**person.traits, **traits})
            if problems:
                # A visitor's answers are nobody's request any more; what does not fit stays on the sheet.
                logger.warning("answers do not fit the profile", extra={"count": len(traits)})
                continue
            customers.declare(owners.of(sheet.who), traits, at=at, trusted=trusted, now=now)


def _last(sheet: Sheet, sheets: Sequence[Sheet]) -> list[Said]:
    """What a sheet says that no other one of the person says later."""
    last = rules.latest(sheets)
    return [each for each in sheet.said.values() if last[each.question_id] is each]


def _keep(
    person: Person,
    promise: Promise,
    grant: Grant | None,
    owners: Owners,
    now: datetime,
) -> Kept:
    is_new = False
    if grant is None:
        grant, is_new = _mark(person, owners.of_promise(promise), promise, now)
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


def _mark(person: Person, owner: str, promise: Promise, now: datetime) -> tuple[Grant, bool]:
    for _ in rounds():
        coupon = _coupon(owner, promise, now)
        grant = Grant(
            customer_id=owner,
            answer_set=promise.answer_set,
            question_id=promise.question_id,
            reward=promise.reward,
            promised_at=promise.at,
            granted_at=now,
            done=promise.reward.points is None,
            code=coupon.code if coupon else None,
        )
        if store.put_grant(grant, coupon, customer_ids=person.customer_ids):
            return grant, True
        standing = store.grants_of(person.customer_ids, [promise.answer_set])
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
