"""Use cases of the ledger: points given, balances and entries read, the program, and what is left of the erased."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.customers import reads as customers
from chalicelib.loyalty import (
    answers,
    ledger,
    mapping,
    offer_store,
    ordering,
    program_store,
    reads,
    referral_store,
    rules,
    store,
)
from chalicelib.loyalty.earning import Basket, BasketLine, day_of, earned, next_steps
from chalicelib.loyalty.ledger import Command
from chalicelib.loyalty.model import Account, Decision, Entry, RulePoints
from chalicelib.loyalty.program import Program
from chalicelib.loyalty.program_schemas import ProgramAnswer, ProgramBody, check_program
from chalicelib.loyalty.schemas import (
    AccrualRequest,
    BalanceAnswer,
    EntriesAnswer,
    EntriesQuery,
    QuoteAnswer,
    QuoteRequest,
    StepAnswer,
)
from chalicelib.loyalty.tiers import standing
from chalicelib.shared import etags, tokens
from chalicelib.shared.clock import to_text
from chalicelib.shared.errors import Busy, InvalidInput, NotFound, StaleVersion
from chalicelib.shared.ids import fingerprint
from chalicelib.shared.rounds import rounds


def give_points(
    customer_id: str,
    request: AccrualRequest,
    *,
    key: str,
    now: datetime,
    dry_run: bool = False,
    is_known: Callable[[str], bool] | None = None,
) -> str:
    """Give points once per customer and Idempotency-Key; returns the JSON of an AccrualAnswer.

    The same key and body get the first answer byte for byte, for ever; another body raises KeyReused. Raises Gone for a
    customer who was erased, InvalidInput for an action the program does not reward, and NotFound for somebody without
    an account of whom `is_known` (asked only then) says that nobody has heard.
    """
    program, _ = program_store.load()
    rule = program.for_action(request.action) if request.action else None
    if (request.points is None) == (request.action is None):
        raise InvalidInput.of("points", "either points or an action")
    if request.action and rule is None:
        raise InvalidInput.of("action", "the program does not reward it")
    waits = day_of(program, request.pending_until).isoformat() if request.pending_until else ""

    def decide(account: Account, entries: Sequence[Entry]) -> Decision:  # noqa: ARG001
        if not account.version and is_known and not is_known(customer_id):
            raise NotFound("customer_id: nobody has heard of this customer")
        points, name = request.points or 0, rules.RULE_MANUAL
        if rule:
            points, name = (
                rules.under_caps(account, program, RulePoints(rule.name, rule.points), now).points,
                rule.name,
            )
        return rules.give(
            account, program, entry_id=f"key:{key}", points=points, reason=request.reason, rule=name,
            pending_until=waits, now=now,
        )  # fmt: skip

    command = Command(
        customer_id, f"key:{key}", fingerprint(request.model_dump_json()), decide,
        lambda decision: answers.accrual(decision, program, now).model_dump_json(),
    )  # fmt: skip
    answer = ledger.run(command, program, now=now, dry_run=dry_run)
    assert answer is not None, "giving points is never nothing"
    return answer


def reward_action(customer_id: str, *, action: str, points: int, reason: str, now: datetime) -> None:
    """Give points for something a customer did, once per customer and action, however often it is asked.

    No Idempotency-Key can be mistaken for an action. Raises Gone for a customer who was erased.
    """
    program, _ = program_store.load()

    def decide(account: Account, entries: Sequence[Entry]) -> Decision:  # noqa: ARG001
        entry_id = f"action:{action}"
        return rules.give(
            account, program, entry_id=entry_id, points=points, reason=reason, rule="action", now=now
        )

    # The action is the cause, so asking again is the same command whatever it is worth by now.
    ledger.run(
        Command(customer_id, f"action:{action}", fingerprint("action", action), decide), program, now=now
    )


def balance(customer_id: str, *, now: datetime, own: bool = False) -> BalanceAnswer:
    """What a person has at `now` under all their ids; a customer who never earned has nothing, which is not an error.

    Each id keeps its account, so that undoing a merge leaves each what it earned. Raises Moved for an id that was
    merged into another, unless it is a customer's `own` token. Two trips; half a read unit for each
    id's account and the program.
    """
    return reads.balance(*customers.asked_for(customer_id, own=own), now=now)


def entries(customer_id: str, query: EntriesQuery, *, own: bool = False, now: datetime) -> EntriesAnswer:
    """A page of a person's entries, newest first. Half a read unit for every 4 KB of all their entries."""
    customer_ids = customers.asked_for(customer_id, own=own)
    filter_name = f"entries:{customer_ids[0]}"
    before = tokens.position_of(filter_name, query.cursor, now=now)
    found = sorted(
        ((_place(each), each) for one in customer_ids for each in store.entries(one)),
        key=lambda pair: pair[0],
        reverse=True,
    )
    rest = [pair for pair in found if not before or pair[0] < before]
    shown = rest[: query.limit]
    cursor = tokens.cursor(filter_name, shown[-1][0], now=now) if len(rest) > query.limit else None
    return EntriesAnswer(data=[answers.entry(each) for _, each in shown], next_cursor=cursor)


def quote(request: QuoteRequest, *, now: datetime) -> QuoteAnswer:
    """What a cart would earn, and what it lacks for more. Three trips at most."""
    program, _ = program_store.load()
    percent = 100
    if request.customer_id and program.tiers:
        account = store.read_many([request.customer_id])[0]
        level = standing(program.tiers, account.tier)
        percent = level.earn_percent if level else percent
    kinds = ordering.categories_of([line.item_id for line in request.lines], program)
    lines = tuple(
        BasketLine(str(n), line.item_id, line.quantity, line.price, kinds.get(line.item_id, frozenset()))
        for n, line in enumerate(request.lines)
    )
    total = sum(line.value for line in lines) if request.total is None else request.total
    if request.currency != program.currency:
        raise InvalidInput.of("currency", f"the program knows {program.currency} only")
    basket = Basket(total, request.currency, lines, now)
    found = earned(program, basket, percent)
    return QuoteAnswer(
        points=sum(each.points for each in found),
        rules=answers.rules_of(found),
        next_steps=[StepAnswer(**vars(step)) for step in next_steps(program, basket, percent)],
    )


def program() -> ProgramAnswer:
    """The program in force."""
    known, text = program_store.load()
    return _program(known, text)


def replace_program(
    body: ProgramBody, *, if_match: str, said_by: str, dry_run: bool = False, now: datetime
) -> ProgramAnswer:
    """Put another program in force: what is accepted from now on earns by it, and refunds of earlier orders by theirs.

    The same program again changes nothing. Raises InvalidInput for one that contradicts itself, and StaleVersion.
    """
    check_program(body)
    text = body.model_dump_json()
    for _ in rounds():
        known, stored = program_store.load()
        if if_match and not etags.allows(if_match, str(known.version)):
            raise StaleVersion(f"it has version {known.version} now")
        if stored == text:
            return _program(known, stored)
        after = replace(mapping.to_program(known.version + 1, text))
        if dry_run:
            return _program(after, text)
        try:
            program_store.save(after, text, said_by=said_by, now=now)
        except program_store.ProgramMoved:
            continue
        return _program(after, text)
    raise Busy("others kept changing the program")


def erase(
    customer_ids: Sequence[str],
    anonymous_ids: Sequence[str],  # noqa: ARG001
    *,
    now: datetime,  # noqa: ARG001
    pseudonym: str,
) -> dict[str, int]:
    """Put the totals of these customers' accounts under `pseudonym` and take the rest away. Safe to repeat."""
    accounts = sum(_close(customer_id, pseudonym) for customer_id in customer_ids)
    entries = sum(map(store.forget_entries, customer_ids))
    offers = sum(map(offer_store.erase, customer_ids))
    referrals = sum(map(referral_store.erase, customer_ids))
    return {
        "ledger.accounts": accounts,
        "ledger.entries": entries,
        "ledger.offers": offers,
        "ledger.referrals": referrals,
    }


def _close(customer_id: str, pseudonym: str) -> int:
    for _ in rounds():
        try:
            return store.close(customer_id, pseudonym)
        except store.AccountMoved:
            continue
    raise Busy("others kept moving an account that is to be erased")


def _program(known: Program, text: str) -> ProgramAnswer:
    body = ProgramBody.model_validate_json(text or DEFAULT)
    return ProgramAnswer(version=known.version, program=body)


# What Program() says, in the words of the API.
DEFAULT = '{"currency": "JPY", "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}], "tiers": null}'


def _place(entry: Entry) -> str:
    # Entries of several ids in one order that no new one disturbs: by time, then by their place in their account.
    return f"{to_text(entry.at)}|{entry.customer_id}|{entry.number:012d}"
