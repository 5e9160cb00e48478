"""Who may call what: the one table of every route, and the check at its door.

A route that is not in the table does not start. Scopes are for secret keys; `*` holds all of them.
"""

from __future__ import annotations

import base64
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
STAFF = "staff"  # a key with this scope says in X-Actor for whom it speaks


@dataclass(frozen=True)
class Rule:
    """Who may use a route: a secret key with `scope`, a publishable key, a customer token, or anybody."""

    scope: str | None = None
    staff: bool = False  # a key with the scope for staff will do as well
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
    "POST /v1/import": EVENTS_IN,  # the same to SDKs of before there was a batch
    "POST /v1/t": EVENTS_IN,
    "POST /v1/i": EVENTS_IN,
    "POST /v1/p": EVENTS_IN,
    "POST /v1/s": EVENTS_IN,
    "POST /v1/g": EVENTS_IN,
    "POST /v1/a": EVENTS_IN,
    "POST /v1/b": EVENTS_IN,
    # customers
    "GET /v1/customers/{customer_id}": Rule("customers:read"),
    "GET /v1/customers": Rule("customers:read"),
    "PATCH /v1/customers/{customer_id}": Rule("customers:write"),
    "POST /v1/customers/{customer_id}/merge": Rule("customers:write"),
    "POST /v1/merges/{merge_id}/undo": Rule("customers:write"),
    "GET /v1/customers/{customer_id}/timeline": Rule("customers:read"),
    "POST /v1/customer-tokens": Rule("customers:impersonate"),
    "GET /v1/me": OWN,
    "PATCH /v1/me": OWN,
    "GET /v1/me/timeline": OWN,
    # privacy
    "DELETE /v1/customers/{customer_id}": Rule("privacy:write"),
    "DELETE /v1/me": OWN,
    "GET /v1/erasures/{erasure_id}": Rule("privacy:read", customer=True),
    "POST /v1/customers/{customer_id}/export": Rule("privacy:write"),
    "POST /v1/me/export": OWN,
    "GET /v1/exports/{export_id}": Rule("privacy:read", customer=True),
    "GET /v1/me/explanation": OWN,
    "GET /v1/settings/sensitive-categories": Rule("settings:read"),
    "PUT /v1/settings/sensitive-categories": Rule("settings:write"),
    # traits
    "GET /v1/customers/{customer_id}/traits": Rule("traits:read"),
    "GET /v1/computed-traits": Rule("traits:read"),
    "GET /v1/computed-traits/{trait_name}": Rule("traits:read"),
    "PUT /v1/computed-traits/{trait_name}": Rule("traits:write"),
    "DELETE /v1/computed-traits/{trait_name}": Rule("traits:write"),
    "GET /v1/inference-rules": Rule("traits:read"),
    "GET /v1/inference-rules/{rule_id}": Rule("traits:read"),
    "PUT /v1/inference-rules/{rule_id}": Rule("traits:write"),
    "DELETE /v1/inference-rules/{rule_id}": Rule("traits:write"),
    "POST /v1/inference-rules/preview": Rule("traits:read"),
    "GET /v1/settings/interests": Rule("traits:read"),
    "PUT /v1/settings/interests": Rule("traits:write"),
    # what staff and customers keep about each other
    "POST /v1/customers/{customer_id}/notes": Rule("notes:write", staff=True),
    "GET /v1/customers/{customer_id}/notes": Rule("notes:read", staff=True),
    "GET /v1/me/notes": OWN,
    "GET /v1/customers/{customer_id}/watchlist": Rule("watchlist:read", staff=True),
    "PUT /v1/customers/{customer_id}/watchlist/{item_id}": Rule("watchlist:write", staff=True),
    "DELETE /v1/customers/{customer_id}/watchlist/{item_id}": Rule("watchlist:write", staff=True),
    "GET /v1/me/watchlist": OWN,
    "PUT /v1/me/watchlist/{item_id}": OWN,
    "DELETE /v1/me/watchlist/{item_id}": OWN,
    "GET /v1/customers/{customer_id}/projects": Rule("projects:read", staff=True),
    "GET /v1/customers/{customer_id}/projects/{project_id}": Rule("projects:read", staff=True),
    "PUT /v1/customers/{customer_id}/projects/{project_id}": Rule("projects:write", staff=True),
    "DELETE /v1/customers/{customer_id}/projects/{project_id}": Rule("projects:write", staff=True),
    "GET /v1/me/projects": OWN,
    "GET /v1/me/projects/{project_id}": OWN,
    "PUT /v1/me/projects/{project_id}": OWN,
    "DELETE /v1/me/projects/{project_id}": OWN,
    # questions, answers and what they earn
    "GET /v1/profile-questions": Rule("customers:read", publishable=True, customer=True),
    "POST /v1/profile-answers": Rule("customers:write", publishable=True, customer=True),
    "GET /v1/settings/profile-questions": Rule("settings:read"),
    "GET /v1/profile-questions/{question_id}": Rule("settings:read"),
    "PUT /v1/profile-questions/{question_id}": Rule("settings:write"),
    "DELETE /v1/profile-questions/{question_id}": Rule("settings:write"),
    "GET /v1/coupons/{code}": Rule("orders:read"),
    "POST /v1/coupons/{code}/redeem": Rule("orders:write"),
    "GET /v1/customers/{customer_id}/coupons": Rule("customers:read"),
    "GET /v1/me/coupons": OWN,
    "GET /c/{token}": ANYBODY,
    # complaints and satisfaction
    "POST /v1/customers/{customer_id}/complaints": Rule("feedback:write", staff=True),
    "GET /v1/customers/{customer_id}/complaints": Rule("feedback:read", staff=True),
    "POST /v1/customers/{customer_id}/complaints/{complaint_id}/resolve": Rule("feedback:write", staff=True),
    "POST /v1/customers/{customer_id}/satisfaction": Rule("feedback:write", staff=True),
    "POST /v1/me/complaints": OWN,
    "GET /v1/me/complaints": OWN,
    "POST /v1/me/satisfaction": OWN,
    # catalogue
    "GET /v1/items": Rule("catalog:read"),
    "GET /v1/items/{item_id}": Rule("catalog:read"),
    "PUT /v1/items/{item_id}": Rule("catalog:write"),
    "DELETE /v1/items/{item_id}": Rule("catalog:write"),
    "POST /v1/items/batch": Rule("catalog:write"),
    # recommendations
    "GET /v1/recommendations/{placement}": Rule("recommendations:read", publishable=True, customer=True),
    "POST /v1/recommendations/rank": Rule("recommendations:read", publishable=True, customer=True),
    "GET /v1/recommendation-rules": Rule("recommendations:read"),
    "GET /v1/recommendation-rules/{rule_id}": Rule("recommendations:read"),
    "PUT /v1/recommendation-rules/{rule_id}": Rule("recommendations:write"),
    "DELETE /v1/recommendation-rules/{rule_id}": Rule("recommendations:write"),
    "POST /v1/recommendation-rules/preview": Rule("recommendations:read"),
    "GET /v1/settings/audience": Rule("settings:read"),
    "PUT /v1/settings/audience": Rule("settings:write"),
    # loyalty
    "GET /v1/customers/{customer_id}/loyalty": Rule("loyalty:read"),
    "GET /v1/me/loyalty": OWN,
    "GET /v1/customers/{customer_id}/loyalty/entries": Rule("loyalty:read"),
    "GET /v1/me/loyalty/entries": OWN,
    "POST /v1/customers/{customer_id}/loyalty/accruals": Rule("loyalty:write"),
    "POST /v1/customers/{customer_id}/loyalty/redemptions": Rule("loyalty:write"),
    "POST /v1/customers/{customer_id}/loyalty/redemptions/{redemption_id}/confirm": Rule("loyalty:write"),
    "POST /v1/customers/{customer_id}/loyalty/redemptions/{redemption_id}/release": Rule("loyalty:write"),
    "POST /v1/customers/{customer_id}/loyalty/refunds": Rule("loyalty:write"),
    "GET /v1/customers/{customer_id}/loyalty/offers": Rule("loyalty:read"),
    "GET /v1/me/loyalty/offers": OWN,
    "POST /v1/customers/{customer_id}/loyalty/offers": Rule("loyalty:write"),
    "POST /v1/me/loyalty/offers": OWN,
    "POST /v1/customers/{customer_id}/loyalty/incentives": Rule("loyalty:write"),
    "POST /v1/me/loyalty/incentives": OWN,
    "POST /v1/customers/{customer_id}/loyalty/referral-code": Rule("loyalty:write"),
    "POST /v1/me/loyalty/referral-code": OWN,
    "POST /v1/loyalty/referrals": Rule("loyalty:write", customer=True),
    "POST /v1/loyalty/quotes": Rule("loyalty:read", publishable=True, customer=True),
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
        SECRET: rule.scope is not None and (caller.may(rule.scope) or (rule.staff and caller.may(STAFF))),
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
    except ValueError:  # not ASCII, not base64, or not UTF-8 inside
        raise Unauthorized("the Basic credentials cannot be read") from None
