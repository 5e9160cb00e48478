"""The activity table: `C#{customer_id}` or `A#{anonymous_id}` holds entries `E#{at}#{entry_id}`; `MSG#…` dedupes.

`H#{customer_id}` holds what browsers say of a customer: a flood of it must not push out what is true.

A message is claimed first, and its claim says at which key its entry goes; then the entry is put there unless it is
there. Whoever finds the claim taken finishes the pair. Two writes, no transaction, and never two entries.
A claim is found by its entry's id and names nobody: whose the entry is stands there as a hash only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from chalicelib.activity.model import KEPT, REMEMBERED, Draft, Entry, Timeline, TimelineKind
from chalicelib.activity.rules import same_of_customer
from chalicelib.shared import ids
from chalicelib.shared.clock import epoch_seconds, from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, table

ENTRY_PREFIX = "E#"
PREFIXES: dict[TimelineKind, str] = {"customer": "C", "claimed": "H", "anonymous": "A"}
KINDS_OF = {prefix: kind for kind, prefix in PREFIXES.items()}
NEW = "attribute_not_exists(pk)"
THREADS_MAX = 10
IMPORT_CHUNK = 100  # items a thread writes at a time
EXPIRED_PAGES_MAX = 10
WHOSE_LENGTH = 16  # of the hash that tells one timeline from another
ERASE_PAGE = 100
EXPORT_MAX = 100_000  # entries of one timeline; far beyond what 400 days hold

_A = TypeVar("_A")
_B = TypeVar("_B")


@dataclass(frozen=True)
class Claim:
    """Where a message's entry goes, decided by whoever came first.

    `closed`: the entry may have expired by now, so nobody may put it there again. `elsewhere`: the first telling put
    it into another timeline, whose key nobody here needs to know.
    """

    pk: str
    sk: str
    is_new: bool
    closed: bool = False
    elsewhere: bool = False

    @property
    def at(self) -> datetime:
        """The entry's time: the first telling's, whatever a later one says."""
        return from_text(self.sk.removeprefix(ENTRY_PREFIX).partition("#")[0])


@dataclass(frozen=True)
class Row:
    """An entry and its sort key, by which timelines are merged and continued."""

    sk: str
    entry: Entry


@dataclass(frozen=True)
class Page:
    """Rows newest first. `more_before` is the sort key from which the timeline goes on, empty at its end."""

    rows: list[Row]
    more_before: str


def claim(draft: Draft, *, now: datetime) -> Claim:
    """Be the first to tell of a message, or learn where the first one put it. One trip, 1 write unit."""
    entry = draft.entry
    pk, sk = partition_of(entry.who), f"{ENTRY_PREFIX}{to_text(entry.at)}#{entry.entry_id}"
    try:
        table("activity").put(_claim_item(entry.entry_id, pk, sk, now), condition=NEW)
    except ConditionFailed as failed:
        return _earlier_claim(failed.old, pk, now)
    return Claim(pk, sk, is_new=True)


def is_stored(claim: Claim) -> bool:
    """Whether the claimed entry is there. One trip, 1 read unit."""
    return table("activity").get(claim.pk, claim.sk, consistent=True) is not None


def put(entry: Entry, claim: Claim, *, now: datetime) -> bool:
    """Put the entry where its message's claim says; False when it is there. One trip, 1 write unit per KB."""
    item = _item(entry, claim.pk, claim.sk) | {"ttl": epoch_seconds(now + KEPT)}
    try:
        table("activity").put(item, condition=NEW)
    except ConditionFailed:
        return False
    return True


def newest(
    who: Sequence[Timeline], *, now: datetime, limit: int, before: str = "", consistent: bool = True
) -> list[Page]:
    """For each timeline its newest entries before a sort key; `limit` is for each.

    One trip for all of them at once; 1 read unit per 4 KB, half of it when not consistent.
    """

    def query(each: Timeline) -> Page:
        found = table("activity").query(
            partition_of(each),
            prefix=ENTRY_PREFIX,
            before=before,
            newest_first=True,
            limit=limit,
            consistent=consistent,
        )
        rows = [Row(item["sk"], entry_of(item)) for item in found if not _is_expired(item, now)]
        return Page(rows, found[-1]["sk"] if len(found) == limit else "")

    return together(query, who)


def without_retold(rows: list[Row]) -> list[Row]:
    """Without the guests' orders that are told of as a customer's as well. One trip if there are any, else none."""
    keys = {row.sk: _claim_key(entry_id) for row in rows if (entry_id := same_of_customer(row.entry))}
    if not keys:
        return rows
    retold = table("activity").get_many(keys.values(), consistent=True)
    return [row for row in rows if keys.get(row.sk) not in retold]


def oldest(who: Timeline, *, now: datetime) -> Entry | None:
    """The first entry of a timeline that is still kept. One trip, 1 read unit; more only among expired ones."""
    after = ""
    for _ in range(EXPIRED_PAGES_MAX):
        limit = IMPORT_CHUNK if after else 1
        found = table("activity").query(
            partition_of(who), prefix=ENTRY_PREFIX, after=after, limit=limit, consistent=True
        )
        for item in found:
            if not _is_expired(item, now):
                return entry_of(item)
        if not found:
            break
        after = found[-1]["sk"]
    return None


def import_entries(drafts: Iterable[Draft], *, now: datetime) -> int:
    """Write entries of the past with their claims, blindly; returns how many are young enough to be kept.

    Keys follow from the drafts alone, so it may be repeated. One trip per 25 items, several at once.
    """
    items: dict[tuple[str, str], Item] = {}
    kept = 0
    for draft in drafts:
        if draft.entry.at + KEPT > now:
            kept += 1
            for item in _imported(draft):
                items[item["pk"], item["sk"]] = item
    chunks = [
        list(items.values())[start : start + IMPORT_CHUNK] for start in range(0, len(items), IMPORT_CHUNK)
    ]
    together(table("activity").put_many, chunks)
    return kept


def erase(who: Timeline) -> int:
    """Take a timeline away with what remembers its messages; returns how many entries. Safe to break off and repeat.

    Three trips per 25 entries; 1 write unit per KB of each and 1 for its claim.
    """
    erased = 0
    while found := table("activity").query(
        partition_of(who), prefix=ENTRY_PREFIX, limit=ERASE_PAGE, consistent=True
    ):
        # The claims first: they are found through their entries.
        table("activity").delete_many(_claim_key(item["sk"].rpartition("#")[2]) for item in found)
        table("activity").delete_many((item["pk"], item["sk"]) for item in found)
        erased += len(found)
    return erased


def everything(who: Timeline, *, now: datetime) -> list[Item]:
    """A whole timeline as it is stored, oldest first. One trip per MB; 1 read unit per 4 KB."""
    found = table("activity").query(partition_of(who), prefix=ENTRY_PREFIX, limit=EXPORT_MAX, consistent=True)
    return [item for item in found if not _is_expired(item, now)]


def together(function: Callable[[_A], _B], arguments: Sequence[_A]) -> list[_B]:
    """`function` of each argument, in order, several at a time; for calls that mostly wait for the store."""
    if len(arguments) <= 1:
        return [function(argument) for argument in arguments]
    from concurrent.futures import ThreadPoolExecutor  # a single event, the usual case, needs no threads

    with ThreadPoolExecutor(min(THREADS_MAX, len(arguments))) as threads:
        return list(threads.map(function, arguments))


def partition_of(who: Timeline) -> str:
    """The partition key of somebody's timeline."""
    kind, identifier = who
    return f"{PREFIXES[kind]}#{identifier}"


def entry_of(item: Item) -> Entry:
    """An entry as it is stored."""
    prefix, _, identifier = item["pk"].partition("#")
    return Entry(
        entry_id=item["sk"].rpartition("#")[2],
        who=(KINDS_OF[prefix], identifier),
        kind=item["kind"],
        event=item["event"],
        channel=item["channel"],
        at=from_text(item["at"]),
        trusted=item["trusted"],
        customer_id=item.get("customer_id"),
        anonymous_id=item.get("anonymous_id"),
        item_ids=tuple(item.get("item_ids", ())),
        order_id=item.get("order_id"),
        details=json.loads(item.get("details", "{}")),
        imported=item.get("imported", False),
        internal=item.get("internal", False),
        hops=item.get("hops", 0),
    )


def _earlier_claim(item: Item | None, pk: str, now: datetime) -> Claim:
    assert item is not None, "the store returns what stands in the way"
    kept_until = item["ttl"] - int((REMEMBERED - KEPT).total_seconds())
    return Claim(
        pk,
        item["entry_sk"],
        is_new=False,
        closed=kept_until <= epoch_seconds(now),
        elsewhere=item["whose"] != _whose(pk),
    )


def _imported(draft: Draft) -> list[Item]:
    entry = draft.entry
    pk, sk = partition_of(entry.who), f"{ENTRY_PREFIX}{to_text(entry.at)}#{entry.entry_id}"
    return [
        _claim_item(entry.entry_id, pk, sk, entry.at),
        _item(replace(entry, imported=True), pk, sk) | {"ttl": epoch_seconds(entry.at + KEPT)},
    ]


def _claim_item(entry_id: str, pk: str, sk: str, since: datetime) -> Item:
    claim_pk, claim_sk = _claim_key(entry_id)
    return {
        "pk": claim_pk,
        "sk": claim_sk,
        "whose": _whose(pk),
        "entry_sk": sk,
        "ttl": epoch_seconds(since + REMEMBERED),
    }


def _claim_key(entry_id: str) -> tuple[str, str]:
    # The id is a hash of the message's scope and id, so it is the message's name as well.
    return f"MSG#{entry_id}", "MSG"


def _whose(pk: str) -> str:
    return ids.fingerprint(pk)[:WHOSE_LENGTH]


def _item(entry: Entry, pk: str, sk: str) -> Item:
    item: dict[str, Any] = {
        "pk": pk,
        "sk": sk,
        "kind": entry.kind,
        "event": entry.event,
        "channel": entry.channel,
        "at": to_text(entry.at),
        "trusted": entry.trusted,
    }
    optional = {
        "customer_id": entry.customer_id,
        "anonymous_id": entry.anonymous_id,
        "item_ids": list(entry.item_ids),
        "order_id": entry.order_id,
        # One text: the properties may hold fractions, which the store does not take.
        "details": json.dumps(entry.details, ensure_ascii=False, separators=(",", ":"))
        if entry.details
        else "",
        "imported": entry.imported,
        "internal": entry.internal,
        "hops": entry.hops,
    }
    return item | {name: value for name, value in optional.items() if value}


def _is_expired(item: Item, now: datetime) -> bool:
    return bool(item["ttl"] <= epoch_seconds(now))  # the store deletes it within days, not at the hour
