"""A shop in one process with one customer in every feature."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.shared.logs import logger
from tests.support.circuit import Circuit


@pytest.fixture
def circuit(api: Any) -> Iterator[Circuit]:
    with Circuit() as circuit:
        yield circuit


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything the service writes to its log meanwhile."""
    lines = io.StringIO()
    handler = logger._logger.powertools_handler
    before = handler.setStream(lines)
    yield lines
    handler.setStream(before)
