"""How often a limited reward was had: `REWARD#{reward_id}`/`GIVEN` in the ledger table. Only those with a limit are counted."""

from __future__ import annotations

from typing import Any

from chalicelib.shared.dynamo import table

GIVEN = "GIVEN"


def given(reward_id: str) -> int:
    """How often it was had since it has a limit. One trip, 1 read unit."""
    item = table("ledger").get(_pk(reward_id), GIVEN, consistent=True)
    return int(item["given"]) if item else 0


def counting(reward_id: str, limit: int) -> dict[str, Any]:
    """One more, as an operation that is refused at the limit. 2 write units."""
    return table("ledger").updating(
        _pk(reward_id),
        GIVEN,
        "ADD given :one",
        values={":one": 1, ":limit": limit},
        condition="attribute_not_exists(given) OR given < :limit",
    )


def _pk(reward_id: str) -> str:
    return f"REWARD#{reward_id}"
