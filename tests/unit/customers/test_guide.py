"""The guide's example, as it stands there: its calls are made, and its answers are what comes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.support.embedded import SECRET

GUIDE = (Path(__file__).parents[3] / "docs/guide/identity.md").read_text()
CALLS = re.findall(r"curl -X POST \$API(\S+) (.*?)-d '(.*?)'\n", GUIDE, re.DOTALL)
FOUND, MERGED, UNDONE = map(json.loads, re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL))


def test_the_guides_example(api: Any) -> None:
    answers = []
    for path, headers, body in CALLS:
        named = dict(re.findall(r"-H '([\w-]+): (\S+)'", headers))
        answer = api.request("POST", path, json.loads(body), SECRET | named)
        assert answer.status_code in (200, 201), answer.body
        answers.append(answer.json_body)

    [lookup] = re.findall(r"--data-urlencode 'phone=(.*?)'", GUIDE)
    found = api.get(f"/v1/customers?phone={quote(lookup)}").json_body
    merged = answers[-1]
    assert timeless(merged) == timeless(MERGED | {"merge_id": merged["merge_id"]})
    assert MERGED["merge_id"] == merged["merge_id"]
    [both] = found["data"]
    assert both["customer_ids"] == ["u1", "u2"]
    moved = api.get("/v1/customers/u2")
    assert (moved.status_code, moved.headers["Location"]) == (308, "/v1/customers/u1")

    [undo] = re.findall(r"curl -X POST \$API(/v1/merges/\S+)", GUIDE)
    undone = api.post(undo, None, SECRET | {"X-Actor": "tanaka"}).json_body
    assert timeless(undone) == timeless(UNDONE)
    assert timeless(api.get(f"/v1/customers?phone={quote(lookup)}").json_body) == timeless(FOUND)
    kinds = [each["kind"] for each in api.get("/v1/customers/u1/timeline").json_body["data"]]
    assert kinds == ["identify", "view"]


def timeless(value: Any) -> Any:
    """The same without the moments at which this test runs."""
    if isinstance(value, dict):
        return {name: timeless(each) for name, each in value.items() if not name.endswith("_at")} | {
            name: "a moment" for name in value if name.endswith("_at")
        }
    return [timeless(each) for each in value] if isinstance(value, list) else value
