"""The OpenAPI 3.1 document, built from the routes, their models and the access table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chalicelib.shared.contract import Problem
from chalicelib.shared.http import ACTOR_LENGTH_MAX, CONTRACTS, Contract
from chalicelib.shared.problems import MEDIA_TYPE

VERSION = "0.1.0"
REFERENCE = "#/components/schemas/{model}"
INTRODUCTION = """\
One HTTPS API that knows each customer of a shop, recommends, keeps the loyalty ledger, says where an order is, and
sends the right mail at the right time.

* **Money** is an integer of the currency's minor unit: `{"amount": 1980, "currency": "JPY"}` is ¥1,980. Only the
  events of Segment's format carry major units, as their specification says.
* **Times** are RFC 3339 and name their zone; **ids** are 1-128 letters or digits of any script and `. _ : @ + -`.
* **Errors** are problem documents (RFC 9457) with a stable `type` and, for wrong input, one entry a field.
* **Idempotency-Key** is asked where a body has no id of its own: the same key and body get the first answer again,
  another body gets 422.
* **Lists** take `limit` and `cursor`; `next_cursor` is null at the end.
"""
HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "If-Match": (
        "The ETag you read, or `*` for whatever is there: without a match nothing changes (412).",
        {"examples": ['"3"']},
    ),
    "Accept-Language": (
        "English or Japanese, whichever it names first.",
        {"examples": ["ja"], "default": "en"},
    ),
    "X-Actor": (
        "Who is at the desk; read from a key with the scope `staff`.",
        {"maxLength": ACTOR_LENGTH_MAX},
    ),
}
SECURITY_SCHEMES = {
    "secretKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "A secret key `sk_…` with the scope the route names. For servers only.",
    },
    "publishableKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "A publishable key `pk_…`, for browsers and apps. What it says is a hint, never a fact.",
    },
    "writeKey": {
        "type": "http",
        "scheme": "basic",
        "description": "Either kind of key as the user name and an empty password, as Segment's SDKs send it.",
    },
    "customerToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Made by `POST /v1/customer-tokens`; acts as that customer only.",
    },
}


def document(server_url: str) -> dict[str, Any]:
    """The whole document. `server_url` is where this deployment answers."""
    contracts = sorted(CONTRACTS.values(), key=lambda each: each.signature.split(" ")[::-1])
    models = _models(contracts)
    schemas, definitions = models_json_schema(list(models), ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for contract in contracts:
        method, path = contract.signature.split(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(contract, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kokyaku",
            "version": VERSION,
            "summary": "The personalization backend of one shop",
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "paths": paths,
        "components": {"schemas": definitions.get("$defs", {}), "securitySchemes": SECURITY_SCHEMES},
    }


def _models(contracts: Iterable[Contract]) -> dict[tuple[type[BaseModel], Any], None]:
    wanted: dict[tuple[type[BaseModel], Any], None] = {(Problem, "serialization"): None}
    for contract in contracts:
        for model, mode in ((contract.body, "validation"), (contract.answer, "serialization")):
            if model is not None:
                wanted[model, mode] = None
    return wanted


def _operation(contract: Contract, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    summary, _, description = (contract.function.__doc__ or "").strip().partition("\n")
    operation: dict[str, Any] = {
        "operationId": _operation_id(contract),
        "tags": [contract.function.__module__.split(".")[1]],
        "summary": summary,
        "security": _security(contract),
        "responses": _responses(contract, schemas),
    }
    if description.strip():
        operation["description"] = re.sub(r"\n[ \t]+", "\n", description.strip())
    if contract.rule.scope:
        operation["x-scope"] = contract.rule.scope
    parameters = _parameters(contract)
    if parameters:
        operation["parameters"] = parameters
    if contract.body is not None:
        content = {"schema": schemas[contract.body, "validation"]}
        operation["requestBody"] = {"required": True, "content": dict.fromkeys(contract.media_types, content)}
    return operation


def _operation_id(contract: Contract) -> str:
    # One function may serve a route and its /v1/me twin, and the events door has short twins.
    method, path = contract.signature.split(" ")
    words = re.sub(r"[^a-zA-Z0-9]+", "_", path.removeprefix("/v1")).strip("_")
    return f"{method.lower()}_{words}"


def _security(contract: Contract) -> list[dict[str, list[str]]]:
    rule = contract.rule
    allowed = [
        (rule.scope is not None, "secretKey"),
        (rule.publishable, "publishableKey"),
        (rule.scope is not None or rule.publishable, "writeKey"),
        (rule.customer, "customerToken"),
    ]
    return [] if rule.public else [{name: []} for may, name in allowed if may]


def _parameters(contract: Contract) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", contract.signature)
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "enum": list(contract.choices[name])}
            if name in contract.choices
            else {"type": "string", "minLength": 1, "maxLength": 128},
        }
        for name in names
    ]
    if contract.query is not None:
        schema = contract.query.model_json_schema(ref_template=REFERENCE)
        for name, value in ((name, _sendable(value)) for name, value in schema["properties"].items()):
            required = name in schema.get("required", [])
            parameter = {"name": name, "in": "query", "required": required, "schema": value}
            if "description" in value:
                parameter["description"] = value["description"]
            parameters.append(parameter)
    parameters += [_header(name) for name in contract.headers]
    if contract.needs_key:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "Your own name for this command; sending it again changes nothing.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 128},
            }
        )
    return parameters


def _sendable(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter as it can be sent: null cannot, it is left out."""
    options = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    if len(options) != 1:
        return schema
    option: dict[str, Any] = options[0]
    return option | {
        name: value
        for name, value in schema.items()
        if name != "anyOf" and (name, value) != ("default", None)
    }


def _header(name: str) -> dict[str, Any]:
    description, schema = HEADERS[name]
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"} | schema,
    }


def _responses(contract: Contract, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done."}
    if contract.answer is not None:
        success["content"] = {
            contract.answer_media_type: {"schema": schemas[contract.answer, "serialization"]}
        }
    elif contract.answer_media_type != "application/json":
        success["content"] = {contract.answer_media_type: {"schema": {"type": "string"}}}
    responses = {str(status): success for status in (contract.status, *contract.also)}
    for status, text in _refusals(contract):
        problem = {MEDIA_TYPE: {"schema": schemas[Problem, "serialization"]}}
        responses.setdefault(str(status), {"description": text, "content": problem})
    return responses


def _refusals(contract: Contract) -> Iterable[tuple[int, str]]:
    method, path = contract.signature.split(" ")
    yield 400, "Some of the input is not valid; each field is named."
    if not contract.rule.public:
        yield 401, "The key or token is missing, unknown or expired."
        yield 403, "This caller may not do that."
    if "{" in path:
        yield 404, "There is nothing here."
    if method in ("PUT", "POST", "PATCH"):
        yield 409, "The request contradicts what is stored."
        yield 413, "The body is too large."
        yield 415, "The Content-Type is not one this route reads."
    if method in ("PUT", "PATCH", "DELETE"):
        yield 412, "Somebody changed it since you read it."
    if contract.needs_key:
        yield 422, "This Idempotency-Key was used with another body."
    yield 500, "Something went wrong on our side."
    yield 503, "Too busy. Try again after `Retry-After`; sending it again changes nothing twice."
