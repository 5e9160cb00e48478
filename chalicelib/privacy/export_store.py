"""Exports in the people table: `EXPORT#{export_id}`/`EXPORT`, and `C#{customer_id}`/`EXPORT#{export_id}` leading to it.

Both expire with the document they speak of.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.privacy.model import DONE, EXPORT_KEPT, Export
from chalicelib.shared.clock import epoch_seconds, from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, TransactionRefused, table, transact

EXPORT, POINTER_PREFIX = "EXPORT", "EXPORT#"
NEW = "attribute_not_exists(pk)"
OF_ONE_CUSTOMER_MAX = 1000


def add(export: Export) -> bool:
    """Remember what is to be made, unless it is remembered; whether it is new. One trip, 4 write units."""
    people = table("people")
    pk, sk = _key(export.export_id)
    ttl = epoch_seconds(export.requested_at + EXPORT_KEPT)
    item: Item = {
        "export_id": export.export_id,
        "customer_id": export.customer_id,
        "requested_at": to_text(export.requested_at),
        "ttl": ttl,
    }
    pointer: Item = {**item, "pk": f"C#{export.customer_id}", "sk": f"{POINTER_PREFIX}{export.export_id}"}
    try:
        transact(
            [
                people.putting({**item, "pk": pk, "sk": sk, "status": export.status}, condition=NEW),
                people.putting(pointer),
            ]
        )
    except TransactionRefused as refused:
        if "TransactionConflict" in refused.reasons:
            raise
        return False
    return True


def load(export_id: str, *, now: datetime) -> Export | None:
    """An export that has not expired. One trip, 1 read unit."""
    item = table("people").get(*_key(export_id), consistent=True)
    if item is None or item["ttl"] <= epoch_seconds(now):
        return None
    return Export(
        export_id=item["export_id"],
        customer_id=item["customer_id"],
        requested_at=from_text(item["requested_at"]),
        status=item["status"],
        finished_at=from_text(item["finished_at"]) if "finished_at" in item else None,
        address=item.get("address", ""),
    )


def finish(export_id: str, address: str, *, now: datetime) -> bool:
    """Say where the document is; False when the export is gone. One trip, 1 write unit."""
    try:
        table("people").update(
            *_key(export_id),
            "SET #status = :done, finished_at = :now, address = :address",
            names={"#status": "status"},
            values={":done": DONE, ":now": to_text(now), ":address": address},
            condition="attribute_exists(pk)",
        )
    except ConditionFailed:
        return False
    return True


def ids_of(customer_id: str) -> list[str]:
    """Every export of one customer. One trip, consistent."""
    found = table("people").query(
        f"C#{customer_id}", prefix=POINTER_PREFIX, limit=OF_ONE_CUSTOMER_MAX, consistent=True
    )
    return [item["export_id"] for item in found]


def forget(export_id: str) -> None:
    """Take an export away; what leads to it stays. One trip, 1 write unit."""
    table("people").delete(*_key(export_id))


def forget_pointer(customer_id: str, export_id: str) -> None:
    """Take away what leads to an export. One trip, 1 write unit."""
    table("people").delete(f"C#{customer_id}", f"{POINTER_PREFIX}{export_id}")


def _key(export_id: str) -> tuple[str, str]:
    return f"EXPORT#{export_id}", EXPORT
