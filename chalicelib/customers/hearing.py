"""Use cases of what events say about people: told to the very id they name, in any order and as often as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from chalicelib.customers import identifiers, mail_gates, merges, reads, rules, store
from chalicelib.customers.model import (
    EVENTS,
    FORM,
    HINT,
    PURPOSES,
    SHARED_BY_MAX,
    VISITOR,
    Consent,
    Statement,
    status_of,
)
from chalicelib.shared import ids
from chalicelib.shared.config import config
from chalicelib.shared.errors import Busy, Conflict, Gone, InvalidInput
from chalicelib.shared.rounds import rounds


def identify(
    customer_id: str,
    *,
    at: datetime,
    traits: Mapping[str, Any],
    consents: Mapping[str, bool],
    anonymous_id: str | None,
    trusted: bool,
    now: datetime,
    external_ids: Sequence[tuple[str, str]] = (),
) -> None:
    """Take in what an event said about a customer at `at`. Saying the same again changes nothing.

    Purposes we do not know are another tool's and passed over. What is not trusted may only start a profile. An id
    that was merged into another keeps what is said to it; the person is known by all of it. Raises InvalidInput, also
    for somebody who was erased.
    """
    source = EVENTS if trusted else HINT
    statement = Statement(
        at=in_milliseconds(at),
        source=source,
        traits=traits,
        consents={
            purpose: Consent(status_of(granted=granted), at, source, locale=_locale(traits))
            for purpose, granted in consents.items()
            if purpose in PURPOSES
        },
        anonymous_id=anonymous_id,
        external_ids=tuple(external_ids) if trusted else (),
    )
    _hear_event(customer_id, statement, now=now)


def recognise(
    anonymous_id: str,
    *,
    at: datetime,
    traits: Mapping[str, Any],
    external_ids: Sequence[tuple[str, str]] = (),
    now: datetime,
) -> None:
    """Link a device to the customer whose address, telephone number or card somebody trusted named on it.

    Only where all that was named belongs to exactly one person; what was said besides is theirs to say when they are
    known. One trip for each identifier, and what a link takes.
    """
    named = identifiers.of_traits(traits, tuple(external_ids), config().shop_country)
    heads: set[str] = set()
    for identifier in named:
        having = store.having(identifier, limit=SHARED_BY_MAX + 1)
        if len(having) > SHARED_BY_MAX:
            return
        heads |= {reads.head(each) for each in having}
    if len(heads) == 1:
        link(heads.pop(), anonymous_id, at=at, now=now)


def alias(customer_id: str, previous_id: str, *, message: str, at: datetime, now: datetime) -> None:
    """A previous id turned out to be this customer's: a customer id is merged, an anonymous id is linked.

    `message` names the event, so that it merges once; what cannot be merged (see merges.merge) is left as it is. Raises
    InvalidInput where one of them was erased: as a device's the id would be stored anew.
    """
    previous = store.load(previous_id)
    if previous.erased:
        raise InvalidInput.of("previousId", "was erased")
    if not previous.profile.confirmed or previous_id == customer_id:
        link(customer_id, previous_id, at=at, now=now)
        return
    link(customer_id, None, at=at, now=now)  # makes a profile of somebody new
    survivor, absorbed = reads.head(customer_id), reads.head(previous_id)
    if survivor == absorbed:
        return
    merge_id = ids.fingerprint("alias", message)
    with suppress(Conflict, Gone):
        merges.merge(survivor, absorbed, reason="alias", merge_id=merge_id, said_by=EVENTS, now=now)


def link(customer_id: str, anonymous_id: str | None, *, at: datetime, now: datetime) -> None:
    """An anonymous id turned out to be this customer's; one that is another customer's stays theirs."""
    _hear_event(customer_id, Statement(in_milliseconds(at), EVENTS, anonymous_id=anonymous_id), now=now)


def declare(
    customer_id: str, traits: Mapping[str, Any], *, at: datetime, trusted: bool, now: datetime
) -> None:
    """What was answered to the shop's questions at `at`, told to the very id; raises InvalidInput. Repeatable.

    What is not `trusted` was typed into a browser that is the customer's: it stands where nobody trusted says anything.
    """
    source = FORM if trusted else VISITOR
    _hear_event(customer_id, Statement(in_milliseconds(at), source, traits), now=now)


def gates_for(said: Statement, customer_ids: Sequence[str]) -> dict[str, dict[str, Consent]]:
    """What the mail gates of these ids know, if the statement is about what they decide. At most one trip."""
    if not any(purpose in said.consents for purpose in mail_gates.GATED):
        return {}
    return mail_gates.load(customer_ids)


def in_milliseconds(at: datetime) -> datetime:
    """A moment as precise as we store it."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _hear_event(customer_id: str, said: Statement, *, now: datetime) -> None:
    """What an event said, told to the very id that it names."""
    try:
        for part in rules.apart(said, mail_gates.GATED):
            _hear_part(customer_id, part, now=now)
    except store.Erased:
        raise InvalidInput.of("userId", "was erased") from None


def _hear_part(customer_id: str, said: Statement, *, now: datetime) -> None:
    write_id = ids.new(now)
    gate = gates_for(said, [customer_id]).get(customer_id, {})
    for _ in rounds():
        loaded = store.load(customer_id, said.anonymous_id)
        if loaded.written_by == write_id:
            return  # our own write, whose reply was lost
        before = rules.heed_gate(loaded.profile, gate)
        after = rules.listen(before, said, now=now, owner=loaded.owner)
        try:
            if after is not None:
                store.commit(before, after, write_id=write_id)
        except store.ProfileMoved:
            continue
        except store.GateIsNewer as newer:
            gate = newer.consents
            continue
        _note_sharing(customer_id, said, loaded)
        return
    raise Busy("others kept changing this customer first")


def _note_sharing(customer_id: str, said: Statement, loaded: store.Loaded) -> None:
    """A device that too many people use says nothing about any of them."""
    link = loaded.link
    if said.source == HINT or said.anonymous_id is None or link is None:
        return
    mark = store.mark_of(said.anonymous_id, customer_id)
    if link.owner in (customer_id, store.NOBODY) or mark in link.also:
        return
    if reads.head(link.owner) != reads.head(customer_id):
        store.note_other(said.anonymous_id, link, customer_id)


def _locale(traits: Mapping[str, Any]) -> str | None:
    locale = traits.get("locale")
    return locale if isinstance(locale, str) else None
