"""The guide to the card as it stands there: its commands are run by a shell, and answer what it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.test_readme import bash, last_document, steady
from tests.support.local_run import ROOT
from tests.support.shop import Shop

GUIDE = (ROOT / "docs/guide/loyalty.md").read_text("utf-8")
STEP = re.compile(r"^```sh\n(.*?)^```$(?:\n\n```json\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)
HERE = "http://127.0.0.1:8000"


@pytest.fixture
def market(shop: Shop) -> Iterator[Shop]:
    """The shop that tests share; its own program comes back."""
    before = shop.get("/v1/loyalty/program").json()["program"]
    yield shop
    assert shop.put("/v1/loyalty/program", before).status_code == 200


def test_the_guides_card(market: Shop) -> None:
    steps = STEP.findall(GUIDE)
    names = steps[0][0].split("\n")[0].replace(HERE, market.base_url)
    shown = 0
    for commands, answer in steps:
        told = bash(f"{names}\n{commands.replace(HERE, market.base_url)}")
        if answer:
            assert open_ended(last_document(told)) == open_ended(json.loads(answer))
            shown += 1

    assert (len(steps), shown) == (6, 5)


def open_ended(document: Any) -> Any:
    """As `steady`, without a cursor's text."""
    if isinstance(document, dict) and document.get("next_cursor"):
        document = document | {"next_cursor": "…"}
    return steady(document)
