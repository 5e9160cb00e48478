"""Named refusals: every way the service says no, each with its HTTP status and stable code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field of the caller's input; `field` is a dotted path such as `lines.0.price`."""

    field: str
    message: str


class Refused(Exception):
    """The service understood and says no. Subclasses are the complete list of ways to say it.

    `detail` is for the caller's developer and must hold no personal data; `extra` are further members of the
    problem document (RFC 9457), e.g. `active_points`.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "The request was refused"

    def __init__(
        self,
        detail: str = "",
        *,
        fields: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.fields = tuple(fields)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


class InvalidInput(Refused):
    status, code, title = 400, "invalid-input", "Some of the input is not valid"

    @classmethod
    def of(cls, field: str, message: str) -> InvalidInput:
        """Refuse one field, naming it."""
        return cls(f"{field}: {message}", fields=[FieldError(field, message)])


class MissingIdempotencyKey(Refused):
    status, code, title = 400, "idempotency-key-missing", "This route needs an Idempotency-Key header"


class Moved(Refused):
    """What a path names goes under another name now: `variables` are the path's, changed where that is so."""

    status, code, title = 308, "moved", "This was merged into another; look there"

    def __init__(self, detail: str = "", *, variables: Mapping[str, str]) -> None:
        super().__init__(detail, extra=variables)
        self.variables = dict(variables)


class Unauthorized(Refused):
    status, code, title = 401, "unauthorized", "The key or token is missing, unknown or expired"


class Forbidden(Refused):
    status, code, title = 403, "forbidden", "This caller may not do that"


class NotFound(Refused):
    status, code, title = 404, "not-found", "There is nothing here"


class Conflict(Refused):
    status, code, title = 409, "conflict", "The request contradicts what is stored"


class Gone(Refused):
    status, code, title = 410, "gone", "This was erased"


class StaleVersion(Refused):
    status, code, title = 412, "stale-version", "Somebody changed it since you read it"


class TooLarge(Refused):
    status, code, title = 413, "too-large", "The body is too large"


class KeyReused(Refused):
    status, code, title = 422, "idempotency-key-reused", "This Idempotency-Key was used with another body"


class Busy(Refused):
    """Too many writers at once; the same request may be sent again, and changes nothing twice."""

    status, code, title = 503, "busy", "Too many requests for the same thing at once"

    def __init__(self, detail: str = "", *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})
