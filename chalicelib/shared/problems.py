"""RFC 9457 problem documents: the one shape of every error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chalice.app import Response
from pydantic import ValidationError
from pydantic_core import from_json

from chalicelib.shared.errors import FieldError, InvalidInput, Refused

MEDIA_TYPE = "application/problem+json"
FIELDS_SHOWN_MAX = 20

TITLES = {
    400: ("invalid-input", "Some of the input is not valid"),
    403: ("forbidden", "This caller may not do that"),
    404: ("not-found", "There is nothing here"),
    405: ("not-found", "There is nothing here"),
    413: ("too-large", "The body is too large"),
    415: ("unsupported-media-type", "The Content-Type is not one this route reads"),
    500: ("internal-error", "Something went wrong on our side"),
}

# What pydantic calls a mistake, in the words of whoever made it. Braces take limits of ours, never what was sent.
PLAIN = {
    "missing": "is required",
    "json_invalid": "must be a JSON document",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "string_too_short": "must have {min_length} or more characters",
    "string_too_long": "may have {max_length} characters at most",
    "too_short": "must have {min_length} or more entries",
    "too_long": "may have {max_length} entries at most",
    "string_pattern_mismatch": "must look like {pattern}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "finite_number": "must be a finite number",
}
PLAIN_BY_START = {
    "datetime_": "must be an RFC 3339 time such as 2026-11-01T09:00:00Z",
    "timezone_": "must name its time zone, e.g. 2026-11-01T09:00:00Z",
    "date_": "must be a date such as 2026-11-01",
    "int_": "must be a whole number",
    "float_": "must be a number",
    "decimal_": "must be a number",
    "bool_": "must be true or false",
    "string_": "must be text",
    "list_": "must be a list",
    "dict_": "must be an object",
    "model_": "must be an object",
}


def document(
    status: int, code: str, title: str, detail: str, correlation_id: str, **extra: Any
) -> dict[str, Any]:
    """The members of a problem: `type` is stable, `correlation_id` finds the log line."""
    body: dict[str, Any] = {"type": f"/problems/{code}", "title": title, "status": status}
    if detail:
        body["detail"] = detail
    return body | {"correlation_id": correlation_id} | extra


def of_refusal(refused: Refused, correlation_id: str) -> Response:
    """The answer to a named refusal."""
    extra = dict(refused.extra)
    if refused.fields:
        extra["errors"] = [{"field": each.field, "message": each.message} for each in refused.fields]
    body = document(refused.status, refused.code, refused.title, refused.detail, correlation_id, **extra)
    return _response(refused.status, body, refused.headers)


def of_status(status: int, correlation_id: str, headers: dict[str, str] | None = None) -> Response:
    """The answer to an error that Chalice itself found, or to one nobody foresaw (500)."""
    code, title = TITLES.get(status, TITLES[500])
    status = 404 if status == 405 else status  # the gateway cannot tell the two apart, so we do not either
    return _response(status, document(status, code, title, "", correlation_id), headers or {})


def of_validation(
    error: ValidationError, prefix: str = "", whole: str = "body", said: bytes = b""
) -> InvalidInput:
    """A pydantic error as a refusal that names each field by its path; values are never quoted.

    `whole` is what was read: `body`, or `query`; `said` is the body itself, where its model has alternatives.
    """
    document = _json(said)
    fields = [
        FieldError(
            ".".join([*([prefix] if prefix else []), *_path(each["loc"], document)]) or whole,
            _message(each, whole),
        )
        for each in error.errors(include_url=False, include_input=False)[:FIELDS_SHOWN_MAX]
    ]
    return InvalidInput(f"{fields[0].field}: {fields[0].message}", fields=fields)


def _json(said: bytes) -> Any:
    try:
        return from_json(said)
    except ValueError:
        return None


def _path(loc: Sequence[int | str], document: Any) -> list[str]:
    """Where an error is, in the words of the document: pydantic also names the alternative that it tried."""
    path, here = [], document
    for place, part in enumerate(loc, start=1):
        known = (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and part in range(len(here))
        )
        if isinstance(here, dict) and not known and place < len(loc):
            continue
        path.append(str(part))
        here = here[part] if known else None
    return path


def _message(error: Any, whole: str) -> str:
    kind, limits = str(error["type"]), error.get("ctx", {})
    if kind == "extra_forbidden":
        return "is not a field of this body" if whole == "body" else "is not a parameter of this route"
    if kind in PLAIN:
        return PLAIN[kind].format_map(limits)
    for start, message in PLAIN_BY_START.items():
        if kind.startswith(start):
            return message
    # pydantic prefixes the text of our own ValueErrors.
    return str(error["msg"]).removeprefix("Value error, ")


def _response(status: int, body: dict[str, Any], headers: Any) -> Response:
    return Response(
        body=json.dumps(body, ensure_ascii=False),
        status_code=status,
        headers={**headers, "Content-Type": MEDIA_TYPE},
    )
