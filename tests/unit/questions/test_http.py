"""Questions, answers and what they earn, over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.circuit import Circuit
from tests.support.embedded import PUBLISHABLE

NAME = {
    "text": "What may we call you?",
    "text_ja": "お名前を教えてください。",
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
    "text_ja": "ペットを教えてください。",
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
        "question_id": "name", "text": "お名前を教えてください。", "kind": "text", "choices": [], "trait": "name",
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


def test_a_visitor_is_asked_and_nothing_is_theirs_before_somebody_trusted_knows_them(
    api: Any, circuit: Circuit
) -> None:
    define(api, name=NAME, pet=PET)
    body = {"anonymous_id": "a1", "answers": {"name": "コハル", "pet": "dog"}}

    assert ask(api, "anonymous_id=a1", PUBLISHABLE)["question_id"] == "name"
    first = say(api, body, PUBLISHABLE)
    again = say(api, body, PUBLISHABLE)
    circuit.settle()

    assert [(each["points"], each["status"]) for each in first["granted"]] == [(50, "pending")]
    assert (again["granted"], again["already_granted"]) == ([], first["granted"])
    assert ask(api, "anonymous_id=a1", PUBLISHABLE) is None
    assert balance(api, "u1") == 0

    identify(api, "u1", "a1")
    assert ask(api, "customer_id=u1") is None, "not asked again, before any queue has moved"
    circuit.settle()
    assert balance(api, "u1") == 50
    assert api.get("/v1/customers/u1").json_body["traits"]["greeting_name"]["value"] == "コハル"

    for headers, who in ((None, {"customer_id": "u1"}), (PUBLISHABLE, {"anonymous_id": "a1"})):
        late = say(api, who | {"answers": {"name": "コハル", "pet": "dog"}}, headers)
        assert late["granted"] == []
        assert [each["status"] for each in late["already_granted"]] == ["granted"]
    circuit.settle()
    assert balance(api, "u1") == 50
    assert circuit.dead == []


def test_many_visitors_of_one_customer_earn_once(api: Any, circuit: Circuit) -> None:
    define(api, pet=PET)
    for number in range(5):
        say(api, {"anonymous_id": f"a{number}", "answers": {"pet": "dog"}}, PUBLISHABLE)
        identify(api, "u1", f"a{number}")
    circuit.settle()

    assert balance(api, "u1") == 50


def test_the_next_answer_of_a_customer_settles_what_the_visitor_earned(api: Any) -> None:
    """Without any queue: the consumer may be late, the customer is not kept waiting."""
    define(api, pet=PET, name=NAME | {"answer_set": "other", "reward": None})
    say(api, {"anonymous_id": "a1", "answers": {"pet": "cat"}}, PUBLISHABLE)
    identify(api, "u1", "a1")
    say(api, {"customer_id": "u1", "answers": {"name": "コハル"}})

    assert balance(api, "u1") == 50
    assert api.get("/v1/customers/u1").json_body["traits"]["pet"]["value"] == "cat"


def test_a_promise_is_kept_as_it_was_made_also_when_the_question_is_gone(api: Any, circuit: Circuit) -> None:
    define(api, pet=PET)
    say(api, {"anonymous_id": "a1", "answers": {"pet": "cat"}}, PUBLISHABLE)
    define(api, pet=PET | {"reward": {"points": 9999}})
    assert api.delete("/v1/profile-questions/pet").status_code == 204
    identify(api, "u1", "a1")
    circuit.settle()

    assert balance(api, "u1") == 50


def test_a_browser_fills_gaps_of_a_profile_and_changes_nothing_in_it(api: Any, circuit: Circuit) -> None:
    define(api, name=NAME, pet=PET)
    api.patch("/v1/customers/u1", {"traits": {"name": "花子"}})
    identify(api, "u1", "a1")
    say(api, {"anonymous_id": "a1", "answers": {"name": "mallory", "pet": "cat"}}, PUBLISHABLE)
    circuit.settle()

    traits = api.get("/v1/customers/u1").json_body["traits"]
    assert (traits["name"]["value"], traits["pet"]["value"]) == ("花子", "cat")
    say(api, {"customer_id": "u1", "answers": {"name": "コハル", "pet": "dog"}})
    traits = api.get("/v1/customers/u1").json_body["traits"]
    assert (traits["name"]["value"], traits["pet"]["value"]) == ("コハル", "dog")
    circuit.settle()
    assert api.get("/v1/customers/u1").json_body["traits"] == traits, "the browser's word does not come back"


def test_what_is_known_from_elsewhere_is_not_asked(api: Any) -> None:
    define(api, name=NAME, pet=PET)
    api.patch("/v1/customers/u1", {"traits": {"firstName": "花子", "pet": "cat"}})

    assert ask(api, "customer_id=u1") is None
    assert ask(api, "customer_id=u2")["question_id"] == "name"


def test_answers_of_every_id_count_for_the_merged_person_and_the_reward_once(
    api: Any, circuit: Circuit
) -> None:
    define(api, name=NAME, pet=PET)
    say(api, {"customer_id": "u1", "answers": {"name": "コハル"}})
    say(api, {"customer_id": "u2", "answers": {"pet": "dog"}})
    merged = api.post("/v1/customers/u1/merge", {"from": "u2", "reason": "same"}, **{"Idempotency-Key": "k"})
    assert merged.status_code < 300, merged.body
    circuit.settle()

    assert ask(api, "customer_id=u1") is None
    say(api, {"customer_id": "u2", "answers": {"name": "コハル", "pet": "dog"}})
    assert balance(api, "u1") == 100, "each had earned it before they were one"


def test_a_skipped_question_comes_back_later(api: Any, travel: Any) -> None:
    define(api, name=NAME, pet=PET)
    skipped = say(api, {"customer_id": "u1", "answers": {"name": None}})

    assert skipped == {"traits": {}, "granted": [], "already_granted": []}
    assert ask(api, "customer_id=u1")["question_id"] == "pet"
    say(api, {"customer_id": "u1", "answers": {"name": None, "pet": None}})
    assert ask(api, "customer_id=u1") is None
    travel(days=7)
    assert ask(api, "customer_id=u1")["question_id"] == "name"
    say(api, {"customer_id": "u1", "answers": {"name": None}})
    travel(days=13)
    assert ask(api, "customer_id=u1")["question_id"] == "pet"
    travel(days=1)
    assert ask(api, "customer_id=u1")["question_id"] == "name"


def test_a_question_may_wait_for_another_answer(api: Any) -> None:
    breed = PET | {
        "kind": "text", "choices": [], "trait": "breed", "priority": 9, "answer_set": "breed",
        "ask": {"only_if": {"trait": "pet", "is": "dog"}},
    }  # fmt: skip
    define(api, pet=PET, breed=breed)

    assert ask(api, "customer_id=u1")["question_id"] == "pet"
    say(api, {"customer_id": "u1", "answers": {"pet": "dog"}})
    assert ask(api, "customer_id=u1")["question_id"] == "breed"
    say(api, {"customer_id": "u2", "answers": {"pet": "cat"}})
    assert ask(api, "customer_id=u2") is None


def test_each_caller_speaks_for_who_is_theirs(api: Any) -> None:
    define(api, pet=PET)
    own = {"Authorization": f"Bearer {api.post(TOKEN, {'customer_id': 'u1'}).json_body['token']}"}
    answers = {"answers": {"pet": "dog"}}
    refused = [
        api.get("/v1/profile-questions?customer_id=u1", PUBLISHABLE),
        api.get("/v1/profile-questions?customer_id=u2", own),
        api.get("/v1/profile-questions?anonymous_id=a1", own),
        api.post("/v1/profile-answers", answers | {"customer_id": "u1"}, PUBLISHABLE),
        api.post("/v1/profile-answers", answers | {"customer_id": "u2"}, own),
        api.post("/v1/profile-answers", answers | {"anonymous_id": "a1"}, own),
    ]

    assert {each.status_code for each in refused} == {403}
    for headers in (None, PUBLISHABLE):
        assert api.get("/v1/profile-questions", headers).status_code == 400
        assert api.post("/v1/profile-answers", answers, headers).status_code == 400
    assert say(api, answers, own)["granted"][0]["points"] == 50
    assert balance(api, "u1") == 50
    assert balance(api, "u2") == 0


WRONG = [
    ({"answers": {"pet": "horse"}}, "answers.pet"),
    ({"answers": {"pet": 5}}, "answers.pet"),
    ({"answers": {"name": " "}}, "answers.name"),
    ({"answers": {"name": "x" * 101}}, "answers.name"),
    ({"answers": {"name": "a\nb"}}, "answers.name"),
    ({"answers": {"name": "\u202ex"}}, "answers.name"),
    ({"answers": {"born": "1994-5-2"}}, "answers.born"),
    ({"answers": {"born": "19940502"}}, "answers.born"),
    ({"answers": {"born": "0001-01-01"}}, "answers.born"),
    ({"answers": {"size": 10**18}}, "answers.size"),
    ({"answers": {"size": "5"}}, "answers.size"),
    ({"answers": {"size": True}}, "answers.size"),
    ({"answers": {"unknown": "x"}}, "answers.unknown"),
    ({"answers": {}}, "answers"),
    ({"answers": {"pet": ["dog"]}}, "answers.pet"),
    ({"anonymous_id": "a1", "answers": {"pet": "dog"}}, "anonymous_id"),
    ({"answers": {"pet": "dog"}, "points": 5}, "points"),
]


@pytest.mark.parametrize(("body", "field"), WRONG, ids=lambda each: str(each)[:40])
def test_an_answer_that_does_not_fit_is_refused_and_leaves_nothing(
    api: Any, aws: Any, body: dict[str, Any], field: str
) -> None:
    more = {"answer_set": "x", "choices": []}
    define(
        api, name=NAME, pet=PET,
        born=PET | more | {"kind": "date", "trait": "born"}, size=PET | more | {"kind": "number", "trait": "size"},
    )  # fmt: skip
    answer = api.post("/v1/profile-answers", {"customer_id": "u1"} | body)

    assert answer.status_code == 400
    assert answer.json_body["errors"][0]["field"].startswith(field), answer.json_body
    assert aws.scan(TableName="kokyaku-test-people")["Items"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"trait": "email"}, "trait"),
        ({"trait": "createdAt"}, "trait"),
        ({"trait": "a b"}, "trait"),
        ({"kind": "text"}, "choices"),
        ({"choices": []}, "choices"),
        ({"choices": [PET["choices"][0]] * 2}, "choices"),
        ({"reward": {"points": 0}}, "reward.points"),
        ({"reward": {}}, "reward"),
        ({"reward": {"points": 5, "content": {"item_id": "i1", "valid_hours": 1}}}, "reward"),
        ({"reward": {"coupon": {"title": "x"}}}, "reward.coupon.valid_days"),
        ({"ask": {"only_if": {"trait": "pet"}}}, "ask"),
        ({"trait": "timezone", "choices": [{"value": "x y", "label": "x"}]}, "choices.0.value"),
        ({"priority": 1.5}, "priority"),
        ({"owner": "x"}, "owner"),
    ],
    ids=str,
)
def test_a_question_that_cannot_be_asked_is_refused(api: Any, change: dict[str, Any], field: str) -> None:
    answer = api.put("/v1/profile-questions/pet", PET | change)

    assert answer.status_code == 400
    assert answer.json_body["errors"][0]["field"].startswith(field), answer.json_body


def test_definitions_are_kept_as_they_were_given(api: Any) -> None:
    define(
        api,
        pet=PET,
        name=NAME | {"reward": {"coupon": {"title": "10% off", "valid_days": 30, "percent": 10}}},
    )

    listed = api.get("/v1/settings/profile-questions").json_body["data"]
    assert [each["question_id"] for each in listed] == ["name", "pet"]
    assert listed[1] == api.get("/v1/profile-questions/pet").json_body
    assert {name: listed[1][name] for name in PET} == PET | {
        "reward": {"points": 50, "coupon": None, "content": None}
    }
    assert api.delete("/v1/profile-questions/pet").status_code == 204
    assert api.get("/v1/profile-questions/pet").status_code == 404


def test_there_are_a_hundred_questions_at_most(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.questions import service

    monkeypatch.setattr(service, "QUESTIONS_MAX", 2)
    define(api, name=NAME, pet=PET)
    full = api.put("/v1/profile-questions/third", PET)

    assert (full.status_code, full.json_body["type"]) == (409, "/problems/too-many-questions")
    define(api, pet=PET)


def test_the_answer_says_where_and_when_it_is_asked(api: Any) -> None:
    def context(query: str, headers: Any = None, **more: str) -> tuple[Any, ...]:
        answer = api.get(f"/v1/profile-questions?{query}", headers, **more)
        assert answer.status_code == 200, answer.body
        return tuple(answer.json_body["context"].values())

    january = "now=2027-01-15T00:00:00Z"
    hokkaido = ("JP", "北海道", "JP-01", "winter")
    assert context(f"customer_id=u1&country=JP&region=%E5%8C%97%E6%B5%B7%E9%81%93&{january}") == hokkaido
    seen = {"CloudFront-Viewer-Country": "AU", "CloudFront-Viewer-Country-Region": "NSW"}
    assert context(f"customer_id=u1&{january}", **seen) == ("AU", "NSW", "AU-NSW", "summer")
    api.patch("/v1/customers/u1", {"traits": {"address": {"country": "JP", "state": "北海道"}}})
    assert context(f"customer_id=u1&{january}") == hokkaido
    identify(api, "u1", "a1")
    assert context("anonymous_id=a1", PUBLISHABLE)[:3] == (None, None, None), (
        "a browser is not told where she lives"
    )
    assert api.get("/v1/profile-questions?customer_id=u1&country=Japan").status_code == 400


def test_many_at_once_and_the_reward_is_one(api: Any, circuit: Circuit) -> None:
    from chalicelib.questions import answering
    from chalicelib.questions.model import Voice
    from chalicelib.shared import clock
    from chalicelib.shared.errors import Busy

    define(api, name=NAME, pet=PET)
    identify(api, "u1", "a1")

    def send(number: int) -> list[int]:
        who = ("u1", None) if number % 2 else (None, "a1")
        answers = {"pet": "dog"} if number % 3 else {"name": "コハル"}
        while True:
            try:
                answered = answering.answer(*who, answers, Voice(bool(number % 2), "en", clock.now()))
            except Busy:
                continue
            return [each.points or 0 for each in answered.granted]

    with ThreadPoolExecutor(8) as threads:
        granted = [points for points_each in threads.map(send, range(24)) for points in points_each]
    circuit.settle()

    assert granted == [50]
    assert balance(api, "u1") == 50


def test_who_was_erased_is_asked_nothing_and_answers_nothing(api: Any, circuit: Circuit) -> None:
    define(api, pet=PET)
    say(api, {"anonymous_id": "a1", "answers": {"pet": "dog"}}, PUBLISHABLE)
    identify(api, "u1", "a1")
    circuit.settle()
    assert api.delete("/v1/customers/u1").status_code == 202

    for who in ("customer_id=u1", "anonymous_id=a1"):
        name, _, value = who.partition("=")
        assert api.get(f"/v1/profile-questions?{who}").status_code == 410
        assert api.post("/v1/profile-answers", {name: value, "answers": {"pet": "cat"}}).status_code == 410
    circuit.settle()
    assert circuit.dead == []
