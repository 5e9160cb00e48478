"""Keys in the settings table: `KEY#{hash}` is read at every call, `APIKEY#{key_id}` names it to its owner."""

from __future__ import annotations

from chalicelib.shared.dynamo import ConditionFailed, Item, TransactionRefused, table, transact

SETTINGS = "settings"
NEW = "attribute_not_exists(pk)"


class KeyExists(Exception):
    """This key id was made before; `item` is what is known of it."""

    def __init__(self, item: Item) -> None:
        super().__init__("key exists")
        self.item = item


def add(hashed: str, item: Item) -> None:
    """Store a new key under its hash and its id; raises KeyExists. One trip, 4 write units."""
    settings = table(SETTINGS)
    owner_item = {**item, "pk": f"APIKEY#{item['key_id']}", "sk": "KEY", "hash": hashed}
    try:
        transact(
            [
                settings.putting(owner_item, condition=NEW),
                settings.putting({**item, "pk": f"KEY#{hashed}", "sk": "KEY"}, condition=NEW),
            ]
        )
    except TransactionRefused as refused:
        earlier = find(item["key_id"])
        if earlier is None:
            raise
        raise KeyExists(earlier) from refused


def find(key_id: str) -> Item | None:
    """What is known of a key, without the key. One trip."""
    return table(SETTINGS).get(f"APIKEY#{key_id}", "KEY", consistent=True)


def revoke(key_id: str, at: str) -> str | None:
    """Mark a key revoked; returns when it first was, None for an unknown one. Two trips."""
    owner_item = find(key_id)
    if owner_item is None:
        return None
    try:
        changed = table(SETTINGS).update(
            f"KEY#{owner_item['hash']}",
            "KEY",
            "SET revoked_at = if_not_exists(revoked_at, :at)",
            values={":at": at},
            condition="attribute_exists(pk)",
        )
    except ConditionFailed:
        return None
    return str(changed["revoked_at"])
