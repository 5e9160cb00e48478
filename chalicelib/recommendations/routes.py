"""Recommendations over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.recommendations import service
from chalicelib.recommendations.model import Asker, Placement
from chalicelib.recommendations.schemas import RecommendationsAnswer, RecommendationsQuery
from chalicelib.shared import access
from chalicelib.shared.errors import Forbidden, InvalidInput
from chalicelib.shared.http import Answer, Call, endpoint

routes = Blueprint(__name__)

ASKERS = {access.SECRET: Asker.SHOP, access.CUSTOMER: Asker.CUSTOMER, access.PUBLISHABLE: Asker.BROWSER}


@endpoint(
    routes,
    "GET /v1/recommendations/{placement}",
    query=RecommendationsQuery,
    answer=RecommendationsAnswer,
    headers=("Accept-Language",),
    choices={"placement": tuple(Placement)},
)
def recommend(call: Call[None, RecommendationsQuery], placement: str) -> Answer:
    """Items for one place on a page, each with its true reason.

    Placements: `for_you`, `similar` and `bought_together` (to `item_id`, or to what the person did last),
    `buy_again` (with `due_in_days`), `discover` (nothing bought before), `session` (what the visitor looks at now),
    `trending`. An event or order accepted a moment ago changes the next answer; an
    item hidden or sold out a moment ago is not in it. Strangers get what sells, or what is new: see `fallback`.

    A secret key may ask for anybody, a customer token for its own customer, a publishable key for a visitor's own
    `anonymous_id`; what it is answered tells nothing of orders. `Accept-Language` chooses English or Japanese.
    """
    answer = service.recommend(
        _placement(placement),
        _for_caller(call.query, call.caller),
        language=call.language,
        asker=ASKERS[call.caller.kind],
        now=call.now,
    )
    return Answer(answer, headers={"Content-Language": call.language, "Vary": "Accept-Language"})


def _placement(name: str) -> Placement:
    try:
        return Placement(name)
    except ValueError:
        raise InvalidInput.of("placement", f"must be one of {', '.join(Placement)}") from None


def _for_caller(query: RecommendationsQuery, caller: access.Caller) -> RecommendationsQuery:
    """The query as this caller may ask it; raises Forbidden."""
    if caller.kind == access.PUBLISHABLE and query.customer_id is not None:
        raise Forbidden("a publishable key asks for an anonymous_id; for a customer take a customer token")
    if caller.kind == access.CUSTOMER:
        if query.customer_id not in (None, caller.customer_id):
            raise Forbidden("a customer token asks for its own customer only")
        return query.model_copy(update={"customer_id": caller.customer_id})
    return query
