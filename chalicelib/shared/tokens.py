"""Signed tokens: customer tokens, page cursors and the links in mails, all with one rotating key ring."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from chalicelib.shared import aws
from chalicelib.shared.clock import epoch_seconds
from chalicelib.shared.config import config
from chalicelib.shared.errors import InvalidInput, Unauthorized

ALGORITHM = "HS256"
TOKEN_LENGTH_MAX = 4096
CUSTOMER, CURSOR, UNSUBSCRIBE = "customer", "cursor", "unsubscribe"  # audiences: no token serves two purposes

# Public on purpose: the embedded stage runs on a developer's machine with invented customers only.
_EMBEDDED_RING = {"current": "local", "keys": {"local": "embedded-stage-signing-key-not-a-secret-0001"}}


@dataclass(frozen=True)
class KeyRing:
    """Signing secrets by key id; `current` signs, every one of them verifies."""

    current: str
    keys: Mapping[str, str]


@cache
def key_ring() -> KeyRing:
    """The ring of this deployment, read once per process from an SSM SecureString."""
    if config().is_embedded:
        ring: dict[str, Any] = _EMBEDDED_RING
    else:
        answer = aws.client("ssm").get_parameter(Name=config().keyring_parameter, WithDecryption=True)
        ring = json.loads(answer["Parameter"]["Value"])
    return KeyRing(ring["current"], ring["keys"])


def sign(audience: str, claims: Mapping[str, Any], *, now: datetime, ttl: timedelta | None = None) -> str:
    """A compact JWT (RFC 7519) for one audience; without `ttl` it never expires (links in old mails must work)."""
    import jwt  # only routes that sign or verify pay for this import

    ring = key_ring()
    payload = {**claims, "aud": audience, "iat": epoch_seconds(now)}
    if ttl is not None:
        payload["exp"] = epoch_seconds(now + ttl)
    headers = {"kid": ring.current}
    return jwt.encode(payload, ring.keys[ring.current], ALGORITHM, headers=headers, json_encoder=_Utf8)


class _Utf8(json.JSONEncoder):
    """Japanese ids take half the length in UTF-8: a link in a mail's header may have 870 characters in SES."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"ensure_ascii": False})


def verify(audience: str, token: str, *, now: datetime) -> dict[str, Any] | None:
    """The claims of a token of ours for this audience, or None when it is anything else or has expired."""
    import jwt

    if len(token) > TOKEN_LENGTH_MAX:
        return None
    try:
        secret = key_ring().keys[jwt.get_unverified_header(token)["kid"]]
        # Expiry is judged below on the injected clock; the library only knows the machine's.
        options: Any = {"verify_exp": False, "verify_iat": False, "require": ["aud", "iat"]}
        claims: dict[str, Any] = jwt.decode(token, secret, [ALGORITHM], audience=audience, options=options)
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        return None
    expires = claims.get("exp")
    if expires is not None and (not isinstance(expires, int) or expires <= epoch_seconds(now)):
        return None
    return claims


def customer_token(customer_id: str, *, now: datetime, ttl: timedelta) -> str:
    """A bearer token that lets its holder act as one customer."""
    return sign(CUSTOMER, {"sub": customer_id}, now=now, ttl=ttl)


def customer_of(token: str, *, now: datetime) -> str:
    """The customer a bearer token speaks for; raises Unauthorized."""
    claims = verify(CUSTOMER, token, now=now)
    if claims is None or "exp" not in claims or not isinstance(claims.get("sub"), str):
        raise Unauthorized("the customer token is not valid or has expired")
    return str(claims["sub"])


def cursor(filter_name: str, position: str, *, now: datetime) -> str:
    """An opaque place in a list, bound to the list's filter so that it cannot be used on another one."""
    return sign(CURSOR, {"filter": filter_name, "at": position}, now=now)


def position_of(filter_name: str, token: str | None, *, now: datetime) -> str:
    """The place a cursor names, empty for none; raises InvalidInput for a foreign or altered one."""
    if not token:
        return ""
    claims = verify(CURSOR, token, now=now)
    if claims is None or claims.get("filter") != filter_name:
        raise InvalidInput.of("cursor", "is not a cursor of this list")
    return str(claims["at"])
