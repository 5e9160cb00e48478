"""Every decision about a profile, pure: what is stored and what was said in, the profile afterwards out.

Each trait and each consent has its own last writer, judged by when it was said and not by when we heard it, so
statements may arrive late, twice and in any order and still end in the same profile.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.customers.model import (
    ANONYMOUS_IDS_MAX,
    CONSENT_HISTORY_MAX,
    EMAIL,
    EVENTS,
    EXTERNAL_IDS_MAX,
    FORGOTTEN_TRAITS_MAX,
    HINT,
    HINT_TRAITS_BYTES_MAX,
    HINT_TRAITS_MAX,
    NAMES,
    PHONE,
    TRAITS_BYTES_MAX,
    TRAITS_MAX,
    VISITOR,
    Consent,
    Person,
    Profile,
    Statement,
    Trait,
)
from chalicelib.shared.errors import InvalidInput

TICK = timedelta(milliseconds=1)  # the precision of stored times


def listen(
    profile: Profile,
    said: Statement,
    *,
    now: datetime,
    owner: str | None = None,
    seen: Profile | None = None,
) -> Profile | None:
    """The profile after a statement, or None when it changes nothing.

    `owner` is the customer whom the statement's anonymous id already belongs to. `seen` is what the statement is heard
    in view of, where that is more than this profile: the whole person. Raises InvalidInput when the traits become more than
    a profile may hold.
    """
    if said.source == HINT:
        return _hear_hint(profile, said, now)
    seen = seen or profile
    spoken = _spoken_consents(profile, seen, said)
    after = replace(
        profile,
        traits=_with_room(merge_traits(profile.traits, _spoken_traits(profile, seen, said))),
        consents=merge_consents(profile.consents, spoken),
        consent_history=add_to_history(
            profile.consent_history,
            {purpose: each for purpose, each in profile.consents.items() if purpose in spoken},
            spoken,
        ),
        anonymous_ids=_linked(profile, said.anonymous_id, owner),
        external_ids=tuple(dict.fromkeys((*profile.external_ids, *said.external_ids)))[-EXTERNAL_IDS_MAX:],
        confirmed=True,
        created_at=_created_at(profile, said, now),
    )
    changed = _changed(profile, after, now)
    return replace(changed, changed_by=said.said_by) if changed and said.said_by else changed


def merge_traits(known: Mapping[str, Trait], said: Mapping[str, Trait]) -> dict[str, Trait]:
    """Of each trait the one said last. Trusted speech beats a browser's, whenever that was.

    Whoever has a name from somebody trusted has none from a browser besides.
    """
    merged = dict(known)
    for name, trait in said.items():
        if name not in merged or _order(trait) > _order(merged[name]):
            merged[name] = trait
    if any(merged[name].is_firm for name in NAMES & merged.keys()):
        merged = {
            name: trait for name, trait in merged.items() if name not in NAMES or trait.source != VISITOR
        }
    return _without_old_deletions(merged)


def merge_consents(known: Mapping[str, Consent], said: Mapping[str, Consent]) -> dict[str, Consent]:
    """Of each purpose the consent given or withdrawn last; at the same moment a withdrawal wins."""
    merged = dict(known)
    for purpose, consent in said.items():
        if purpose not in merged or consent_order(consent) > consent_order(merged[purpose]):
            merged[purpose] = consent
    return merged


def add_to_history(
    history: Mapping[str, tuple[Consent, ...]], *heard: Mapping[str, Consent]
) -> dict[str, tuple[Consent, ...]]:
    """The evidence of each purpose, newest first, each once, with what was heard besides."""
    grown = dict(history)
    for consents in heard:
        for purpose, consent in consents.items():
            known = {consent, *grown.get(purpose, ())}
            grown[purpose] = tuple(sorted(known, key=consent_order, reverse=True)[:CONSENT_HISTORY_MAX])
    return grown


def consent_order(consent: Consent) -> tuple[datetime, bool, str, str, str]:
    """By this the last of two consents is found, whichever way round they came."""
    details = (consent.source, consent.wording_version or "", consent.locale or "")
    return consent.at, not consent.is_granted, *details


def problem_with_size(
    values: Mapping[str, Any], count_max: int = TRAITS_MAX, bytes_max: int = TRAITS_BYTES_MAX
) -> str | None:
    """Why these are too many or too large traits for one profile, None when they are not."""
    if len(values) > count_max:
        return f"a profile may hold {count_max} traits at most"
    size = sum(len(json.dumps(each, ensure_ascii=False).encode()) for each in values.items())
    if size > bytes_max:
        return f"a profile may hold {bytes_max} bytes of traits at most"
    return None


def heed_gate(profile: Profile, gate: Mapping[str, Consent]) -> Profile:
    """The profile with what the mail gate learnt later than it: an unsubscribe link writes to the gate alone."""
    newer = {
        purpose: heard
        for purpose, heard in gate.items()
        if purpose not in profile.consents or _gate_order(heard) > _gate_order(profile.consents[purpose])
    }
    return replace(profile, consents={**profile.consents, **newer}) if newer else profile


def apart(said: Statement, gated: Iterable[str]) -> list[Statement]:
    """The same statement in parts with at most one gated purpose each.

    All gated purposes of a customer are in one item, and a transaction may touch an item only once.
    """
    purposes = [purpose for purpose in gated if purpose in said.consents]
    first = replace(
        said,
        consents={purpose: each for purpose, each in said.consents.items() if purpose not in purposes[1:]},
    )
    return [first] + [
        Statement(
            said.at,
            said.source,
            consents={purpose: said.consents[purpose]},
            latest=said.latest,
            said_by=said.said_by,
        )
        for purpose in purposes[1:]
    ]


def known_traits(profile: Profile) -> dict[str, Trait]:
    """The traits that have a value."""
    return {name: trait for name, trait in profile.traits.items() if trait.value is not None}


def person(profile: Profile) -> Person:
    """What other rooms may rely on. A hint is left out: who may type anything could redirect somebody's mail."""
    trusted = {name: trait.value for name, trait in known_traits(profile).items() if trait.is_trusted}
    return Person(
        customer_id=profile.customer_id,
        anonymous_ids=profile.anonymous_ids,
        email=_text(trusted.get(EMAIL)),
        name=_name(trusted),
        locale=_text(trusted.get("locale")),
        timezone=_text(trusted.get("timezone")),
        consents={purpose: consent.is_granted for purpose, consent in profile.consents.items()},
        created_at=profile.created_at,
        customer_ids=(profile.customer_id, *(each.customer_id for each in profile.absorbed)),
        absorbed=profile.absorbed,
        traits=trusted,
    )


def nobody(customer_id: str) -> Person:
    """What is left of somebody who was erased."""
    return Person(customer_id, (), None, None, None, None, {}, None, (customer_id,), erased=True)


def identifiers(profile: Profile) -> dict[str, str]:
    """The ids by which people know themselves, as far as somebody trusted gave them."""
    traits = {name: known_traits(profile).get(name) for name in (EMAIL, PHONE)}
    return {
        name: trait.value
        for name, trait in traits.items()
        if trait and trait.is_trusted and isinstance(trait.value, str)
    }


def _hear_hint(profile: Profile, said: Statement, now: datetime) -> Profile | None:
    # Anybody can send a publishable key's events and guess an id. So a hint may start a profile, for the shop that
    # has nothing but a web page, but never touches one that exists. It carries no consent, which must be the
    # customer's own word, and no link, which would hand one visitor's past to another.
    if profile.version:
        return None
    problem = problem_with_size(said.traits, HINT_TRAITS_MAX, HINT_TRAITS_BYTES_MAX)
    if problem:
        raise InvalidInput.of("traits", f"from a browser: {problem}")
    traits = {name: Trait(value, HINT, said.at) for name, value in said.traits.items()}
    return _changed(profile, replace(profile, traits=traits, created_at=min(said.at, now)), now)


def _spoken_traits(profile: Profile, seen: Profile, said: Statement) -> dict[str, Trait]:
    spoken = {}
    for name, value in said.traits.items():
        known = seen.traits.get(name)
        if said.latest and known is not None and known.value == value and known.is_firm:
            own = profile.traits.get(name)
            if own is not None and own.value == value and own.is_firm:
                continue
        spoken[name] = Trait(value, said.source, _moment(said, known.at if known else None))
    return spoken


def _spoken_consents(profile: Profile, seen: Profile, said: Statement) -> dict[str, Consent]:
    spoken = {}
    merges = (*seen.absorbed, *filter(None, (profile.merged,)))
    merged_at = max((each.at for each in merges), default=None)
    for purpose, consent in said.consents.items():
        known, own = seen.consents.get(purpose), profile.consents.get(purpose)
        if said.latest and all(_says(each, consent, merged_at) for each in (known, own)):
            continue  # the older evidence is the better one
        if said.source == EVENTS and own and own.is_final:
            if consent.is_granted or merged_at is None:
                continue  # a preference that a page repeats is no new act
            # It withdraws for the other ids of the person too, which may not know of the act.
            consent = replace(consent, acted_at=own.last_act)  # noqa: PLW2901
        moments = [known.at if known else None, merged_at]
        spoken[purpose] = replace(consent, at=_moment(said, max(filter(None, moments), default=None)))
    return spoken


def _says(known: Consent | None, consent: Consent, merged_at: datetime | None) -> bool:
    """Whether this was said before: as an act, and to the person as they are now."""
    if known is None or (merged_at is not None and known.at <= merged_at):
        return False
    as_before = (known.status, known.wording_version, known.locale)
    is_no_less = known.is_granted or known.is_final
    return is_no_less and as_before == (consent.status, consent.wording_version, consent.locale)


def _moment(said: Statement, known_at: datetime | None) -> datetime:
    # An edit replaces what its author saw, also where a client with a fast clock wrote that.
    if said.latest and known_at is not None and known_at >= said.at:
        return known_at + TICK
    return said.at


def _linked(profile: Profile, anonymous_id: str | None, owner: str | None) -> tuple[str, ...]:
    # What belongs to another customer stays there: a shared device must not join two people.
    is_anothers = owner not in (None, profile.customer_id)
    if anonymous_id is None or anonymous_id in profile.anonymous_ids or is_anothers:
        return profile.anonymous_ids
    return (*profile.anonymous_ids, anonymous_id)[-ANONYMOUS_IDS_MAX:]


def _created_at(profile: Profile, said: Statement, now: datetime) -> datetime:
    if profile.confirmed and profile.created_at is not None:
        return profile.created_at
    return min(said.at, now)  # a history sent today did not begin today


def _with_room(traits: dict[str, Trait]) -> dict[str, Trait]:
    # What a browser said must not keep out what somebody trusted says.
    if problem_with_size({name: trait.value for name, trait in traits.items() if trait.value is not None}):
        return {name: trait for name, trait in traits.items() if trait.is_firm}
    return traits


def _changed(before: Profile, after: Profile, now: datetime) -> Profile | None:
    if before.version and after == before:
        return None
    problem = problem_with_size({name: trait.value for name, trait in known_traits(after).items()})
    if problem and after.traits != before.traits:
        raise InvalidInput.of("traits", problem)
    return replace(after, version=before.version + 1, updated_at=now)


def _without_old_deletions(traits: dict[str, Trait]) -> dict[str, Trait]:
    deleted = sorted((trait.at, name) for name, trait in traits.items() if trait.value is None)
    for _, name in deleted[:-FORGOTTEN_TRAITS_MAX]:
        del traits[name]
    return traits


def _order(trait: Trait) -> tuple[int, datetime, str, str]:
    # The last two decide between two values of the same moment: whichever, but always the same.
    return trait.weight, trait.at, json.dumps(trait.value, sort_keys=True), trait.source


def _gate_order(consent: Consent) -> tuple[datetime, bool]:
    return consent.at, not consent.is_granted


def _name(traits: Mapping[str, Any]) -> str | None:
    parts = (_text(traits.get("firstName")), _text(traits.get("lastName")))
    return _text(traits.get("name")) or " ".join(filter(None, parts)) or None


def _text(value: Any) -> str | None:
    return (" ".join(value.split()) or None) if isinstance(value, str) else None
