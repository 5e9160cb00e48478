"""RFC 9457 problem documents: the one shape of every error."""

from __future__ import annotations

import json
from typing import Any

from chalice.app import Response
from pydantic import ValidationError

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


def of_validation(error: ValidationError, prefix: str = "") -> InvalidInput:
    """A pydantic error as a refusal that names each field by its path; values are never quoted."""
    fields = [
        FieldError(
            ".".join([*([prefix] if prefix else []), *map(str, each["loc"])]) or "body", _message(each)
        )
        for each in error.errors(include_url=False, include_context=False, include_input=False)[
            :FIELDS_SHOWN_MAX
        ]
    ]
    return InvalidInput(f"{fields[0].field}: {fields[0].message}", fields=fields)


def _message(error: Any) -> str:
    # pydantic prefixes the text of our own ValueErrors.
    return str(error["msg"]).removeprefix("Value error, ")


def _response(status: int, body: dict[str, Any], headers: Any) -> Response:
    return Response(
        body=json.dumps(body, ensure_ascii=False),
        status_code=status,
        headers={**headers, "Content-Type": MEDIA_TYPE},
    )
