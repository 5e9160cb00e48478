"""What other rooms may ask the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.loyalty import rules, store
from chalicelib.shared import clock
from chalicelib.shared.wanted import Wanted, alone


def active_points(*customer_ids: str) -> int:
    """Points a person can use now, under all the ids given. One trip, 1 read unit each."""
    return alone(points_wanted(customer_ids))


def points_wanted(customer_ids: Sequence[str]) -> Wanted[int]:
    """What `active_points` reads, for whoever wants more in the same trip."""
    now = clock.now()
    accounts = store.wanted(customer_ids)
    return Wanted(
        accounts.places,
        lambda found: sum(rules.usable(account, now).active_points for account in accounts.read(found)),
    )


def is_known(customer_id: str) -> bool:
    """Whether a customer has ever earned. One trip, 1 read unit."""
    return store.read(customer_id).version > 0


def export_of(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, Any]:  # noqa: ARG001
    """Every account of one person with its entries, as plain JSON. A trip for each id."""
    items = [item for customer_id in customer_ids for item in store.everything(customer_id)]
    accounts = [item for item in items if item["sk"] == store.ACCOUNT]
    return {
        "accounts": [{"customer_id": item["pk"].partition("#")[2], **_told(item)} for item in accounts],
        "entries": [_entry(item) for item in items if item["sk"].startswith(store.ENTRY_PREFIX)],
    }


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    return {"entry_id": item["sk"].removeprefix(store.ENTRY_PREFIX), **_told(item)}


def _told(item: dict[str, Any]) -> dict[str, Any]:
    # What an earlier request was answered says the same again.
    return {name: value for name, value in item.items() if name not in ("pk", "sk", "fingerprint", "answer")}
