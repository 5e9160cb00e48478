"""The guide's example, as it stands there: its calls are made, and its answers are what comes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.support.embedded import PUBLISHABLE, SECRET

GUIDE = (Path(__file__).parents[3] / "docs/guide/questions.md").read_text()
CALLS = re.findall(r"curl -X (PUT|POST) \$API(\S+) -H \"\$(KEY|BROWSER)\" .*?-d '(.*?)'", GUIDE, re.DOTALL)
ASK = re.findall(r'curl "\$API(\S+)" ', GUIDE)
ASKED, ANSWERED, COUPON, CONTENT = map(json.loads, re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL))
KEYS = {"KEY": SECRET, "BROWSER": PUBLISHABLE}


def test_the_guides_example(api: Any) -> None:
    def call(method: str, path: str, key: str, body: str) -> Any:
        answer = api.request(method, path, json.loads(body), KEYS[key])
        assert answer.status_code == 200, answer.body
        return answer.json_body

    for each in CALLS[:2]:
        call(*each)
    [ask] = ASK
    january = "&now=2027-01-15T09:00:00Z"
    assert api.get(ask + january, **{"Accept-Language": "ja"}).json_body == ASKED
    answers = [call(*each) for each in CALLS[2:]]

    assert len(answers) == 3
    assert answers[0] == ANSWERED
    assert api.get("/v1/customers/u1/loyalty").json_body["active_points"] == 50
    assert api.get("/v1/profile-questions?customer_id=u1").json_body["question"] is None


def test_the_guides_rewards_are_rewards(api: Any) -> None:
    body = json.loads(CALLS[0][3])
    for reward in (COUPON, CONTENT):
        assert api.put("/v1/profile-questions/name", body | {"reward": reward}).status_code == 200
