"""The guide's example, as it stands there: its definitions are taken, and its answer is what comes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

GUIDE = (Path(__file__).parents[3] / "docs/guide/traits.md").read_text()
CALLS = re.findall(r"curl -X (PUT|POST) \$API(\S+) .*? -d '(.*?)'", GUIDE, re.DOTALL)
ANSWER, INTEREST = (json.loads(each) for each in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL))
ITEMS = {"tofu": "grocery/soy", "rice": "grocery/rice", "beef": "meat/beef"}
ORDERS = [["tofu"], ["rice", "tofu"], ["tofu"], ["beef"]]


def test_the_guides_example(api: Any) -> None:
    for item_id, category in ITEMS.items():
        assert (
            api.put(f"/v1/items/{item_id}", {"title": item_id, "categories": [category]}).status_code == 201
        )
    for number, item_ids in enumerate(ORDERS, start=1):
        order = {
            "customer_id": "u1", "placed_at": f"2026-11-0{number}T09:00:00Z", "currency": "JPY", "total": 1000,
            "lines": [{"item_id": item_id, "quantity": 1, "price": 500} for item_id in item_ids],
            "gift": item_ids == ["beef"],
        }  # fmt: skip
        assert api.put(f"/v1/orders/o{number}", order).status_code == 201
    looked = {"product_id": "tofu", "duration_seconds": 42}
    view = {
        "userId": "u1",
        "event": "Product Viewed",
        "properties": looked,
        "timestamp": "2026-11-05T09:00:00Z",
    }
    assert api.post("/v1/track", view).status_code == 200
    answers = {path: api.request(method, path, json.loads(body)).json_body for method, path, body in CALLS}
    profile = api.get("/v1/customers/u1?now=2026-11-22T09:00:00Z").json_body

    assert len(answers) == 3
    assert answers["/v1/inference-rules/preview"]["outcome"] == "too_few_orders"
    assert {name: profile[name] for name in ANSWER} == ANSWER
    assert profile["interests"]["categories"][0] == INTEREST
