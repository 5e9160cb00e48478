"""Use cases of the ledger: load, decide, commit; a lost race or a lost reply is settled by loading again."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import datetime

from chalicelib.customers import reads as customers
from chalicelib.loyalty import rules, store
from chalicelib.loyalty.model import Account, Decision, Program
from chalicelib.loyalty.schemas import (
    AccrualAnswer,
    AccrualRequest,
    BalanceAnswer,
    ExpiringAnswer,
    ProgramBody,
    RulePointsAnswer,
)
from chalicelib.privacy import reads as privacy
from chalicelib.shared.errors import Busy, Gone, KeyReused
from chalicelib.shared.ids import fingerprint
from chalicelib.shared.logs import logger
from chalicelib.shared.rounds import rounds

Decide = Callable[[Account], Decision | None]


def give_points(customer_id: str, request: AccrualRequest, *, key: str, now: datetime) -> str:
    """Give points once per customer and Idempotency-Key; returns the JSON of an AccrualAnswer.

    The same key and body get the first answer byte for byte, for ever; another body raises KeyReused. Raises Gone for a
    customer who was erased.
    """
    if privacy.is_erased(customer_id):
        raise Gone("this customer was erased")
    program = store.load_program()

    def decide(account: Account) -> Decision:
        return rules.give(
            account, program, points=request.points, reason=request.reason, idempotency_key=key, now=now
        )

    answer = _apply(customer_id, f"key:{key}", fingerprint(request.model_dump_json()), decide)
    assert answer is not None, "giving points is never nothing"
    return answer


def reward_action(customer_id: str, *, action: str, points: int, reason: str, now: datetime) -> None:
    """Give points for something a customer did, once per customer and action, however often it is asked.

    Raises Gone for a customer who was erased.
    """
    if privacy.is_erased(customer_id):
        raise Gone("this customer was erased")
    program = store.load_program()

    def decide(account: Account) -> Decision:
        return rules.reward_action(account, program, action=action, points=points, reason=reason, now=now)

    # The action is the cause, so asking again is the same command whatever it is worth by now.
    _apply(customer_id, f"action:{action}", fingerprint("action", action), decide)


def earn_from_order(
    customer_id: str,
    *,
    order_id: str,
    amount: int,
    currency: str,
    placed_at: datetime,
    now: datetime,
    imported: bool = False,
) -> None:
    """Give what an order earns, once per order however often its fact is delivered."""
    if privacy.is_erased(customer_id):
        logger.info("dropped: the customer was erased", extra={"kind": "points"})
        return
    program = store.load_program()

    def decide(account: Account) -> Decision | None:
        return rules.earn_from_order(
            account,
            program,
            order_id=order_id,
            amount=amount,
            currency=currency,
            placed_at=placed_at,
            imported=imported,
            now=now,
        )

    # The order itself is the cause, so a redelivery is the same command whatever else it says.
    _apply(customer_id, f"order:{order_id}", fingerprint("order", order_id), decide)


def balance(customer_id: str, *, now: datetime, own: bool = False) -> BalanceAnswer:
    """What a person can use at `now` under all their ids; a customer who never earned has nothing, which is not an error.

    Each id keeps its account, so that undoing a merge leaves each what it earned. Raises Moved for an id that was
    merged into another, unless it is a customer's `own` token. Two trips, 1 read unit and 1 for each id.
    """
    accounts = store.read_many(customers.asked_for(customer_id, own=own))
    return _balance(rules.usable(rules.together(accounts), now))


def program() -> Program:
    """The program in force."""
    return store.load_program()


def replace_program(body: ProgramBody) -> Program:
    """Put another program in force for orders accepted from now on."""
    program = Program(body.currency, body.per_amount, body.points, body.expires_after_months)
    store.save_program(program)
    return program


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
    return {"ledger.accounts": accounts, "ledger.entries": entries}


def _close(customer_id: str, pseudonym: str) -> int:
    for _ in rounds():
        try:
            return store.close(customer_id, pseudonym)
        except store.AccountMoved:
            continue
    raise Busy("others kept moving an account that is to be erased")


def _apply(customer_id: str, entry_id: str, seen: str, decide: Decide) -> str | None:
    for _ in rounds():
        account, recorded = store.load(customer_id, entry_id)
        if recorded is not None:
            if recorded.fingerprint != seen:
                raise KeyReused
            return recorded.answer
        decision = decide(account)
        if decision is None:
            return None
        answer = _answer(decision).model_dump_json()
        try:
            store.commit(decision, fingerprint=seen, answer=answer)
        except store.AccountMoved:
            continue  # the next round reads the winner, which may be our own write whose reply was lost
        return answer
    raise Busy("other commands for this customer kept coming first")


def _answer(decision: Decision) -> AccrualAnswer:
    entry = decision.entry
    return AccrualAnswer(
        entry_id=entry.entry_id,
        points=entry.points,
        status="active",
        rules=[RulePointsAnswer(rule=each.rule, points=each.points) for each in entry.rules],
        balance=_balance(decision.account),
    )


def _balance(account: Account) -> BalanceAnswer:
    return BalanceAnswer(
        active_points=account.active_points,
        lifetime_points=account.lifetime_points,
        expiring=[
            ExpiringAnswer(points=points, on=_last_day(lot)) for lot, points in sorted(account.lots.items())
        ],
        version=account.version,
    )


def _last_day(lot: str) -> str:
    year, month = map(int, lot.split("-"))
    return f"{lot}-{monthrange(year, month)[1]:02d}"
