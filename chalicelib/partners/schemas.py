"""API keys over HTTP."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from chalicelib.shared.access import EVERY_SCOPE, ROUTES, STAFF
from chalicelib.shared.contract import In, Line, Moment, Out

SCOPES = frozenset({rule.scope for rule in ROUTES.values() if rule.scope} | {EVERY_SCOPE, STAFF})


class KeyRequest(In):
    """A key to make. A publishable key has no scopes: it may only do what any browser may."""

    name: Line = Field(examples=["storefront"])
    kind: Literal["secret", "publishable"]
    scopes: list[str] = Field(default_factory=list, max_length=len(SCOPES), examples=[["events:write"]])
    expires_at: Moment | None = None

    @model_validator(mode="after")
    def _scopes_fit(self) -> KeyRequest:
        unknown = sorted(set(self.scopes) - SCOPES)
        if unknown:
            raise ValueError(f"scopes: {unknown[0]} is not one of {', '.join(sorted(SCOPES))}")
        if (self.kind == "secret") != bool(self.scopes):
            raise ValueError("scopes: a secret key needs at least one, a publishable key has none")
        return self


class KeyAnswer(Out):
    key_id: str
    name: str
    kind: str
    scopes: list[str]
    expires_at: str | None
    created_at: str
    key: str | None = Field(description="The key itself, in the first answer only: it is stored as a hash.")


class KeyRevoked(Out):
    key_id: str
    revoked_at: str
