"""Every decision about an erasure, pure: what is to be done next, and what its receipt says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.privacy.model import DONE, SWEEP_AFTER, Erasure, Export, Subject, Tombstone

FAMILY = "family"  # the first step of a sweep: find every id of the person

# What each store of the receipt holds, in the words of whoever asks what became of it.
NOTES = {
    "activity.timeline": "every touchpoint, with what remembered its message id",
    "engagement.gates": "consents at the mail gate",
    "engagement.messages": "what was sent or withheld",
    "engagement.planned": "mail that was planned",
    "ledger.accounts": "added to totals under a pseudonym: points are owed, whoever had them",
    "ledger.entries": "each movement of points",
    "ledger.offers": "what was offered to them alone",
    "ledger.referrals": "their code for friends, by which code they came, and how many they referred",
    "orders.orders": "kept for the books under a pseudonym, without address, parcels' numbers and history",
    "orders.shipment_events": "what carriers told of the parcels",
    "people.profiles": "name, address, traits and consents, and by what they were found",
    "people.links": "which devices were theirs",
    "people.merges": "which ids turned out to be one person",
    "people.desk": "notes, watchlist and projects",
    "people.feedback": "complaints and satisfaction",
    "questions.answers": "answers to questions",
    "questions.grants": "what the answers earned",
    "coupons.coupons": "coupons, used or not",
    "bucket.exports": "copies that were made for the person to take along",
}

# What is left of somebody, and why. Said in every receipt.
KEPT = {
    "people.tombstones": "a hash of each id, so that what arrives late is refused",
    "orders": "items, amounts and dates under a pseudonym: commercial and tax law want the books",
    "ledger": "one line of totals under the same pseudonym",
    "engagement.suppressions": "addresses that asked for no mail, as hashes: so that they get none",
    "queues": "facts on their way: dropped when they arrive; what could not be worked off is gone after 14 days",
    "logs": "ids of what was worked on, no names, addresses or contents; gone after 30 days",
    "backups": "tables can be restored to any second of 35 days; whoever restores one erases again who was erased since",
}


def sweep_of(erasure: Erasure, now: datetime) -> int | None:
    """Which sweep an erasure is at: 1, then 2 after a while; None while there is nothing to do."""
    if erasure.status == DONE:
        return None
    if erasure.swept_at is None:
        return 1
    return 2 if now - erasure.swept_at >= SWEEP_AFTER else None


def step_name(sweep: int, room: str) -> str:
    """How a step is remembered."""
    return f"{sweep}:{room}"


def family(erasure: Erasure, customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> Subject:
    """Everything the person is known by, with ids that were merged or linked while the erasure began."""
    subject = erasure.subject
    return replace(
        subject,
        customer_ids=tuple(dict.fromkeys([*subject.customer_ids, *customer_ids])),
        anonymous_ids=tuple(dict.fromkeys([*subject.anonymous_ids, *anonymous_ids])),
    )


def may_see(export: Export | None, customer_id: str | None) -> bool:
    """Whether an export is there for whoever asks: its customer, or the shop (None)."""
    return export is not None and customer_id in (None, export.customer_id)


def is_of(erasure_id: str, tombstone: Tombstone | None) -> bool:
    """Whether a tombstone belongs to an erasure."""
    return tombstone is not None and tombstone.erasure_id == erasure_id
