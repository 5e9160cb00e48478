"""Spending points, pure: reserve, then confirm or release; a hold that nobody confirms returns by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.loyalty import books
from chalicelib.loyalty.model import HELD, HOLDS_MAX, OWED, REWARD, Account, Basis, Decision, Entry
from chalicelib.loyalty.program import Program
from chalicelib.shared.errors import Conflict, InvalidInput

RESERVE, REDEEM = "reserve", "redeem"


class NotEnoughPoints(Conflict):
    """There are fewer points than were asked for; `active_points` says how many."""

    code, title = "not-enough-points", "There are not enough points"


class HoldOver(Conflict):
    """A redemption was confirmed, released, or its time is over."""

    code, title = "hold-over", "This redemption holds no points any more"


def reserve(
    account: Account,
    program: Program,
    redemption_id: str,
    points: int,
    *,
    hold: timedelta,
    reward_id: str = "",
    order_id: str = "",
    owed_elsewhere: int = 0,
    now: datetime,
) -> Decision:
    """Hold points for a redemption, what expires first, first. Expects a settled account.

    `owed_elsewhere` are points that other ids of the same person owe. Raises NotEnoughPoints; Conflict for too many
    holds at once; InvalidInput for fewer points than the program redeems.
    """
    if points < program.redeem_minimum:
        raise InvalidInput.of("points", f"{program.redeem_minimum} points are the least that can be redeemed")
    usable = account.active - owed_elsewhere
    if points > usable + max(0, program.overdraft - account.owed):
        raise NotEnoughPoints(f"{max(0, usable)} points can be used", extra={"active_points": max(0, usable)})
    if len(account.holds) >= HOLDS_MAX:
        raise Conflict(f"{HOLDS_MAX} redemptions wait already: confirm or release one")
    taken, lacking = books.outflow(account, points)
    held = {f"{HELD}:{redemption_id}|{key.partition(':')[2]}": -n for key, n in taken.items()}
    borrowed = {f"{HELD}:{redemption_id}|{books.OVERDRAWN}": lacking, OWED: -lacking} if lacking else {}
    entry = Entry(
        f"redemption:{redemption_id}", RESERVE, account.customer_id, -points, reward_id or "redemption", now,
        books.join(taken, held, borrowed), hold_until=now + hold, reward_id=reward_id, order_id=order_id,
        basis=Basis(0, program.version) if reward_id else None,
    )  # fmt: skip
    return books.enter(account, entry)


def confirm(
    account: Account,
    program: Program,
    redemption_id: str,
    points: int | None,
    *,
    reward_id: str = "",
    now: datetime,
) -> Decision:
    """Spend held points, all or as many as said; the others return. A reward is had whole, and counted now.

    Raises HoldOver, InvalidInput for more than held.
    """
    held = _held(account, redemption_id)
    total = sum(held.values())
    spent = total if points is None else points
    if spent > total:
        raise InvalidInput.of("points", f"{total} points are held")
    if reward_id and spent < total:
        raise InvalidInput.of("points", f"the reward costs all {total}")
    used: dict[str, int] = {}
    left = spent
    for key, n in held.items():  # what expires first, first; what nobody had yet, last
        used[key] = min(n, left)
        left -= used[key]
    rest = {key: n - used[key] for key, n in held.items() if n > used[key]}
    moves = books.join(
        {f"{HELD}:{key}": -n for key, n in used.items() if n},
        books.returned(account, program, rest, now),
        {f"{REWARD}:{reward_id}": 1} if reward_id else {},
    )
    entry = Entry(
        f"redemption:{redemption_id}#done", REDEEM, account.customer_id, -spent, reward_id or "redemption", now, moves,
        reward_id=reward_id,
    )  # fmt: skip
    return books.enter(account, entry)


def release(
    account: Account, program: Program, redemption_id: str, *, reason: str, now: datetime
) -> Decision:
    """Let held points return to where they came from. Raises HoldOver."""
    held = _held(account, redemption_id)
    entry = Entry(
        f"redemption:{redemption_id}#done", books.RELEASE, account.customer_id, sum(held.values()), reason, now,
        books.returned(account, program, held, now),
    )  # fmt: skip
    return books.enter(account, entry)


def _held(account: Account, redemption_id: str) -> dict[str, int]:
    held = books.held_by(account, redemption_id)
    if not held:
        raise HoldOver
    return held
