"""Messages in the engagement table: `C#{customer_id}`/`SEND#{send_key}` claims and records each one.

`ADDR#{sha256 of the address}`/`SUPPRESSED` stops an address, whoever has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.messages.model import EMAIL, MessageClass, Send, Status
from chalicelib.messages.rules import KEPT, normalised
from chalicelib.shared.clock import epoch_seconds, from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, table

SEND_PREFIX = "SEND#"
SUPPRESSED_SK = "SUPPRESSED"
NEW = "attribute_not_exists(pk)"

ERASE_PAGE = 100
MESSAGES_READ_MAX = 2000  # of one customer in KEPT; more than one a day for five years


def claim(send: Send) -> Send | None:
    """Write the record of a message if there is none; returns the one that stood in the way.

    One trip, 1 write unit.

    A record that was deferred is claimed again, since its message was certainly not sent.
    """
    try:
        table("engagement").put(
            _item(send),
            condition=f"{NEW} OR outcome = :deferred",
            values={":deferred": Status.DEFERRED.value},
        )
    except ConditionFailed as failed:
        stored = _in_the_way(failed)
        # The SDK may have sent ours twice, having lost the first reply; claim ids are never used twice.
        return None if stored.claim_id == send.claim_id else stored
    return None


def settle(send: Send, status: Status, *, reason: str = "", provider_id: str = "") -> Send:
    """Say what became of a message that `send` had claimed; returns the record that stands.

    Who claimed it knows better than who merely gave it up for `unknown`. One trip, 1 write unit.
    """
    settled = replace(send, status=status, reason=reason or send.reason, provider_id=provider_id)
    try:
        table("engagement").put(
            _item(settled),
            condition="claim_id = :mine AND outcome IN (:claimed, :unknown)",
            values={
                ":mine": send.claim_id,
                ":claimed": Status.CLAIMED.value,
                ":unknown": Status.UNKNOWN.value,
            },
        )
    except ConditionFailed as failed:
        if failed.old is None:
            return settled  # the customer was erased meanwhile, and nothing of this is kept
        return _in_the_way(failed)
    return settled


def was_sent(customer_ids: Sequence[str], send_key: str, *, now: datetime) -> bool:
    """Whether one of these ids has been sent a message, or may have been. One trip, 1 read unit each."""
    keys = [(_pk(each), f"{SEND_PREFIX}{send_key}") for each in customer_ids]
    found = table("engagement").get_many(keys, consistent=True).values()
    kept = [_send(item) for item in found if item["ttl"] > epoch_seconds(now)]
    return any(send.status in (Status.SENT, Status.CLAIMED, Status.UNKNOWN) for send in kept)


def page(customer_id: str, *, now: datetime) -> list[Send]:
    """Every message of a customer that is still kept, newest first.

    One trip per MB, half a read unit per 4 KB.
    """
    found = table("engagement").query(_pk(customer_id), prefix=SEND_PREFIX, limit=MESSAGES_READ_MAX)
    sends = [_send(item) for item in found if item["ttl"] > epoch_seconds(now)]
    return sorted(sends, key=position, reverse=True)


def everything(customer_id: str, *, now: datetime) -> list[Item]:
    """The records of a customer's messages as they are stored. One trip per MB."""
    found = table("engagement").query(_pk(customer_id), prefix=SEND_PREFIX, limit=MESSAGES_READ_MAX)
    return [_without_keys(item) for item in found if item["ttl"] > epoch_seconds(now)]


def erase(customer_id: str) -> int:
    """Take away the records of a customer's messages; returns how many. Safe to break off and repeat."""
    erased = 0
    while found := table("engagement").query(
        _pk(customer_id), prefix=SEND_PREFIX, limit=ERASE_PAGE, consistent=True
    ):
        table("engagement").delete_many((item["pk"], item["sk"]) for item in found)
        erased += len(found)
    return erased


def position(send: Send) -> str:
    """A message's place in the list of its customer."""
    return f"{to_text(send.at)}#{send.send_key}"


def suppress(address: str, reason: str, *, now: datetime) -> None:
    """Stop every mail to an address. One trip, 1 write unit."""
    table("engagement").put(
        {"pk": _address_pk(address), "sk": SUPPRESSED_SK, "reason": reason, "at": to_text(now)}
    )


def is_suppressed(address: str) -> bool:
    """Whether an address is stopped. One trip, 1 read unit."""
    return table("engagement").get(_address_pk(address), SUPPRESSED_SK, consistent=True) is not None


def just_sent(old: Item | None, new: Item | None) -> Send | None:
    """The message that a change of this table has just sent, if that is what it did."""
    if new is None or not new["sk"].startswith(SEND_PREFIX) or new["outcome"] != Status.SENT:
        return None
    return None if old is not None and old["outcome"] == Status.SENT else _send(new)


def _without_keys(item: Item) -> Item:
    return {name: value for name, value in item.items() if name not in ("pk", "sk", "ttl")}


def _in_the_way(failed: ConditionFailed) -> Send:
    assert failed.old is not None, "only a record can stand in the way"
    return _send(failed.old)


def _pk(customer_id: str) -> str:
    return f"C#{customer_id}"


def _address_pk(address: str) -> str:
    return f"ADDR#{hashlib.sha256(normalised(address).encode()).hexdigest()}"


def _item(send: Send) -> Item:
    return {
        "pk": _pk(send.customer_id),
        "sk": f"{SEND_PREFIX}{send.send_key}",
        "customer_id": send.customer_id,
        "send_key": send.send_key,
        "send_id": send.send_id,
        "claim_id": send.claim_id,
        "template": send.template,
        "class": send.message_class.value,
        "channel": EMAIL,
        "cause": send.cause,
        "outcome": send.status.value,
        "reason": send.reason,
        "at": to_text(send.at),
        "provider_id": send.provider_id,
        "ttl": epoch_seconds(send.at + KEPT),
    }


def _send(item: Item) -> Send:
    return Send(
        customer_id=item["customer_id"],
        send_key=item["send_key"],
        send_id=item["send_id"],
        claim_id=item["claim_id"],
        template=item["template"],
        message_class=MessageClass(item["class"]),
        cause=item["cause"],
        status=Status(item["outcome"]),
        reason=item["reason"],
        at=from_text(item["at"]),
        provider_id=item["provider_id"],
    )
