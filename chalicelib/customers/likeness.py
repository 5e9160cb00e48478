"""Signs that two customers are one person, for who must not reward somebody for themself. Nothing is merged by them."""

from __future__ import annotations

from chalicelib.customers import identifiers, store
from chalicelib.customers.identifiers import CARD, Identifier
from chalicelib.customers.mapping import link_key
from chalicelib.customers.model import EMAIL, PHONE, Person
from chalicelib.shared.config import config
from chalicelib.shared.dynamo import table

CUSTOMER_ID, DEVICE = "customer_id", "device"
KINDS = (EMAIL, PHONE, CARD)


def common_sign(one: Person, other: Person) -> str | None:
    """`customer_id`, `email`, `phone`, `card` or `device`, whichever two persons share; None where they share nothing.

    A device that more people use than one household is nobody's sign. One trip, 1 read unit for each linked device.
    """
    if set(one.customer_ids) & set(other.customer_ids):
        return CUSTOMER_ID
    common = {each.kind for each in _of(one) & _of(other)}
    found = next((kind for kind in KINDS if kind in common), None)
    return found or (DEVICE if _share_a_device(one, other) else None)


def _of(person: Person) -> set[Identifier]:
    found = {
        each for each in identifiers.of_traits(person.traits, (), config().shop_country) if each.kind in KINDS
    }
    # What stands behind a plus sign is the same mailbox nearly everywhere.
    return found | {Identifier(EMAIL, _bare(each.value)) for each in found if each.kind == EMAIL}


def _bare(address: str) -> str:
    name, at, domain = address.rpartition("@")
    return name.partition("+")[0] + at + domain


def _share_a_device(one: Person, other: Person) -> bool:
    devices = {*one.anonymous_ids, *other.anonymous_ids}
    links = table("people").get_many(map(link_key, devices), consistent=True) if devices else {}
    for device in devices:
        link = links.get(link_key(device))
        if link is None or link["customer_id"] == store.NOBODY:
            continue
        users = [_uses(each, device, link["customer_id"], link.get("also", ())) for each in (one, other)]
        if all(users):
            return True
    return False


def _uses(person: Person, device: str, owner: str, also: tuple[str, ...]) -> bool:
    ids = person.customer_ids
    return owner in ids or any(store.mark_of(device, each) in also for each in ids)
