"""Things made once per Idempotency-Key: the thing and the mark of its key are written together, or neither is."""

from __future__ import annotations

from chalicelib.shared.dynamo import Item, TransactionRefused, table, transact
from chalicelib.shared.errors import Busy, Gone, KeyReused
from chalicelib.shared.ids import fingerprint
from chalicelib.shared.rounds import rounds

PREFIX = "ONCE#"
NEW = "attribute_not_exists(pk)"


def make(table_name: str, kind: str, item: Item, *, key: str, request: str) -> Item:
    """Store `item` unless this key has made one of this kind in its partition; returns the one that stands.

    `request` is what was asked for, to know the same request from another one: raises KeyReused. One trip, 4 write
    units for a small item; 2 reads more when it was made before.
    """
    place = table(table_name)
    seen = fingerprint(request)
    mark = {"pk": item["pk"], "sk": mark_of(kind, key), "fingerprint": seen, "made": item["sk"]}
    for _ in rounds():
        try:
            transact([place.putting(mark, condition=NEW), place.putting(item, condition=NEW)])
        except TransactionRefused:
            earlier = place.get(mark["pk"], mark["sk"], consistent=True)
            if earlier is None:
                continue  # two at once; the next round finds whoever came first
            if earlier["fingerprint"] != seen:
                raise KeyReused from None
            made = place.get(item["pk"], earlier["made"], consistent=True)
            if made is None:
                raise Gone("what this key made was removed") from None
            return made
        return item
    raise Busy("the same request was sent too often at once")


def mark_of(kind: str, key: str) -> str:
    """The sort key under which it is remembered that `key` has made something of this kind."""
    return f"{PREFIX}{kind}#{fingerprint(key)}"
