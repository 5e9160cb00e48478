"""The OpenAPI document: valid, complete, in step with the code, and kept as a file so that a change is seen."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from chalicelib.api.openapi import document
from chalicelib.api.page import page
from chalicelib.recommendations.model import Placement
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


READINGS = {"if-match": "If-Match", "call.language": "Accept-Language", "call.actor": "X-Actor"}


def test_every_header_that_a_route_reads_is_in_the_contract(openapi: dict[str, Any]) -> None:
    read = {
        contract.signature: {
            name for words, name in READINGS.items() if words in inspect.getsource(contract.function)
        }
        for contract in contracts()
    }
    told = {
        contract.signature: {each["name"] for each in parameters(openapi, contract.signature, "header")}
        - {"Idempotency-Key"}
        for contract in contracts()
    }

    # A page in a language is made by a helper, which the function's own text does not show.
    assert {name: read[name] - told[name] for name in read if read[name] - told[name]} == {}
    assert "If-Match" in told["PUT /v1/orders/{order_id}"]


def test_parameters_say_what_can_be_sent(openapi: dict[str, Any]) -> None:
    [placement] = parameters(openapi, "GET /v1/recommendations/{placement}", "path")
    assert placement["schema"]["enum"] == [*Placement]
    assert [
        (contract.signature, each["name"])
        for contract in contracts()
        for each in parameters(openapi, contract.signature, "query")
        if "anyOf" in each["schema"] or "$ref" in each["schema"] or each["schema"].get("default", 0) is None
    ] == [], "null cannot be sent in a URL"


def test_the_page_shows_choices_defaults_and_what_may_be_null(openapi: dict[str, Any]) -> None:
    shown = page(openapi)

    assert "for_you | similar | bought_together | buy_again |" in shown
    assert "open | resolved" in shown
    assert "integer from 1 to 100, default 10" in shown
    assert " or null" in shown


def parameters(openapi: dict[str, Any], signature: str, place: str) -> list[dict[str, Any]]:
    method, path = signature.split(" ")
    return [
        each for each in openapi["paths"][path][method.lower()].get("parameters", []) if each["in"] == place
    ]


def test_the_pages_are_served_and_need_no_network(api: Any) -> None:
    served = api.get("/openapi.json", {})
    read = api.get("/docs", {})

    assert json.loads(served.body)["openapi"] == "3.1.0"
    assert read.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in read.headers["Content-Security-Policy"]
    for foreign in (b"<script", b" src=", b"@import", b"url("):
        assert foreign not in read.body
    assert api.get("/v1/health", {}).json_body["status"] == "ok"


def test_every_answer_is_safe_to_store_and_to_show(api: Any) -> None:
    for answer in (api.get("/v1/health", {}), api.get("/v1/customers/u1/loyalty", {}), api.get("/v1/me")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "max-age" in answer.headers["Strict-Transport-Security"]
