"""What a visitor said ends some time after their last word, also while the store still has it."""

from __future__ import annotations

from typing import Any

from chalicelib.questions import reads, store
from chalicelib.questions.model import VISITOR_KEPT
from chalicelib.shared import clock
from tests.support.embedded import PUBLISHABLE

PET = {"text": "Which pet?", "kind": "text", "trait": "pet", "purpose": "why", "reward": {"points": 50}}
WHO = "anonymous_id=a1"


def answer(api: Any, **body: Any) -> Any:
    answered = api.post("/v1/profile-answers", body, PUBLISHABLE if "anonymous_id" in body else None)
    assert answered.status_code == 200, answered.body
    return answered.json_body


def asked(api: Any) -> str | None:
    question = api.get(f"/v1/profile-questions?{WHO}", PUBLISHABLE).json_body["question"]
    return question["question_id"] if question else None


def stored(aws: Any, pk: str) -> dict[str, Any]:
    key = {"pk": {"S": pk}, "sk": {"S": "ANSWERS"}}
    found: dict[str, Any] = aws.get_item(TableName="kokyaku-test-people", Key=key)["Item"]
    return found


def test_a_visitors_answers_end_after_the_last_word_and_begin_anew(api: Any, aws: Any, travel: Any) -> None:
    for question_id, trait in (("pet", "pet"), ("toy", "toy")):
        api.put(f"/v1/profile-questions/{question_id}", PET | {"trait": trait})
    answer(api, anonymous_id="a1", answers={"pet": "dog"})
    travel(days=10)
    answer(api, anonymous_id="a1", answers={"toy": "ball"})
    expires_at = int(stored(aws, "A#a1")["ttl"]["N"])
    assert abs(expires_at - (clock.now() + VISITOR_KEPT).timestamp()) < 60, "the last word counts"

    travel(days=VISITOR_KEPT.days - 1)
    assert asked(api) is None
    travel(days=1)
    assert asked(api) is not None, "the store has not got round to deleting it"
    assert reads.export_of([], ["a1"])["answers"] == []

    again = answer(api, anonymous_id="a1", answers={"pet": "cat"})
    assert [each["status"] for each in again["granted"]] == ["pending"]
    [sheet] = store.sheets([("anonymous", "a1")], now=clock.now())
    assert {name: each.value for name, each in sheet.said.items()} == {"pet": "cat"}
    assert int(stored(aws, "A#a1")["ttl"]["N"]) > expires_at


def test_what_expired_gives_nothing_a_second_time(api: Any, aws: Any, travel: Any) -> None:
    api.put("/v1/profile-questions/pet", PET)
    answer(api, anonymous_id="a1", answers={"pet": "dog"})
    api.post("/v1/identify", {"userId": "u1", "anonymousId": "a1", "messageId": "m1"})
    earned = answer(api, customer_id="u1", answers={"pet": "dog"})["granted"]
    assert [each["points"] for each in earned] == [50]
    assert "ttl" not in stored(aws, "C#u1"), "a customer's own stays"

    travel(days=VISITOR_KEPT.days + 1)
    again = answer(api, anonymous_id="a1", answers={"pet": "cat"})
    assert again["granted"] == []
    assert api.get("/v1/customers/u1/loyalty").json_body["lifetime_points"] == 50
