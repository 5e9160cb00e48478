"""Recommendations over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.recommendations import preview, ranking, rule_service, rule_store, service
from chalicelib.recommendations.model import Asker, Placement
from chalicelib.recommendations.rank_schemas import RankAnswer, RankBody
from chalicelib.recommendations.rule_schemas import (
    AudienceAnswer,
    AudienceBody,
    PreviewAnswer,
    PreviewBody,
    RuleAnswer,
    RuleBody,
    RulesAnswer,
)
from chalicelib.recommendations.schemas import RecommendationsAnswer, RecommendationsQuery
from chalicelib.shared import access
from chalicelib.shared.errors import Forbidden, InvalidInput
from chalicelib.shared.http import Answer, Call, endpoint

routes = Blueprint(__name__)

RANK_BYTES_MAX = 128 * 1024  # five hundred of the longest ids
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
    `recently_viewed`, `cart` (what goes with it, and nothing that is in it), `help` (content about what is owned, or about
    `item_id`), `trending`, `popular_nearby`. An event or order accepted a moment ago changes the next answer; an item hidden or sold out a moment ago is not in it. Strangers
    get what sells, or what is new: see `fallback`.

    A secret key may ask for anybody, a customer token for its own customer, a publishable key for a visitor's own
    `anonymous_id`; what it is answered tells nothing of orders. `Accept-Language` chooses English or Japanese.
    """
    answer = service.recommend(
        _placement(placement),
        _for_caller(call.query, call.caller),
        language=call.language,
        asker=ASKERS[call.caller.kind],
        now=call.now,
        headers=call.headers,
    )
    return Answer(answer, headers={"Content-Language": call.language, "Vary": "Accept-Language"})


@endpoint(routes, "GET /v1/recommendation-rules", answer=RulesAnswer)
def list_rules(call: Call[None, None]) -> RulesAnswer:
    """Every rule of the shop for its lists."""
    return rule_service.rules()


@endpoint(routes, "GET /v1/recommendation-rules/{rule_id}", answer=RuleAnswer)
def read_rule(call: Call[None, None], rule_id: str) -> RuleAnswer:
    """One rule."""
    return rule_service.rule(rule_id)


@endpoint(routes, "PUT /v1/recommendation-rules/{rule_id}", body=RuleBody, answer=RuleAnswer)
def put_rule(call: Call[RuleBody, None], rule_id: str) -> RuleAnswer:
    """Pin, boost, hide, restrict to or cap items, in all lists or some; the next list follows it.

    No rule shows what is hidden, sold out, excluded or not in the catalogue. Rules that both count add up: boosts are
    multiplied, and an item must pass every rule that hides, restricts or caps. Of two pins the one at the smaller
    position comes first, then that of the smaller rule id.
    """
    return rule_service.put_rule(rule_id, call.body, now=call.now)


@endpoint(routes, "DELETE /v1/recommendation-rules/{rule_id}", status=204)
def delete_rule(call: Call[None, None], rule_id: str) -> Answer:
    """Take a rule out of force; doing it again changes nothing."""
    rule_store.remove_rule(rule_id)
    return Answer("", status=204)


@endpoint(
    routes,
    "POST /v1/recommendation-rules/preview",
    body=PreviewBody,
    answer=PreviewAnswer,
    headers=("Accept-Language",),
)
def preview_rule(call: Call[PreviewBody, None]) -> Answer:
    """One list as it is and as it would be with a rule, and what moves.

    Nothing is stored. All other rules count, and this one as if it were enabled and its time had come.
    """
    answer = preview.preview(call.body, language=call.language, now=call.now)
    return Answer(answer, headers={"Content-Language": call.language, "Vary": "Accept-Language"})


@endpoint(routes, "GET /v1/settings/audience", answer=AudienceAnswer)
def read_audience(call: Call[None, None]) -> AudienceAnswer:
    """What keeps items from people they are not made for."""
    return rule_service.audience()


@endpoint(routes, "PUT /v1/settings/audience", body=AudienceBody, answer=AudienceAnswer)
def put_audience(call: Call[AudienceBody, None]) -> AudienceAnswer:
    """Change what keeps items from people, from the next list on.

    By default the declared `gender` and `birthday` (or `age`) are held against the item's `audience`. What is not known
    excludes nothing, and what somebody bought for themselves, not as a gift, brings back its like.
    """
    return rule_service.put_audience(call.body)


@endpoint(
    routes,
    "POST /v1/recommendations/rank",
    body=RankBody,
    answer=RankAnswer,
    headers=("Accept-Language",),
    bytes_max=RANK_BYTES_MAX,
)
def rank(call: Call[RankBody, None]) -> Answer:
    """Put a list of your own in order for one person: search results, a category page, a mail. Up to 500 items.

    Ranked as in `for_you`, each with its score and reason. What nothing is known of keeps its order behind the others,
    and last come ids that are not in the catalogue. What may not be shown now is in `left_out`. Who may ask for whom is
    as for a list.
    """
    body = call.body.model_copy(update={"customer_id": _customer(call.body.customer_id, call.caller)})
    answer = ranking.rank(
        body, language=call.language, asker=ASKERS[call.caller.kind], now=call.now, headers=call.headers
    )
    return Answer(answer, headers={"Content-Language": call.language, "Vary": "Accept-Language"})


def _placement(name: str) -> Placement:
    try:
        return Placement(name)
    except ValueError:
        raise InvalidInput.of("placement", f"must be one of {', '.join(Placement)}") from None


def _for_caller(query: RecommendationsQuery, caller: access.Caller) -> RecommendationsQuery:
    """The query as this caller may ask it; raises Forbidden."""
    if query.explain and not caller.is_trusted:
        raise Forbidden("explain tells of the shop's rules; it takes a secret key")
    return query.model_copy(update={"customer_id": _customer(query.customer_id, caller)})


def _customer(customer_id: str | None, caller: access.Caller) -> str | None:
    """The customer this caller may ask for; raises Forbidden."""
    if caller.kind == access.PUBLISHABLE and customer_id is not None:
        raise Forbidden("a publishable key asks for an anonymous_id; for a customer take a customer token")
    if caller.kind != access.CUSTOMER:
        return customer_id
    if customer_id not in (None, caller.customer_id):
        raise Forbidden("a customer token asks for its own customer only")
    return caller.customer_id
