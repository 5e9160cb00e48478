"""Check A13: a run over more than a hundred records dies after writes spread over it, and the next one finishes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.shared.config import TABLES, config
from chalicelib.shared.dynamo import unpack_item
from tests.support.faults import Crash, FaultyWire
from tests.support.person import Snapshot

RECORDS = 101
AT = datetime(2026, 11, 1, tzinfo=UTC)
# Which attempt wrote an item is the only thing that may differ.
ATTEMPT = {"written_by"}
Run = Callable[[], Any]


class Watched(FaultyWire):
    """Remembers which requests wrote something."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.wrote: list[bool] = []

    def __call__(self, event_name: str, request: Any, **more: Any) -> Any:
        target = str(request.headers.get("X-Amz-Target", ""))
        self.wrote.append(
            any(name in target for name in ("Put", "Update", "Delete", "BatchWrite", "Transact"))
        )
        return super().__call__(event_name, request, **more)


def import_customers() -> None:
    from chalicelib.customers import service

    records = [
        {
            "customer_id": f"u{number}",
            "created_at": AT,
            "traits": {"email": f"u{number}@example.com", "number": number},
            "consents": {"email_marketing": True},
        }
        for number in range(RECORDS)
    ]
    service.import_customers(records, now=AT)


def take_batch() -> None:
    from chalicelib.activity import service
    from chalicelib.activity.reading import Sending

    events: list[Any] = [
        {
            "type": "track",
            "messageId": f"m{number}",
            "userId": f"u{number % 3}",
            "event": "Product Viewed",
            "timestamp": "2026-10-31T00:00:00Z",
            "properties": {"product_id": f"p{number}"},
        }
        for number in range(RECORDS)
    ]
    service.take_batch(events, Sending(trusted=True, now=AT))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "run", "least"), [("an import", import_customers, RECORDS * 3), ("a batch of events", take_batch, RECORDS)]
)  # fmt: skip
def test_a13_the_next_run_finishes_what_a_crash_left(
    aws: Any, figure: Any, name: str, run: Run, least: int
) -> None:
    empty, wire = Snapshot(aws), Watched(aws)
    run()
    places = [place for place, wrote in enumerate(wire.wrote) if wrote]
    ended = stored(aws)
    crashes = 0
    for place in places[:: len(places) // 12 + 1]:
        empty.restore()
        wire.plan = ["ok"] * place + ["crash_after"]
        with pytest.raises(Crash):
            run()
        wire.plan = []
        half = len(stored(aws))
        run()
        assert stored(aws) == ended, f"after call {place}"
        assert half <= len(ended)
        crashes += 1

    assert len(ended) >= least
    figure(
        f"A13 {name} of {RECORDS}, {len(places)} writes, died after {crashes} of them: "
        f"{len(ended)} items each time, 0 lost, 0 twice"
    )


def stored(client: Any) -> list[str]:
    return sorted(
        repr(sorted((key, value) for key, value in unpack_item(item).items() if key not in ATTEMPT))
        for name in TABLES
        for page in client.get_paginator("scan").paginate(TableName=config().tables[name])
        for item in page["Items"]
    )
