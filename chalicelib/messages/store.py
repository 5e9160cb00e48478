"""Messages in the engagement table: `C#{customer_id}`/`SEND#{send_key}` claims and records each one.

`ADDR#{sha256 of the address}`/`SUPPRESSED` stops an address, whoever has it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from chalicelib.messages.model import EMAIL, MessageClass, Send, Status
from chalicelib.messages.rules import KEPT, normalised
from chalicelib.shared.clock import epoch_seconds, from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, table

SEND_PREFIX = "SEND#"
SUPPRESSED_SK = "SUPPRESSED"
NEW = "attribute_not_exists(pk)"

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
        return _in_the_way(failed)
    return settled


def page(customer_id: str, *, now: datetime) -> list[Send]:
    """Every message of a customer that is still kept, newest first.

    One trip per MB, half a read unit per 4 KB.
    """
    found = table("engagement").query(_pk(customer_id), prefix=SEND_PREFIX, limit=MESSAGES_READ_MAX)
    sends = [_send(item) for item in found if item["ttl"] > epoch_seconds(now)]
    return sorted(sends, key=position, reverse=True)


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


def _in_the_way(failed: ConditionFailed) -> Send:
    assert failed.old is not None, "records are never taken away while somebody may claim or settle them"
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
