"""Segment's own client for Node against the running service: everything it sends is told once."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_run import ROOT
from tests.support.shop import Shop

SDK = ROOT / ".cache" / "node-sdk" / "3.1.0"
PACKAGE = "node_modules/@segment/analytics-node"
PACKAGE_INTEGRITY = (
    "sha512-F3pJmzUxmWZFV2wxJfuGvjLViCrQBFpxLLp4++fkoDsohWwS89T7n0M5nW1zxeYc2X2rA/v7q5ou3JZIw9bl3g=="
)
DAY = Path(__file__).with_name("segment_node.cjs")

EVENTS = 300
CUSTOMERS = [f"node-{number}" for number in range(5)]
KINDS = {"identify", "alias", "group", "view", "page", "screen", "cart"}

pytestmark = [
    pytest.mark.skipif(
        not shutil.which("node"), reason="Node is not here (on Debian: apt-get install nodejs)"
    ),
    pytest.mark.skipif(not (SDK / PACKAGE).exists(), reason="npm was not here to bring Segment's Node SDK"),
]


def send(shop: Shop, key: str = "sk_test_local") -> dict[str, Any]:
    """The day of `segment_node.cjs`, once more; what the client says of it."""
    run = subprocess.run(
        ["node", DAY, SDK, shop.base_url, key], check=True, capture_output=True, text=True, timeout=120
    )
    said: dict[str, Any] = json.loads(run.stdout)
    return said


def everything(shop: Shop) -> list[dict[str, Any]]:
    return [entry for customer in CUSTOMERS for entry in timeline(shop, customer)]


def timeline(shop: Shop, customer_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    parameters: dict[str, Any] = {"limit": 200}
    while True:
        answer = shop.get(f"/v1/customers/{customer_id}/timeline", params=parameters)
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        if answer.json()["next_cursor"] is None:
            return found
        parameters["cursor"] = answer.json()["next_cursor"]


def test_it_is_the_package_that_was_published() -> None:
    installed = json.loads((SDK / "node_modules" / ".package-lock.json").read_text())["packages"]

    assert installed[PACKAGE]["integrity"] == PACKAGE_INTEGRITY


def test_every_event_is_told_once_however_often_it_is_sent(shop: Shop) -> None:
    said = send(shop)

    assert said == {"sent": EVENTS, "errors": [], "path": "/v1/batch"}
    told = everything(shop)
    kinds = Counter(entry["kind"] for entry in told)
    numbered = Counter(entry["details"]["number"] for entry in told if "number" in entry["details"])
    first = 3 * len(CUSTOMERS)  # who somebody is, was, and belongs to; what follows bears its number
    assert len(told) == len({entry["id"] for entry in told}) == EVENTS
    assert set(kinds) == KINDS
    assert kinds["identify"] == kinds["alias"] == kinds["group"] == kinds["view"] == len(CUSTOMERS)
    assert {number: count for number, count in numbered.items() if number >= first} == dict.fromkeys(
        range(first, EVENTS), 1
    )
    assert all(entry["trusted"] for entry in told)
    profile = shop.get("/v1/customers/node-0").json()
    assert profile["traits"]["name"]["value"] == "Customer 0"

    assert send(shop) == said

    assert everything(shop) == told


def test_a_wrong_key_is_told_to_whoever_wrote_the_shop(shop: Shop) -> None:
    said = send(shop, "sk_live_unknown")

    assert said["errors"], "refused, and the client says so"
    assert timeline(shop, "node-nobody") == []
