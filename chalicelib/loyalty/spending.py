"""Use cases of spending: points are reserved, then spent or returned; one person may have them under several ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta

from chalicelib.coupons import store as coupons
from chalicelib.coupons.schemas import IssuedCoupon, issued
from chalicelib.loyalty import answers, ledger, program_store, redeeming, reward_store, rewards, store
from chalicelib.loyalty.earning import day_of
from chalicelib.loyalty.gathering import Gathered, gather
from chalicelib.loyalty.ledger import Command
from chalicelib.loyalty.model import Account, Decision, Entry
from chalicelib.loyalty.program import Program, Reward
from chalicelib.loyalty.schemas import ConfirmRequest, RedemptionRequest
from chalicelib.shared.errors import InvalidInput, KeyReused, NotFound
from chalicelib.shared.ids import fingerprint

Decide = Callable[[Account, Program], Decision]
More = Callable[[Decision], ledger.Operations]


def reserve(
    customer_ids: Sequence[str], request: RedemptionRequest, *, key: str, now: datetime, dry_run: bool
) -> str:
    """Hold points once per Idempotency-Key; returns the JSON of a RedemptionAnswer.

    `customer_ids` are all ids of the person, the surviving one first: points of the others are brought to it when it
    has too few. Raises NotEnoughPoints.
    """
    program, _ = program_store.load()
    _check(request)
    reward = program.reward(request.reward_id) if request.reward_id else None
    points = reward.points if reward else request.points or 0
    redemption_id = fingerprint(customer_ids[0], key)[:26]
    hold = timedelta(seconds=request.hold_seconds)
    gathered = Gathered()
    if len(customer_ids) > 1 and points:
        gathered = gather(customer_ids, points, program, redemption_id, now=now, dry_run=dry_run)

    def decide(account: Account, program: Program) -> Decision:
        account = gathered.arrived(account)
        if request.reward_id:
            _check_offered(reward, account, customer_ids, day_of(program, now))
        return redeeming.reserve(
            account, program, redemption_id, points, hold=hold, reward_id=request.reward_id or "",
            order_id=request.order_id or "", owed_elsewhere=gathered.owed_elsewhere, now=now,
        )  # fmt: skip

    entry_id = f"redemption:{redemption_id}"
    return _run(
        customer_ids[0], entry_id, request.model_dump_json(), decide, program, now=now, dry_run=dry_run,
        beside=gathered.others,
    )  # fmt: skip


def confirm(
    customer_ids: Sequence[str], redemption_id: str, request: ConfirmRequest, *, now: datetime, dry_run: bool
) -> str:
    """Spend what a redemption holds; a reward becomes a coupon in the same transaction, or neither happens.

    Again with the same body answers the same, the code too. Raises HoldOver, NotFound, RewardLimit, RewardExhausted.
    """
    held = _held(customer_ids, redemption_id)
    customer_id = held.customer_id
    program, _ = program_store.load()
    reward = _promised(held, program)
    coupon = (
        rewards.coupon(reward, code=coupons.new_code(), customer_id=customer_id, now=now) if reward else None
    )

    others: list[Account] = []  # the person's other accounts, as the limit was decided by them

    def decide(account: Account, program: Program) -> Decision:
        decision = redeeming.confirm(
            account, program, redemption_id, request.points, reward_id=held.reward_id, now=now
        )
        if reward:
            others[:] = _others(reward, [each for each in customer_ids if each != customer_id])
            rewards.check_limits(reward, had=_had(reward, [account, *others]), given=_given(reward))
        return decision

    def more(_: Decision) -> ledger.Operations:
        if not (reward and coupon):
            return []
        limit = reward.in_total
        counted = [] if limit is None else [reward_store.counting(reward.reward_id, limit)]
        return coupons.issuing(coupon) + counted + store.unmoved(others)

    seen = f"confirm {request.model_dump_json()}"
    shown = issued(coupon, dry_run=dry_run) if coupon else None
    with _ended_once():
        return _run(
            customer_id, _end_of(redemption_id), seen, decide, program, now=now, dry_run=dry_run, shown=shown,
            more=more, beside=store.beside(customer_id, customer_ids),
        )  # fmt: skip


def release(customer_ids: Sequence[str], redemption_id: str, *, now: datetime, dry_run: bool) -> str:
    """Return what a redemption holds. Again answers the same; raises HoldOver, NotFound."""
    customer_id = _held(customer_ids, redemption_id).customer_id
    program, _ = program_store.load()

    def decide(account: Account, program: Program) -> Decision:
        return redeeming.release(account, program, redemption_id, reason="released", now=now)

    with _ended_once():
        return _run(
            customer_id, _end_of(redemption_id), "release", decide, program, now=now, dry_run=dry_run,
            beside=store.beside(customer_id, customer_ids),
        )  # fmt: skip


def _check(request: RedemptionRequest) -> None:
    if (request.points is None) == (request.reward_id is None):
        raise InvalidInput.of("points", "either points or a reward_id")


def _check_offered(reward: Reward | None, account: Account, customer_ids: Sequence[str], day: date) -> None:
    if reward is None:
        raise InvalidInput.of("reward_id", "the program has no such reward")
    accounts = [account, *_others(reward, customer_ids[1:])]
    rewards.check(reward, day=day, had=_had(reward, accounts), given=_given(reward))


def _promised(held: Entry, program: Program) -> Reward | None:
    """The reward as it was when it was reserved, under the limits that hold now. One trip where the program has changed."""
    if not held.reward_id:
        return None
    assert held.basis is not None, "a reserved reward names its program"
    then = program if held.basis.program == program.version else program_store.version(held.basis.program)
    reward, today = then.reward(held.reward_id), program.reward(held.reward_id)
    assert reward is not None, "the program of then had it"
    if today is None:
        return reward
    return replace(reward, per_customer=today.per_customer, in_total=today.in_total)


def _others(reward: Reward, customer_ids: Sequence[str]) -> list[Account]:
    """A person's other accounts, where what they had counts. One trip, none for a reward without a limit for each."""
    if reward.per_customer is None or not customer_ids:
        return []
    return store.read_many(customer_ids, consistent=True)


def _had(reward: Reward, accounts: Sequence[Account]) -> int:
    """How often a person has had a reward."""
    return sum(rewards.had(each, reward.reward_id) for each in accounts)


def _given(reward: Reward) -> int:
    return 0 if reward.in_total is None else reward_store.given(reward.reward_id)


def _run(
    customer_id: str,
    entry_id: str,
    seen: str,
    decide: Decide,
    program: Program,
    *,
    now: datetime,
    dry_run: bool,
    shown: IssuedCoupon | None = None,
    more: More = ledger.nothing_more,
    beside: Sequence[Account] = (),
) -> str:
    def answer(decision: Decision) -> str:
        return answers.redemption(decision, program, now, coupon=shown, beside=beside).model_dump_json()

    def decide_alone(account: Account, entries: Sequence[Entry]) -> Decision:  # noqa: ARG001
        return decide(account, program)

    command = Command(customer_id, entry_id, fingerprint(seen), decide_alone, answer, more=more)
    found = ledger.run(command, program, now=now, dry_run=dry_run)
    if found is None:
        raise redeeming.HoldOver  # the hold's time ended it, which nobody asked for and so nobody was answered
    return found


def _end_of(redemption_id: str) -> str:
    return f"redemption:{redemption_id}#done"


@contextmanager
def _ended_once() -> Iterator[None]:
    """Confirm and release end a redemption under one entry id, so only one of them can."""
    try:
        yield
    except KeyReused:  # the other one, or the hold's time, came in between
        raise redeeming.HoldOver from None


def _held(customer_ids: Sequence[str], redemption_id: str) -> Entry:
    """The entry that reserved, whichever id of the person it is under. One trip for each id until it is found."""
    entry_id = f"redemption:{redemption_id}"
    for customer_id in customer_ids:
        _, known = store.load(customer_id, entry_id)
        if entry_id in known:
            return known[entry_id].entry
    raise NotFound("there is no such redemption of this customer")
