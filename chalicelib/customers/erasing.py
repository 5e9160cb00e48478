"""Forgetting a person, and telling everything that is kept of them here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.customers import identifiers, merge_store, store
from chalicelib.customers.mapping import PROFILE, link_key, of_profile, pk_of
from chalicelib.customers.model import Profile
from chalicelib.customers.store import AS_SEEN, listed
from chalicelib.shared.clock import to_text
from chalicelib.shared.dynamo import TransactionRefused, table, transact
from chalicelib.shared.errors import Busy
from chalicelib.shared.rounds import rounds


def forget(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, int]:
    """Take away profiles with their identifiers and links, and the merges; how many of each. Safe to repeat."""
    merges = [
        merge
        for merge_id in dict.fromkeys(each for one in customer_ids for each in merge_store.merges_of(one))
        for merge in merge_store.load_merges([merge_id])
    ]
    profiles = sum(_forget_profile(customer_id) for customer_id in customer_ids)
    links = sum(_forget_link(anonymous_id, customer_ids) for anonymous_id in anonymous_ids)
    for merge in merges:
        merge_store.forget(merge)
    return {"people.profiles": profiles, "people.links": links, "people.merges": len(merges)}


def everything(customer_ids: Sequence[str]) -> dict[str, Any]:
    """Every profile of a person and every merge of their ids, as plain JSON. A few trips."""
    profiles = [store.load(each).profile for each in customer_ids]
    merge_ids = dict.fromkeys(each for one in customer_ids for each in merge_store.merges_of(one))
    return {
        "profiles": [
            _plain(of_profile(each)) | {"traits": _traits(each)} for each in profiles if each.version
        ],
        "merges": [_plain(merge_store.item_of(each)) for each in merge_store.load_merges([*merge_ids])],
    }


def _forget_profile(customer_id: str) -> int:
    """A profile goes in one transaction with the rows by which it is found, or what is written meanwhile would leave one."""
    people = table("people")
    for _ in rounds():
        profile = store.load(customer_id).profile
        if not profile.version:
            return 0
        rows = [(identifiers.key_of(each), pk_of(customer_id)) for each in listed(profile)]
        links = [link_key(each) for each in profile.anonymous_ids]
        own = people.deleting(
            pk_of(customer_id), PROFILE, condition=AS_SEEN, values={":seen": profile.version}
        )
        try:
            transact([own, *(people.deleting(*key) for key in dict.fromkeys([*rows, *links]))])
        except TransactionRefused:
            continue
        return 1
    raise Busy("others kept changing a customer who is to be erased")


def _forget_link(anonymous_id: str, customer_ids: Sequence[str]) -> int:
    people = table("people")
    link = people.get(*link_key(anonymous_id), consistent=True)
    if link is None or link["customer_id"] not in customer_ids:
        return 0
    people.delete(*link_key(anonymous_id))
    return 1


def _traits(profile: Profile) -> dict[str, Any]:
    return {
        name: {"value": trait.value, "source": trait.source, "at": to_text(trait.at)}
        for name, trait in profile.traits.items()
    }


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    # Who of the shop's people did it is said of them and not of the customer.
    left_out = ("pk", "sk", "fingerprint", "changed_by", "merged_by", "undone_by")
    return {name: value for name, value in item.items() if name not in left_out}
