"""Which question is asked, what an answer amounts to: pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.questions import rules
from chalicelib.questions.model import OnlyIf, Question, Reward, Said, Sheet, Voice

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)


def question(question_id: str, **more: Any) -> Question:
    standing: dict[str, Any] = {
        "text": "?", "text_ja": None, "kind": "text", "choices": (), "trait": question_id, "purpose": "why",
        "purpose_ja": None, "reward": Reward(points=5), "answer_set": "set", "priority": 0, "only_if": None,
        "updated_at": NOW,
    }  # fmt: skip
    return Question(question_id, **standing | more)


def chosen(*questions: Question, known: dict[str, Any] | None = None) -> str | None:
    found = rules.choose(questions, [], known or {}, now=NOW)
    return found.question_id if found else None


def test_priority_first_then_what_others_wait_for_then_what_is_quick() -> None:
    slow, quick, last = question("a"), question("b", kind="choice"), question("c", priority=5)

    assert chosen(slow, quick, last) == "c"
    assert chosen(slow, quick) == "b"
    waited_for = question("z")
    waiting = question("y", only_if=OnlyIf("z", None), kind="choice")
    assert chosen(slow, quick, waiting, waited_for) == "z"
    assert chosen(waiting, known={"z": 1}) == "y"
    assert chosen() is None


SAYINGS = st.lists(
    st.tuples(
        st.sampled_from(["pet", "name"]),
        st.sampled_from(["dog", "cat", None]),
        st.booleans(),
        st.integers(0, 3),
    ),
    max_size=8,
)


@given(SAYINGS)
def test_the_same_said_again_changes_nothing_and_a_set_earns_once(said: list[Any]) -> None:
    asked = {name: question(name) for name in ("pet", "name")}
    sheet = Sheet(("customer", "u1"))
    for name, value, trusted, days in said:
        voice = Voice(trusted, "en", NOW + timedelta(days=days))
        after = rules.write(sheet, asked, {name: value}, rewarded=(), voice=voice)
        again = rules.write(after, asked, {name: value}, rewarded=(), voice=voice)
        assert again is after
        assert after.version - sheet.version == (after is not sheet)
        assert set(sheet.promises.values()) <= set(after.promises.values()), "a promise stays as it was made"
        if name in sheet.said and sheet.said[name].value is not None:
            assert after.said[name].value is not None, "a skip takes no answer back"
        sheet = after

    assert len(sheet.promises) == any(value is not None for _, value, _, _ in said)


def test_what_a_browser_said_only_fills_gaps() -> None:
    hint = Said("q1", "pet", "dog", NOW, trusted=False)
    fact = Said("q1", "pet", "cat", NOW - timedelta(days=1), trusted=True)

    assert rules.to_declare([hint], {}) == {(NOW, False): {"pet": "dog"}}
    assert rules.to_declare([hint], {"pet": "cat"}) == {}
    assert rules.to_declare([fact], {"pet": "dog"}) == {(fact.at, True): {"pet": "cat"}}
    assert rules.to_declare([hint, fact], {}) == {(fact.at, True): {"pet": "cat"}}
    assert rules.to_declare([fact], {"pet": "cat"}) == {}
    sheets = [
        Sheet(("customer", "u1"), 1, {"q1": fact}),
        Sheet(("anonymous", "a1"), 1, {"q1": hint}),
    ]
    assert rules.latest(sheets) == {"q1": fact}, "what somebody trusted said stands, whenever that was"


def test_a_name_is_one_to_be_greeted_by() -> None:
    said = Said("q1", "name", "コハル", NOW, trusted=False)

    assert rules.values([said]) == {"name": "コハル", "greeting_name": "コハル"}
    assert rules.to_declare([said], {}) == {(NOW, False): rules.values([said])}
    assert rules.to_declare([said], {"greeting_name": "花子"}) == {}
    assert rules.to_declare([replace(said, linked=True)], {}) == {}, "for the device it was typed on only"


@given(st.text(), st.sampled_from(["text", "date", "number", "choice"]))
def test_any_text_is_judged_and_none_breaks_the_judge(value: str, kind: str) -> None:
    problem = rules.problem_with(question("q", kind=kind), value)

    assert problem is None or problem.startswith("must")
    if kind not in {"date", "text"}:
        assert problem is not None
