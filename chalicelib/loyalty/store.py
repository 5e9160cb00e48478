"""The ledger table: `A#{customer_id}` holds one `ACCOUNT` and its entries `T#{entry_id}`; no index, no expiry.

`A#{pseudonym}`/`CLOSED` holds the totals of somebody who was erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.loyalty.model import Account, Decision, Entry, Program
from chalicelib.shared.clock import to_text
from chalicelib.shared.dynamo import Item, TransactionRefused, table, transact
from chalicelib.shared.wanted import Wanted, alone

ACCOUNT = "ACCOUNT"
ENTRY_PREFIX = "T#"
EXPORT_MAX = 100_000  # entries of one customer
PROGRAM_KEY = ("PROGRAM", "CURRENT")

NEW = "attribute_not_exists(pk)"
AS_SEEN = "version = :seen"
CLOSED = "CLOSED"
ERASE_PAGE = 100


@dataclass(frozen=True)
class Recorded:
    """What an earlier command with the same entry id was, and what it was answered."""

    fingerprint: str
    answer: str


class AccountMoved(Exception):
    """Somebody else's entry, or our own whose reply was lost, came first: load again and see which."""


def load(customer_id: str, entry_id: str) -> tuple[Account, Recorded | None]:
    """The account, and the earlier entry of this id if there is one. One trip, 2 read units, consistent."""
    keys = [(_pk(customer_id), ACCOUNT), (_pk(customer_id), ENTRY_PREFIX + entry_id)]
    found = table("ledger").get_many(keys, consistent=True)
    entry = found.get(keys[1])
    recorded = Recorded(entry["fingerprint"], entry["answer"]) if entry else None
    return _account(customer_id, found.get(keys[0])), recorded


def read(customer_id: str) -> Account:
    """The account alone, consistent so that a customer sees what was just earned. One trip, 1 read unit."""
    return _account(customer_id, table("ledger").get(_pk(customer_id), ACCOUNT, consistent=True))


def read_many(customer_ids: Sequence[str]) -> list[Account]:
    """The accounts of these ids, consistent. One trip, 1 read unit each."""
    return alone(wanted(customer_ids))


def wanted(customer_ids: Sequence[str]) -> Wanted[list[Account]]:
    """What `read_many` reads, for whoever wants more in the same trip."""
    places = [table("ledger").at(_pk(each), ACCOUNT) for each in customer_ids]
    return Wanted(
        tuple(places),
        lambda found: [
            _account(each, found.get(place)) for each, place in zip(customer_ids, places, strict=True)
        ],
    )


def commit(decision: Decision, *, fingerprint: str, answer: str) -> None:
    """Add the entry and move the account together, or neither; raises AccountMoved. One trip, 4 write units.

    The entry's key is the idempotency record: it holds the request's fingerprint and the answer, for ever.
    """
    ledger = table("ledger")
    entry = {**_entry_item(decision.entry), "fingerprint": fingerprint, "answer": answer}
    account = _account_item(decision.account)
    seen = decision.account.version - 1
    # An account that was there and is gone was erased: it must not come back with the points it had.
    condition, values = (AS_SEEN, {":seen": seen}) if seen else (NEW, None)
    try:
        transact(
            [
                ledger.putting(entry | {"active_after": decision.account.active_points}, condition=NEW),
                ledger.putting(account, condition=condition, values=values),
            ]
        )
    except TransactionRefused as refused:
        raise AccountMoved from refused


def close(customer_id: str, pseudonym: str) -> int:
    """Add an account to the totals under a pseudonym and take it away; returns how many. Raises AccountMoved.

    Both or neither, so no point is lost or counted twice. Two trips; 4 write units.
    """
    ledger = table("ledger")
    account = read(customer_id)
    if not account.version:
        return 0
    values = {
        ":active": account.active_points,
        ":lifetime": account.lifetime_points,
        ":entries": account.version,
        ":one": 1,
    }
    try:
        transact(
            [
                ledger.updating(
                    _pk(pseudonym),
                    CLOSED,
                    "ADD active :active, lifetime :lifetime, entries :entries, accounts :one",
                    values=values,
                ),
                ledger.deleting(
                    _pk(customer_id), ACCOUNT, condition=AS_SEEN, values={":seen": account.version}
                ),
            ]
        )
    except TransactionRefused as refused:
        raise AccountMoved from refused
    return 1


def forget_entries(customer_id: str) -> int:
    """Take a customer's entries away; returns how many. Safe to break off and repeat."""
    forgotten = 0
    while found := table("ledger").query(
        _pk(customer_id), prefix=ENTRY_PREFIX, limit=ERASE_PAGE, consistent=True
    ):
        table("ledger").delete_many((item["pk"], item["sk"]) for item in found)
        forgotten += len(found)
    return forgotten


def everything(customer_id: str) -> list[Item]:
    """A customer's account and entries as they are stored. One trip per MB; 1 read unit per 4 KB."""
    return table("ledger").query(_pk(customer_id), limit=EXPORT_MAX, consistent=True)


def load_program() -> Program:
    """The shop's program, or the default one. One trip, half a read unit."""
    item = table("settings").get(*PROGRAM_KEY)
    if item is None:
        return Program()
    return Program(item["currency"], item["per_amount"], item["points"], item["expires_after_months"])


def save_program(program: Program) -> None:
    """Replace the program; it counts for orders accepted from now on. One trip, 1 write unit."""
    pk, sk = PROGRAM_KEY
    item: Item = {
        "pk": pk,
        "sk": sk,
        "currency": program.currency,
        "per_amount": program.per_amount,
        "points": program.points,
        "expires_after_months": program.expires_after_months,
    }
    table("settings").put(item)


def _pk(customer_id: str) -> str:
    return f"A#{customer_id}"


def _account(customer_id: str, item: Item | None) -> Account:
    if item is None:
        return Account(customer_id)
    return Account(customer_id, item["version"], item["active"], item["lifetime"], item["lots"])


def _account_item(account: Account) -> Item:
    return {
        "pk": _pk(account.customer_id),
        "sk": ACCOUNT,
        "version": account.version,
        "active": account.active_points,
        "lifetime": account.lifetime_points,
        "lots": account.lots,
    }


def _entry_item(entry: Entry) -> dict[str, Any]:
    return {
        "pk": _pk(entry.customer_id),
        "sk": ENTRY_PREFIX + entry.entry_id,
        "customer_id": entry.customer_id,
        "points": entry.points,
        "rules": [{"rule": each.rule, "points": each.points} for each in entry.rules],
        "reason": entry.reason,
        "at": to_text(entry.at),
        "lot": entry.lot,
    }
