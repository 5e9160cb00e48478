"""Check B1: every route that reads a body against bodies that mean harm; a clear 4xx, never a 5xx, nothing stored."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.shared.config import TABLES
from chalicelib.shared.dynamo import unpack_item
from chalicelib.shared.http import Contract
from tests.support.embedded import SECRET
from tests.support.routes import contracts, method_and_path

HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "half": b"{",
    "deep lists": b"[" * 100_000,
    "deep lists in a field": b'{"points": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "not a number": b'{"points": NaN, "reason": "x", "total": NaN}',
    "infinite": b'{"points": 1e400, "reason": "x", "total": 1e400}',
    "5,000 digits": b'{"points": ' + b"9" * 5000 + b', "reason": "x"}',
    "a fraction": b'{"points": 5.5, "reason": "x", "total": 5.5}',
    "a lone surrogate": b'{"points": 1, "reason": "\\ud800"}',
    "a null character": b'{"points": 1, "reason": "a\\u0000b"}',
    "not UTF-8": b'{"points": 1, "reason": "\xff\xfe"}',
    "UTF-16": '{"points": 1, "reason": "x"}'.encode("utf-16"),
    "null": b"null",
    "a list": b"[1, 2]",
    "a text": b'"points"',
    "text for a number": b'{"points": "5", "reason": "x", "total": "5"}',
    "true for a number": b'{"points": true, "reason": "x", "total": true}',
    "unknown fields": b'{"owner": "u2", "balance": 5, "role": "admin", "pk": "A#u2"}',
    "zero": b'{"points": 0, "reason": "x", "total": 0}',
    "negative": b'{"points": -1, "reason": "x", "total": -1}',
    "70 KB": b'{"points": 1, "reason": "' + b"x" * 70_000 + b'"}',
    "600 KB": b'{"batch": [' + b'"' + b"x" * 600_000 + b'"' + b"]}",
}
READING = [
    each
    for each in contracts()
    # A route that takes no body leaves whatever comes unread.
    if each.body is not None and "/u/{token}" not in each.signature
]


@pytest.mark.parametrize("contract", READING, ids=lambda each: each.signature)
def test_a_hostile_body_is_refused_in_one_shape_and_leaves_nothing(
    api: Any, aws: Any, contract: Contract, record_property: Any
) -> None:
    record_property("cases", len(HOSTILE) * len(contract.media_types))
    method, path = method_and_path(contract)
    before = _everything(aws)
    wrong = {}
    for name, body in HOSTILE.items():
        for media_type in contract.media_types:
            answer = api.request(
                method, path, body, SECRET, **{"Content-Type": media_type, "Idempotency-Key": name}
            )
            if not 400 <= answer.status_code < 500 or not _is_problem(answer):
                wrong[name, media_type] = (answer.status_code, answer.body[:200])

    assert wrong == {}
    assert _everything(aws) == before


@pytest.mark.parametrize("contract", READING, ids=lambda each: each.signature)
def test_a_body_of_a_type_nobody_reads_is_refused(api: Any, contract: Contract) -> None:
    method, path = method_and_path(contract)
    answer = api.request(
        method, path, b"a,b\n1,2", SECRET, **{"Content-Type": "text/csv", "Idempotency-Key": "k"}
    )

    assert answer.status_code == 415
    assert _is_problem(answer)


IN_MAILS = [each for each in contracts() if each.signature.endswith(("/u/{token}", "/c/{token}"))]
IN_PROGRAMS = [each for each in contracts() if each not in IN_MAILS]


@pytest.mark.parametrize("contract", IN_PROGRAMS, ids=lambda each: each.signature)
def test_a_parameter_nobody_reads_is_refused(api: Any, contract: Contract) -> None:
    method, path = method_and_path(contract)
    answer = api.request(method, f"{path}?surprise=1", {}, SECRET, **{"Idempotency-Key": "k"})

    assert answer.status_code in (400, 403), "403 where the route is for customers only"
    assert _is_problem(answer)


@pytest.mark.parametrize("contract", IN_MAILS, ids=lambda each: each.signature)
def test_a_link_in_a_mail_may_come_back_with_more_than_it_left_with(api: Any, contract: Contract) -> None:
    method, path = method_and_path(contract)
    plain, wrapped = (
        api.request(method, path + query, b"", {}).status_code
        for query in ("", "?utm_source=mail&utm_source=again&now=x")
    )

    assert plain == wrapped != 400


@pytest.mark.parametrize(
    "customer_id", ["a%23b", "a%2Fb", "%00", "%0A", "a%20b", "x" * 129, "e%CC%81", "%E2%80%AE"]
)
def test_an_id_that_could_escape_its_key_is_refused(api: Any, customer_id: str) -> None:
    answer = api.get(f"/v1/customers/{customer_id}/loyalty")

    assert answer.status_code == 400
    assert answer.json_body["errors"][0]["field"] == "customer_id"


def test_ids_of_any_script_are_ids(api: Any) -> None:
    assert api.get("/v1/customers/%E8%8A%B1%E5%AD%90/loyalty").status_code == 200


def test_an_error_nobody_foresaw_says_nothing_of_itself(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.loyalty import store

    def broken(customer_ids: Any) -> Any:
        raise RuntimeError(f"secret of {customer_ids}")

    monkeypatch.setattr(store, "wanted", broken)
    answer = api.get("/v1/customers/u1/loyalty")

    assert answer.status_code == 500
    assert answer.json_body == {
        "type": "/problems/internal-error",
        "title": "Something went wrong on our side",
        "status": 500,
        "correlation_id": answer.json_body["correlation_id"],
    }


def _is_problem(answer: Any) -> bool:
    if answer.headers["Content-Type"] != "application/problem+json":
        return False
    body = answer.json_body
    named = "errors" not in body or all(each["field"] and each["message"] for each in body["errors"])
    return (
        bool(body["type"].startswith("/problems/") and body["status"] == answer.status_code and body["title"])
        and named
    )


def _everything(aws: Any) -> dict[str, list[Any]]:
    return {
        name: [unpack_item(item) for item in aws.scan(TableName=f"kokyaku-test-{name}")["Items"]]
        for name in TABLES
    }
