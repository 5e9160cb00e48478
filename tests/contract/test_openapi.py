"""The OpenAPI document: valid, complete, in step with the code, and kept as a file so that a change is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from chalicelib.api.openapi import document
from tests.support.routes import contracts
from tools.openapi import FILE, SERVER_URL, text


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    contracts()
    return document(SERVER_URL)


def test_it_is_valid(openapi: dict[str, Any]) -> None:
    validate(openapi)


def test_the_committed_file_is_what_the_code_says() -> None:
    assert Path(FILE).read_text() == text(), "run `make openapi` and look at what changed"


def test_every_route_says_what_it_does_and_how_it_refuses(openapi: dict[str, Any]) -> None:
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    }

    assert set(operations) == {contract.signature for contract in contracts()}
    assert [name for name, each in operations.items() if not each["summary"].endswith(".")] == []
    assert [name for name, each in operations.items() if "400" not in each["responses"]] == []
    assert len({each["operationId"] for each in operations.values()}) == len(operations)


def test_the_pages_are_served_and_need_no_network(api: Any) -> None:
    served = api.get("/openapi.json", {})
    page = api.get("/docs", {})

    assert json.loads(served.body)["openapi"] == "3.1.0"
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for foreign in (b"<script", b" src=", b"@import", b"url("):
        assert foreign not in page.body
    assert api.get("/v1/health", {}).json_body["status"] == "ok"


def test_every_answer_is_safe_to_store_and_to_show(api: Any) -> None:
    for answer in (api.get("/v1/health", {}), api.get("/v1/customers/u1/loyalty", {}), api.get("/v1/me")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "max-age" in answer.headers["Strict-Transport-Security"]
