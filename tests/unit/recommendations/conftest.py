"""The shop of these tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.recommender import Recommender


@pytest.fixture
def shop(api: Any) -> Recommender:
    """Ten items, nothing learned yet."""
    names = ("bread", "butter", "jam", "honey", "tea", "milk", "coffee", "eggs", "rice", "soap")
    items = [
        {"item_id": name, "title": name.upper(), "categories": ["home" if name == "soap" else "food/basic"]}
        for name in names
    ]
    assert api.post("/v1/items/batch", {"items": items}).json_body["accepted"] == 10
    return Recommender(api)
