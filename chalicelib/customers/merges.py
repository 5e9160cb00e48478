"""Use cases of merging: two ids turn out to be one person, or turn out not to be. Nothing said is ever moved."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.activity import reads as activity
from chalicelib.customers import mail_gates, merge_store, merging, parting, store
from chalicelib.customers.merge_store import MergeMoved, Pair
from chalicelib.customers.model import Merge, Profile
from chalicelib.orders import reads as orders
from chalicelib.shared import ids
from chalicelib.shared.errors import Busy, Conflict, Gone, InvalidInput, KeyReused, NotFound
from chalicelib.shared.rounds import rounds


def merge(
    customer_id: str, other_id: str, *, reason: str, merge_id: str, said_by: str, now: datetime
) -> Merge:
    """Let one id speak for another from now on; the same `merge_id` again changes nothing and answers the same.

    Both must be surviving ids: raises Conflict naming the one that is. InvalidInput for an id with itself, NotFound
    for one that nobody has used, Gone for one that was erased, KeyReused for another merge under the same `merge_id`.
    """
    if customer_id == other_id:
        raise InvalidInput.of("from", "is the same customer id")
    fingerprint = ids.fingerprint(customer_id, other_id, reason)
    for _ in rounds():
        pair = merge_store.load_pair(customer_id, other_id, merge_id)
        if pair.erased:
            raise Gone
        if pair.merge:
            if pair.merge.fingerprint != fingerprint:
                raise KeyReused
            return pair.merge
        ready, made = _ready(pair, now)
        at = _moment_of(ready, now)
        survivor, taken_in = merging.joined(ready.survivor, ready.taken_in, merge_id=merge_id, at=at)
        record = Merge(merge_id, customer_id, other_id, reason, said_by, at, fingerprint, made)
        try:
            merge_store.commit(pair, survivor, taken_in, record)
        except MergeMoved:
            continue
        return record
    raise Busy("others kept changing these customers first")


def undo(merge_id: str, *, said_by: str, now: datetime) -> Merge:
    """Part two ids again: each has what it had before, and what was said to it since. Doing it again changes nothing.

    What was withdrawn since stays withdrawn for both. Raises NotFound, Gone where one of them was erased, and Conflict
    naming the merge that has to be undone first.
    """
    for _ in rounds():
        known = merge_store.load(merge_id)
        if known is None:
            raise NotFound("no such merge is recorded")
        pair = merge_store.load_pair(known.survivor, known.absorbed, merge_id)
        known = pair.merge or known
        if pair.erased:
            raise Gone
        if known.undone_at:
            return known
        outer = pair.survivor.merged
        if outer:
            raise Conflict(
                f"{known.survivor} was itself merged since: undo the merge {outer.merge_id} first",
                extra={"undo_first": outer.merge_id},
            )
        undone = replace(known, undone_at=now, undone_by=said_by)
        try:
            _part(pair, undone, now)
        except MergeMoved:
            continue
        return undone
    raise Busy("others kept changing these customers first")


def _part(pair: Pair, undone: Merge, now: datetime) -> None:
    absorption, selves = pair.taken_in.merged, merge_store.load_family(pair)
    if absorption is None or absorption.merge_id != undone.merge_id or selves is None:
        raise MergeMoved  # undone between two readings
    gates = mail_gates.load(selves.customer_ids)
    carried = parting.carried(merging.heeding(selves, gates), absorption)
    survivor, taken_in = (
        parting.keeping(each, carried[each.customer_id], now)
        for each in merging.parted(pair.survivor, pair.taken_in)
    )
    merge_store.commit_undo(pair, (survivor, taken_in), undone, selves=selves, gates=gates, carried=carried)


def is_seen(customer_id: str) -> bool:
    """Whether anything is known that somebody did under an id. Two trips, 2 read units."""
    # Orders are kept for ever and activity is not, so either may be all that is left.
    return activity.is_known(customer_id) or bool(orders.newest(customer_id, limit=1))


def _ready(pair: Pair, now: datetime) -> tuple[Pair, tuple[str, ...]]:
    """Both profiles as they may be merged, and the ids for which one has to be made."""
    sides = []
    for profile in (pair.survivor, pair.taken_in):
        if profile.merged:
            head = store.load_selves(profile.customer_id).head.customer_id
            raise Conflict(
                f"{profile.customer_id} was merged into {head}: merge with that", extra={"customer_id": head}
            )
        sides.append(profile if profile.version else _made(profile, now))
    made = tuple(each.customer_id for each in (pair.survivor, pair.taken_in) if not each.version)
    return Pair(sides[0], sides[1], None), made


def _made(profile: Profile, now: datetime) -> Profile:
    customer_id = profile.customer_id
    if not is_seen(customer_id):
        raise NotFound(f"nothing is known of {customer_id}")
    return replace(profile, created_at=activity.first_seen(customer_id) or now, updated_at=now)


def _moment_of(pair: Pair, now: datetime) -> datetime:
    both = (pair.survivor, pair.taken_in)
    heard = mail_gates.load([each.customer_id for each in both])
    consents = [consent for each in both for consent in each.consents.values()]
    consents += [consent for gate in heard.values() for consent in gate.values()]
    earlier = [absorption.at for each in both for absorption in each.absorbed]
    return merging.merge_moment([*(each.at for each in consents), *earlier], now)
