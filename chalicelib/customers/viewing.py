"""Reads everything that a profile shows, at once as far as one thing does not say where another is."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.activity import reads as activity
from chalicelib.customers import mail_gates, merging, rules, store
from chalicelib.customers.model import Consent, Selves
from chalicelib.customers.store import Loaded
from chalicelib.loyalty import reads as loyalty
from chalicelib.loyalty.reads import Books
from chalicelib.loyalty.schemas import BalanceAnswer
from chalicelib.shared.errors import Gone, Moved, NotFound
from chalicelib.shared.wanted import Wanted, alone, fetch
from chalicelib.traits import reads as traits
from chalicelib.traits.reads import Known


@dataclass(frozen=True)
class Seen:
    """Everything about a person; `selves` heed their mail gates."""

    selves: Selves
    balance: BalanceAnswer
    known: Known


@dataclass(frozen=True)
class _Kept:
    """What other rooms keep by key, for each id it was asked of."""

    gates: dict[str, dict[str, Consent]]
    books: Books


def _kept_wanted(customer_ids: Sequence[str]) -> Wanted[_Kept]:
    gates = mail_gates.wanted(customer_ids)
    books = loyalty.books_wanted(customer_ids)
    return Wanted((*gates.places, *books.places), lambda found: _Kept(gates.read(found), books.read(found)))


def look(customer_id: str, *, by_customer: bool, now: datetime) -> Seen:
    """Everything about a customer, read as of one id; raises Moved, Gone and NotFound like `service.view`.

    One round of trips: profile, tombstone, gate and points by their keys, and beside that orders, timeline and what the
    shop has defined. One more for what the profile names: linked devices, merged ids; and for the items met on the way.
    """
    with ThreadPoolExecutor(traits.READS_AT_ONCE_MAX) as threads:
        follows = traits.Asking(threads, [customer_id])
        profile, own = store.wanted(customer_id), _kept_wanted([customer_id])
        found = fetch(profile, own, follows.wanted)
        loaded, kept = profile.read(found), [own.read(found)]
        others = [each.customer_id for each in loaded.profile.absorbed]
        follows.ask(others, loaded.profile.anonymous_ids)
        more = threads.submit(alone, _kept_wanted(others)) if others else None
        selves = store.load_selves(customer_id, loaded)
        if selves.head.customer_id != customer_id and not by_customer:
            raise Moved(variables={"customer_id": selves.head.customer_id})
        if not selves.head.version:
            _refuse_unknown(loaded, follows, by_customer=by_customer)
        begun = None if selves.head.version else threads.submit(activity.first_seen, customer_id)
        kept += [more.result()] if more else []
        # Asked for by an id that was merged into another, or merged this very moment.
        missing = set(selves.customer_ids).difference(*(each.gates for each in kept))
        kept += [alone(_kept_wanted(sorted(missing)))] if missing else []
        gates = {name: gate for each in kept for name, gate in each.gates.items()}
        accounts = {name: account for each in kept for name, account in each.books.accounts.items()}
        selves = merging.heeding(selves, gates)
        known = follows.known(rules.person(merging.whole(selves)), found, now=now)
        if begun:
            selves = Selves((replace(selves.head, created_at=begun.result()),))
        books = Books(accounts, kept[0].books.program)
        return Seen(selves, books.balance(selves.customer_ids, now=now), known)


def _refuse_unknown(loaded: Loaded, follows: traits.Asking, *, by_customer: bool) -> None:
    """Somebody without a profile is known by activity or orders; the holder of a customer's token is in any case."""
    # A profile that was there a moment ago may have been erased since.
    if loaded.erased or (loaded.profile.version and store.erased_among([loaded.profile.customer_id])):
        raise Gone
    if not (by_customer or follows.is_anything()):
        raise NotFound("there is no such customer")
