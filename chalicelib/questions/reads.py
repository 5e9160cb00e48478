"""What other rooms may ask about questions and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.questions import asking, rules, showing, store
from chalicelib.questions.asking import Asked
from chalicelib.questions.model import Grant, Question, Said, Who
from chalicelib.questions.schemas import AskedQuestion
from chalicelib.shared import clock
from chalicelib.shared.clock import to_text

__all__ = ["Turn", "export_of", "next_question"]


@dataclass(frozen=True)
class Turn:
    """What to ask somebody now, None for nothing, and the address in their profile, for who may ask by customer id."""

    question: AskedQuestion | None
    address: Mapping[str, Any]


def next_question(
    customer_id: str | None, anonymous_id: str | None, *, trusted: bool, language: str, now: datetime
) -> Turn:
    """The one most useful question for somebody; raises Gone. Three to five trips.

    Who is not `trusted` asks for a browser: of a known customer it learns no more than that browser has said itself.
    """
    questions = store.questions()
    somebody = asking.load(customer_id, anonymous_id, now=now)
    # An anonymous id must not tell where its customer lives.
    address = somebody.known.get("address") if customer_id is not None else None
    told = None if trusted else rules.values(somebody.own.said.values())
    question = rules.choose(questions, somebody.sheets, somebody.known, told=told, now=now)
    shown = _shown(question, somebody, language) if question else None
    return Turn(shown, address if isinstance(address, Mapping) else {})


def _shown(question: Question, somebody: Asked, language: str) -> AskedQuestion:
    rewarded = question.answer_set in somebody.rewarded
    if question.reward and not rewarded and somebody.person:
        rewarded = bool(store.grants_of(somebody.person.customer_ids, [question.answer_set]))
    return showing.asked(question, rewards=not rewarded, language=language)


def export_of(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, Any]:
    """Every answer and grant of one person, as plain JSON."""
    return {
        "answers": [
            _answer(sheet.who, each)
            for sheet in store.sheets(_who(customer_ids, anonymous_ids), now=clock.now())
            for each in sorted(sheet.said.values(), key=lambda each: (each.at, each.question_id))
        ],
        "rewards": [_grant(each) for each in store.all_grants(customer_ids)],
    }


def _who(customer_ids: Iterable[str], anonymous_ids: Iterable[str]) -> list[Who]:
    ids: list[Who] = [("customer", each) for each in customer_ids]
    return ids + [("anonymous", each) for each in anonymous_ids]


def _answer(who: Who, each: Said) -> dict[str, Any]:
    kind, identifier = who
    return {
        f"{kind}_id": identifier,
        "question_id": each.question_id,
        "trait": each.trait,
        "value": each.value,
        "at": to_text(each.at),
        "trusted": each.trusted,
        "linked": each.linked,
        "skips": each.skips,
        "wording": each.wording,
    }


def _grant(each: Grant) -> dict[str, Any]:
    terms = each.reward.coupon
    content = each.reward.content
    return {
        "customer_id": each.customer_id,
        "answer_set": each.answer_set,
        "question_id": each.question_id,
        "points": each.reward.points,
        "coupon": each.code if terms else None,
        "content": content.item_id if content else None,
        "granted_at": to_text(each.granted_at),
    }
