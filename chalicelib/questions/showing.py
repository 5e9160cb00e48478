"""Questions and grants as a caller is shown them."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.coupons.model import Coupon
from chalicelib.coupons.schemas import money_of
from chalicelib.questions.definitions import (
    AskDefinition,
    ChoiceDefinition,
    ContentDefinition,
    CouponDefinition,
    OnlyIfDefinition,
    QuestionDefinition,
    RewardDefinition,
)
from chalicelib.questions.model import Promise, Question, Reward
from chalicelib.questions.schemas import (
    AskedQuestion,
    ChoiceShown,
    ContentReward,
    CouponOffer,
    CouponReward,
    GrantAnswer,
    GrantedContent,
    GrantedCoupon,
    PointsReward,
)
from chalicelib.shared import tokens
from chalicelib.shared.clock import epoch_seconds
from chalicelib.shared.config import config

CONTENT = "content"  # the audience of links to unlocked content
GRANTED, PENDING = "granted", "pending"


def definition(question: Question) -> QuestionDefinition:
    """A question as the shop defined it."""
    condition = question.only_if
    return QuestionDefinition(
        question_id=question.question_id,
        text=question.text,
        text_ja=question.text_ja,
        kind=question.kind,
        choices=[
            ChoiceDefinition(value=each.value, label=each.label, label_ja=each.label_ja)
            for each in question.choices
        ],
        trait=question.trait,
        purpose=question.purpose,
        purpose_ja=question.purpose_ja,
        reward=_reward(question.reward) if question.reward else None,
        answer_set=question.answer_set,
        priority=question.priority,
        ask=AskDefinition(
            only_if=OnlyIfDefinition(trait=condition.trait, value=condition.value) if condition else None
        ),
        updated_at=question.updated_at,
    )


def asked(question: Question, *, rewards: bool, language: str) -> AskedQuestion:
    """A question as it is put to somebody; `rewards` is whether its answer set has not earned its reward yet."""
    return AskedQuestion(
        question_id=question.question_id,
        text=question.text_in(language),
        kind=question.kind,
        choices=[
            ChoiceShown(value=each.value, label=(each.label_ja if language == "ja" else None) or each.label)
            for each in question.choices
        ],
        trait=question.trait,
        purpose=question.purpose_in(language),
        reward=_offer(question.reward, language) if question.reward and rewards else None,
        answer_set=question.answer_set,
    )


def granted(
    promise: Promise, coupon: Coupon | None, *, pending: bool, shows_code: bool, language: str
) -> GrantAnswer:
    """What a promise became; content is unlocked also for whom nobody knows."""
    reward = promise.reward
    terms = reward.coupon
    shown = None
    if terms:
        shown = GrantedCoupon(
            code=coupon.code if coupon and shows_code else None,
            title=terms.title_in(language),
            percent=terms.percent,
            amount=money_of(terms),
            expires_at=coupon.expires_at if coupon else None,
        )
    return GrantAnswer(
        answer_set=promise.answer_set,
        question_id=promise.question_id,
        kind=reward.kind,
        status=PENDING if pending and not reward.content else GRANTED,
        points=reward.points,
        coupon=shown,
        content=_link(promise) if reward.content else None,
    )


def _link(promise: Promise) -> GrantedContent:
    terms = promise.reward.content
    assert terms is not None, "asked for content only"
    until = promise.at + timedelta(hours=terms.valid_hours)
    # Signed as of the promise, so that the same promise has the same link for ever. Its end is a claim of ours and not
    # the token's: a link that has expired is answered otherwise than one that never was.
    token = tokens.sign(CONTENT, {"item": terms.item_id, "until": epoch_seconds(until)}, now=promise.at)
    return GrantedContent(item_id=terms.item_id, url=f"{config().public_url}/c/{token}", expires_at=until)


def _reward(reward: Reward) -> RewardDefinition:
    terms, content = reward.coupon, reward.content
    return RewardDefinition(
        points=reward.points,
        coupon=CouponDefinition(
            title=terms.title,
            title_ja=terms.title_ja,
            valid_days=terms.valid_days,
            percent=terms.percent,
            amount=money_of(terms),
        )
        if terms
        else None,
        content=ContentDefinition(item_id=content.item_id, valid_hours=content.valid_hours)
        if content
        else None,
    )


def _offer(reward: Reward, language: str) -> PointsReward | CouponReward | ContentReward:
    if reward.points is not None:
        return PointsReward(points=reward.points)
    if reward.content is not None:
        content = reward.content
        return ContentReward(
            content=ContentDefinition(item_id=content.item_id, valid_hours=content.valid_hours)
        )
    terms = reward.coupon
    assert terms is not None, "a reward is one of the three"
    offer = CouponOffer(
        title=terms.title_in(language),
        valid_days=terms.valid_days,
        percent=terms.percent,
        amount=money_of(terms),
    )
    return CouponReward(coupon=offer)
