"""Who may call what: the one table of every route, and the check at its door.

A route that is not in the table does not start. Scopes are for secret keys; `*` holds all of them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.shared import tokens
from chalicelib.shared.clock import from_text
from chalicelib.shared.config import config
from chalicelib.shared.dynamo import Item, table
from chalicelib.shared.errors import Forbidden, Unauthorized

SECRET, PUBLISHABLE, CUSTOMER, PUBLIC = "secret", "publishable", "customer", "public"

KEY_LENGTH_MAX = 200
KEY_CACHE_SECONDS = 30  # how long a revoked key may still work
KEY_CACHE_MAX = 1000
EVERY_SCOPE = "*"


@dataclass(frozen=True)
class Rule:
    """Who may use a route: a secret key with `scope`, a publishable key, a customer token, or anybody."""

    scope: str | None = None
    publishable: bool = False
    customer: bool = False
    public: bool = False


EVENTS_IN = Rule("events:write", publishable=True)
ANYBODY = Rule(public=True)
OWN = Rule(customer=True)

ROUTES: dict[str, Rule] = {
    # events in, and the SDK's short paths
    "POST /v1/track": EVENTS_IN,
    "POST /v1/identify": EVENTS_IN,
    "POST /v1/page": EVENTS_IN,
    "POST /v1/screen": EVENTS_IN,
    "POST /v1/group": EVENTS_IN,
    "POST /v1/alias": EVENTS_IN,
    "POST /v1/batch": EVENTS_IN,
    "POST /v1/t": EVENTS_IN,
    "POST /v1/i": EVENTS_IN,
    "POST /v1/p": EVENTS_IN,
    "POST /v1/s": EVENTS_IN,
    "POST /v1/g": EVENTS_IN,
    "POST /v1/a": EVENTS_IN,
    "POST /v1/b": EVENTS_IN,
    # customers
    "GET /v1/customers/{customer_id}": Rule("customers:read"),
    "PATCH /v1/customers/{customer_id}": Rule("customers:write"),
    "GET /v1/customers/{customer_id}/timeline": Rule("customers:read"),
    "POST /v1/customer-tokens": Rule("customers:impersonate"),
    "GET /v1/me": OWN,
    "PATCH /v1/me": OWN,
    "GET /v1/me/timeline": OWN,
    # catalogue
    "GET /v1/items": Rule("catalog:read"),
    "GET /v1/items/{item_id}": Rule("catalog:read"),
    "PUT /v1/items/{item_id}": Rule("catalog:write"),
    "DELETE /v1/items/{item_id}": Rule("catalog:write"),
    "POST /v1/items/batch": Rule("catalog:write"),
    # recommendations
    "GET /v1/recommendations/{placement}": Rule("recommendations:read", publishable=True, customer=True),
    # loyalty
    "GET /v1/customers/{customer_id}/loyalty": Rule("loyalty:read"),
    "GET /v1/me/loyalty": OWN,
    "POST /v1/customers/{customer_id}/loyalty/accruals": Rule("loyalty:write"),
    "GET /v1/loyalty/program": Rule("loyalty:read"),
    "PUT /v1/loyalty/program": Rule("loyalty:write"),
    # orders and deliveries
    "PUT /v1/orders/{order_id}": Rule("orders:write"),
    "GET /v1/orders/{order_id}": Rule("orders:read"),
    "GET /v1/orders/{order_id}/tracking": Rule("orders:read"),
    "GET /v1/customers/{customer_id}/orders": Rule("orders:read"),
    "GET /v1/me/orders": OWN,
    "POST /v1/orders/{order_id}/shipments": Rule("orders:write"),
    "POST /v1/shipments/{shipment_id}/events": Rule("orders:write"),
    # messages
    "GET /v1/customers/{customer_id}/messages": Rule("messages:read"),
    "GET /u/{token}": ANYBODY,
    "POST /u/{token}": ANYBODY,
    # partners
    "POST /v1/api-keys": Rule("keys:write"),
    "DELETE /v1/api-keys/{key_id}": Rule("keys:write"),
    # the contract itself
    "GET /v1/health": ANYBODY,
    "GET /openapi.json": ANYBODY,
    "GET /docs": ANYBODY,
}


@dataclass(frozen=True)
class Caller:
    """Who is asking. `name` is safe to log; `customer_id` is set for a customer token only."""

    kind: str
    name: str
    scopes: frozenset[str] = frozenset()
    customer_id: str | None = None
    is_test: bool = False

    @property
    def is_trusted(self) -> bool:
        """Whether what this caller says is a fact (a secret key) rather than a hint (anybody's browser)."""
        return self.kind == SECRET

    def may(self, scope: str) -> bool:
        return EVERY_SCOPE in self.scopes or scope in self.scopes


_EMBEDDED_KEYS = {
    "sk_test_local": Caller(SECRET, "sk_test_local", frozenset({EVERY_SCOPE}), is_test=True),
    "pk_test_local": Caller(PUBLISHABLE, "pk_test_local", is_test=True),
}
_NOBODY = Caller(PUBLIC, "anybody")
_known: dict[str, tuple[float, Caller]] = {}


def admit(rule: Rule, headers: Mapping[str, str], *, now: datetime, write_key: str | None = None) -> Caller:
    """The caller, if the rule lets it in; raises Unauthorized (who are you?) or Forbidden (not you).

    `headers` has lower-case names; `write_key` is the key a Segment body carries.
    """
    caller = identify(headers, now=now, write_key=write_key)
    if rule.public:
        return caller or _NOBODY
    if caller is None:
        raise Unauthorized(headers={"WWW-Authenticate": 'Bearer, Basic realm="kokyaku"'})
    allowed = {
        SECRET: rule.scope is not None and caller.may(rule.scope),
        PUBLISHABLE: rule.publishable,
        CUSTOMER: rule.customer,
    }[caller.kind]
    if not allowed:
        need = f"a secret key with the scope {rule.scope}" if rule.scope else "a customer token"
        raise Forbidden(f"this route needs {need}")
    return caller


def identify(headers: Mapping[str, str], *, now: datetime, write_key: str | None = None) -> Caller | None:
    """Who the credentials say is calling, None without any; raises Unauthorized for wrong ones."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if headers.get("x-api-key"):
        return caller_of_key(headers["x-api-key"], now=now)
    if scheme.lower() == "bearer":
        customer_id = tokens.customer_of(credentials.strip(), now=now)
        return Caller(CUSTOMER, "customer", customer_id=customer_id)
    if scheme.lower() == "basic":
        return caller_of_key(_basic_user(credentials), now=now)
    if scheme:
        raise Unauthorized("the Authorization scheme must be Bearer or Basic")
    return caller_of_key(write_key, now=now) if write_key else None


def caller_of_key(key: str, *, now: datetime) -> Caller:
    """The caller behind an API key; raises Unauthorized. One cached read; only the key's hash is ever stored."""
    if config().is_embedded and key in _EMBEDDED_KEYS:
        return _EMBEDDED_KEYS[key]
    if not 1 <= len(key) <= KEY_LENGTH_MAX:
        raise Unauthorized("the API key is not known")
    hashed = hash_key(key)
    seen_at, caller = _known.get(hashed, (0.0, _NOBODY))
    # How long something was cached is the machine's matter, not the product's clock's.
    if caller is _NOBODY or time.monotonic() - seen_at > KEY_CACHE_SECONDS:
        caller = _caller(table("settings").get(f"KEY#{hashed}", "KEY"), now)
        if len(_known) >= KEY_CACHE_MAX:
            _known.clear()
        _known[hashed] = (time.monotonic(), caller)
    return caller


def hash_key(key: str) -> str:
    """SHA-256 of an API key: enough for 190 random bits, which no dictionary holds."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _caller(item: Item | None, now: datetime) -> Caller:
    if item is None or item.get("revoked_at"):
        raise Unauthorized("the API key is not known")
    if item.get("expires_at") and from_text(item["expires_at"]) <= now:
        raise Unauthorized("the API key has expired")
    return Caller(item["kind"], item["key_id"], frozenset(item["scopes"]))


def _basic_user(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        raise Unauthorized("the Basic credentials cannot be read") from None
