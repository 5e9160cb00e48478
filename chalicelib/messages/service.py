"""Use cases of mail. The order of the steps is the promise: gate, claim, hand over once, record.

A crash before the claim loses nothing, because the cause comes again; a crash after it can lose one mail and
never sends one twice, because SES takes no token to recognise a repetition by.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from chalicelib.customers import reads as customers
from chalicelib.messages import admission, channel, gate, render, rules, store
from chalicelib.messages.model import (
    EXPIRED,
    LANGUAGES,
    NO_ADDRESS,
    SUPPRESSED,
    UNUSABLE_ADDRESS,
    Message,
    MessageClass,
    Outcome,
    Send,
    Status,
)
from chalicelib.messages.schemas import MessageAnswer, MessagesAnswer, MessagesQuery
from chalicelib.privacy import reads as privacy
from chalicelib.shared import ids, tokens
from chalicelib.shared.config import config
from chalicelib.shared.rounds import rounds

NOT_HEARD = "no_answer"
SEND_MARK_LENGTH = 16  # of a send's id, enough to find it among one customer's; the link must stay short
ONE_CLICK = "one_click"

OUTCOMES = {Status.SENT: Outcome.SENT, Status.FAILED: Outcome.FAILED, Status.DEFERRED: Outcome.DEFERRED}


def send(message: Message, *, now: datetime) -> Outcome:
    """Send a message once, or record why not; never twice for one `send_key`, by however many at once.

    Consent, suppression and address are asked here and not when somebody decided to send. Two reads, 3 write
    units when it is sent and 2 when it is withheld, beside one request to SES.
    """
    for _ in rounds():
        with contextlib.suppress(gate.Regrouped):
            return _send(message, now=now)
    return Outcome.DEFERRED


def withhold(message: Message, reason: str, *, now: datetime) -> Outcome:
    """Record that a message is not sent, and why; one that was sent or withheld before stays so.

    1 write unit, half a read unit. Of somebody who was erased nothing is recorded.
    """
    if privacy.is_erased(message.customer_id):
        return Outcome.WITHHELD
    return _withhold(message, reason, now=now)


def erase(
    customer_ids: Sequence[str],
    anonymous_ids: Sequence[str],  # noqa: ARG001
    *,
    now: datetime,  # noqa: ARG001
    final: bool,
) -> dict[str, int]:
    """Forget what was sent to these customers; the gate stays closed until the `final` time. Safe to repeat.

    What stops a hashed address stays: its owner asked not to be written to.
    """
    return {
        "engagement.messages": sum(map(store.erase, customer_ids)),
        "engagement.gates": sum(gate.erase(each, final=final) for each in customer_ids),
    }


def _send(message: Message, *, now: datetime) -> Outcome:
    person = customers.person(message.customer_id)
    if person is None or not person.email or not rules.is_usable(person.email):
        is_erased = person is not None and person.erased  # then a record would be about them again
        why = UNUSABLE_ADDRESS if person is not None and person.email else NO_ADDRESS
        return Outcome.WITHHELD if is_erased else _withhold(message, why, now=now)
    if store.is_suppressed(person.email):
        return _withhold(message, SUPPRESSED, now=now)
    refusal = admission.refusal(person, message, now=now)
    if refusal is not None:
        return _withhold(message, refusal, now=now)
    record = _record(message, Status.CLAIMED, now=now)
    is_promotional = message.message_class is MessageClass.PROMOTIONAL
    mail = render.mail(
        message,
        to=person.email,
        name=rules.name_shown(person.name),
        language=rules.language_of(person.locale),
        unsubscribe_url=_way_out(record, now) if is_promotional else "",
    )
    earlier = store.claim(record)
    if earlier is not None:
        return _after(earlier, now=now)
    tags = {"send_id": record.send_id, "class": message.message_class.value, "reason": message.cause}
    try:
        provider_id = channel.send(mail, tags=tags)
    except channel.NotSent as refused:
        status = Status.FAILED if refused.for_good else Status.DEFERRED
        settled = store.settle(record, status, reason=refused.code)
    except channel.Unheard:
        settled = store.settle(record, Status.UNKNOWN, reason=NOT_HEARD)
    else:
        settled = store.settle(record, Status.SENT, provider_id=provider_id)
    return OUTCOMES.get(settled.status, Outcome.UNKNOWN)


def _withhold(message: Message, reason: str, *, now: datetime) -> Outcome:
    earlier = store.claim(_record(message, Status.WITHHELD, reason=reason, now=now))
    return Outcome.WITHHELD if earlier is None else _after(earlier, now=now)


def promotion(
    customer_id: str, campaign_id: str, *, template: str, which: str = "", values: Mapping[str, str]
) -> Message:
    """A campaign's mail to somebody. `which` tells one from the next where they may get several, such as one a year.

    Of `values`, `{name}.{language}` is for one language, and `{name}_on` a day that each language writes its own way.
    """
    return Message(
        customer_id=customer_id,
        send_key=":".join(filter(None, ("campaign", campaign_id, which))),
        template=template,
        message_class=MessageClass.PROMOTIONAL,
        cause=f"campaign_{campaign_id}",
        values=values,
        in_language={language: rules.said_in(language, values) for language in LANGUAGES},
    )


def send_promotion(message: Message, *, now: datetime) -> bool:
    """Send a campaign's mail to somebody once, or record why not; False: not settled yet, try again later."""
    return send(message, now=now).is_final


def expire_promotion(message: Message, *, now: datetime) -> bool:
    """Record that a campaign's mail came too late to be sent; False: somebody is sending it this moment."""
    return withhold(message, EXPIRED, now=now).is_final


def withdraw_consent(token: str, *, now: datetime) -> bool:
    """Follow a way out to its end; whether it was one of ours. Doing it again changes nothing.

    One trip, 1 write unit.
    """
    customer_id = customer_of(token, now=now)
    if customer_id is None:
        return False
    gate.withdraw(customer_id, gate.EMAIL_MARKETING, source=ONE_CLICK, now=now)
    return True


def customer_of(token: str, *, now: datetime) -> str | None:
    """Whose way out a token is, None for anything that we have not signed."""
    claims = tokens.verify(tokens.UNSUBSCRIBE, token, now=now)
    if claims is None or claims.get("list") != gate.EMAIL_MARKETING or not isinstance(claims.get("sub"), str):
        return None
    return str(claims["sub"])


def suppress_address(address: str, reason: str, *, now: datetime) -> None:
    """Stop every mail to an address, e.g. because it bounces. 1 write unit."""
    store.suppress(address, reason, now=now)


def page(customer_id: str, query: MessagesQuery, *, now: datetime) -> MessagesAnswer:
    """One page of what was sent to a customer or withheld, newest first. Two trips, one more for each id merged in."""
    customer_ids = customers.asked_for(customer_id)
    filter_name = f"messages:{customer_id}"
    before = tokens.position_of(filter_name, query.cursor, now=now)
    kept = [send for each in customer_ids for send in store.page(each, now=now)]
    kept.sort(key=store.position, reverse=True)
    found = [send for send in kept if not before or store.position(send) < before]
    shown = found[: query.limit]
    more = len(found) > query.limit
    cursor = tokens.cursor(filter_name, store.position(shown[-1]), now=now) if more else None
    return MessagesAnswer(data=[_answer(send, now) for send in shown], next_cursor=cursor)


def _after(earlier: Send, *, now: datetime) -> Outcome:
    """What it means that somebody claimed or settled this message before us."""
    if rules.is_abandoned(earlier, now):
        store.settle(earlier, Status.UNKNOWN, reason=NOT_HEARD)
        return Outcome.UNKNOWN
    return rules.outcome_of(earlier)


def _record(message: Message, status: Status, *, now: datetime, reason: str = "") -> Send:
    return Send(
        customer_id=message.customer_id,
        send_key=message.send_key,
        send_id=ids.fingerprint(message.customer_id, message.send_key),
        claim_id=ids.new(now),
        template=message.template,
        message_class=message.message_class,
        cause=message.cause,
        status=status,
        at=now,
        reason=reason,
    )


def _way_out(record: Send, now: datetime) -> str:
    claims = {
        "sub": record.customer_id,
        "list": gate.EMAIL_MARKETING,
        "send": record.send_id[:SEND_MARK_LENGTH],
    }
    return f"{config().public_url}/u/{tokens.sign(tokens.UNSUBSCRIBE, claims, now=now)}"


def _answer(send: Send, now: datetime) -> MessageAnswer:
    return MessageAnswer(
        message_id=send.send_id,
        template=send.template,
        message_class=send.message_class.value,
        channel="email",
        status=rules.status_shown(send, now),
        reason=send.reason or (NOT_HEARD if rules.is_abandoned(send, now) else send.cause),
        cause=send.cause,
        at=send.at,
    )
