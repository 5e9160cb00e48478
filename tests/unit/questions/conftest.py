"""What tests of questions share: the streams and queues of one process, and a clock that moves on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.shared import clock
from tests.support.circuit import Circuit


@pytest.fixture
def circuit(api: Any) -> Iterator[Circuit]:
    with Circuit() as carried:
        yield carried


@pytest.fixture
def travel(api: Any) -> Iterator[Callable[..., None]]:
    """`travel(days=7)`: that much later than now, from now on."""
    gone = timedelta(0)

    def move(**by: int) -> None:
        nonlocal gone
        gone += timedelta(**by)
        clock.travel(gone)

    yield move
    clock.travel(timedelta(0))
