"""What each operation may cost: DynamoDB calls, read units and write units. Asserted in the tests, printed by `make bench`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.meter import Meter
from chalicelib.shared import aws

Door = Any  # tests.support.embedded.Api: the app's HTTP door


@dataclass(frozen=True)
class Operation:
    """One operation: what stands before it, what is measured, and what it may cost."""

    name: str
    before: Callable[[Door], Any]
    measured: Callable[[Door], Any]
    calls: int
    read_units: float
    write_units: float


def measure(operation: Operation, door: Door) -> Meter:
    """Run one operation on an empty embedded AWS and count."""
    operation.before(door)
    with metered() as meter:
        operation.measured(door)
    return meter


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what the service's own DynamoDB client does inside the block."""
    meter = Meter().attach(aws.client("dynamodb"))
    try:
        yield meter
    finally:
        meter.detach()


def _nothing(door: Door) -> None:
    pass


def _accrue(door: Door, key: str = "k1") -> None:
    body = {"points": 120, "reason": "survey"}
    answer = door.post("/v1/customers/u1/loyalty/accruals", body, **{"Idempotency-Key": key})
    assert answer.status_code == 201, answer.body


def _read_balance(door: Door) -> None:
    assert door.get("/v1/customers/u1/loyalty").status_code == 200


OPERATIONS = [
    Operation(
        "points: accrue", lambda door: _accrue(door, "k0"), _accrue, calls=3, read_units=2.5, write_units=4
    ),
    Operation("points: the same accrual again", _accrue, _accrue, calls=2, read_units=2.5, write_units=0),
    Operation("points: balance", _accrue, _read_balance, calls=1, read_units=1, write_units=0),
]
