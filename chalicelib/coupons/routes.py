"""Coupons over HTTP."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib.coupons import service
from chalicelib.coupons.schemas import CouponAnswer, CouponsAnswer, RedeemBody
from chalicelib.shared.http import Answer, Call, endpoint

routes = Blueprint(__name__)


@endpoint(routes, "GET /v1/coupons/{code}", answer=CouponAnswer, headers=("Accept-Language",))
def read_coupon(call: Call[None, None], code: str) -> Answer:
    """A coupon by its code, in any case and grouping."""
    return _in_language(service.coupon(code, language=call.language, now=call.now), call)


@endpoint(
    routes,
    "POST /v1/coupons/{code}/redeem",
    body=RedeemBody,
    answer=CouponAnswer,
    headers=("Accept-Language",),
)
def redeem_coupon(call: Call[RedeemBody, None], code: str) -> Answer:
    """Use a coupon for an order. Sending it again for the same order changes nothing; another order gets 409."""
    return _in_language(service.redeem(code, call.body, language=call.language, now=call.now), call)


@endpoint(
    routes,
    "GET /v1/customers/{customer_id}/coupons",
    me="GET /v1/me/coupons",
    answer=CouponsAnswer,
    headers=("Accept-Language",),
)
def list_coupons(call: Call[None, None], customer_id: str) -> Answer:
    """A customer's coupons, the newest first."""
    own = call.caller.customer_id is not None
    return _in_language(service.coupons(customer_id, own=own, language=call.language, now=call.now), call)


def _in_language(body: Any, call: Call[Any, Any]) -> Answer:
    return Answer(body, headers={"Content-Language": call.language, "Vary": "Accept-Language"})
