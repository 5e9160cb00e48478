"""The guide's calls, as they stand there: each is taken, and the preview answers what it says."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from chalicelib.shared import clock
from tests.support.recommender import Recommender

GUIDE = (Path(__file__).parents[3] / "docs/guide/recommendations.md").read_text()
CALLS = re.findall(r"curl -X (PUT|POST) \$API(\S+) .*? -d '(.*?)'", GUIDE, re.DOTALL)
LISTS = re.findall(r'curl "\$API(\S+)"', GUIDE)
[MOVED] = (json.loads(each) for each in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL))


def test_the_guides_example(api: Any) -> None:
    shop = Recommender(api)
    for hours, item_id in enumerate(("pot", "bread", "cup")):
        clock.travel(timedelta(hours=hours))
        shop.item(item_id)
    shop.event("Product Viewed", item_id="cup", anonymousId="a1")
    # The preview first: it tells of a shop without the other rules.
    answers = {path: api.request(method, path, json.loads(body)) for method, path, body in reversed(CALLS)}

    assert len(answers) == 8
    assert {each.status_code for each in answers.values()} == {200, 201}
    assert answers["/v1/recommendation-rules/preview"].json_body["moved"] == MOVED
    assert [len(api.get(path).json_body["items"]) for path in LISTS] == [3, 2, 1, 1]
