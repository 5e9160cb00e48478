"""The ledger table: `A#{customer_id}` holds one `ACCOUNT` and its entries `T#{entry_id}`; no index, no expiry.

`A#{pseudonym}`/`CLOSED` holds the totals of somebody who was erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.loyalty import mapping
from chalicelib.loyalty.mapping import ACCOUNT, ENTRY_PREFIX, pk_of
from chalicelib.loyalty.model import OWED, Account, Decision, Entry
from chalicelib.shared.dynamo import Item, TransactionRefused, table, transact
from chalicelib.shared.wanted import Wanted

EXPORT_MAX = 100_000  # entries of one customer
NEW = "attribute_not_exists(pk)"
AS_SEEN = "version = :seen"
CLOSED = "CLOSED"
ERASE_PAGE = 100


@dataclass(frozen=True)
class Recorded:
    """What an earlier command with the same entry id was, and what it was answered."""

    entry: Entry
    fingerprint: str
    answer: str


class AccountMoved(Exception):
    """Somebody else's entry, or our own whose reply was lost, came first: load again and see which."""


def load(customer_id: str, *entry_ids: str) -> tuple[Account, dict[str, Recorded]]:
    """The account, and those of the named entries that exist. One trip, 1 read unit each, consistent."""
    keys = [(pk_of(customer_id), ENTRY_PREFIX + each) for each in entry_ids]
    found = table("ledger").get_many([(pk_of(customer_id), ACCOUNT), *keys], consistent=True)
    account = mapping.to_account(customer_id, found.pop((pk_of(customer_id), ACCOUNT), None))
    return account, {sk.removeprefix(ENTRY_PREFIX): _recorded(item) for (_, sk), item in found.items()}


def of_order(customer_id: str, order_id: str) -> list[Recorded]:
    """Every entry of one order. One trip, consistent, 1 read unit per 4 KB.

    To be read after the account: then a commit on that account's version means that no entry came between.
    """
    first = f"{ENTRY_PREFIX}order:{order_id}"  # its own follow behind `#`, which sorts before whatever an id may hold
    found = table("ledger").query(
        pk_of(customer_id), prefix=first, before=f"{first}#\U0010ffff", limit=EXPORT_MAX, consistent=True
    )
    return [_recorded(item) for item in found]


def read_many(customer_ids: Sequence[str], *, consistent: bool = False) -> list[Account]:
    """The accounts of these ids. One trip, half a read unit each (1 consistent)."""
    found = table("ledger").get_many([(pk_of(each), ACCOUNT) for each in customer_ids], consistent=consistent)
    return [mapping.to_account(each, found.get((pk_of(each), ACCOUNT))) for each in customer_ids]


def wanted(customer_ids: Sequence[str]) -> Wanted[list[Account]]:
    """What `read_many` reads, for whoever wants more in the same trip; 1 read unit each."""
    places = [table("ledger").at(pk_of(each), ACCOUNT) for each in customer_ids]
    return Wanted(
        tuple(places),
        lambda found: [
            mapping.to_account(each, found.get(place))
            for each, place in zip(customer_ids, places, strict=True)
        ],
    )


def beside(customer_id: str, customer_ids: Sequence[str]) -> list[Account]:
    """A person's accounts under their other ids. One trip, none where there is no other id."""
    others = [each for each in customer_ids if each != customer_id]
    return read_many(others, consistent=True) if others else []


def entries(customer_id: str) -> list[Entry]:
    """All entries of a customer, latest last. One trip per MB; half a read unit per 4 KB."""
    found = table("ledger").query(pk_of(customer_id), prefix=ENTRY_PREFIX, limit=EXPORT_MAX)
    return sorted(map(mapping.to_entry, found), key=lambda each: each.number)


def page(after: tuple[str, str] | None, *, limit: int) -> tuple[list[Account], tuple[str, str] | None]:
    """The accounts among the next items of the whole table, and where to go on, None at the end. For the daily run.

    One trip; half a read unit for every 4 KB passed, entries included.
    """
    found, last = table("ledger").scan(sk=ACCOUNT, after=after, limit=limit)
    return [mapping.to_account(item["pk"].partition("#")[2], item) for item in found], last


def key_of(customer_id: str) -> tuple[str, str]:
    """Where an account lies."""
    return pk_of(customer_id), ACCOUNT


def having(entries: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those (customer id, entry id) that exist. One trip per 100, half a read unit each."""
    keys = {(pk_of(one), ENTRY_PREFIX + each): (one, each) for one, each in entries}
    return {keys[key] for key in table("ledger").get_many(keys)}


def committing(
    decision: Decision, *, fingerprint: str = "", answer: str | None = None
) -> list[dict[str, Any]]:
    """The entry and the account as two operations of a transaction. 4 write units while both are below 1 KB.

    The entry's key is the idempotency record: it holds the request's fingerprint and the answer, for ever.
    """
    ledger = table("ledger")
    entry = mapping.of_entry(decision.entry) | {"active": decision.account.active}
    entry |= {"fingerprint": fingerprint} if fingerprint else {}
    entry |= {"answer": mapping.packed(answer)} if answer is not None else {}
    seen = decision.account.version - 1
    # An account that was there and is gone was erased: it must not come back with the points it had.
    condition, values = (AS_SEEN, {":seen": seen}) if seen else (NEW, None)
    return [
        ledger.putting(entry, condition=NEW),
        ledger.putting(mapping.of_account(decision.account), condition=condition, values=values),
    ]


def unmoved(accounts: Sequence[Account]) -> list[dict[str, Any]]:
    """Operations that are refused when one of these accounts has moved since it was read. 2 write units each."""
    ledger = table("ledger")
    return [
        ledger.checking(pk_of(each.customer_id), ACCOUNT, condition=AS_SEEN, values={":seen": each.version})
        if each.version
        else ledger.checking(pk_of(each.customer_id), ACCOUNT, condition=NEW)
        for each in accounts
    ]


def commit(operations: Sequence[dict[str, Any]]) -> None:
    """All of them or none; raises AccountMoved. One trip."""
    try:
        transact(operations)
    except TransactionRefused as refused:
        raise AccountMoved from refused


def close(customer_id: str, pseudonym: str) -> int:
    """Add an account to the totals under a pseudonym and take it away; returns how many. Raises AccountMoved.

    Both or neither, so no point is lost or counted twice. Two trips; 4 write units.
    """
    ledger = table("ledger")
    account = read_many([customer_id], consistent=True)[0]
    if not account.version:
        return 0
    values = {
        ":active": account.active,
        ":pending": account.pending + account.held,
        ":owed": account.sums.get(OWED, 0),
        ":lifetime": account.lifetime,
        ":entries": account.version,
        ":one": 1,
    }
    add = "ADD active :active, pending :pending, owed :owed, lifetime :lifetime, entries :entries, accounts :one"
    commit(
        [
            ledger.updating(pk_of(pseudonym), CLOSED, add, values=values),
            ledger.deleting(
                pk_of(customer_id), ACCOUNT, condition=AS_SEEN, values={":seen": account.version}
            ),
        ]
    )
    return 1


def forget_entries(customer_id: str) -> int:
    """Take a customer's entries away; returns how many. Safe to break off and repeat."""
    forgotten = 0
    while found := table("ledger").query(
        pk_of(customer_id), prefix=ENTRY_PREFIX, limit=ERASE_PAGE, consistent=True
    ):
        table("ledger").delete_many((item["pk"], item["sk"]) for item in found)
        forgotten += len(found)
    return forgotten


def is_known(customer_id: str) -> bool:
    """Whether anything is stored of a customer. One trip, half a read unit."""
    return bool(table("ledger").query(pk_of(customer_id), limit=1))


def everything(customer_id: str) -> list[Item]:
    """A customer's account and entries as they are stored. One trip per MB; 1 read unit per 4 KB."""
    return table("ledger").query(pk_of(customer_id), limit=EXPORT_MAX, consistent=True)


def _recorded(item: Item) -> Recorded:
    answer = mapping.unpacked(item["answer"]) if "answer" in item else ""
    return Recorded(mapping.to_entry(item), item.get("fingerprint", ""), answer)
