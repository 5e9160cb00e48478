"""Offers to one customer, incentives and referrals over HTTP."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib.loyalty import offering, referring
from chalicelib.loyalty.offer_schemas import (
    IncentiveAnswer,
    IncentiveRequest,
    OffersAnswer,
    ReferralAnswer,
    ReferralCodeAnswer,
    ReferralRequest,
)
from chalicelib.loyalty.schemas import DryRun
from chalicelib.shared.errors import Forbidden, InvalidInput
from chalicelib.shared.http import Answer, Call, endpoint

routes = Blueprint(__name__)


@endpoint(
    routes,
    "GET /v1/customers/{customer_id}/loyalty/offers",
    me="GET /v1/me/loyalty/offers",
    answer=OffersAnswer,
    headers=("Accept-Language",),
)
def list_offers(call: Call[None, None], customer_id: str) -> Answer:
    """The coupons a customer can use now that were offered to her alone, the newest first.

    None while she has withdrawn the consent to personalization.
    """
    found = offering.offers(customer_id, own=_own(call), language=call.language, now=call.now)
    return _in_language(found, call)


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/loyalty/offers",
    me="POST /v1/me/loyalty/offers",
    query=DryRun,
    answer=OffersAnswer,
    headers=("Accept-Language",),
)
def make_offers(call: Call[None, DryRun], customer_id: str) -> Answer:
    """Take something off what a customer buys often, if it is due; then as GET. Sending it again issues nothing more.

    Each item once in the program's `every_days`, only what is in stock, and nothing for who bought it once.
    """
    found = offering.offer(
        customer_id, own=_own(call), language=call.language, dry_run=call.query.dry_run, now=call.now
    )
    return _in_language(found, call)


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/loyalty/incentives",
    me="POST /v1/me/loyalty/incentives",
    body=IncentiveRequest,
    query=DryRun,
    answer=IncentiveAnswer,
)
def ask_for_incentive(call: Call[IncentiveRequest, DryRun], customer_id: str) -> IncentiveAnswer:
    """The smallest thing that may tip the balance for who is about to leave this cart, or null and the reason.

    Once in a window; asked again while it is good, the same. Not for who only looks, who buys anyway, or who leaves
    carts to get one.
    """
    return offering.invite(customer_id, call.body, own=_own(call), dry_run=call.query.dry_run, now=call.now)


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/loyalty/referral-code",
    me="POST /v1/me/loyalty/referral-code",
    answer=ReferralCodeAnswer,
)
def give_referral_code(call: Call[None, None], customer_id: str) -> ReferralCodeAnswer:
    """A customer's own code for friends, the same each time, and how many more friends may come by it."""
    return referring.code_for(customer_id, own=_own(call), now=call.now)


@endpoint(
    routes, "POST /v1/loyalty/referrals", body=ReferralRequest, answer=ReferralAnswer, status=201
)  # fmt: skip
def refer_friend(call: Call[ReferralRequest, None]) -> ReferralAnswer:
    """Note by whose code a new customer came, before their first order. The same again changes nothing.

    Both sides get points when that order has been delivered. 409 `referral-refused` says in `reason` why it does not
    count.
    """
    own = call.caller.customer_id
    if own and call.body.customer_id not in (None, own):
        raise Forbidden("a customer token speaks for its own customer only")
    customer_id = own or call.body.customer_id
    if customer_id is None:
        raise InvalidInput.of("customer_id", "is needed")
    return referring.refer(call.body, customer_id, own=own is not None, now=call.now)


def _own(call: Call[Any, Any]) -> bool:
    return call.caller.customer_id is not None


def _in_language(body: OffersAnswer, call: Call[Any, Any]) -> Answer:
    return Answer(body, headers={"Content-Language": call.language, "Vary": "Accept-Language"})
