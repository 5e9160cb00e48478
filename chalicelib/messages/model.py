"""The nouns of mail: a message to be sent, what became of it, and the gate that may refuse it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

EMAIL = "email"
LANGUAGES = ("en", "ja")

# Why a message was withheld.
NO_ADDRESS = "no_address"
UNUSABLE_ADDRESS = "unusable_address"  # there is one, and no mail can be sent to it
NO_CONSENT = "no_consent"
SUPPRESSED = "suppressed"
EXPIRED = "expired"
DUPLICATE = "duplicate"  # the same person has it under another customer id


class MessageClass(StrEnum):
    """What law and manners ask of a message: facts about an order, or an invitation that needs consent."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"


class Status(StrEnum):
    """What became of one message. `claimed` and `deferred` are on the way; the others are final."""

    CLAIMED = "claimed"  # somebody is handing it to the channel, or died doing so
    DEFERRED = "deferred"  # the channel said no for now, and certainly did not send
    SENT = "sent"
    WITHHELD = "withheld"
    FAILED = "failed"  # the channel refused for good
    UNKNOWN = "unknown"  # nobody heard whether it was sent, so it is never sent again


class Outcome(StrEnum):
    """What one attempt to send came to."""

    SENT = "sent"
    WITHHELD = "withheld"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EARLIER = "earlier"  # settled before, by whoever came first
    IN_FLIGHT = "in_flight"  # somebody else is at it this moment
    DEFERRED = "deferred"  # certainly not sent; try again later

    @property
    def is_final(self) -> bool:
        """Whether the cause of the message needs no further attempt."""
        return self not in (Outcome.IN_FLIGHT, Outcome.DEFERRED)


@dataclass(frozen=True)
class Message:
    """What somebody wants to tell a customer. `send_key` names its cause: one key is sent at most once.

    `cause` says why, e.g. `shipment_delivered`; `section` picks the words inside the template; `values` fill
    them, and so do those of `in_language` for the customer's language.
    """

    customer_id: str
    send_key: str
    template: str
    message_class: MessageClass
    cause: str
    section: str = "mail"
    values: Mapping[str, str] = field(default_factory=dict)
    in_language: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Gate:
    """What may be sent to one customer: consent to promotional mail, and whether all mail is suppressed."""

    email_marketing: bool = False
    suppressed: str = ""


@dataclass(frozen=True)
class Send:
    """The record of one message: claimed, then settled. `claim_id` tells one claim of it from another."""

    customer_id: str
    send_key: str
    send_id: str
    claim_id: str
    template: str
    message_class: MessageClass
    cause: str
    status: Status
    at: datetime
    reason: str = ""  # why it was not sent
    provider_id: str = ""


@dataclass(frozen=True)
class Mail:
    """One rendered mail. `headers` are the extra ones; every value is a single line."""

    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
