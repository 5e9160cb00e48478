"""Use cases of a profile: load, decide, commit; a lost race or a lost reply is settled by loading again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from chalicelib.activity import reads as activity_reads
from chalicelib.customers import rules, store
from chalicelib.customers.model import (
    API,
    CUSTOMER,
    EVENTS,
    HINT,
    IMPORT,
    PURPOSES,
    RESERVED_TRAITS,
    Consent,
    Profile,
    Statement,
    Trait,
    status_of,
)
from chalicelib.customers.schemas import (
    ConsentAnswer,
    CustomerAnswer,
    CustomerLoyalty,
    CustomerPatch,
    TokenAnswer,
    TraitAnswer,
    check_traits,
)
from chalicelib.loyalty import reads as loyalty
from chalicelib.orders import reads as orders
from chalicelib.shared import ids, tokens
from chalicelib.shared.dynamo import TRIES_MAX
from chalicelib.shared.errors import Busy, FieldError, InvalidInput, NotFound, StaleVersion

IMPORT_CHUNK = 100


def identify(
    customer_id: str,
    *,
    at: datetime,
    traits: Mapping[str, Any],
    consents: Mapping[str, bool],
    anonymous_id: str | None,
    trusted: bool,
    now: datetime,
) -> None:
    """Take in what an event said about a customer at `at`. Saying the same again changes nothing.

    Purposes we do not know are another tool's and passed over. What is not trusted may only start a profile.
    """
    source = EVENTS if trusted else HINT
    statement = Statement(
        at=_in_milliseconds(at),
        source=source,
        traits=traits,
        consents={
            purpose: Consent(status_of(granted=granted), at, source)
            for purpose, granted in consents.items()
            if purpose in PURPOSES
        },
        anonymous_id=anonymous_id,
    )
    _hear(customer_id, statement, now=now)


def link(customer_id: str, anonymous_id: str, *, at: datetime, now: datetime) -> None:
    """An anonymous id turned out to be this customer's; one that is another customer's stays theirs."""
    _hear(customer_id, Statement(_in_milliseconds(at), EVENTS, anonymous_id=anonymous_id), now=now)


def edit(
    customer_id: str, patch: CustomerPatch, *, if_match: str, by_customer: bool, now: datetime
) -> tuple[CustomerAnswer, int]:
    """Change a profile in view of what is stored; returns it with its version.

    `if_match` is the header, empty for none; raises StaleVersion. A customer nobody has heard of is made by the first
    traits given, or by their own token; anything else about them raises NotFound.
    """
    problems = check_traits(patch.traits)
    if by_customer:
        reserved = sorted(RESERVED_TRAITS & patch.traits.keys())
        problems += [FieldError(f"traits.{name}", "is for the shop to say") for name in reserved]
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", fields=problems)
    at = _in_milliseconds(now)

    def check(profile: Profile) -> None:
        if if_match and not _matches(if_match, profile.version):
            raise StaleVersion(f"it has version {profile.version} now")
        makes = by_customer or any(value is not None for value in patch.traits.values())
        if not (profile.version or makes or _is_seen(customer_id)):
            raise NotFound("nobody has said anything about this customer yet; traits would make a profile")

    _hear(customer_id, _statement_of(patch, at, by_customer=by_customer), now=now, check=check)
    return view(customer_id, by_customer=by_customer)


def view(customer_id: str, *, by_customer: bool = False) -> tuple[CustomerAnswer, int]:
    """What is known about a customer, with its version. Three trips, 3 read units.

    Somebody of whom there are only activity or orders has a bare profile of version 0; else raises NotFound. The
    holder of a customer's token is always known to the shop.
    """
    profile = store.load(customer_id).profile
    if profile.version:
        profile = rules.heed_gate(profile, store.load_gate(customer_id))
    elif by_customer or _is_seen(customer_id):
        profile = replace(profile, created_at=activity_reads.first_seen(customer_id))
    else:
        raise NotFound("there is no such customer")
    return _answer(profile, loyalty.active_points(customer_id)), profile.version


def token(customer_id: str, ttl_seconds: int, *, now: datetime) -> TokenAnswer:
    """A bearer token for one customer."""
    ttl = timedelta(seconds=ttl_seconds)
    return TokenAnswer(token=tokens.customer_token(customer_id, now=now, ttl=ttl), expires_at=now + ttl)


def import_customers(records: Iterable[Mapping[str, Any]], *, now: datetime) -> int:
    """Bring a shop's customers along; returns how many were new. Nothing is sent to them.

    A record has `customer_id`, `created_at` (aware), `traits`, and may have `locale`, `timezone` and `consents`
    (purpose -> granted). Customers that exist already are left alone, so it may be repeated.
    """
    imported = 0
    remaining = iter(records)
    while chunk := list(islice(remaining, IMPORT_CHUNK)):
        imported += store.import_profiles([_imported(record, now) for record in chunk], write_id=ids.new(now))
    return imported


def _hear(
    customer_id: str,
    said: Statement,
    *,
    now: datetime,
    check: Callable[[Profile], None] | None = None,
) -> None:
    for part in rules.apart(said, store.GATED):
        _hear_part(customer_id, part, now=now, check=check)
        check = None  # the parts after the first follow our own write


def _hear_part(
    customer_id: str, said: Statement, *, now: datetime, check: Callable[[Profile], None] | None
) -> None:
    write_id = ids.new(now)
    # An edit answers to what stands now, and for mail that is the gate.
    is_gated = said.latest and any(purpose in said.consents for purpose in store.GATED)
    gate = store.load_gate(customer_id) if is_gated else {}
    for _ in range(TRIES_MAX):
        loaded = store.load(customer_id, said.anonymous_id)
        if loaded.written_by == write_id:
            return  # our own write, whose reply was lost
        if check:
            check(loaded.profile)
        before = rules.heed_gate(loaded.profile, gate)
        after = rules.listen(before, said, now=now, owner=loaded.owner)
        if after is None:
            return
        try:
            store.commit(before, after, write_id=write_id)
        except store.ProfileMoved:
            continue
        except store.GateIsNewer as newer:
            gate = newer.consents
        else:
            return
    raise Busy("others kept changing this customer first")


def _statement_of(patch: CustomerPatch, at: datetime, *, by_customer: bool) -> Statement:
    source = CUSTOMER if by_customer else API
    consents = {
        purpose: Consent(
            each.status, at, source if by_customer else each.source or source, each.wording_version
        )
        for purpose, each in patch.consents.said().items()
    }
    return Statement(at, source, patch.traits, consents, latest=True)


def _imported(record: Mapping[str, Any], now: datetime) -> Profile:
    at = _in_milliseconds(record["created_at"])
    traits = {
        **record["traits"],
        **{name: record[name] for name in ("locale", "timezone") if record.get(name)},
    }
    consents = {
        purpose: Consent(status_of(granted=granted), at, IMPORT)
        for purpose, granted in record.get("consents", {}).items()
        if purpose in PURPOSES
    }
    said = {name: Trait(value, IMPORT, at) for name, value in traits.items()}
    return Profile(
        ids.check("customer_id", record["customer_id"]),
        version=1,
        traits=said,
        consents=consents,
        created_at=at,
        updated_at=now,
        confirmed=True,
        imported=True,
    )


def _is_seen(customer_id: str) -> bool:
    # Orders are kept for ever and activity is not, so either may be all that is left.
    return activity_reads.is_known(customer_id) or bool(orders.newest(customer_id, limit=1))


def _matches(if_match: str, version: int) -> bool:
    wanted = [each.strip().removeprefix("W/").strip('"') for each in if_match.split(",")]
    return str(version) in wanted or ("*" in wanted and version > 0)


def _in_milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _answer(profile: Profile, active_points: int) -> CustomerAnswer:
    return CustomerAnswer(
        customer_id=profile.customer_id,
        anonymous_ids=list(profile.anonymous_ids),
        identifiers=rules.identifiers(profile),
        traits={
            name: TraitAnswer(value=trait.value, source=trait.source, updated_at=trait.at)
            for name, trait in sorted(rules.known_traits(profile).items())
        },
        consents={
            purpose: ConsentAnswer(
                status=each.status, at=each.at, source=each.source, wording_version=each.wording_version
            )
            for purpose, each in sorted(profile.consents.items())
        },
        loyalty=CustomerLoyalty(active_points=active_points),
        created_at=profile.created_at,
        updated_at=profile.updated_at,
    )
