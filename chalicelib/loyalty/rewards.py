"""What points buy, pure: when a reward can be had, how often, and the coupon that it is."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from chalicelib.coupons.model import Coupon, CouponTerms
from chalicelib.loyalty.model import REWARD, Account
from chalicelib.loyalty.program import Reward
from chalicelib.shared.errors import Conflict


class RewardNotOffered(Conflict):
    """It cannot be had today; `starts_on` and `ends_on` say when."""

    code, title = "reward-not-offered", "This reward is not offered today"


class RewardLimit(Conflict):
    """This customer has had it as often as anybody may."""

    code, title = "reward-limit", "This customer cannot have this reward again"


class RewardExhausted(Conflict):
    """It was had as often as there were of it."""

    code, title = "reward-exhausted", "There is none left of this reward"


def check(reward: Reward, *, day: date, had: int, given: int) -> None:
    """Refuse a reward that cannot be had: `had` by this person before, `given` to everybody. Raises one of the above."""
    if (reward.starts_on and day < reward.starts_on) or (reward.ends_on and reward.ends_on < day):
        dates = {"starts_on": reward.starts_on, "ends_on": reward.ends_on}
        raise RewardNotOffered(extra={name: on.isoformat() for name, on in dates.items() if on})
    check_limits(reward, had=had, given=given)


def check_limits(reward: Reward, *, had: int, given: int) -> None:
    """The same for who reserved it while it was offered. Raises RewardLimit, RewardExhausted."""
    if reward.per_customer is not None and had >= reward.per_customer:
        raise RewardLimit(
            f"{reward.per_customer} for each customer", extra={"per_customer": reward.per_customer}
        )
    if reward.in_total is not None and given >= reward.in_total:
        raise RewardExhausted(extra={"in_total": reward.in_total})


def had(account: Account, reward_id: str) -> int:
    """How often an account has had a reward."""
    return account.sums.get(f"{REWARD}:{reward_id}", 0)


def coupon(reward: Reward, *, code: str, customer_id: str, now: datetime) -> Coupon:
    """The coupon that a reward is."""
    terms = CouponTerms(
        reward.title,
        reward.title_ja,
        reward.valid_days,
        reward.percent_off,
        reward.amount_off,
        reward.currency,
    )
    until = now + timedelta(days=reward.valid_days)
    return Coupon(code, customer_id, terms, now, until, origin="reward", cause=reward.reward_id)
