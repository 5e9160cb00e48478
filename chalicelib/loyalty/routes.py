"""The ledger over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.loyalty import service
from chalicelib.loyalty.model import Program
from chalicelib.loyalty.schemas import (
    AccrualAnswer,
    AccrualRequest,
    BalanceAnswer,
    ProgramAnswer,
    ProgramBody,
)
from chalicelib.shared.http import Answer, Call, endpoint

routes = Blueprint(__name__)


@endpoint(
    routes, "GET /v1/customers/{customer_id}/loyalty", me="GET /v1/me/loyalty", answer=BalanceAnswer
)  # fmt: skip
def read_balance(call: Call[None, None], customer_id: str) -> Answer:
    """Points and when they expire. A customer who never earned has zero points."""
    balance = service.balance(customer_id, now=call.now, own=call.caller.customer_id is not None)
    return Answer(balance, headers={"ETag": f'"{balance.version}"'})


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/loyalty/accruals",
    body=AccrualRequest,
    answer=AccrualAnswer,
    status=201,
    needs_key=True,
)
def give_points(call: Call[AccrualRequest, None], customer_id: str) -> Answer:
    """Give points beside what orders earn. Sending it again with the same Idempotency-Key changes nothing."""
    return Answer(service.give_points(customer_id, call.body, key=call.key, now=call.now), status=201)


@endpoint(routes, "GET /v1/loyalty/program", answer=ProgramAnswer)
def read_program(call: Call[None, None]) -> ProgramAnswer:
    """How the shop rewards spending."""
    return _program(service.program())


@endpoint(routes, "PUT /v1/loyalty/program", body=ProgramBody, answer=ProgramAnswer)
def replace_program(call: Call[ProgramBody, None]) -> ProgramAnswer:
    """Change how the shop rewards spending; orders accepted from now on follow it, earlier entries stay."""
    return _program(service.replace_program(call.body))


def _program(program: Program) -> ProgramAnswer:
    return ProgramAnswer(
        currency=program.currency,
        per_amount=program.per_amount,
        points=program.points,
        expires_after_months=program.expires_after_months,
    )
