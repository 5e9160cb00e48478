"""The guide's example, as it stands there: its calls are made, and its answers are what comes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.shared import clock
from tests.support.circuit import Circuit
from tests.support.person import Person

GUIDE = (Path(__file__).parents[3] / "docs/guide/privacy.md").read_text()
CALLS = re.findall(
    r"^curl -X (\w+) \$API(\S+) (?:-H \"[^\"]*\" ?)+(?:-d '(.*?)')?", GUIDE, re.DOTALL | re.MULTILINE
)
PURPOSE, COPY, ERASURE, REFUSED, LINES = map(json.loads, re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL))

pytestmark = pytest.mark.privacy


def test_the_guides_example(api: Any, circuit: Circuit) -> None:
    token = Person.token_of("u1")

    def call(place: int, headers: dict[str, str] | None = None, **more: str) -> Any:
        method, path, body = CALLS[place]
        answer = api.request(method, path, json.loads(body) if body else None, headers, **more)
        assert answer.status_code < 300, (path, answer.body)
        circuit.settle()
        return answer.json_body

    call(0)
    call(1)
    page = api.get("/v1/me/explanation", token).json_body
    call(2, token)
    copy = call(3, **{"Idempotency-Key": "copy-1"})
    ready = api.get(f"/v1/exports/{copy['export_id']}").json_body
    erasure = call(4)
    refused = call(5)
    circuit.travel(clock.now() + timedelta(minutes=3))
    circuit.tick("privacy_tick")
    receipt = api.get(f"/v1/erasures/{erasure['erasure_id']}").json_body

    assert [each for each in page["purposes"] if each["purpose"] == "personalization"] == [PURPOSE]
    assert copy == COPY
    assert ready["status"] == "done"
    assert erasure.keys() == ERASURE.keys()
    assert refused == REFUSED
    assert receipt["status"] == "done"
    assert {each["store"]: each["items"] for each in receipt["stores"]}["engagement.planned"] == 1, (
        "her welcome"
    )
    assert [line for line in LINES if line not in receipt["stores"]] == []
    assert call(6) == {"categories": ["health", "religion", "diet"]}
