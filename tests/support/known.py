"""Customers a shop has heard of, for tests that are about something else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime


def make_known(customer_ids: Iterable[str]) -> None:
    """Bring customers along as a shop's import does: a profile each, and no traits."""
    from chalicelib.customers import service

    created_at = datetime(2026, 1, 1, tzinfo=UTC)
    records = [{"customer_id": each, "created_at": created_at, "traits": {}} for each in customer_ids]
    service.import_customers(records, now=created_at)
