"""Which tier somebody has, pure: reached at once, kept for a time, lost as the program says."""

from __future__ import annotations

from chalicelib.loyalty.model import EARNED, PAID, Account, TierState
from chalicelib.loyalty.program import Level, Tiers

MONTHS_KEPT = 25  # more than any window looks back on
COUNTED = {"points": EARNED, "spend": PAID}


def month_key(month: str, metric: str) -> str:
    """The sum that counts one metric in one month."""
    return f"{COUNTED[metric]}:{month}"


def counting(tiers: Tiers | None, month: str, *, points: int, spend: int) -> dict[str, int]:
    """What counts in a month, by the program's metric and no other, which keeps accounts small; points without tiers."""
    metric = tiers.metric if tiers else "points"
    return {month_key(month, metric): points if metric == "points" else spend}


def month_after(month: str, months: int) -> str:
    """The month so many after (or before) another; both `YYYY-MM`."""
    number = int(month[:4]) * 12 + int(month[5:]) - 1 + months
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def qualifying(tiers: Tiers, account: Account, month: str) -> int:
    """What counts in the window that ends with a month; never below 0, whatever was refunded."""
    first = month_after(month, 1 - tiers.window_months)
    sums = account.of(COUNTED[tiers.metric])
    return max(0, sum(n for when, n in sums.items() if first <= when <= month))


def past(tiers: Tiers, account: Account, state: TierState | None, month: str) -> dict[str, int]:
    """The moves that forget the months no window looks back on: those before the window of every state that a refund
    may bring back. So somebody who buys all the time has little more than one window in the account.
    """
    reached = [each.won for each in (state, state.before if state else None) if each]
    first = month_after(min([month, *reached]), 1 - tiers.window_months)
    return {
        f"{kind}:{when}": -n
        for kind in COUNTED.values()
        for when, n in account.of(kind).items()
        if when < first
    }


def level_for(tiers: Tiers, amount: int) -> Level | None:
    """The highest level that an amount reaches."""
    return next((level for level in reversed(tiers.levels) if amount >= level.threshold), None)


def level_named(tiers: Tiers | None, name: str | None) -> Level | None:
    """A level by its name, None where the program has it no more."""
    return next((level for level in tiers.levels if level.name == name), None) if tiers and name else None


def standing(tiers: Tiers | None, state: TierState | None) -> Level | None:
    """The level that somebody has by their state."""
    return level_named(tiers, state.name if state else None)


def after_earning(tiers: Tiers, account: Account, month: str) -> TierState | None:
    """The state after something counted in `month`: risen, or kept for longer, never fallen."""
    state = account.tier
    reached = level_for(tiers, qualifying(tiers, account, month))
    if reached is None or _rank(tiers, reached) < _rank(tiers, standing(tiers, state)):
        return state
    until = month_after(month, tiers.valid_months)
    if state and state.name == reached.name and state.until >= until:
        return state
    before = TierState(state.name, state.won, state.until) if state else None
    return TierState(reached.name, month, until, before)


def after_refund(tiers: Tiers, account: Account, month: str) -> TierState | None:
    """The state after something no longer counts: what was reached only by it is lost again, at once."""
    state = account.tier
    while state and not _is_held(tiers, account, state):
        state = state.before if state.before and state.before.until >= month else None
    reached = level_for(tiers, qualifying(tiers, account, month))
    if reached and _rank(tiers, reached) > _rank(tiers, standing(tiers, state)):
        return TierState(reached.name, month, month_after(month, tiers.valid_months))
    return state


def after_months(tiers: Tiers, account: Account, month: str) -> TierState | None:
    """The state when a month has begun: a tier whose time and grace are over is kept, lowered or lost."""
    state = account.tier
    while state and month > month_after(state.until, tiers.grace_months):
        ended = month_after(state.until, tiers.grace_months)
        until = month_after(ended, tiers.valid_months)
        kept = _floor(tiers, standing(tiers, state))
        reached = level_for(tiers, qualifying(tiers, account, ended))
        level = max(kept, reached, key=lambda each: _rank(tiers, each))
        state = TierState(level.name, ended, until, is_kept=level != reached) if level else None
    return state


def _floor(tiers: Tiers, level: Level | None) -> Level | None:
    if level is None or tiers.downgrade == "full":
        return None
    if tiers.downgrade == "none":
        return level
    place = tiers.levels.index(level)
    return tiers.levels[place - 1] if place else None


def _is_held(tiers: Tiers, account: Account, state: TierState) -> bool:
    level = standing(tiers, state)
    # What the downgrade policy left rests on no purchase, so no refund takes it away.
    return level is not None and (state.is_kept or qualifying(tiers, account, state.won) >= level.threshold)


def _rank(tiers: Tiers, level: Level | None) -> int:
    return tiers.levels.index(level) if level else -1
