"""Points are given to customers the shop has heard of, so the tests of this room begin with some."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.known import make_known


@pytest.fixture
def api(api: Any) -> Any:
    """The HTTP door of a shop that knows a few customers."""
    make_known(["u1", "u2", "anna", "ben", *(f"c{number}" for number in range(40))])
    return api
