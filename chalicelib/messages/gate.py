"""The gate of each customer: the one item that says what may be sent to them.

`C#{customer_id}`/`GATE` holds consent for each channel's purpose, suppression, and the last few keys it let
through. Consent is written here in the transaction that writes the profile, so a withdrawal counts from its
commit on.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from chalicelib.messages.model import Gate, MessageClass
from chalicelib.shared.clock import to_text
from chalicelib.shared.dynamo import TRIES_MAX, ConditionFailed, Item, table
from chalicelib.shared.errors import Busy

SK = "GATE"
EMAIL_MARKETING = "email_marketing"
PURPOSES = (EMAIL_MARKETING, "sms", "push")  # what the gate decides; other purposes live in the profile alone
SLOTS = (
    16  # keys remembered; a key always falls into the same slot, so the item stays below 1 KB without a read
)
MARK_LENGTH = 16  # of a key's hash: what is remembered of it

NOT_SUPPRESSED = "attribute_not_exists(suppressed)"
CONSENTED = f"consent_{EMAIL_MARKETING} = :true"


def consent_operation(
    customer_id: str,
    purpose: str,
    granted: bool,  # noqa: FBT001
    at: datetime,
) -> dict[str, Any]:
    """One operation of a transaction: consent was given or withdrawn at `at`. 2 write units within it.

    The latest `at` wins, and at one moment a withdrawal wins over a grant. An older one fails its condition,
    and with it the transaction (reason `ConditionalCheckFailed`, with the gate's item): commit again without
    it.
    """
    assert purpose in PURPOSES, "the gate decides about channels only"

    name = f"consent_{purpose}"
    not_newer = (
        f"{name}_at <= :at" if not granted else f"{name}_at < :at OR ({name}_at = :at AND {name} = :granted)"
    )
    return table("engagement").updating(
        _pk(customer_id),
        SK,
        f"SET {name} = :granted, {name}_at = :at REMOVE {name}_source",
        values={":granted": granted, ":at": to_text(at)},
        condition=f"attribute_not_exists({name}_at) OR {not_newer}",
    )


def withdraw(customer_id: str, purpose: str, *, source: str, now: datetime) -> bool:
    """Withdraw consent at the gate alone, from where the profile learns of it; whether it was still given.

    It counts from its commit on, and over a grant whose sender's clock ran ahead too. `source` is how the
    customer said so, e.g. `one_click`. One trip, 1 write unit; doing it again changes nothing.
    """
    name = f"consent_{purpose}"
    at = to_text(now)
    for _ in range(TRIES_MAX):
        try:
            table("engagement").update(
                _pk(customer_id),
                SK,
                f"SET {name} = :false, {name}_at = :at, {name}_source = :source",
                values={":false": False, ":true": True, ":at": at, ":source": source},
                condition=f"attribute_not_exists({name}) OR ({name} = :true AND {name}_at <= :at)",
            )
        except ConditionFailed as failed:
            if failed.old is None or not failed.old[name]:
                return False
            at = failed.old[f"{name}_at"]
            continue
        return True
    raise Busy("consent kept being given again at the same time")


def admit(customer_id: str, send_key: str, message_class: MessageClass, *, now: datetime) -> Gate | None:
    """Let one message through and remember its key, or return the gate that refused. One trip, 1 write unit.

    Asking again with the same key is let through again while nothing else changed: whether it was already
    sent is the record's business, and a crash between the two must not lose a message.
    """
    condition = NOT_SUPPRESSED
    mark = hashlib.sha256(send_key.encode()).hexdigest()[:MARK_LENGTH]
    values: dict[str, Any] = {":mark": mark, ":now": to_text(now)}
    if message_class is MessageClass.PROMOTIONAL:
        condition = f"{CONSENTED} AND {NOT_SUPPRESSED}"
        values[":true"] = True
    try:
        table("engagement").update(
            _pk(customer_id),
            SK,
            f"SET slot_{int(mark, 16) % SLOTS} = :mark, admitted_at = :now",
            values=values,
            condition=condition,
        )
    except ConditionFailed as failed:
        return _gate(failed.old)
    return None


def suppress(customer_id: str, reason: str) -> None:
    """Stop every message to a customer, transactional ones too, e.g. `bounce`. One trip, 1 write unit."""
    table("engagement").update(_pk(customer_id), SK, "SET suppressed = :reason", values={":reason": reason})


def read(customer_id: str) -> Gate:
    """The gate as it stands. One trip, 1 read unit."""
    return _gate(table("engagement").get(_pk(customer_id), SK, consistent=True))


def _pk(customer_id: str) -> str:
    return f"C#{customer_id}"


def _gate(item: Item | None) -> Gate:
    if item is None:
        return Gate()
    return Gate(bool(item.get(f"consent_{EMAIL_MARKETING}", False)), str(item.get("suppressed", "")))
