"""Use cases of erasure: the tombstone first, then room after room, then once more for what was on its way.

Every step may be done again: a run that dies is finished by the next one, and any number of runs at once end the same.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from datetime import datetime

from chalicelib.activity import reads as activity
from chalicelib.customers import reads as customers
from chalicelib.loyalty import reads as loyalty
from chalicelib.orders import reads as orders
from chalicelib.privacy import rooms, rules, store
from chalicelib.privacy.model import PSEUDONYM_PREFIX, SENSITIVE_CATEGORIES, Erasure, Subject, Tombstone, Who
from chalicelib.privacy.schemas import (
    KeptAnswer,
    ReceiptAnswer,
    SensitiveAnswer,
    SensitiveBody,
    StoreAnswer,
)
from chalicelib.shared import ids
from chalicelib.shared.errors import Busy, NotFound
from chalicelib.shared.logs import log_failure, logger
from chalicelib.shared.rounds import rounds
from chalicelib.shared.wanted import alone

PSEUDONYM_BYTES = 12
FIRST_ROOM = "customers"
RUN_SECONDS_MAX = (
    40.0  # of the machine's time; the function's own limit lies beyond, and the next run goes on
)


def request(customer_id: str, *, by_customer: bool, now: datetime) -> str:
    """Erase a customer, every id they go by: when this returns they are gone for everybody. Returns the erasure's id.

    Asking again names the same erasure. Raises NotFound for somebody nobody has heard of.
    """
    for _ in rounds():
        standing = _tombstone(customer_id)
        if standing is not None:
            return standing.erasure_id
        person = customers.person(customer_id)
        customer_ids = person.customer_ids if person else (customer_id,)
        versions = store.profile_versions(customer_ids)
        if customers.person(customer_id) != person:
            continue  # a merge, or its undoing, came between
        if person is None and not by_customer and not _is_known(customer_id):
            raise NotFound("there is no such customer")
        erasure = Erasure(
            erasure_id=ids.new(now),
            subject=Subject(
                customer_ids=customer_ids,
                anonymous_ids=person.anonymous_ids if person else (),
                # Random, so that no one who knows the erasure can tell which orders were theirs.
                pseudonym=PSEUDONYM_PREFIX + secrets.token_hex(PSEUDONYM_BYTES),
            ),
            requested_at=now,
        )
        try:
            store.begin(erasure, versions)
        except store.Moved:
            continue
        _forget(
            erasure, FIRST_ROOM, erasure.subject, sweep=1, now=now
        )  # so that nobody meets them from here on
        return erasure.erasure_id
    raise Busy("this customer kept being changed at the same time")


def receipt(erasure_id: str, *, customer_id: str | None) -> ReceiptAnswer:
    """What an erasure has touched so far. A customer sees their own only. Raises NotFound."""
    erasure = store.load(erasure_id)
    is_theirs = customer_id is None or rules.is_of(erasure_id, _tombstone(customer_id))
    if erasure is None or not is_theirs:
        raise NotFound("there is no such erasure")
    return ReceiptAnswer(
        erasure_id=erasure_id,
        status=erasure.status,
        requested_at=erasure.requested_at,
        finished_at=erasure.finished_at,
        stores=[
            StoreAnswer(store=name, items=items, note=rules.NOTES.get(name, ""))
            for name, items in sorted(erasure.items.items())
        ],
        kept=[KeptAnswer(store=name, note=note) for name, note in rules.KEPT.items()],
    )


def run(erasure_id: str, *, now: datetime) -> None:
    """Work an erasure off as far as it is due: the first sweep at once, the second when nothing can be on its way."""
    erasure = store.load(erasure_id)
    sweep = rules.sweep_of(erasure, now) if erasure else None
    if erasure is None or sweep is None:
        return
    subject = replace(erasure.subject, final=sweep == 2)
    if rules.step_name(sweep, rules.FAMILY) not in erasure.steps:
        subject = _find_family(erasure, subject)
        store.note_step(erasure_id, rules.step_name(sweep, rules.FAMILY), {})
    for room in rooms.ERASERS:
        _forget(erasure, room, subject, sweep=sweep, now=now)
    if sweep == 1:
        store.note_sweep(erasure_id, now=now)
    else:
        store.finish(erasure_id, now=now)
    logger.info("erasure", extra={"erasure_id": erasure_id, "sweep": sweep})


def run_open(now: datetime) -> None:
    """Go on with every erasure that is not done, until the time is up. One that fails does not stop the others."""
    ends_at = time.monotonic() + RUN_SECONDS_MAX  # how long a run takes is not the product clock's matter
    for erasure_id in store.open_ids():
        if time.monotonic() > ends_at:
            return
        try:
            run(erasure_id, now=now)
        except Exception as error:  # noqa: BLE001  (the next run tries it again)
            log_failure("erasure not worked off", error, erasure_id=erasure_id)


def erasure_of(customer_id: str) -> str | None:
    """The erasure of a customer, None when there is none. One trip, 1 read unit."""
    standing = _tombstone(customer_id)
    return standing.erasure_id if standing else None


def sensitive() -> SensitiveAnswer:
    """The categories in force."""
    named = alone(store.sensitive_wanted())
    return SensitiveAnswer(categories=list(SENSITIVE_CATEGORIES) if named is None else named)


def replace_sensitive(body: SensitiveBody) -> SensitiveAnswer:
    """Put other categories in force; the next inference heeds them."""
    store.save_sensitive(list(dict.fromkeys(body.categories)))
    return sensitive()


def _forget(erasure: Erasure, room: str, subject: Subject, *, sweep: int, now: datetime) -> None:
    step = rules.step_name(sweep, room)
    if step not in erasure.steps:
        store.note_step(erasure.erasure_id, step, dict(rooms.ERASERS[room](subject, now)))


def _find_family(erasure: Erasure, subject: Subject) -> Subject:
    # A merge that was committed just before the tombstone counts; one after it is refused by the tombstone.
    found = [person for each in subject.customer_ids if (person := customers.person(each)) is not None]
    family = rules.family(
        erasure,
        [each for person in found for each in person.customer_ids],
        [each for person in found for each in person.anonymous_ids],
    )
    store.add_ids(erasure, family)
    return replace(family, final=subject.final)


def _tombstone(customer_id: str) -> Tombstone | None:
    who: Who = ("customer", customer_id)
    return store.tombstones([who], consistent=True).get(who)


def _is_known(customer_id: str) -> bool:
    return (
        activity.is_known(customer_id)
        or bool(orders.newest(customer_id, limit=1))
        or loyalty.is_known(customer_id)
    )
