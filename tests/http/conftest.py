"""One running shop for all tests that go through its HTTP door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local_run import running
from tests.support.shop import Shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The service as `make run` starts it, empty; tests share it, so each uses ids of its own."""
    state: Path = tmp_path_factory.mktemp("shop")
    with running(state) as run:
        shop = Shop(run.address)
        yield shop
        shop.close()


@pytest.fixture
def real_time(shop: Shop) -> Iterator[Shop]:
    """The shop, brought back to the present after a test that travels in time."""
    yield shop
    shop.clock(None)
