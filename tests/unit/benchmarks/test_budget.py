"""Cost is a contract: every operation costs exactly what its budget says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.budget import OPERATIONS, Operation, measure, table_of_costs
from benchmarks.meter import size_bytes


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_an_operation_costs_what_its_budget_says(api: Any, operation: Operation) -> None:
    meter = measure(operation, api)

    spent = (meter.rounds.now, meter.trips, meter.read_units, meter.write_units)
    assert spent == operation.allowed(meter.rounds.now), meter.calls


def test_the_documents_show_the_same_costs() -> None:
    assert table_of_costs() in Path("docs/data-model.md").read_text()


@pytest.mark.parametrize(
    ("item", "bytes_"),
    [
        ({"pk": {"S": "A#u1"}}, 6),
        ({"n": {"N": "1200"}}, 3),
        ({"n": {"N": "-12"}}, 4),
        ({"b": {"B": b"12345"}}, 6),
        ({"t": {"BOOL": True}}, 2),
        ({"m": {"M": {"a": {"S": "xy"}}}}, 8),
        ({"l": {"L": [{"S": "xy"}]}}, 7),
        ({"名": {"S": "花子"}}, 9),
    ],
)
def test_sizes_follow_the_developer_guide(item: dict[str, Any], bytes_: int) -> None:
    assert size_bytes(item) == bytes_
