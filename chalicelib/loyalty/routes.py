"""The ledger over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.customers import reads as customers
from chalicelib.loyalty import ordering, service, spending
from chalicelib.loyalty.program_schemas import ProgramAnswer, ProgramBody
from chalicelib.loyalty.schemas import (
    AccrualAnswer,
    AccrualRequest,
    BalanceAnswer,
    ConfirmRequest,
    DryRun,
    EntriesAnswer,
    EntriesQuery,
    QuoteAnswer,
    QuoteRequest,
    RedemptionAnswer,
    RedemptionRequest,
    RefundAnswer,
    RefundRequest,
)
from chalicelib.shared import access
from chalicelib.shared.errors import Forbidden
from chalicelib.shared.http import Answer, Call, endpoint

routes = Blueprint(__name__)


@endpoint(
    routes, "GET /v1/customers/{customer_id}/loyalty", me="GET /v1/me/loyalty", answer=BalanceAnswer
)  # fmt: skip
def read_balance(call: Call[None, None], customer_id: str) -> Answer:
    """Points and when they expire, the tier and what the next one lacks. A customer who never earned has zero points."""
    balance = service.balance(customer_id, now=call.now, own=call.caller.customer_id is not None)
    return Answer(balance, headers={"ETag": f'"{balance.version}"'})


@endpoint(
    routes,
    "GET /v1/customers/{customer_id}/loyalty/entries",
    me="GET /v1/me/loyalty/entries",
    query=EntriesQuery,
    answer=EntriesAnswer,
)
def list_entries(call: Call[None, EntriesQuery], customer_id: str) -> EntriesAnswer:
    """Every movement of points with its reason and its rules, newest first. They add up to the balance."""
    own = call.caller.customer_id is not None
    return service.entries(customer_id, call.query, own=own, now=call.now)


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/loyalty/accruals",
    body=AccrualRequest,
    query=DryRun,
    answer=AccrualAnswer,
    status=201,
    needs_key=True,
)
def give_points(call: Call[AccrualRequest, DryRun], customer_id: str) -> Answer:
    """Give points beside what orders earn. Sending it again with the same Idempotency-Key changes nothing.

    404 for a customer nobody has heard of: no profile, no order, no event.
    """
    answer = service.give_points(
        customer_id,
        call.body,
        key=call.key,
        now=call.now,
        dry_run=call.query.dry_run,
        is_known=customers.is_known,
    )
    return Answer(answer, status=201)


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/loyalty/redemptions",
    body=RedemptionRequest,
    query=DryRun,
    answer=RedemptionAnswer,
    status=201,
    needs_key=True,
)
def reserve_points(call: Call[RedemptionRequest, DryRun], customer_id: str) -> Answer:
    """Hold points, those that expire first, until you confirm or release them or `hold_seconds` are over.

    409 `not-enough-points` says how many there are.
    """
    customer_ids = customers.asked_for(customer_id)
    answer = spending.reserve(customer_ids, call.body, key=call.key, now=call.now, dry_run=call.query.dry_run)
    return Answer(answer, status=201)


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/loyalty/redemptions/{redemption_id}/confirm",
    body=ConfirmRequest,
    query=DryRun,
    answer=RedemptionAnswer,
)
def confirm_redemption(call: Call[ConfirmRequest, DryRun], customer_id: str, redemption_id: str) -> Answer:
    """Spend what is held, or part of it; the rest returns. Sending it again answers the same.

    409 `hold-over` when it was released or its time was over.
    """
    customer_ids = customers.asked_for(customer_id)
    return Answer(
        spending.confirm(customer_ids, redemption_id, call.body, now=call.now, dry_run=call.query.dry_run)
    )


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/loyalty/redemptions/{redemption_id}/release",
    query=DryRun,
    answer=RedemptionAnswer,
)
def release_redemption(call: Call[None, DryRun], customer_id: str, redemption_id: str) -> Answer:
    """Return what is held. Sending it again answers the same; 409 `hold-over` when it was confirmed."""
    customer_ids = customers.asked_for(customer_id)
    return Answer(spending.release(customer_ids, redemption_id, now=call.now, dry_run=call.query.dry_run))


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/loyalty/refunds",
    body=RefundRequest,
    query=DryRun,
    answer=RefundAnswer,
    status=201,
    needs_key=True,
)
def refund_points(call: Call[RefundRequest, DryRun], customer_id: str) -> Answer:
    """Take back what an order no longer earns: by lines, by amount, or all; as often as something is left.

    Points go from where they came: what is still pending, the order's own month, other active points; what was spent is
    owed, and later points repay it.
    """
    customer_ids = customers.asked_for(customer_id)
    answer = ordering.refund(customer_ids, call.body, key=call.key, now=call.now, dry_run=call.query.dry_run)
    return Answer(answer, status=201)


@endpoint(routes, "POST /v1/loyalty/quotes", body=QuoteRequest, answer=QuoteAnswer)
def quote_cart(call: Call[QuoteRequest, None]) -> QuoteAnswer:
    """What a cart would earn, and "spend ¥620 more for 50 points". Stores nothing; a browser asks without a customer."""
    asked = call.body
    if call.caller.kind == access.PUBLISHABLE and asked.customer_id:
        raise Forbidden("a publishable key asks without `customer_id`")
    if call.caller.customer_id:
        asked = asked.model_copy(update={"customer_id": call.caller.customer_id})
    return service.quote(asked, now=call.now)


@endpoint(routes, "GET /v1/loyalty/program", answer=ProgramAnswer)
def read_program(call: Call[None, None]) -> Answer:
    """How the shop rewards."""
    return _program(service.program())


@endpoint(
    routes, "PUT /v1/loyalty/program", body=ProgramBody, query=DryRun, answer=ProgramAnswer, headers=("If-Match",)
)  # fmt: skip
def replace_program(call: Call[ProgramBody, DryRun]) -> Answer:
    """Change how the shop rewards, whole. Orders accepted from now on earn by it; refunds of earlier ones by theirs.

    `dry_run` checks it and answers what would stand. With `If-Match` only over the version you read.
    """
    return _program(
        service.replace_program(
            call.body,
            if_match=call.headers.get("if-match", "").strip(),
            said_by=call.caller.name,
            dry_run=call.query.dry_run,
            now=call.now,
        )
    )


def _program(answer: ProgramAnswer) -> Answer:
    return Answer(answer, headers={"ETag": f'"{answer.version}"'})
