"""Use cases of spending: points are reserved, then spent or returned; one person may have them under several ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from chalicelib.loyalty import answers, books, ledger, program_store, redeeming, store
from chalicelib.loyalty.ledger import Command
from chalicelib.loyalty.model import LOT, Account, Decision, Entry
from chalicelib.loyalty.program import Program
from chalicelib.loyalty.schemas import ConfirmRequest, RedemptionRequest
from chalicelib.shared.errors import InvalidInput, NotFound
from chalicelib.shared.ids import fingerprint
from chalicelib.shared.rounds import rounds

TRANSFER = "transfer"
Decide = Callable[[Account, Program], Decision]


def reserve(
    customer_ids: Sequence[str], request: RedemptionRequest, *, key: str, now: datetime, dry_run: bool
) -> str:
    """Hold points once per Idempotency-Key; returns the JSON of a RedemptionAnswer.

    `customer_ids` are all ids of the person, the surviving one first: points of the others are brought to it when it
    has too few. Raises NotEnoughPoints.
    """
    program, _ = program_store.load()
    points = _points_of(request)
    redemption_id = fingerprint(customer_ids[0], key)[:26]
    hold = timedelta(seconds=request.hold_seconds)
    owed_elsewhere = 0
    if len(customer_ids) > 1:
        owed_elsewhere = _gather(customer_ids, points, program, redemption_id, now=now, dry_run=dry_run)

    def decide(account: Account, program: Program) -> Decision:
        return redeeming.reserve(
            account, program, redemption_id, points, hold=hold, owed_elsewhere=owed_elsewhere, now=now
        )

    entry_id = f"redemption:{redemption_id}"
    return _run(
        customer_ids[0], entry_id, request.model_dump_json(), decide, program, now=now, dry_run=dry_run
    )


def confirm(
    customer_ids: Sequence[str], redemption_id: str, request: ConfirmRequest, *, now: datetime, dry_run: bool
) -> str:
    """Spend what a redemption holds. Again with the same body answers the same; raises HoldOver, NotFound."""
    customer_id = _holder(customer_ids, redemption_id)
    program, _ = program_store.load()

    def decide(account: Account, program: Program) -> Decision:
        return redeeming.confirm(account, program, redemption_id, request.points, now=now)

    seen = f"confirm {request.model_dump_json()}"
    return _done(customer_id, redemption_id, seen, decide, program, now=now, dry_run=dry_run)


def release(customer_ids: Sequence[str], redemption_id: str, *, now: datetime, dry_run: bool) -> str:
    """Return what a redemption holds. Again answers the same; raises HoldOver, NotFound."""
    customer_id = _holder(customer_ids, redemption_id)
    program, _ = program_store.load()

    def decide(account: Account, program: Program) -> Decision:
        return redeeming.release(account, program, redemption_id, reason="released", now=now)

    return _done(customer_id, redemption_id, "release", decide, program, now=now, dry_run=dry_run)


def _points_of(request: RedemptionRequest) -> int:
    if request.points is None:
        raise InvalidInput.of("points", "is missing")
    return request.points


def _run(
    customer_id: str,
    entry_id: str,
    seen: str,
    decide: Decide,
    program: Program,
    *,
    now: datetime,
    dry_run: bool,
) -> str:
    def answer(decision: Decision) -> str:
        return answers.redemption(decision, program, now).model_dump_json()

    def decide_alone(account: Account, entries: Sequence[Entry]) -> Decision:  # noqa: ARG001
        return decide(account, program)

    command = Command(customer_id, entry_id, fingerprint(seen), decide_alone, answer)
    found = ledger.run(command, program, now=now, dry_run=dry_run)
    if found is None:
        raise redeeming.HoldOver  # the hold's time ended it, which nobody asked for and so nobody was answered
    return found


def _done(
    customer_id: str,
    redemption_id: str,
    seen: str,
    decide: Decide,
    program: Program,
    *,
    now: datetime,
    dry_run: bool,
) -> str:
    """Confirm and release end a redemption under one entry id, so only one of them can."""
    entry_id = f"redemption:{redemption_id}#done"
    _, known = store.load(customer_id, entry_id)
    if entry_id in known and known[entry_id].fingerprint != fingerprint(seen):
        raise redeeming.HoldOver
    return _run(customer_id, entry_id, seen, decide, program, now=now, dry_run=dry_run)


def _holder(customer_ids: Sequence[str], redemption_id: str) -> str:
    """Whose redemption it is, among the ids of one person. One trip for each id until it is found."""
    entry_id = f"redemption:{redemption_id}"
    for customer_id in customer_ids:
        if entry_id in store.load(customer_id, entry_id)[1]:
            return customer_id
    raise NotFound("there is no such redemption of this customer")


def _gather(
    customer_ids: Sequence[str],
    points: int,
    program: Program,
    redemption_id: str,
    *,
    now: datetime,
    dry_run: bool,
) -> int:
    """Bring points of a person's other ids to the surviving one, as many as it lacks; returns what the others owe.

    Each id's points move in one transaction of both accounts. Two trips, and one for each id that gives.
    """
    for _ in rounds():
        head, *others = store.read_many(customer_ids, consistent=True)
        if f"redemption:{redemption_id}" in store.load(head.customer_id, f"redemption:{redemption_id}")[1]:
            return 0
        owed = sum(each.owed for each in others)
        if dry_run:
            return owed - sum(books.settled(each, program, now).active for each in others)
        try:
            head = ledger.settle(head, program, now)
            for other in others:
                giving = ledger.settle(other, program, now)
                lacking = min(points + owed - head.active, giving.active)
                if lacking > 0:
                    head = _transfer(giving, head, lacking, redemption_id, now=now)
        except store.AccountMoved:
            continue
        return owed
    return 0


def _transfer(giving: Account, head: Account, points: int, redemption_id: str, *, now: datetime) -> Account:
    taken, _ = books.outflow(giving, points)
    given = {f"{LOT}:{key.partition(':')[2]}": -n for key, n in taken.items()}
    reason = f"redemption {redemption_id}"
    out = Entry(
        f"{TRANSFER}:{redemption_id}#{giving.version + 1}",
        TRANSFER,
        giving.customer_id,
        -points,
        reason,
        now,
        taken,
    )
    into = Entry(
        f"{TRANSFER}:{redemption_id}#{head.version + 1}",
        TRANSFER,
        head.customer_id,
        points,
        reason,
        now,
        given,
    )
    leaving, arriving = books.enter(giving, out), books.enter(head, into)
    store.commit(store.committing(leaving) + store.committing(arriving))
    return arriving.account
