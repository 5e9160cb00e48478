"""Check F8: a merge, an accrual and an erasure at once: erasing wins, and no point is lost."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.shared import clock
from chalicelib.shared.config import config
from chalicelib.shared.dynamo import unpack_item
from tests.support.circuit import Circuit
from tests.support.faults import Baton, FaultyWire

pytestmark = [pytest.mark.privacy, pytest.mark.slow]

RUNS = 40 if os.environ.get("KOKYAKU_SIMULATE") == "long" else 4
FIRST, MORE = 10, 7


@pytest.mark.parametrize("beside", ["merge", "accrual", "undo"])
def test_f8_erasing_wins_and_points_are_conserved(
    api: Any, aws: Any, circuit: Circuit, figure: Any, beside: str
) -> None:
    wire = FaultyWire(aws)
    refused = 0
    for number in range(RUNS):
        kept, gone = f"kept{number}", f"gone{number}"
        _two_people(api, kept, gone)
        merge_id = _merge(api, kept, gone).json_body["merge_id"] if beside == "undo" else ""
        command = {
            "merge": lambda kept=kept, gone=gone: _merge(api, kept, gone),
            "accrual": lambda gone=gone: _give(api, gone, MORE, "more"),
            "undo": lambda merge_id=merge_id: api.post(f"/v1/merges/{merge_id}/undo", {}),
        }[beside]
        draw = random.Random(number)
        baton = Baton([draw.random() < 0.5 for _ in range(200)])
        wire.gate = baton.gate
        answer, erased = baton.run(command, lambda gone=gone: api.delete(f"/v1/customers/{gone}"))
        wire.gate = lambda: None
        circuit.settle()
        circuit.travel(clock.now() + timedelta(minutes=3))
        circuit.tick("privacy_tick")
        circuit.settle()

        assert erased.status_code in (202, 308), erased.body
        assert answer.status_code in (200, 201, 410, 409, 503), answer.body
        refused += answer.status_code >= 400
        books = _points(aws)
        given = 2 * FIRST + (MORE if beside == "accrual" and answer.status_code == 201 else 0)
        assert sum(books.values()) == given, (number, books)
        if erased.status_code == 202:
            assert api.get(f"/v1/customers/{gone}").status_code == 410
            assert f"A#{gone}" not in books
            still_there = api.get(f"/v1/customers/{kept}").status_code
            assert still_there == (200 if f"A#{kept}" in books else 410), (
                "one person, or two, but never half of one"
            )
        _empty_books(aws)

    figure(
        f"F8  {RUNS} erasures beside a {beside}: erasing won, every point is in the books; {refused} refused"
    )


def _two_people(api: Any, *customer_ids: str) -> None:
    for customer_id in customer_ids:
        body = {"userId": customer_id, "messageId": f"m-{customer_id}", "traits": {"nick": customer_id}}
        assert api.post("/v1/identify", body).status_code == 200
        assert _give(api, customer_id, FIRST, "first").status_code == 201


def _give(api: Any, customer_id: str, points: int, key: str) -> Any:
    path = f"/v1/customers/{customer_id}/loyalty/accruals"
    return api.post(path, {"points": points, "reason": "x"}, **{"Idempotency-Key": key})


def _merge(api: Any, kept: str, gone: str) -> Any:
    body = {"from": gone, "reason": "same person"}
    return api.post(f"/v1/customers/{kept}/merge", body, **{"Idempotency-Key": f"merge-{kept}"})


def _points(client: Any) -> dict[str, int]:
    items = [unpack_item(item) for item in client.scan(TableName=config().tables["ledger"])["Items"]]
    return {
        item["pk"]: item.get("sums", item)["lifetime"]
        for item in items
        if item["sk"] in ("ACCOUNT", "CLOSED")
    }


def _empty_books(client: Any) -> None:
    for item in client.scan(TableName=config().tables["ledger"])["Items"]:
        client.delete_item(TableName=config().tables["ledger"], Key={"pk": item["pk"], "sk": item["sk"]})
