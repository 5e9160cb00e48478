"""Use cases of API keys."""

from __future__ import annotations

import secrets
from datetime import datetime

from chalicelib.partners import store
from chalicelib.partners.schemas import KeyAnswer, KeyRequest, KeyRevoked
from chalicelib.shared.access import Caller, hash_key
from chalicelib.shared.clock import to_text
from chalicelib.shared.dynamo import Item
from chalicelib.shared.errors import Forbidden, InvalidInput, KeyReused, NotFound
from chalicelib.shared.ids import fingerprint

SECRET_BYTES = 32
PREFIXES = {"secret": "sk_", "publishable": "pk_"}


def create_key(request: KeyRequest, *, maker: Caller, idempotency_key: str, now: datetime) -> KeyAnswer:
    """Make a key once per Idempotency-Key. A replay names the key but cannot show it: only its hash is stored.

    Nobody hands out more than they hold: raises Forbidden for a scope that `maker` does not have, and InvalidInput for
    a key that has expired.
    """
    missing = sorted(scope for scope in request.scopes if not maker.may(scope))
    if missing:
        raise Forbidden(f"your key does not have the scope {missing[0]}, so it cannot give it")
    if request.expires_at is not None and request.expires_at <= now:
        raise InvalidInput.of("expires_at", "lies in the past: the key would never work")
    key = PREFIXES[request.kind] + secrets.token_urlsafe(SECRET_BYTES)
    item: Item = {
        "key_id": fingerprint("api-key", idempotency_key),
        "name": request.name,
        "kind": request.kind,
        "scopes": sorted(set(request.scopes)),
        "expires_at": to_text(request.expires_at) if request.expires_at else None,
        "created_at": to_text(now),
        "fingerprint": fingerprint(request.model_dump_json()),
    }
    try:
        store.add(hash_key(key), item)
    except store.KeyExists as earlier:
        if earlier.item["fingerprint"] != item["fingerprint"]:
            raise KeyReused from earlier
        return _answer(earlier.item, None)
    return _answer(item, key)


def revoke_key(key_id: str, *, now: datetime) -> KeyRevoked:
    """Stop a key; processes that have it cached refuse it within `access.KEY_CACHE_SECONDS`."""
    revoked_at = store.revoke(key_id, to_text(now))
    if revoked_at is None:
        raise NotFound("no key has this id")
    return KeyRevoked(key_id=key_id, revoked_at=revoked_at)


def _answer(item: Item, key: str | None) -> KeyAnswer:
    shown = {name: item[name] for name in ("key_id", "name", "kind", "scopes", "expires_at", "created_at")}
    return KeyAnswer(**shown, key=key)
