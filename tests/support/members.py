"""Members of a loyalty program, and what their books say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.customers import hearing
from chalicelib.loyalty import program_store, service
from chalicelib.loyalty.program import Program
from chalicelib.loyalty.program_schemas import ProgramBody
from chalicelib.loyalty.store import entries as entries_of

JOINED = datetime(2026, 11, 1, 9, tzinfo=UTC)
SPEND = {"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}


def put_program(**terms: Any) -> Program:
    """Put a program in force: a point for every 100 yen, and what `terms` say."""
    body = ProgramBody.model_validate({"currency": "JPY", "earn": [SPEND]} | terms)
    service.replace_program(body, if_match="", said_by="test", now=JOINED)
    return program_store.load()[0]


def join(customer_id: str, *, at: datetime = JOINED, trusted: bool = True, **traits: Any) -> None:
    """Somebody becomes a customer, or says more of themself."""
    hearing.identify(
        customer_id, at=at, traits=traits, consents={}, anonymous_id=None, trusted=trusted, now=at
    )


def given(customer_id: str) -> list[tuple[str, int]]:
    """What somebody was given, as (entry, points), in its order."""
    return [(each.entry_id, each.points) for each in entries_of(customer_id) if each.kind == "accrue"]
