"""How every command reaches the books: load, settle what time did, decide, commit; a lost race loads again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.loyalty import books, store
from chalicelib.loyalty.model import Account, Decision, Entry
from chalicelib.loyalty.program import Program
from chalicelib.privacy import reads as privacy
from chalicelib.shared.errors import Busy, Gone, KeyReused
from chalicelib.shared.rounds import rounds

Operations = list[dict[str, Any]]


def nothing_more(_: Decision) -> Operations:
    """A command that writes its entry and its account only."""
    return []


@dataclass(frozen=True)
class Command:
    """One thing to happen to one account, once: `entry_id` names its cause and `fingerprint` what exactly was asked.

    `decide` sees the settled account and, of the order named, every entry. `answer` is kept with the entry for ever.
    `more` are operations that stand or fall with it; when one is refused, everything is decided anew.
    """

    customer_id: str
    entry_id: str
    fingerprint: str
    decide: Callable[[Account, Sequence[Entry]], Decision | None]
    answer: Callable[[Decision], str] | None = None
    order_id: str = ""
    more: Callable[[Decision], Operations] = nothing_more


def run(command: Command, program: Program, *, now: datetime, dry_run: bool = False) -> str | None:
    """Do it once, or answer what it was answered before; None when nothing came of it, or there is no answer to keep.

    With `dry_run` nothing is written, and the answer is what would be. Raises KeyReused, Gone, Busy, and what `decide`
    raises. One trip to load (one more for an order), one to commit; each settlement that is due takes one more.
    """
    if privacy.is_erased(command.customer_id):
        raise Gone("this customer was erased")
    for _ in rounds():
        account, known = store.load(command.customer_id, command.entry_id)
        if command.entry_id in known:
            recorded = known[command.entry_id]
            if recorded.fingerprint != command.fingerprint:
                raise KeyReused
            return recorded.answer or None
        try:
            entries = _entries(command)
            account = (books.settled if dry_run else settle)(account, program, now)
            decision = command.decide(account, entries)
            if decision is None:
                return None
            answer = command.answer(decision) if command.answer else None
            if not dry_run:
                operations = store.committing(decision, fingerprint=command.fingerprint, answer=answer)
                store.commit(operations + command.more(decision))
        except store.AccountMoved:
            continue  # the next round reads the winner, which may be our own write whose reply was lost
        return answer
    raise Busy("other commands for this customer kept coming first")


def settle(account: Account, program: Program, now: datetime) -> Account:
    """Write down what time did to an account; raises AccountMoved. One trip and 4 write units for each settlement."""
    while due := books.settlement(account, program, now):
        store.commit(store.committing(due))
        account = due.account
    return account


def _entries(command: Command) -> list[Entry]:
    found = store.of_order(command.customer_id, command.order_id) if command.order_id else []
    return [each.entry for each in found]
