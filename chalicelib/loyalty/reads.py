"""What other rooms may ask the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.loyalty import answers, mapping, offer_store, program_store, referral_store, store
from chalicelib.loyalty.model import Account
from chalicelib.loyalty.program import Program
from chalicelib.loyalty.schemas import BalanceAnswer
from chalicelib.shared import clock
from chalicelib.shared.wanted import Wanted, alone


def balance(*customer_ids: str, now: datetime | None = None) -> BalanceAnswer:
    """What a person has under all the ids given, the surviving one first; as of this second unless `now` says else.

    One trip, half a read unit for each id and the program.
    """
    books = alone(books_wanted(customer_ids), consistent=False)
    return books.balance(customer_ids, now=now or clock.now())


def active_points(*customer_ids: str) -> int:
    """Points a person can use now, under all the ids given. Costs what `balance` does."""
    return balance(*customer_ids).active_points


@dataclass(frozen=True)
class Books:
    """The accounts of some ids, and the program they are read by."""

    accounts: Mapping[str, Account]
    program: Program

    def balance(self, customer_ids: Sequence[str], *, now: datetime) -> BalanceAnswer:
        """What a person has under these ids, the surviving one first."""
        return answers.balance([self.accounts[each] for each in customer_ids], self.program, now)


def books_wanted(customer_ids: Sequence[str]) -> Wanted[Books]:
    """What `balance` reads, for whoever wants more in the same trip."""
    accounts, program = store.wanted(customer_ids), program_store.wanted()
    return Wanted(
        (*accounts.places, program.places[0]),
        lambda found: Books(dict(zip(customer_ids, accounts.read(found), strict=True)), program.read(found)),
    )


def is_known(customer_id: str) -> bool:
    """Whether anything is kept of a customer: points, an offer, a code for friends. One trip, half a read unit."""
    return store.is_known(customer_id)


def export_of(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, Any]:  # noqa: ARG001
    """Every account of one person with its entries, as plain JSON. A trip for each id."""
    items = [item for customer_id in customer_ids for item in store.everything(customer_id)]
    accounts = [item for item in items if item["sk"] == mapping.ACCOUNT]
    return {
        "accounts": [{"customer_id": item["pk"].partition("#")[2], **_told(item)} for item in accounts],
        "offers": _kept(items, offer_store.KINDS),
        "referrals": _kept(items, referral_store.KINDS),
        "entries": [_entry(item) for item in items if item["sk"].startswith(mapping.ENTRY_PREFIX)],
    }


def _kept(items: Sequence[dict[str, Any]], kinds: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"kind": item["sk"].lower(), "customer_id": item["pk"].partition("#")[2], **_told(item)}
        for item in items
        if item["sk"] in kinds
    ]


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    return {"entry_id": item["sk"].removeprefix(mapping.ENTRY_PREFIX), **_told(item)}


def _told(item: dict[str, Any]) -> dict[str, Any]:
    # What an earlier request was answered says the same again.
    return {name: value for name, value in item.items() if name not in ("pk", "sk", "fingerprint", "answer")}
