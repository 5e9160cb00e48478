"""Taking answers: what was promised for them is written down with them, and everything else follows from that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.coupons import reads as coupons
from chalicelib.customers.schemas import check_traits
from chalicelib.questions import asking, granting, rules, showing, store
from chalicelib.questions.asking import Asked
from chalicelib.questions.granting import Kept
from chalicelib.questions.model import Question, Sheet, Voice
from chalicelib.questions.schemas import AnswersAnswer, GrantAnswer
from chalicelib.shared.errors import Busy, FieldError, InvalidInput
from chalicelib.shared.rounds import rounds


@dataclass(frozen=True)
class Taking:
    """What one request says: the questions of the shop by id, and the answers to some of them."""

    asked: Mapping[str, Question]
    answers: Mapping[str, Any]

    @property
    def answered(self) -> list[Question]:
        """The questions that were answered and not skipped."""
        return [self.asked[each] for each, value in self.answers.items() if value is not None]

    @property
    def answer_sets(self) -> frozenset[str]:
        """The answer sets of what was answered."""
        return frozenset(each.answer_set for each in self.answered)

    @property
    def traits(self) -> dict[str, Any]:
        """What was answered, as traits."""
        said = ((each.trait, rules.as_typed(self.answers[each.question_id])) for each in self.answered)
        return {name: value for pair in said for name, value in rules.traits_of(*pair).items()}


def answer(
    customer_id: str | None, anonymous_id: str | None, answers: Mapping[str, Any], voice: Voice
) -> AnswersAnswer:
    """Take answers, tell the profile and keep what was promised, each answer set once; raises InvalidInput and Gone.

    The sheet with its promises is written first and at once: whatever breaks off after that is finished by the same
    request sent again, by the next one, or by the queue that hears of the sheet.
    """
    taking = Taking({each.question_id: each for each in store.questions()}, answers)
    _check(taking)
    for _ in rounds():
        somebody = asking.load(customer_id, anonymous_id, answer_sets=taking.answer_sets, now=voice.now)
        _check_room(somebody, taking)
        voice = replace(voice, linked=somebody.is_linked)
        after = rules.write(somebody.own, taking.asked, answers, rewarded=somebody.rewarded, voice=voice)
        try:
            if after is not somebody.own:
                store.put_sheet(after)
        except store.SheetMoved:
            continue
        return _answered(taking, somebody, after, voice)
    raise Busy("other answers of the same person kept coming first")


def _check(taking: Taking) -> None:
    problems = []
    for question_id, value in taking.answers.items():
        question = taking.asked.get(question_id)
        if question is None:
            problems.append(FieldError(f"answers.{question_id}", "is not a question of this shop"))
        elif value is not None:
            found = check_traits({question.trait: value})
            problem = rules.problem_with(question, value) or (found[0].message if found else None)
            if problem:
                problems.append(FieldError(f"answers.{question_id}", problem))
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", fields=problems)


def _check_room(somebody: Asked, taking: Taking) -> None:
    """What was said must fit the profile it is for, or it would be asked no more and still be known nowhere."""
    known = somebody.person.traits if somebody.person else {}
    new = {each.trait: taking.answers[each.question_id] for each in taking.answered}
    problems = check_traits({**known, **new}) if new else []
    if problems:
        message = problems[0].message
        raise InvalidInput(f"answers: {message}", fields=[FieldError("answers", message)])


def _answered(taking: Taking, somebody: Asked, after: Sheet, voice: Voice) -> AnswersAnswer:
    sheets = [after if each.who == after.who else each for each in somebody.sheets]
    kept = granting.settle(somebody, sheets, now=voice.now)
    new: list[GrantAnswer] = []
    old: list[GrantAnswer] = []
    for name, shown in _shown(taking, sheets, kept, voice).items():
        is_new = kept[name].is_new if name in kept else name not in somebody.own.promises
        (new if is_new else old).append(shown)
    return AnswersAnswer(traits=taking.traits, granted=new, already_granted=old)


def _shown(
    taking: Taking, sheets: Sequence[Sheet], kept: Mapping[str, Kept], voice: Voice
) -> dict[str, GrantAnswer]:
    promises = rules.promised(sheets)
    names = sorted(taking.answer_sets & promises.keys())
    codes = [kept[name].grant.code for name in names if name in kept]
    issued = {each.code: each for each in coupons.coupons(code for code in codes if code)}
    return {
        name: showing.granted(
            promises[name],
            issued.get(kept[name].grant.code or "") if name in kept else None,
            pending=name not in kept,
            shows_code=voice.trusted,
            language=voice.language,
        )
        for name in names
    }
