"""The guides to rewards and to referral as they stand there: the calls are made, and the answers are what comes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

GUIDES = Path(__file__).parents[3] / "docs/guide"
CALL = re.compile(
    r"curl -X (PUT|POST) \"?\$API([^\s\"]+)\"?((?: -H \S+ ?\S*| \\\n)*?)(?: -d '(.*?\})')?$",
    re.DOTALL | re.MULTILINE,
)
KEY = re.compile(r"Idempotency-Key: ([\w-]+)")


@pytest.mark.parametrize(("page", "answers"), [("rewards.md", 3), ("referral.md", 2)])
def test_a_guides_example(api: Any, page: str, answers: int) -> None:
    text = (GUIDES / page).read_text()
    made: dict[str, str] = {}
    shown = called = 0
    for kind, block in re.findall(r"```(sh|json)\n(.*?)```", text, re.DOTALL):
        if kind == "sh":
            for call in CALL.findall(block):
                last = _call(api, call, made)
                called += 1
        else:
            assert _masked(last, json.loads(block)) == json.loads(block)
            shown += 1
    assert (called, shown) == (text.count("curl "), answers)


def _call(api: Any, call: tuple[str, str, str, str], made: dict[str, str]) -> Any:
    method, path, headers, body = call
    for name, value in made.items():
        path, body = path.replace(f"${name}", value), body.replace(f"'${name}'", value)
    key = {"Idempotency-Key": found[1]} if (found := KEY.search(headers)) else {}
    answer = api.request(method, path, json.loads(body) if body else None, **key)
    assert answer.status_code < 300, (path, answer.body)
    told = answer.json_body
    made |= {"REDEMPTION": told["redemption_id"]} if "redemption_id" in told else {}
    code = (told.get("coupon") or told).get("code")
    made |= {"CODE": code} if code else {}
    return told


def _masked(told: Any, shown: Any) -> Any:
    """What was told, with what the guide leaves open left open."""
    if shown == "…" and told:
        return shown
    if isinstance(told, dict) and isinstance(shown, dict):
        return {name: _masked(value, shown.get(name)) for name, value in told.items()}
    if isinstance(told, list) and isinstance(shown, list) and len(told) == len(shown):
        return [_masked(*pair) for pair in zip(told, shown, strict=True)]
    return told
