"""Tokens do one thing, for one audience, until their time, and only in our own hand."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.shared import tokens
from chalicelib.shared.errors import InvalidInput, Unauthorized

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
AUDIENCES = [tokens.CUSTOMER, tokens.CURSOR, tokens.UNSUBSCRIBE]
SECRET = "embedded-stage-signing-key-not-a-secret-0001"
CLAIMS = {"sub": "u1", "aud": "customer", "iat": 0, "exp": 4_102_444_800}

pytestmark = pytest.mark.usefixtures("environment")


@pytest.mark.parametrize("signed_for", AUDIENCES)
@pytest.mark.parametrize("asked_by", AUDIENCES)
def test_no_token_serves_two_purposes(signed_for: str, asked_by: str) -> None:
    token = tokens.sign(signed_for, {"sub": "u1"}, now=NOW, ttl=HOUR)
    claims = tokens.verify(asked_by, token, now=NOW)

    assert (claims is not None) == (signed_for == asked_by)


@pytest.mark.parametrize(
    ("after", "is_valid"), [(-HOUR, True), (HOUR - timedelta(seconds=1), True), (HOUR, False)]
)
def test_a_token_lives_by_the_clock_it_is_given(after: timedelta, is_valid: bool) -> None:
    token = tokens.customer_token("u1", now=NOW, ttl=HOUR)

    if is_valid:
        assert tokens.customer_of(token, now=NOW + after) == "u1"
    else:
        with pytest.raises(Unauthorized):
            tokens.customer_of(token, now=NOW + after)


def test_a_link_in_an_old_mail_works_for_ever() -> None:
    token = tokens.sign(tokens.UNSUBSCRIBE, {"sub": "u1"}, now=NOW)

    assert tokens.verify(tokens.UNSUBSCRIBE, token, now=NOW + timedelta(days=20_000)) is not None


def forged(
    claims: dict[str, Any], *, key: str | None = SECRET, algorithm: str = "HS256", kid: Any = "local"
) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers={} if kid is None else {"kid": kid})


def hs512(claims: dict[str, Any]) -> str:
    """Signed with the right key in another way; by hand, because the library thinks the key too short for it."""
    head = {"alg": "HS512", "typ": "JWT", "kid": "local"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, claims)]
    signature = hmac.digest(SECRET.encode(), b".".join(parts), "sha512")
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "..",
        "é.é.é",
        "\ud800.a.b",
        "x" * 5000,
        forged(CLAIMS, key="another-key-that-is-long-enough-for-it"),
        forged(CLAIMS, kid="unknown"),
        forged(CLAIMS, kid=None),
        forged(CLAIMS, key=None, algorithm="none"),
        hs512(CLAIMS),
        forged(CLAIMS | {"aud": "cursor"}),
        forged({name: value for name, value in CLAIMS.items() if name != "exp"}),
        forged({name: value for name, value in CLAIMS.items() if name != "iat"}),
        forged({name: value for name, value in CLAIMS.items() if name != "aud"}),
        forged(CLAIMS | {"exp": 0}),
        forged(CLAIMS | {"exp": 1e300}),
        forged({name: value for name, value in CLAIMS.items() if name != "sub"}),
    ],
)
def test_what_we_did_not_sign_for_this_is_nobody(token: str) -> None:
    with pytest.raises(Unauthorized):
        tokens.customer_of(token, now=NOW)


def test_the_forger_would_succeed_with_the_right_words() -> None:
    # Else the cases above might all be refused for the same wrong reason.
    assert tokens.customer_of(forged(CLAIMS), now=NOW) == "u1"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_character_undoes_a_token(place: int, change: int) -> None:
    token = tokens.customer_token("u1", now=NOW, ttl=HOUR)
    head, body, signature = token.split(".")
    parts = [bytearray(base64.urlsafe_b64decode(part + "==")) for part in (head, body, signature)]
    part = parts[place % 3]
    part[place // 3 % len(part)] ^= change
    altered = ".".join(base64.urlsafe_b64encode(bytes(part)).decode().rstrip("=") for part in parts)

    assert tokens.verify(tokens.CUSTOMER, altered, now=NOW) is None


def test_a_key_that_no_longer_signs_still_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    old = tokens.customer_token("u1", now=NOW, ttl=HOUR)
    ring = {"current": "new", "keys": {"new": "another-key-that-is-long-enough-for-it", "local": SECRET}}
    monkeypatch.setattr(tokens, "_EMBEDDED_RING", ring)
    tokens.key_ring.cache_clear()
    new = tokens.customer_token("u1", now=NOW, ttl=HOUR)

    assert jwt.get_unverified_header(new)["kid"] == "new"
    assert tokens.customer_of(old, now=NOW) == tokens.customer_of(new, now=NOW) == "u1"

    del ring["keys"]["local"]  # type: ignore[attr-defined]
    tokens.key_ring.cache_clear()
    assert tokens.verify(tokens.CUSTOMER, old, now=NOW) is None


def test_outside_the_embedded_stage_the_ring_is_a_parameter(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.shared import aws as clients
    from chalicelib.shared.config import config

    ring = {"current": "k1", "keys": {"k1": "a-key-of-the-deployment-long-enough-00"}}
    clients.client("ssm").put_parameter(Name="/kokyaku/keys", Type="SecureString", Value=json.dumps(ring))
    monkeypatch.setenv("KOKYAKU_STAGE", "prod")
    monkeypatch.setenv("KOKYAKU_KEYRING", "/kokyaku/keys")
    config.cache_clear()
    tokens.key_ring.cache_clear()

    token = tokens.customer_token("u1", now=NOW, ttl=HOUR)
    assert jwt.get_unverified_header(token)["kid"] == "k1"
    assert tokens.customer_of(token, now=NOW) == "u1"
    with pytest.raises(Unauthorized):
        tokens.customer_of(forged(CLAIMS), now=NOW)


@given(st.text(max_size=30), st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cursor_leads_back_to_its_place_in_its_own_list(filter_name: str, position: str) -> None:
    cursor = tokens.cursor(filter_name, position, now=NOW)

    assert tokens.position_of(filter_name, cursor, now=NOW + timedelta(days=365)) == position
    with pytest.raises(InvalidInput) as refusal:
        tokens.position_of(filter_name + "x", cursor, now=NOW)
    assert refusal.value.fields[0].field == "cursor"


def test_no_cursor_is_the_beginning() -> None:
    assert tokens.position_of("list", None, now=NOW) == tokens.position_of("list", "", now=NOW) == ""
