"""Check E1: every route against every kind of caller, from the one table that says who may."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.shared import clock, tokens
from chalicelib.shared.access import ROUTES, Rule
from chalicelib.shared.http import Contract
from tests.support.embedded import PUBLISHABLE, SECRET
from tests.support.known import make_known
from tests.support.routes import contracts, method_and_path

EVERY_ROUTE = pytest.mark.parametrize("contract", contracts(), ids=lambda each: each.signature)
REFUSED = {401, 403}


def test_the_table_and_the_app_name_the_same_routes() -> None:
    import app

    served = {f"{method} {path}" for path, methods in app.app.routes.items() for method in methods}

    assert served == set(ROUTES)


@EVERY_ROUTE
def test_each_route_lets_in_exactly_whom_the_table_names(api: Any, contract: Contract) -> None:
    rule = contract.rule
    callers: dict[str, tuple[dict[str, str], bool]] = {
        "nobody": ({}, False),
        "a secret key with all scopes": (SECRET, rule.scope is not None),
        "a secret key with this scope": (_key(api, [rule.scope] if rule.scope else ["events:write"]), rule.scope is not None),
        "a secret key with another scope": (_key(api, [_another(rule)]), False),
        "a publishable key": (PUBLISHABLE, rule.publishable),
        "a customer": (_bearer("u1"), rule.customer),
        "an unknown key": ({"X-Api-Key": "sk_live_unknown"}, False),
        "an expired token": (_bearer("u1", ttl=timedelta(seconds=-1)), False),
        "a token of another audience": ({"Authorization": f"Bearer {_cursor()}"}, False),
        "a token without expiry": ({"Authorization": f"Bearer {_endless()}"}, False),
        "an unsigned token": ({"Authorization": f"Bearer {_unsigned()}"}, False),
        "another scheme": ({"Authorization": "Digest abc"}, False),
    }  # fmt: skip
    wrong = {}
    for name, (headers, allowed) in callers.items():
        status = _call(api, contract, headers)
        # A public route answers a caller with bad credentials as it likes; it gives nothing away.
        if (status in REFUSED) == allowed and not rule.public:
            wrong[name] = status

    assert wrong == {}


def test_a_write_key_may_stand_in_the_basic_user_name(api: Any) -> None:
    basic = base64.b64encode(b"sk_test_local:").decode()

    assert api.get("/v1/customers/u1/loyalty", {"Authorization": f"Basic {basic}"}).status_code == 200
    assert api.get("/v1/customers/u1/loyalty", {"Authorization": "Basic %%%"}).status_code == 401


def test_a_customer_reaches_only_what_is_hers(api: Any) -> None:
    make_known(["u1", "u2"])
    for customer in ("u1", "u2"):
        body = {"points": 10 if customer == "u1" else 99, "reason": "x"}
        api.post(f"/v1/customers/{customer}/loyalty/accruals", body, **{"Idempotency-Key": "k"})

    assert api.get("/v1/me/loyalty", _bearer("u1")).json_body["active_points"] == 10
    assert api.get("/v1/customers/u2/loyalty", _bearer("u1")).status_code == 403
    assert api.get("/v1/recommendations/for_you?customer_id=u2", _bearer("u1")).status_code == 403


def test_a_key_works_until_it_is_revoked_or_expires(api: Any) -> None:
    from chalicelib.shared import access

    made = _made(api, ["loyalty:read"], name="till")
    headers = {"X-Api-Key": made["key"]}
    assert api.get("/v1/customers/u1/loyalty", headers).status_code == 200

    assert api.delete(f"/v1/api-keys/{made['key_id']}").status_code == 200
    access._known.clear()  # as after KEY_CACHE_SECONDS
    assert api.get("/v1/customers/u1/loyalty", headers).status_code == 401

    tomorrow = clock.to_text(clock.now() + timedelta(days=1))
    short = {"X-Api-Key": _made(api, ["loyalty:read"], name="short", expires_at=tomorrow)["key"]}
    assert api.get("/v1/customers/u1/loyalty", short).status_code == 200
    clock.travel(timedelta(days=1, minutes=1))
    access._known.clear()
    assert api.get("/v1/customers/u1/loyalty", short).status_code == 401


def test_nobody_hands_out_more_than_they_hold(api: Any) -> None:
    clerk = _key(api, ["keys:write", "catalog:read"])

    def ask(scope: str) -> int:
        body = {"name": "made", "kind": "secret", "scopes": [scope]}
        return int(api.post("/v1/api-keys", body, clerk, **{"Idempotency-Key": scope}).status_code)

    assert [ask("catalog:read"), ask("catalog:write"), ask("*")] == [201, 403, 403]


def test_credentials_that_are_not_text_are_not_credentials(api: Any) -> None:
    for credentials in ("Basic \xe9", "Basic 44GC", "Basic //8=", "Bearer \xe9", "Bearer \u3042.a.b"):
        assert api.get("/v1/me", {"Authorization": credentials}).status_code == 401, credentials


def test_a_key_is_shown_once_and_stored_as_a_hash(api: Any, aws: Any) -> None:
    body = {"name": "till", "kind": "secret", "scopes": ["loyalty:read"]}
    late = api.post(
        "/v1/api-keys", body | {"expires_at": "2020-01-01T00:00:00Z"}, **{"Idempotency-Key": "late"}
    )
    assert (late.status_code, late.json_body["errors"][0]["field"]) == (400, "expires_at")
    first = api.post("/v1/api-keys", body, **{"Idempotency-Key": "once"}).json_body
    again = api.post("/v1/api-keys", body, **{"Idempotency-Key": "once"}).json_body

    assert first["key"].startswith("sk_")
    assert again == first | {"key": None}
    assert first["key"] not in str(aws.scan(TableName="kokyaku-test-settings")["Items"])
    assert api.post("/v1/api-keys", body | {"name": "x"}, **{"Idempotency-Key": "once"}).status_code == 422


def test_the_fixed_keys_exist_in_the_embedded_stage_only(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.shared.config import config

    monkeypatch.setenv("KOKYAKU_STAGE", "prod")
    config.cache_clear()

    assert api.get("/v1/customers/u1/loyalty").status_code == 401
    assert api.get("/v1/recommendations/trending", PUBLISHABLE).status_code == 401


def test_only_a_local_test_key_travels_in_time(api: Any) -> None:
    late = "/v1/loyalty/program?now=2027-01-01T00:00:00Z"

    assert api.get(late).status_code == 200
    assert api.get(late, _key(api, ["loyalty:read"])).status_code == 400
    assert api.get("/v1/loyalty/program?now=soon").status_code == 400


def _call(api: Any, contract: Contract, headers: dict[str, str]) -> int:
    method, path = method_and_path(contract)
    if contract.rule.publishable and "recommendations" in path and headers == PUBLISHABLE:
        path += "?anonymous_id=a1"
    body = {} if method in ("POST", "PUT", "PATCH") else None
    media = {"Content-Type": contract.media_types[0]} if body is not None else {}
    return int(api.request(method, path, body, headers, **media).status_code)


def _bearer(customer_id: str, ttl: timedelta = timedelta(hours=1)) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.customer_token(customer_id, now=clock.now(), ttl=ttl)}"}


def _cursor() -> str:
    return tokens.sign(tokens.CURSOR, {"sub": "u1"}, now=clock.now(), ttl=timedelta(hours=1))


def _endless() -> str:
    return tokens.sign(tokens.CUSTOMER, {"sub": "u1"}, now=clock.now())


def _unsigned() -> str:
    import jwt

    claims = {"sub": "u1", "aud": "customer", "iat": 0, "exp": 4102444800}
    return jwt.encode(claims, None, algorithm="none", headers={"kid": "local"})


def _another(rule: Rule) -> str:
    return "keys:write" if rule.scope != "keys:write" else "catalog:read"


def _key(api: Any, scopes: list[str]) -> dict[str, str]:
    return {"X-Api-Key": _made(api, scopes, name="-".join(scopes))["key"]}


def _made(api: Any, scopes: list[str], **more: Any) -> dict[str, Any]:
    body = {"kind": "secret", "scopes": scopes} | more
    answer = api.post("/v1/api-keys", body, **{"Idempotency-Key": f"{scopes}{sorted(more.items())}"})
    assert answer.status_code == 201, answer.body
    made: dict[str, Any] = answer.json_body
    return made
