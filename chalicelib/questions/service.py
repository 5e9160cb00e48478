"""Use cases of questions: define them, keep promises, follow links."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from chalicelib.catalog import reads as catalog
from chalicelib.coupons.model import CouponTerms
from chalicelib.customers.schemas import check_traits
from chalicelib.questions import asking, granting, rules, showing, store
from chalicelib.questions.definitions import (
    QuestionBody,
    QuestionDefinition,
    QuestionDefinitions,
    RewardBody,
)
from chalicelib.questions.model import (
    QUESTIONS_MAX,
    Choice,
    ContentTerms,
    OnlyIf,
    Question,
    Reward,
    TooManyQuestions,
    Who,
)
from chalicelib.shared import tokens
from chalicelib.shared.errors import FieldError, Gone, InvalidInput, NotFound

# --- what the shop asks


def put_question(question_id: str, body: QuestionBody, *, now: datetime) -> QuestionDefinition:
    """Put a question in force, from the next answer on; raises TooManyQuestions and InvalidInput. Two trips."""
    problems = [
        FieldError(f"choices.{place}.value", found[0].message)
        for place, each in enumerate(body.choices)
        if (found := check_traits({body.trait: each.value}))
    ]
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", fields=problems)
    names = {each.question_id for each in store.questions()}
    if question_id not in names and len(names) >= QUESTIONS_MAX:
        raise TooManyQuestions(f"there are {QUESTIONS_MAX} already; remove one first")
    condition = body.ask.only_if
    question = Question(
        question_id=question_id,
        text=body.text,
        text_ja=body.text_ja,
        kind=body.kind,
        choices=tuple(Choice(each.value, each.label, each.label_ja) for each in body.choices),
        trait=body.trait,
        purpose=body.purpose,
        purpose_ja=body.purpose_ja,
        reward=_reward(body.reward) if body.reward else None,
        answer_set=body.answer_set or question_id,
        priority=body.priority,
        only_if=OnlyIf(condition.trait, condition.value) if condition else None,
        updated_at=now,
    )
    store.save_question(question)
    return showing.definition(question)


def question(question_id: str) -> QuestionDefinition:
    """One definition; raises NotFound. One trip."""
    for each in store.questions():
        if each.question_id == question_id:
            return showing.definition(each)
    raise NotFound("no question has this id")


def questions() -> QuestionDefinitions:
    """Every definition, in the order of asking. One trip."""
    return QuestionDefinitions(data=[showing.definition(each) for each in rules.in_order(store.questions())])


# --- answers


def settle(customer_id: str | None, anonymous_id: str | None, *, now: datetime) -> None:
    """Finish what somebody's answers have earned, if they are known by now. Safe to repeat; nothing for the erased."""
    try:
        somebody = asking.load(customer_id, anonymous_id, now=now)
    except Gone:
        return
    granting.settle(somebody, somebody.sheets, now=now)


def erase(
    customer_ids: Sequence[str],
    anonymous_ids: Sequence[str],
    *,
    now: datetime,  # noqa: ARG001
) -> dict[str, int]:
    """Take away everything of these ids. Safe to break off and repeat."""
    ids: list[Who] = [("customer", each) for each in customer_ids]
    ids += [("anonymous", each) for each in anonymous_ids]
    removed = {"answers": 0, "grants": 0}
    for who in ids:
        for name, count in store.erase(who).items():
            removed[name] += count
    return {f"questions.{name}": count for name, count in removed.items()}


# --- content


def unlocked(token: str, *, now: datetime) -> str:
    """The address behind a signed link; raises NotFound for one that is not ours, Gone for one that has expired."""
    claims = tokens.verify(showing.CONTENT, token, now=now)
    if claims is None or not isinstance(claims.get("until"), int):
        raise NotFound("this link is not one of ours")
    if datetime.fromtimestamp(claims["until"], UTC) <= now:
        raise Gone("this link has expired")
    item_id = str(claims["item"])
    item = catalog.items([item_id]).get(item_id)
    if item is None or item.url is None:
        raise NotFound("what this link led to is not there")
    return item.url


def _reward(body: RewardBody) -> Reward:
    coupon, content = body.coupon, body.content
    return Reward(
        points=body.points,
        coupon=CouponTerms(
            title=coupon.title,
            title_ja=coupon.title_ja,
            valid_days=coupon.valid_days,
            percent=coupon.percent,
            amount=coupon.amount.amount if coupon.amount else None,
            currency=coupon.amount.currency if coupon.amount else None,
        )
        if coupon
        else None,
        content=ContentTerms(content.item_id, content.valid_hours) if content else None,
    )
