"""Use cases of the timeline: take events in, each once; tell what happened, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.activity import erased, reading, rules, showing, store
from chalicelib.activity.model import (
    BUS,
    KINDS,
    NEVER_CLAIMED,
    NOT_FOR_CUSTOMERS,
    WATCHING,
    Draft,
    Entry,
    EventType,
    Timeline,
)
from chalicelib.activity.reading import Sending
from chalicelib.activity.schemas import (
    IngestAnswer,
    RefusedEvent,
    RefusedField,
    TimelineAnswer,
    TimelineQuery,
    is_text,
)
from chalicelib.customers import reads as people
from chalicelib.customers import service as customers
from chalicelib.desk import watchlist
from chalicelib.shared import ids, tokens
from chalicelib.shared.errors import Gone, InvalidInput
from chalicelib.shared.logs import logger

ROUNDS_MAX = 10
TIMELINES_MAX = 10  # of one person on a page: each is a query, and all are made at once
LOOKED_AT = 200  # entries of each timeline read in a round that looks for some kinds only


def take_one(event: Mapping[str, Any], event_type: EventType, sending: Sending) -> IngestAnswer:
    """Take in one event; raises InvalidInput naming what is wrong with it, Gone for somebody who was erased."""
    draft = reading.read(event, sending, event_type)
    problem = erased.problem(draft, erased.among([draft]))
    if problem:
        raise Gone(problem.detail, fields=problem.fields)
    is_new = _store(draft, sending.now)
    return IngestAnswer(accepted=int(is_new), duplicates=int(not is_new), refused=[])


def take_batch(events: Sequence[Any], sending: Sending) -> IngestAnswer:
    """Take in many events, each judged alone; the answer names those that were refused.

    Two trips an event, several events at a time, and one more per 100 ids to learn who was erased. If it fails in the
    middle, as by Busy, it may be sent again whole.
    """
    refused: dict[int, InvalidInput] = {}
    drafts: dict[int, Draft] = {}
    for index, event in enumerate(events):
        try:
            drafts[index] = reading.read(event, sending)
        except InvalidInput as refusal:
            refused[index] = refusal
    gone = erased.among(drafts.values())
    for index, draft in list(drafts.items()):
        if problem := erased.problem(draft, gone):
            refused[index] = problem
            del drafts[index]
    outcomes = _store_all(drafts, sending.now)
    refused |= {index: outcome for index, outcome in outcomes.items() if isinstance(outcome, InvalidInput)}
    return IngestAnswer(
        accepted=sum(outcome is True for outcome in outcomes.values()),
        duplicates=sum(outcome is False for outcome in outcomes.values()),
        refused=[_refused(index, events[index], refused[index]) for index in sorted(refused)],
    )


def record(draft: Draft, *, now: datetime) -> bool:
    """Put what another room said happened into the timeline, once; False when it is there, or its customer is gone."""
    if erased.problem(draft, erased.among([draft])):
        logger.info("dropped: the customer was erased", extra={"kind": draft.entry.kind})
        return False
    return _store(draft, now)


def erase(
    customer_ids: Sequence[str],
    anonymous_ids: Sequence[str],
    *,
    now: datetime,  # noqa: ARG001
) -> dict[str, int]:
    """Take away these timelines with what remembers their messages. Safe to break off and repeat."""
    return {"activity.timeline": sum(store.erase(each) for each in _timelines(customer_ids, anonymous_ids))}


def import_entries(drafts: Iterable[Draft], *, now: datetime) -> int:
    """Bring history along; returns how many entries are young enough to be kept. Nobody is told; may be repeated."""
    return store.import_entries(erased.without(drafts), now=now)


def timeline(
    customer_id: str, query: TimelineQuery, *, own: bool, language: str, now: datetime
) -> TimelineAnswer:
    """One page of a person's timeline under all their ids, newest first; `own` is the customer looking at themself.

    One trip for the profile, then one for all linked ids at once, ten at most; more when rare kinds are looked for. Raises
    Moved for an id that was merged into another, unless it is the customer's own token, and Gone for an erased one.
    """
    person = people.asked_person(customer_id, own=own)
    customer_ids = person.customer_ids if person else (customer_id,)
    kinds = frozenset(query.kind.split(",") if query.kind else KINDS) - (
        NOT_FOR_CUSTOMERS if own else frozenset()
    )
    # What anybody may claim of a customer is not for their own page, and must not make facts hard to find.
    claims = not own and not kinds <= NEVER_CLAIMED
    who = _shown(customer_ids, person.anonymous_ids if person else (), claims=claims)
    filter_name = ids.fingerprint("timeline", customer_ids[0], ",".join(sorted(kinds)), query.channel or "")
    before = tokens.position_of(filter_name, query.cursor, now=now)
    rows, following = _look(who, kinds, query.channel, own=own, before=before, limit=query.limit, now=now)
    return TimelineAnswer(
        data=showing.shown([row.entry for row in rows], own=own, language=language),
        next_cursor=tokens.cursor(filter_name, following, now=now) if following else None,
    )


def _shown(customer_ids: Sequence[str], anonymous_ids: Sequence[str], *, claims: bool) -> list[Timeline]:
    """The timelines that a page is made of. Where there are more, the facts of every id go first, then what browsers say
    of the surviving one, then devices from the one linked last on.
    """
    claimed: list[Timeline] = [("claimed", each) for each in customer_ids] if claims else []
    who: list[Timeline] = [("customer", each) for each in customer_ids] + claimed[:1]
    who += [("anonymous", each) for each in reversed(anonymous_ids)]
    return (who + claimed[1:])[:TIMELINES_MAX]


def _timelines(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> list[Timeline]:
    who: list[Timeline] = [("customer", each) for each in customer_ids]
    who += [("claimed", each) for each in customer_ids]
    return who + [("anonymous", each) for each in anonymous_ids]


def _store_all(drafts: Mapping[int, Draft], now: datetime) -> dict[int, bool | InvalidInput]:
    """What became of each draft: new, a duplicate, or refused by the profile it speaks of."""
    outcomes: dict[int, bool | InvalidInput] = {}
    first_of: dict[Any, int] = {}
    lanes: dict[Any, list[int]] = {}
    for index, draft in drafts.items():
        if first_of.setdefault(draft.message, index) != index:
            outcomes[index] = False
            continue
        # What is said about one customer is written one after the other, or the writes would trip over each other.
        lanes.setdefault(_lane_of(draft) or index, []).append(index)

    def run(lane: list[int]) -> list[bool | InvalidInput]:
        return [_stored_or_refused(drafts[index], now) for index in lane]

    for lane, results in zip(lanes.values(), store.together(run, list(lanes.values())), strict=True):
        outcomes |= dict(zip(lane, results, strict=True))
    return outcomes


def _lane_of(draft: Draft) -> str | None:
    if draft.said:
        return draft.said.customer_id
    return draft.entry.customer_id or draft.entry.anonymous_id if draft.entry.kind in WATCHING else None


def _stored_or_refused(draft: Draft, now: datetime) -> bool | InvalidInput:
    try:
        return _store(draft, now)
    except InvalidInput as refusal:
        return refusal


def _store(draft: Draft, now: datetime) -> bool:
    """Claim, have the effect, put the entry. The entry is the mark that the effect is complete."""
    draft = rules.not_ahead(draft, now=now)
    claim = store.claim(draft, now=now)
    if not claim.is_new:
        # Of another person, or so old that the entry may have expired: told before, and not to be told again.
        if claim.closed or claim.elsewhere:
            return False
        if draft.said and store.is_stored(claim):
            return False
    entry = replace(draft.entry, at=claim.at)
    _tell_customers(draft, entry, now)
    _tell_watchlist(draft, entry)
    return store.put(entry, claim, now=now)


def _tell_customers(draft: Draft, entry: Entry, now: datetime) -> None:
    said = draft.said
    if said is None:
        return
    if said.customer_id is None:
        if said.type == "identify" and said.anonymous_id and entry.trusted:
            customers.recognise(
                said.anonymous_id,
                at=entry.at,
                traits=said.traits,
                external_ids=said.external_ids,
                now=now,
            )
    elif said.type == "identify":
        customers.identify(
            said.customer_id,
            at=entry.at,
            traits=said.traits,
            consents=said.consents,
            anonymous_id=said.anonymous_id,
            trusted=entry.trusted,
            now=now,
            external_ids=said.external_ids,
        )
    elif said.previous_id and entry.trusted:
        customers.alias(said.customer_id, said.previous_id, message=entry.entry_id, at=entry.at, now=now)


def _tell_watchlist(draft: Draft, entry: Entry) -> None:
    # What comes from the watchlist's own route is on it already.
    if entry.kind in WATCHING and draft.message.scope != BUS:
        watchlist.hear_event(
            watched=WATCHING[entry.kind],
            item_ids=entry.item_ids,
            at=entry.at,
            channel=entry.channel,
            customer_id=entry.customer_id,
            anonymous_id=entry.anonymous_id,
            trusted=entry.trusted,
        )


def _look(
    who: Sequence[Timeline],
    kinds: frozenset[str],
    channel: str | None,
    *,
    own: bool,
    before: str,
    limit: int,
    now: datetime,
) -> tuple[list[store.Row], str]:
    """Rows of all timelines as one, and the sort key to go on before, empty at the end."""
    found: list[store.Row] = []
    everything = len(kinds) == len(KINDS) and channel is None
    for _ in range(ROUNDS_MAX):
        pages = store.newest(who, now=now, limit=limit + 1 if everything else LOOKED_AT, before=before)
        # Below the highest point where some timeline goes on, rows of that timeline may be missing.
        horizon = max(page.more_before for page in pages)
        rows = sorted((row for page in pages for row in page.rows), key=lambda row: row.sk, reverse=True)
        found += store.without_retold(
            [
                row
                for row in rows
                if row.sk >= horizon
                and row.entry.kind in kinds
                and channel in (None, row.entry.channel)
                and not (own and row.entry.internal)
            ]
        )
        if len(found) > limit:
            return found[:limit], found[limit - 1].sk
        if not horizon:
            return found, ""
        before = horizon
    return found, before


def _refused(index: int, event: Any, refusal: InvalidInput) -> RefusedEvent:
    message_id: Any = event.get("messageId") if isinstance(event, dict) else None
    return RefusedEvent(
        index=index,
        message_id=message_id if is_text(message_id) and len(message_id) <= rules.ECHOED_MAX else None,
        errors=[RefusedField(field=each.field, message=each.message) for each in refusal.fields],
    )
