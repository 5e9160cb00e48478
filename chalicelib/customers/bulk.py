"""Many profiles at once: a shop's customers brought along."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.customers import mapping
from chalicelib.customers.mail_gates import GATED, key_of
from chalicelib.customers.model import Profile
from chalicelib.customers.store import erased_among, listed, listing, load_many
from chalicelib.shared.clock import to_text
from chalicelib.shared.dynamo import Item, table


def import_profiles(profiles: Sequence[Profile], *, write_id: str) -> int:
    """Write the profiles that are not there yet, with their gates and identifiers; returns how many. May be repeated.

    Per 100 profiles two trips to look and twelve to write. Not for use while the same customers speak for themselves.
    """
    ids = [profile.customer_id for profile in profiles]
    existing = load_many(ids).keys() | erased_among(ids)
    fresh = [profile for profile in profiles if profile.customer_id not in existing]
    # Profiles last: a run that dies in between finds these customers missing, and writes everything again.
    table("engagement").put_many([_gate_item(profile) for profile in fresh])
    table("people").put_many([listing(each, profile) for profile in fresh for each in listed(profile)])
    table("people").put_many([mapping.of_profile(profile) | {"written_by": write_id} for profile in fresh])
    return len(fresh)


def _gate_item(profile: Profile) -> Item:
    pk, sk = key_of(profile.customer_id)
    item: Item = {"pk": pk, "sk": sk}
    for purpose in GATED:
        if purpose in profile.consents:
            item[f"consent_{purpose}"] = profile.consents[purpose].is_granted
            item[f"consent_{purpose}_at"] = to_text(profile.consents[purpose].at)
            item[f"consent_{purpose}_source"] = profile.consents[purpose].source
    return item
