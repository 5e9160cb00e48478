"""The gate of each customer: the one item that says what may be sent to them.

`C#{customer_id}`/`GATE` holds consent for each channel's purpose, suppression, and the last few keys it let
through. Consent is written here in the transaction that writes the profile, so a withdrawal counts from its
commit on.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.messages.model import Gate, MessageClass
from chalicelib.shared.clock import to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, TransactionRefused, table, transact
from chalicelib.shared.errors import Busy
from chalicelib.shared.rounds import rounds

SK = "GATE"
EMAIL_MARKETING = "email_marketing"
PURPOSES = (EMAIL_MARKETING, "sms", "push")  # what the gate decides; other purposes live in the profile alone
SLOTS = (
    16  # keys remembered; a key always falls into the same slot, so the item stays below 1 KB without a read
)
ERASED = "erased"  # why nothing is let through for somebody who is being erased
MARK_LENGTH = 16  # of a key's hash: what is remembered of it

GROUP = "merges"  # of an id that was merged: by which merges, or into which id
NOT_SUPPRESSED = "attribute_not_exists(suppressed)"
CONSENTED = f"consent_{EMAIL_MARKETING} = :true"


Word = tuple[bool, datetime, str]  # granted or withdrawn, when, and from where


class Regrouped(Exception):
    """The customer's ids were merged or parted since the caller looked: find out who the person is and ask again."""


def consent_operation(
    customer_id: str,
    purpose: str,
    granted: bool,  # noqa: FBT001
    at: datetime,
    source: str = "",
    *,
    humble: bool = False,
) -> dict[str, Any]:
    """One operation of a transaction: consent was given or withdrawn at `at`. 2 write units within it.

    The latest `at` wins, and at one moment a withdrawal wins over a grant; a `humble` word never wins over a
    withdrawal from another source. One that does not win fails its condition, and with it the transaction (reason
    `ConditionalCheckFailed`, with the gate's item): commit again without it.
    """
    assert purpose in PURPOSES, "the gate decides about channels only"

    name = f"consent_{purpose}"
    not_newer = (
        f"{name}_at <= :at" if not granted else f"{name}_at < :at OR ({name}_at = :at AND {name} = :granted)"
    )
    values = {":granted": granted, ":at": to_text(at), ":source": source}
    if humble:
        not_newer = f"({not_newer}) AND ({name} = :true OR {name}_source = :source)"
        values[":true"] = True
    return table("engagement").updating(
        _pk(customer_id),
        SK,
        f"SET {name} = :granted, {name}_at = :at, {name}_source = :source",
        values=values,
        condition=f"attribute_not_exists({name}_at) OR {not_newer}",
    )


def withdraw(customer_id: str, purpose: str, *, source: str, now: datetime) -> bool:
    """Withdraw consent at the gate alone, from where the profile learns of it; whether that was news to it.

    It counts from its commit on, and over a grant whose sender's clock ran ahead too. `source` is how the
    customer said so, e.g. `one_click`. One trip, 1 write unit; doing it again changes nothing.
    """
    name = f"consent_{purpose}"
    at = to_text(now)
    for _ in rounds():
        try:
            table("engagement").update(
                _pk(customer_id),
                SK,
                f"SET {name} = :false, {name}_at = :at, {name}_source = :source",
                values={":false": False, ":true": True, ":at": at, ":source": source},
                # Who has left may leave anew: a grant from before this moment may still arrive, or count already
                # where it was given to another id of the same person.
                condition=f"attribute_not_exists({name}) OR {name}_at < :at"
                f" OR ({name} = :true AND {name}_at = :at)",
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

    Asking again with the same key is let through again while nothing else changed: whether it was already sent is
    the record's business, and a crash between the two must not lose a message. Raises Regrouped for an id that was
    merged: then all gates of the person are to be asked.
    """
    condition = f"{NOT_SUPPRESSED} AND attribute_not_exists({GROUP})"
    slot, values = _remembering(send_key, now)
    if message_class is MessageClass.PROMOTIONAL:
        condition = f"{CONSENTED} AND {condition}"
        values[":true"] = True
    try:
        table("engagement").update(_pk(customer_id), SK, slot, values=values, condition=condition)
    except ConditionFailed as failed:
        if failed.old is not None and GROUP in failed.old:
            raise Regrouped from failed
        return _gate(failed.old)
    return None


def admit_together(
    customer_ids: Sequence[str],
    group: str,
    send_key: str,
    message_class: MessageClass,
    *,
    agrees: Callable[[Mapping[str, Item]], bool],
    now: datetime,
) -> Gate | None:
    """`admit` for a person of several ids, the surviving one first; the others' gates must stay as they were read.

    `agrees` says of the gates by id whether together they allow promotional mail; `group` is what the surviving id's
    gate must show of its merges, else Regrouped is raised. Two trips; 1 read unit a gate, and 2 write units a gate.
    """
    engagement = table("engagement")
    for _ in rounds():
        found = engagement.get_many([(_pk(each), SK) for each in customer_ids], consistent=True)
        gates = {each: found.get((_pk(each), SK), {}) for each in customer_ids}
        head = customer_ids[0]
        if gates[head].get(GROUP, "") != group:
            raise Regrouped
        suppressed = next((gate["suppressed"] for gate in gates.values() if "suppressed" in gate), "")
        allowed = message_class is MessageClass.TRANSACTIONAL or agrees(gates)
        if suppressed or not allowed:
            return Gate(allowed, str(suppressed))
        slot, values = _remembering(send_key, now)
        unchanged, seen = _as_seen(gates[head])
        operations = [
            engagement.updating(
                _pk(head),
                SK,
                slot,
                values=values | seen | {":group": group},
                condition=f"{unchanged} AND {GROUP} = :group",
            )
        ]
        for each in customer_ids[1:]:
            unchanged, seen = _as_seen(gates[each])
            operations.append(engagement.checking(_pk(each), SK, condition=unchanged, values=seen))
        try:
            transact(operations)
        except TransactionRefused:
            continue
        return None
    raise Busy("consent kept changing at the same time")


def grouping(customer_id: str, group: str) -> dict[str, Any]:
    """One operation of a transaction: this id was merged with others, or parted from them. 2 write units within it.

    `group` is empty for an id that stands alone again.
    """
    engagement = table("engagement")
    if not group:
        return engagement.updating(_pk(customer_id), SK, f"REMOVE {GROUP}")
    return engagement.updating(_pk(customer_id), SK, f"SET {GROUP} = :group", values={":group": group})


def parting(
    customer_id: str, group: str, seen: Mapping[str, Word], withdrawn: Mapping[str, Word]
) -> dict[str, Any]:
    """One operation of a transaction: this id was parted from others, and is left with what they withdrew together.

    It fails its condition where consents are not as `seen`, each purpose's word. 2 write units within the transaction.
    """
    condition, values = _as_heard(seen)
    sets = []
    for purpose, (granted, at, source) in withdrawn.items():
        name = f"consent_{purpose}"
        sets += [
            f"{name} = :new_{name}",
            f"{name}_at = :new_{name}_at",
            f"{name}_source = :new_{name}_source",
        ]
        values |= {
            f":new_{name}": granted,
            f":new_{name}_at": to_text(at),
            f":new_{name}_source": source,
        }
    sets += [f"{GROUP} = :group"] if group else []
    values |= {":group": group} if group else {}
    change = [f"SET {', '.join(sets)}"] * bool(sets) + [f"REMOVE {GROUP}"] * (not group)
    return table("engagement").updating(
        _pk(customer_id), SK, " ".join(change), values=values, condition=condition
    )


def standing(customer_id: str, seen: Mapping[str, Word]) -> dict[str, Any]:
    """One operation of a transaction: it fails where consents are not as `seen`. 2 write units within it."""
    condition, values = _as_heard(seen)
    return table("engagement").checking(_pk(customer_id), SK, condition=condition, values=values)


def suppress(customer_id: str, reason: str) -> None:
    """Stop every message to a customer, transactional ones too, e.g. `bounce`. One trip, 1 write unit."""
    table("engagement").update(_pk(customer_id), SK, "SET suppressed = :reason", values={":reason": reason})


def closing(customer_id: str) -> dict[str, Any]:
    """One operation of a transaction: nothing is let through any more, because the customer is being erased."""
    return table("engagement").updating(
        _pk(customer_id), SK, "SET suppressed = :erased", values={":erased": ERASED}
    )


def erase(customer_id: str, *, final: bool) -> int:
    """Forget all but that the gate is closed, and in the end that too; returns how many are gone. Two trips.

    It stays closed until whoever had asked who the customer is before has asked the gate as well.
    """
    engagement = table("engagement")
    if engagement.get(_pk(customer_id), SK, consistent=True) is None:
        return 0
    if final:
        engagement.delete(_pk(customer_id), SK)
        return 1
    with contextlib.suppress(ConditionFailed):  # another run of the same erasure has come to its end
        engagement.put(
            {"pk": _pk(customer_id), "sk": SK, "suppressed": ERASED}, condition="attribute_exists(pk)"
        )
    return 0  # it is counted when it is gone


def read(customer_id: str) -> Gate:
    """The gate as it stands. One trip, 1 read unit."""
    return _gate(table("engagement").get(_pk(customer_id), SK, consistent=True))


def everything(customer_id: str) -> Item:
    """The gate as it is stored, empty when there is none. One trip, 1 read unit."""
    item = table("engagement").get(_pk(customer_id), SK, consistent=True) or {}
    return {name: value for name, value in item.items() if name not in ("pk", "sk")}


def _remembering(send_key: str, now: datetime) -> tuple[str, dict[str, Any]]:
    mark = hashlib.sha256(send_key.encode()).hexdigest()[:MARK_LENGTH]
    change = f"SET slot_{int(mark, 16) % SLOTS} = :mark, admitted_at = :now"
    return change, {":mark": mark, ":now": to_text(now)}


def _as_seen(gate: Item) -> tuple[str, dict[str, Any]]:
    name = f"consent_{EMAIL_MARKETING}"
    if name not in gate:
        return f"{NOT_SUPPRESSED} AND attribute_not_exists({name})", {}
    return (
        f"{NOT_SUPPRESSED} AND {name} = :granted AND {name}_at = :granted_at",
        {":granted": gate[name], ":granted_at": gate[f"{name}_at"]},
    )


def _as_heard(seen: Mapping[str, Word]) -> tuple[str, dict[str, Any]]:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    for purpose in PURPOSES:
        name = f"consent_{purpose}"
        if purpose not in seen:
            conditions.append(f"attribute_not_exists({name}_at)")
            continue
        granted, at, _ = seen[purpose]
        conditions.append(f"{name} = :{name} AND {name}_at = :{name}_at")
        values |= {f":{name}": granted, f":{name}_at": to_text(at)}
    return " AND ".join(conditions), values


def _pk(customer_id: str) -> str:
    return f"C#{customer_id}"


def _gate(item: Item | None) -> Gate:
    if item is None:
        return Gate()
    return Gate(bool(item.get(f"consent_{EMAIL_MARKETING}", False)), str(item.get("suppressed", "")))
