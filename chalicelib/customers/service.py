"""Use cases of a profile: load, decide, commit; a lost race or a lost reply is settled by loading again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from chalicelib.customers import bulk, erasing, mail_gates, merges, merging, rules, store, viewing
from chalicelib.customers.answers import customer_answer
from chalicelib.customers.hearing import alias, declare, gates_for, identify, in_milliseconds, link, recognise
from chalicelib.customers.model import (
    API,
    CUSTOMER,
    IMPORT,
    PURPOSES,
    RESERVED_TRAITS,
    Consent,
    Profile,
    Selves,
    Statement,
    Trait,
    status_of,
)
from chalicelib.customers.schemas import (
    CustomerAnswer,
    CustomerPatch,
    TokenAnswer,
    check_traits,
)
from chalicelib.shared import clock, etags, ids, tokens
from chalicelib.shared.errors import (
    Busy,
    FieldError,
    Gone,
    InvalidInput,
    Moved,
    NotFound,
    StaleVersion,
)
from chalicelib.shared.rounds import rounds
from chalicelib.traits.reads import Known

__all__ = [
    "alias",
    "declare",
    "edit",
    "erase",
    "identify",
    "import_customers",
    "link",
    "recognise",
    "token",
    "view",
    "view_with_evidence",
]

IMPORT_CHUNK = 100


def edit(
    customer_id: str,
    patch: CustomerPatch,
    *,
    if_match: str,
    by_customer: bool,
    said_by: str = "",
    now: datetime,
) -> tuple[CustomerAnswer, str]:
    """Change a profile in view of what is stored; returns it with its version.

    `if_match` is the header, empty for none; raises StaleVersion. A customer nobody has heard of is made by the first
    traits given, or by their own token; anything else about them raises NotFound. An id that was merged raises Moved,
    except that a customer's own token changes the person; an erased one raises Gone.
    """
    problems = check_traits(patch.traits)
    if by_customer:
        reserved = sorted(RESERVED_TRAITS & patch.traits.keys())
        problems += [FieldError(f"traits.{name}", "is for the shop to say") for name in reserved]
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", fields=problems)
    at = in_milliseconds(now)

    def check(selves: Selves) -> None:
        if selves.head.customer_id != customer_id and not by_customer:
            raise Moved(variables={"customer_id": selves.head.customer_id})
        version = version_of(selves)
        # Version 0 is nobody's yet: it can be named, but `*` asks for what is there.
        if (if_match == "*" and not selves.head.version) or not etags.allows(if_match, version):
            raise StaleVersion(f"it has version {version} now")
        makes = by_customer or any(value is not None for value in patch.traits.values())
        if not (selves.head.version or makes or merges.is_seen(customer_id)):
            raise NotFound("nobody has said anything about this customer yet; traits would make a profile")

    said = _statement_of(patch, at, by_customer=by_customer, said_by=said_by)
    for part in rules.apart(said, mail_gates.GATED):
        _edit_part(customer_id, part, now=now, check=check, guarded=bool(if_match))
        check = _nothing  # the parts after the first follow our own write
    return view(customer_id, by_customer=by_customer)


def view(
    customer_id: str, *, by_customer: bool = False, now: datetime | None = None
) -> tuple[CustomerAnswer, str]:
    """What is known about a customer, with its version, and what follows from what they did. Trips as `viewing.look`.

    Somebody of whom there are only activity or orders has a bare profile of version 0; else raises NotFound. The
    holder of a customer's token is always known to the shop. Raises Moved and Gone like `edit`.
    """
    answer, version, _ = view_with_evidence(customer_id, by_customer=by_customer, now=now)
    return answer, version


def view_with_evidence(
    customer_id: str, *, by_customer: bool = False, now: datetime | None = None
) -> tuple[CustomerAnswer, str, Known]:
    """As `view`, with every fact that what follows rests on."""
    seen = viewing.look(customer_id, by_customer=by_customer, now=now or clock.now())
    answer = customer_answer(seen.selves, seen.balance, seen.known, by_customer=by_customer)
    return answer, version_of(seen.selves), seen.known


def version_of(selves: Selves) -> str:
    """The version of a person: it changes whenever what one of their ids was told does, and never comes back."""
    return ".".join(str(profile.version) for profile in selves.profiles)


def token(customer_id: str, ttl_seconds: int, *, now: datetime) -> TokenAnswer:
    """A bearer token for one customer; raises Gone for one who was erased. One trip, 1 read unit."""
    if store.erased_among([customer_id]):
        raise Gone
    ttl = timedelta(seconds=ttl_seconds)
    return TokenAnswer(token=tokens.customer_token(customer_id, now=now, ttl=ttl), expires_at=now + ttl)


def erase(
    customer_ids: Sequence[str],
    anonymous_ids: Sequence[str],
    *,
    now: datetime,  # noqa: ARG001
) -> dict[str, int]:
    """Forget these ids of one person; returns how many items of each kind that were. Safe to break off and repeat."""
    return erasing.forget(customer_ids, anonymous_ids)


def import_customers(records: Iterable[Mapping[str, Any]], *, now: datetime) -> int:
    """Bring a shop's customers along; returns how many were new. Nothing is sent to them.

    A record has `customer_id`, `created_at` (aware), `traits`, and may have `locale`, `timezone` and `consents`
    (purpose -> granted). Customers that exist already are left alone, so it may be repeated.
    """
    imported = 0
    remaining = iter(records)
    while chunk := list(islice(remaining, IMPORT_CHUNK)):
        imported += bulk.import_profiles([_imported(record, now) for record in chunk], write_id=ids.new(now))
    return imported


def _edit_part(
    customer_id: str, said: Statement, *, now: datetime, check: Callable[[Selves], None], guarded: bool
) -> None:
    """An edit, told to the very id that it names, in view of everything that all ids of the person were told."""
    write_id = ids.new(now)
    for _ in rounds():
        selves = store.load_selves(customer_id)
        if selves.written_by == write_id:
            return  # our own write, whose reply was lost
        check(selves)
        # An edit answers to what stands now, and for mail that is the gate.
        gates = gates_for(said, selves.customer_ids)
        heeding = merging.heeding(selves, gates)
        own = heeding.of(customer_id)
        after = rules.listen(own, said, now=now, seen=merging.whole(heeding))
        if after is None:
            return
        try:
            others = [each for each in selves.profiles if each.customer_id != customer_id] if guarded else ()
            store.commit(own, after, write_id=write_id, unchanged=others)
        except (store.ProfileMoved, store.GateIsNewer):
            continue
        except store.Erased:
            raise Gone from None
        else:
            return
    raise Busy("others kept changing this customer first")


def _nothing(selves: Selves) -> None:
    """There is nothing to check."""


def _statement_of(patch: CustomerPatch, at: datetime, *, by_customer: bool, said_by: str) -> Statement:
    source = CUSTOMER if by_customer else API
    consents = {
        purpose: Consent(
            each.status,
            at,
            source if by_customer else each.source or source,
            each.wording_version,
            each.locale,
        )
        for purpose, each in patch.consents.said().items()
    }
    return Statement(at, source, patch.traits, consents, latest=True, said_by=said_by)


def _imported(record: Mapping[str, Any], now: datetime) -> Profile:
    at = in_milliseconds(record["created_at"])
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
