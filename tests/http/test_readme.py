"""The commands of both READMEs, in order, on a running shop: they work on any day and answer what is printed there."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_run import ROOT, running
from tests.support.shop import Shop

BLOCK = re.compile(r"^```\n(curl .*?|link=.*?)^```$(?:\n```json\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)
HERE = "http://127.0.0.1:8000"
PROGRAM = {
    "currency": "GBP",
    "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}],
}
CAKESTAND = {
    "kind": "product",
    "title": "REGENCY CAKESTAND 3 TIER",
    "categories": ["kitchen/baking"],
    "price": {"amount": 1275, "currency": "GBP"},
}
# What is different each time: days, moments, and names made by a machine.
CHANGING = re.compile(r"\d{4}-\d\d-\d\d.*|[0-9A-Z]{26}|[0-9a-f]{24,32}|[0-9a-f-]{36}")


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_first_five_minutes_go_as_they_are_written(readme: str, tmp_path: Path):
    blocks = BLOCK.findall((ROOT / readme).read_text("utf-8"))
    assert len(blocks) >= 5
    with running(tmp_path) as run:
        shop = Shop(run.address)
        assert shop.put("/v1/loyalty/program", PROGRAM).status_code == 200
        assert shop.put("/v1/items/22423", CAKESTAND).status_code == 201
        for commands, shown in blocks:
            told = bash(commands.replace(HERE, run.address))
            if shown:
                assert steady(last_document(told)) == steady(json.loads(shown))
        customer = shop.get("/v1/customers/hana").json()
        clock = shop.get("/_local/clock").json()
        mails = [mail["subject"] for mail in shop.mails("hana@example.com")]
        points = shop.get("/v1/customers/hana/loyalty").json()["active_points"]
        shop.close()

    assert customer["consents"]["email_marketing"]["status"] == "withdrawn", (
        "by the link that the welcome carried"
    )
    assert clock["ahead_seconds"] == 0
    assert (len(mails), points) == (2, 25)


def bash(commands: str) -> str:
    """Run commands as somebody would who copies them; answers what they print."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def last_document(told: str) -> Any:
    """The last of several JSON documents that follow each other without a line break between."""
    rest, document = told.strip(), None
    while rest:
        document, end = json.JSONDecoder().raw_decode(rest)
        rest = rest[end:].strip()
    return document


def steady(document: Any) -> Any:
    """A document without what is different each time."""
    if isinstance(document, dict):
        return {name: steady(value) for name, value in document.items()}
    if isinstance(document, list):
        return [steady(value) for value in document]
    if isinstance(document, float) or (isinstance(document, str) and CHANGING.fullmatch(document)):
        return "changing"
    return document
