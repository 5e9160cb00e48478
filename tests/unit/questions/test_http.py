"""Questions, answers and what they earn, over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.embedded import PUBLISHABLE

NAME = {
    "text": "What may we call you?",
    "text_ja": "お名前は？",
    "kind": "text",
    "trait": "name",
    "purpose": "To greet you.",
    "purpose_ja": "ご挨拶のため。",
    "reward": {"points": 50},
    "answer_set": "profile",
    "priority": 2,
}
PET = {
    "text": "Which pet lives with you?",
    "text_ja": "ペットは？",
    "kind": "choice",
    "choices": [
        {"value": "dog", "label": "Dog", "label_ja": "犬"},
        {"value": "cat", "label": "Cat", "label_ja": "猫"},
    ],
    "trait": "pet",
    "purpose": "To show what fits.",
    "reward": {"points": 50},
    "answer_set": "profile",
    "priority": 1,
}
TOKEN = "/v1/customer-tokens"


def define(api: Any, **questions: Any) -> None:
    for question_id, body in questions.items():
        answer = api.put(f"/v1/profile-questions/{question_id}", body)
        assert answer.status_code == 200, answer.body


def ask(api: Any, query: str, headers: Any = None, **more: str) -> Any:
    answer = api.get(f"/v1/profile-questions?{query}", headers, **more)
    assert answer.status_code == 200, answer.body
    return answer.json_body["question"]


def say(api: Any, body: dict[str, Any], headers: Any = None) -> Any:
    answer = api.post("/v1/profile-answers", body, headers)
    assert answer.status_code == 200, answer.body
    return answer.json_body


def balance(api: Any, customer_id: str) -> int:
    return int(api.get(f"/v1/customers/{customer_id}/loyalty").json_body["active_points"])


def identify(api: Any, customer_id: str, anonymous_id: str) -> None:
    event = {"userId": customer_id, "anonymousId": anonymous_id, "messageId": f"{customer_id}{anonymous_id}"}
    assert api.post("/v1/identify", event).status_code == 200


def test_a_customer_is_asked_one_thing_at_a_time_and_rewarded_once(api: Any) -> None:
    define(api, name=NAME, pet=PET)

    first = ask(api, "customer_id=u1", **{"Accept-Language": "ja"})
    assert first == {
        "question_id": "name", "text": "お名前は？", "kind": "text", "choices": [], "trait": "name",
        "purpose": "ご挨拶のため。", "reward": {"points": 50}, "answer_set": "profile",
    }  # fmt: skip
    answered = say(api, {"customer_id": "u1", "answers": {"name": "コハル"}})
    assert answered["traits"] == {"name": "コハル", "greeting_name": "コハル"}
    assert [(each["points"], each["status"]) for each in answered["granted"]] == [(50, "granted")]
    assert balance(api, "u1") == 50

    second = ask(api, "customer_id=u1")
    assert (second["question_id"], second["reward"]) == ("pet", None)
    again = say(api, {"customer_id": "u1", "answers": {"name": "コハル", "pet": "dog"}})
    assert again["granted"] == []
    assert [each["points"] for each in again["already_granted"]] == [50]
    assert balance(api, "u1") == 50
    assert ask(api, "customer_id=u1") is None
    traits = api.get("/v1/customers/u1").json_body["traits"]
    assert {name: (each["value"], each["source"]) for name, each in traits.items()} == {
        "name": ("コハル", "form"),
        "greeting_name": ("コハル", "form"),
        "pet": ("dog", "form"),
    }
