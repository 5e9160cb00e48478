"""The run that lets time pass: settlements and notices of all accounts, and gifts to everybody whose day it is.

Each table is gone through page by page, a small one by every run and a large one once a day of the program's zone. How
far a round has come is kept, so a run that is cut off or dies is gone on with; runs at once write everything once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from chalicelib.coupons import store as coupons
from chalicelib.coupons.model import Coupon
from chalicelib.customers import reads as customers
from chalicelib.customers.reads import Person
from chalicelib.loyalty import books, gifts, ledger, program_store, rewards, rules, run_store, store
from chalicelib.loyalty.earning import day_of
from chalicelib.loyalty.ledger import Command
from chalicelib.loyalty.model import Account, Decision, Entry
from chalicelib.loyalty.program import Gift, Program, Reward
from chalicelib.loyalty.run_store import Key, Round
from chalicelib.shared.errors import Busy, Gone
from chalicelib.shared.ids import fingerprint
from chalicelib.shared.logs import log_failure, logger
from chalicelib.shared.rounds import rounds

PAGE = 1000  # items passed by one trip
SMALL_PAGES = 10  # a table of no more pages is gone through by every run
RUN_SECONDS_MAX = (
    240.0  # of the machine's time; the function's own limit lies beyond, and the next run goes on
)
ACCOUNTS, PEOPLE = "loyalty.accounts", "loyalty.people"
GIFT_RULE = "gift"

Work = tuple[Key, Callable[[], None]]  # what there is to do at one key
Pages = Callable[[Key | None], tuple[list[Work], Key | None]]


class RunIncomplete(Exception):
    """Something could not be done, and is left to the next round; the log says what kind of thing."""


def run(now: datetime) -> None:
    """Let time pass for all accounts and people, as far as one run comes; the next one goes on.

    A round costs half a read unit for every 4 KB of the ledger, and of the people table where the program has gifts; a
    write unit for each page; 4 for each settlement, notice and gift. Raises RunIncomplete after all else is done.
    """
    program, _ = program_store.load()
    ends_at = time.monotonic() + RUN_SECONDS_MAX  # how long a run takes is not the product clock's matter
    failed = _go_round(ACCOUNTS, partial(_accounts, program, now), program, now=now, ends_at=ends_at)
    if program.gifts:
        failed += _go_round(PEOPLE, partial(_people, program, now), program, now=now, ends_at=ends_at)
    if failed:
        raise RunIncomplete(f"{failed} failed")


def _go_round(name: str, pages: Pages, program: Program, *, now: datetime, ends_at: float) -> int:
    """Go on with a round, or begin one that is due; returns how many things failed."""
    today, failed = day_of(program, now), 0
    found = run_store.load(name)
    begins = found.is_done and (found.pages <= SMALL_PAGES or day_of(program, found.begun_at) != today)
    while (begins or not found.is_done) and time.monotonic() <= ends_at:
        if begins:
            found = replace(found, begun_at=now, after=None, pages=0, is_done=False)
        work, last = pages(found.after)
        following, failures = _work_off(found, work, last, ends_at=ends_at)
        failed += failures
        try:
            found = run_store.save(following)
        except run_store.RoundMoved:
            found = run_store.load(name)
        begins = found.is_done and day_of(program, found.begun_at) != today  # it was an earlier day's
    return failed


def _work_off(found: Round, work: Sequence[Work], last: Key | None, *, ends_at: float) -> tuple[Round, int]:
    """Do what a page has to do, as far as the time allows; one thing that fails does not stop the others."""
    failed, done = 0, found.after
    for key, do in work:
        if time.monotonic() > ends_at:
            return replace(found, after=done), failed
        try:
            do()
        except Exception as error:  # noqa: BLE001 (the next round tries it again)
            log_failure("not settled", error, handler="loyalty_daily")
            failed += 1
        done = key
    return replace(found, after=last, pages=found.pages + 1, is_done=last is None), failed


def _accounts(program: Program, now: datetime, after: Key | None) -> tuple[list[Work], Key | None]:
    accounts, last = store.page(after, limit=PAGE)
    return [
        (store.key_of(each.customer_id), partial(_settle, each, program, now))
        for each in accounts
        if books.settlement(each, program, now) or books.notice(each, program, now)
    ], last


def _settle(account: Account, program: Program, now: datetime) -> None:
    """Write what is due to one account, which may have been read a while ago."""
    for _ in rounds():
        try:
            account = ledger.settle(account, program, now)
            while due := books.notice(account, program, now):
                store.commit(store.committing(due))
                account = due.account
        except store.AccountMoved:
            [account] = store.read_many([account.customer_id], consistent=True)
            continue
        return
    raise Busy("other commands for this customer kept coming first")


def _people(program: Program, now: datetime, after: Key | None) -> tuple[list[Work], Key | None]:
    people, last = customers.page(after, limit=PAGE)
    due = [
        (person, gift, f"{gifts.PREFIX}{gift.occasion}:{year}")
        for person in people
        for gift, year in _due(person, program, now)
    ]
    asked = [(customer_id, entry_id) for person, _, entry_id in due for customer_id in person.customer_ids]
    given = store.having(asked)
    return [
        (customers.key_of(person.customer_id), partial(_give, person, gift, entry_id, program, now))
        for person, gift, entry_id in due
        if not any((customer_id, entry_id) in given for customer_id in person.customer_ids)
    ], last


def _due(person: Person, program: Program, now: datetime) -> Iterator[tuple[Gift, int]]:
    """The gifts somebody is to have, each with its year."""
    zone = gifts.zone_of(person.timezone, program.timezone)
    for gift in program.gifts:
        if gift.occasion == "birthday":
            day = gifts.birthday_of(person.traits.get("birthday"))
        else:
            day = person.created_at.astimezone(zone).date() if person.created_at else None
        year = gifts.year_due(day, since=person.created_at, zone=zone, now=now) if day else None
        if year:
            yield gift, year


def _give(person: Person, gift: Gift, entry_id: str, program: Program, now: datetime) -> None:
    """Points and coupon in one transaction, once for each occasion of a year."""
    reward = program.reward(gift.reward_id) if gift.reward_id else None
    coupon = _coupon(reward, person.customer_id, entry_id, now) if reward else None

    def decide(account: Account, entries: Sequence[Entry]) -> Decision:  # noqa: ARG001
        given = rules.give(
            account, program, entry_id=entry_id, points=gift.points, reason=gift.occasion, rule=GIFT_RULE, now=now
        )  # fmt: skip
        return replace(given, entry=replace(given.entry, coupon=coupon.code)) if coupon else given

    def more(_: Decision) -> ledger.Operations:
        return coupons.issuing(coupon) if coupon else []

    # The occasion is the cause, so giving again is the same command whatever it is worth by now.
    command = Command(person.customer_id, entry_id, fingerprint(entry_id), decide, more=more)
    try:
        ledger.run(command, program, now=now)
    except Gone:
        logger.info("dropped: the customer was erased", extra={"kind": "gift"})


def _coupon(reward: Reward, customer_id: str, entry_id: str, now: datetime) -> Coupon:
    coupon = rewards.coupon(reward, code=coupons.new_code(), customer_id=customer_id, now=now)
    return replace(coupon, origin="gift", cause=entry_id)
