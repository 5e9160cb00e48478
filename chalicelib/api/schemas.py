"""The contract's own answers."""

from __future__ import annotations

from pydantic import Field

from chalicelib.shared.contract import Out


class HealthAnswer(Out):
    status: str = Field(description="`ok` when a request reaches this far.", examples=["ok"])
    version: str
    time: str = Field(description="The product's clock.", examples=["2026-11-22T09:00:00.000Z"])
