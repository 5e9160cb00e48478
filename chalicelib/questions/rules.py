"""Every decision about questions, pure: which one to ask, whether an answer fits, what it earns."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.questions.model import (
    CHOICE,
    DATE,
    GREETED_BY,
    GREETING_NAME,
    NAMES,
    NUMBER,
    NUMBER_MAX,
    SAID_MAX,
    SKIP_DOUBLINGS_MAX,
    SKIP_RESTS,
    VALUE_LENGTH_MAX,
    OnlyIf,
    Promise,
    Question,
    Said,
    Sheet,
    Voice,
)

# What is answered with one tap is more likely answered at all.
QUICKNESS = {CHOICE: 0, DATE: 1, NUMBER: 2}
SLOWEST = 3
YEAR_MIN, YEAR_MAX = 1900, 2100


def choose(
    questions: Sequence[Question],
    sheets: Iterable[Sheet],
    known: Mapping[str, Any],
    *,
    told: Mapping[str, Any] | None = None,
    now: datetime,
) -> Question | None:
    """The one most useful question not yet answered, None when there is none to ask now.

    `known` are the traits known of the person from anywhere; `told` are those by which conditions are judged for
    somebody who may not learn of the others. The highest priority first; among equals the one on which most others
    wait, then the one quickest to answer.
    """
    said = latest(sheets)
    known = {**known, **values(said.values())}
    told = known if told is None else told
    open_ones = [
        each
        for each in questions
        if _is_open(each, said.get(each.question_id), known, now) and _is_met(each.only_if, told)
    ]
    return min(open_ones, key=lambda each: _order(each, questions), default=None)


def latest(sheets: Iterable[Sheet]) -> dict[str, Said]:
    """What was said to each question, over all ids of a person: the last answer, a trusted one first, else the last skip."""
    merged: dict[str, Said] = {}
    for sheet in sheets:
        for said in sheet.said.values():
            other = merged.get(said.question_id)
            if other is None or _recency(said) > _recency(other):
                merged[said.question_id] = said
    return merged


def values(said: Iterable[Said]) -> dict[str, Any]:
    """The traits that answers amount to, the last word on each."""
    answered = sorted(
        (each for each in said if each.value is not None), key=lambda each: (each.trusted, each.at)
    )
    return {name: value for each in answered for name, value in traits_of(each.trait, each.value).items()}


def traits_of(trait: str, value: Any) -> dict[str, Any]:
    """The traits of one answer; a name is one by which its owner wants to be greeted."""
    return {trait: value} | ({GREETING_NAME: value} if trait in NAMES else {})


def for_others(sheet: Sheet) -> Sheet:
    """A sheet as the other ids of its person see it: without what it says for its own device only."""
    return replace(sheet, said={name: each for name, each in sheet.said.items() if not each.is_for_device})


def as_typed(value: Any) -> Any:
    """An answer without the blanks around it."""
    return value.strip() if isinstance(value, str) else value


def problem_with(question: Question, value: Any) -> str | None:
    """Why a value cannot be this question's answer, None when it can."""
    if question.kind == NUMBER:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = is_number and math.isfinite(value) and abs(value) <= NUMBER_MAX
        return None if fits else f"must be a number of at most {NUMBER_MAX}"
    if not isinstance(value, str):
        return "must be a text"
    if question.kind == CHOICE:
        offered = [each.value for each in question.choices]
        return None if value in offered else "must be one of " + ", ".join(offered)
    if question.kind == DATE:
        return None if _is_date(value) else "must be a date such as 1994-05-02"
    if not 1 <= len(value.strip()) <= VALUE_LENGTH_MAX or not value.isprintable():
        return f"must have 1 to {VALUE_LENGTH_MAX} printable characters"
    return None


def write(
    sheet: Sheet,
    questions: Mapping[str, Question],
    answers: Mapping[str, Any],
    *,
    rewarded: Collection[str],
    voice: Voice,
) -> Sheet:
    """The sheet after these answers; the same one when they say nothing new, so that a repetition changes nothing.

    `rewarded` are the answer sets that have earned their reward already. A value of None is a skip, which takes no
    answer back. The values must fit.
    """
    said = dict(sheet.said)
    for question_id, value in answers.items():
        question = questions[question_id]
        heard = _heard(question, said.get(question_id), value, voice)
        if heard is not None:
            said[question_id] = heard
    promises = dict(sheet.promises)
    for question in in_order(questions[each] for each, value in answers.items() if value is not None):
        name = question.answer_set
        if question.reward and name not in rewarded and name not in promises:
            promises[name] = Promise(name, question.question_id, question.reward, voice.now)
    if said == sheet.said and promises == sheet.promises:
        return sheet
    return replace(sheet, version=sheet.version + 1, said=_bounded(said), promises=promises)


def in_order(questions: Iterable[Question]) -> list[Question]:
    """Questions by their priority, the highest first."""
    return sorted(questions, key=lambda each: (-each.priority, each.question_id))


def promised(sheets: Iterable[Sheet]) -> dict[str, Promise]:
    """What a person has earned, over all their ids: of each answer set the promise made first."""
    merged: dict[str, Promise] = {}
    for sheet in sheets:
        for name, promise in sheet.promises.items():
            other = merged.get(name)
            if other is None or (promise.at, promise.question_id) < (other.at, other.question_id):
                merged[name] = promise
    return merged


def to_declare(said: Iterable[Said], known: Mapping[str, Any]) -> dict[tuple[datetime, bool], dict[str, Any]]:
    """What to tell a profile that knows `known` already, by the time it was said and whether it is trusted.

    What anybody's browser said only fills gaps, and that is for the profile to judge when it is written: this only
    spares it what is known anyway.
    """
    told: dict[tuple[datetime, bool], dict[str, Any]] = {}
    taken: set[str] = set()
    for each in sorted(said, key=lambda each: (each.trusted, each.at), reverse=True):
        has_name = not each.trusted and each.trait in NAMES and not GREETED_BY.isdisjoint(known)
        if each.value is None or each.is_for_device or has_name:
            continue
        for name, value in traits_of(each.trait, each.value).items():
            is_news = known.get(name) != value if each.trusted else name not in known
            if name not in taken and is_news:
                told.setdefault((each.at, each.trusted), {})[name] = value
            taken.add(name)
    return told


def _heard(question: Question, before: Said | None, value: Any, voice: Voice) -> Said | None:
    said = Said(
        question.question_id,
        question.trait,
        as_typed(value),
        voice.now,
        voice.trusted,
        before.skips if before else 0,
        linked=voice.linked and not voice.trusted,
    )
    if value is None:
        is_over = before is None or (before.value is None and _rests_until(before) <= voice.now)
        return replace(said, skips=said.skips + 1) if is_over else None
    if before and before.value is not None and before.trait == question.trait:
        is_same = before.value == said.value and before.trusted >= voice.trusted
        if is_same or before.trusted > voice.trusted:
            return None
    return replace(said, wording=question.text_in(voice.language)) if question.trait in NAMES else said


def _bounded(said: dict[str, Said]) -> dict[str, Said]:
    newest = sorted(said.values(), key=_recency, reverse=True)[:SAID_MAX]
    return {each.question_id: each for each in newest}


def _is_open(question: Question, said: Said | None, known: Mapping[str, Any], now: datetime) -> bool:
    if question.trait in known or (said is not None and said.value is not None):
        return False
    return said is None or _rests_until(said) <= now


def _is_met(condition: OnlyIf | None, told: Mapping[str, Any]) -> bool:
    if condition is None:
        return True
    value = told.get(condition.trait)
    return value is not None if condition.value is None else value == condition.value


def _rests_until(said: Said) -> datetime:
    rests: timedelta = SKIP_RESTS * 2 ** min(said.skips - 1, SKIP_DOUBLINGS_MAX)
    return said.at + rests


def _order(question: Question, questions: Sequence[Question]) -> tuple[int, int, int, str]:
    waiting = sum(each.only_if is not None and each.only_if.trait == question.trait for each in questions)
    return -question.priority, -waiting, QUICKNESS.get(question.kind, SLOWEST), question.question_id


def _recency(said: Said) -> tuple[bool, bool, datetime]:
    is_answer = said.value is not None
    return is_answer, is_answer and said.trusted, said.at


def _is_date(value: str) -> bool:
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return False
    # The basic form 19940502 is a date to Python as well; a trait has one spelling.
    return found.isoformat() == value and YEAR_MIN <= found.year < YEAR_MAX
