"""What anybody's browser may say of a customer, and what it may learn: gaps are filled, and nothing is given away."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.circuit import Circuit
from tests.support.embedded import PUBLISHABLE
from tests.support.faults import FaultyWire

NAME = {"text": "What may we call you?", "kind": "text", "trait": "name", "purpose": "To greet you."}
PET = {"text": "Which pet?", "kind": "text", "trait": "pet", "purpose": "To show what fits."}
FIRST_NAME = NAME | {"trait": "firstName"}
LONG_AGO, PARROT = "2026-01-01T00:00:00Z", {"pet": "parrot"}
CALLS_MAX = 30


@pytest.fixture
def form(api: Any) -> Any:
    for question_id, body in (("name", NAME), ("first", FIRST_NAME), ("pet", PET)):
        assert api.put(f"/v1/profile-questions/{question_id}", body).status_code == 200
    return api


def say(api: Any, body: dict[str, Any], headers: Any = None) -> Any:
    answer = api.post("/v1/profile-answers", body, headers)
    assert answer.status_code == 200, answer.body
    return answer.json_body


def browser_says(api: Any, **answers: Any) -> Any:
    return say(api, {"anonymous_id": "a1", "answers": answers}, PUBLISHABLE)


def ask(api: Any, query: str, headers: Any = None) -> str | None:
    found = api.get(f"/v1/profile-questions?{query}", headers).json_body["question"]
    return found["question_id"] if found else None


def link(api: Any, customer_id: str = "u1", anonymous_id: str = "a1") -> None:
    event = {"userId": customer_id, "anonymousId": anonymous_id, "messageId": f"{customer_id}{anonymous_id}"}
    assert api.post("/v1/identify", event).status_code == 200


def traits(api: Any, customer_id: str = "u1") -> dict[str, tuple[Any, str]]:
    found = api.get(f"/v1/customers/{customer_id}").json_body["traits"]
    return {name: (each["value"], each["source"]) for name, each in found.items()}


def test_a_trusted_word_at_any_moment_of_a_browsers_answer_stands(form: Any, aws: Any) -> None:
    wire = FaultyWire(aws)
    moments = 0
    for moment in range(CALLS_MAX):
        customer_id, device = f"u{moment}", f"a{moment}"
        link(form, customer_id, device)
        calls = 0

        def speak(moment: int = moment, customer_id: str = customer_id) -> None:
            nonlocal calls
            calls += 1
            if calls == moment + 1:
                told = {
                    "userId": customer_id,
                    "messageId": customer_id,
                    "timestamp": LONG_AGO,
                    "traits": PARROT,
                }
                assert form.post("/v1/identify", told).status_code == 200

        wire.gate = speak
        say(form, {"anonymous_id": device, "answers": {"pet": "cat"}}, PUBLISHABLE)
        wire.gate = lambda: None
        if calls <= moment:
            break
        moments += 1
        assert traits(form, customer_id)["pet"] == ("parrot", "events"), f"before call {moment}"
    assert moments > 4


def test_a_trusted_word_of_long_ago_stands_against_a_browsers_of_today(form: Any) -> None:
    link(form)
    browser_says(form, pet="cat")
    assert traits(form)["pet"] == ("cat", "visitor")

    told = {"userId": "u1", "messageId": "old", "timestamp": LONG_AGO, "traits": PARROT}
    assert form.post("/v1/identify", told).status_code == 200
    assert traits(form)["pet"] == ("parrot", "events")


def test_what_somebody_trusted_deleted_does_not_come_back_from_a_browser(form: Any) -> None:
    link(form)
    form.patch("/v1/customers/u1", {"traits": {"pet": "dog"}})
    form.patch("/v1/customers/u1", {"traits": {"pet": None}})

    browser_says(form, pet="cat")

    assert "pet" not in traits(form)


def test_a_browser_does_not_take_back_what_a_server_said_of_its_visitor(form: Any, circuit: Circuit) -> None:
    say(form, {"anonymous_id": "a1", "answers": {"pet": "dog"}})

    assert browser_says(form, pet="cat")["traits"] == {"pet": "cat"}, "and is not told what the server said"
    link(form)
    circuit.settle()
    assert traits(form)["pet"] == ("dog", "form")


def test_a_trusted_answer_that_a_crash_kept_from_the_profile_gets_there_before_a_browsers(
    form: Any, aws: Any
) -> None:
    from tests.support.faults import Crash

    link(form)
    wire = FaultyWire(aws)

    def die_at_the_profile() -> None:
        if wire.requests >= 5:
            raise Crash

    wire.gate = die_at_the_profile
    with pytest.raises(Crash):
        say(form, {"customer_id": "u1", "answers": {"pet": "dog"}})
    wire.gate = lambda: None
    assert "pet" not in traits(form)

    browser_says(form, pet="cat")
    assert traits(form)["pet"] == ("dog", "form")


def test_a_name_typed_before_anybody_knew_the_visitor_is_one_to_be_greeted_by(
    form: Any, circuit: Circuit
) -> None:
    browser_says(form, name="コハル")
    link(form)
    circuit.settle()

    assert traits(form) == {"name": ("コハル", "visitor"), "greeting_name": ("コハル", "visitor")}


@pytest.mark.parametrize("question", ["name", "first"])
def test_a_name_typed_on_a_customers_device_greets_that_device_only(
    form: Any, circuit: Circuit, question: str
) -> None:
    link(form)
    said = browser_says(form, **{question: "mallory"})
    circuit.settle()

    assert said["traits"]["greeting_name"] == "mallory"
    assert traits(form) == {}
    assert ask(form, "anonymous_id=a1", PUBLISHABLE) != question, "the device has answered"
    asked = {ask(form, "customer_id=u1")}
    form.delete(f"/v1/profile-questions/{asked.pop()}")
    asked = {ask(form, "customer_id=u1"), ask(form, "customer_id=u1")}
    assert "pet" not in asked, "the customer has not"


@pytest.mark.parametrize("trait", ["name", "firstName", "lastName", "greeting_name"])
def test_a_browsers_name_greets_nobody_whose_name_is_known(form: Any, circuit: Circuit, trait: str) -> None:
    browser_says(form, name="mallory", first="mallory")
    form.patch("/v1/customers/u1", {"traits": {trait: "花子"}})
    link(form)
    circuit.settle()

    assert traits(form) == {trait: ("花子", "api")}


def test_a_browsers_name_greets_no_longer_when_a_trusted_one_comes(form: Any, circuit: Circuit) -> None:
    for customer_id in ("u1", "u2"):
        form.patch(f"/v1/customers/{customer_id}", {"traits": {"plan": "gold"}})
    browser_says(form, name="mallory")
    link(form, "u2")
    circuit.settle()
    assert traits(form, "u2")["greeting_name"] == ("mallory", "visitor")

    form.patch("/v1/customers/u1", {"traits": {"lastName": "山田"}})
    form.post("/v1/customers/u1/merge", {"from": "u2", "reason": "same"}, None, **{"Idempotency-Key": "k"})
    assert set(traits(form)) == {"plan", "lastName"}, "not under any id of the same person either"


def test_a_condition_tells_a_browser_nothing_of_whom_it_is_linked_to(form: Any) -> None:
    breed = PET | {"trait": "breed", "ask": {"only_if": {"trait": "pet", "is": "dog"}}}
    assert form.put("/v1/profile-questions/breed", breed).status_code == 200
    for question_id in ("name", "first"):
        form.delete(f"/v1/profile-questions/{question_id}")
    link(form)
    form.patch("/v1/customers/u1", {"traits": {"pet": "dog"}})
    say(form, {"customer_id": "u1", "answers": {"pet": "dog"}})

    assert ask(form, "anonymous_id=a1", PUBLISHABLE) is None
    assert ask(form, "anonymous_id=a1") == "breed", "a server may know"
    browser_says(form, pet="dog")
    assert ask(form, "anonymous_id=a1", PUBLISHABLE) == "breed", "this very device has said so"
