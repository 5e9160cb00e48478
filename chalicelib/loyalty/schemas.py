"""The ledger over HTTP, and the facts it publishes."""

from __future__ import annotations

from pydantic import Field

from chalicelib.loyalty.model import POINTS_PER_ENTRY_MAX
from chalicelib.shared.contract import Currency, In, Line, Out, Published

POINTS_ACCRUED = "loyalty.points_accrued"


class AccrualRequest(In):
    """Points to give, beside what orders earn by themselves."""

    points: int = Field(ge=1, le=POINTS_PER_ENTRY_MAX, examples=[120])
    reason: Line = Field(examples=["survey"])


class RulePointsAnswer(Out):
    rule: str = Field(examples=["spend"])
    points: int


class ExpiringAnswer(Out):
    points: int
    on: str = Field(description="The last day these points can be used.", examples=["2027-11-30"])


class BalanceAnswer(Out):
    """What a customer has."""

    active_points: int = Field(description="Can be used now.")
    pending_points: int = Field(default=0, description="Earned, not yet confirmed.")
    reserved_points: int = Field(default=0, description="Held for a redemption.")
    negative_points: int = Field(default=0, description="Owed after a refund; later points repay it.")
    lifetime_points: int
    expiring: list[ExpiringAnswer] = Field(description="Active points by their last day, earliest first.")
    version: int = Field(description="Grows by one with every entry.")


class AccrualAnswer(Out):
    entry_id: str = Field(examples=["key:survey-2026-u1"])
    points: int
    status: str = Field(examples=["active"])
    rules: list[RulePointsAnswer] = Field(description="Which rule gave how many points.")
    balance: BalanceAnswer


class ProgramBody(In):
    """How the shop rewards spending."""

    currency: Currency = Field(description="Orders in another currency earn nothing.")
    per_amount: int = Field(
        ge=1, le=10**9, description="Minor units of the currency that earn `points`.", examples=[100]
    )
    points: int = Field(ge=1, le=1000, examples=[1])
    expires_after_months: int = Field(
        ge=1, le=120, description="Whole months after the month of earning.", examples=[12]
    )


class ProgramAnswer(Out):
    currency: str
    per_amount: int
    points: int
    expires_after_months: int


class PointsAccrued(Published):
    """Fact `loyalty.points_accrued`: one entry was added."""

    customer_id: str
    entry_id: str
    points: int
    reason: str
    active_points: int = Field(description="The balance right after this entry.")
