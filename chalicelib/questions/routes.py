"""Questions, answers and unlocked content over HTTP."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib.questions import answering, reads, service, store
from chalicelib.questions.definitions import (
    QuestionBody,
    QuestionDefinition,
    QuestionDefinitions,
)
from chalicelib.questions.model import Voice
from chalicelib.questions.schemas import (
    AnswersAnswer,
    AnswersBody,
    AskAnswer,
    AskQuery,
    ContextShown,
)
from chalicelib.shared import access, places
from chalicelib.shared.access import Caller
from chalicelib.shared.config import config
from chalicelib.shared.errors import Forbidden, InvalidInput
from chalicelib.shared.http import Answer, Call, endpoint

routes = Blueprint(__name__)


@endpoint(
    routes,
    "GET /v1/profile-questions",
    query=AskQuery,
    answer=AskAnswer,
    headers=("Accept-Language",),
)
def ask(call: Call[None, AskQuery]) -> Answer:
    """The one most useful question not yet answered, or null.

    A secret key may ask for anybody, a customer token for its own customer, a publishable key for a visitor's own
    `anonymous_id`. What is known of somebody on any channel is not asked again; a skipped question comes back after a
    week, then after two, four and more. `Accept-Language` chooses English or Japanese.
    """
    customer_id, anonymous_id = _for_caller(call.query.customer_id, call.query.anonymous_id, call.caller)
    trusted = call.caller.kind != access.PUBLISHABLE
    turn = reads.next_question(
        customer_id, anonymous_id, trusted=trusted, language=call.language, now=call.now
    )
    return _in_language(AskAnswer(question=turn.question, context=_context(call, turn)), call)


@endpoint(
    routes,
    "POST /v1/profile-answers",
    body=AnswersBody,
    answer=AnswersAnswer,
    headers=("Accept-Language",),
)
def answer(call: Call[AnswersBody, None]) -> Answer:
    """Answer questions, or skip them with null; gives what was promised, once for each answer set.

    May be sent again as it is. What a visitor earns is kept until they are known as a customer, except content, which
    is unlocked at once. What a publishable key says fills gaps of a profile and changes nothing in it.
    """
    customer_id, anonymous_id = _for_caller(call.body.customer_id, call.body.anonymous_id, call.caller)
    voice = Voice(call.caller.kind != access.PUBLISHABLE, call.language, call.now)
    return _in_language(answering.answer(customer_id, anonymous_id, call.body.answers, voice), call)


@endpoint(routes, "GET /v1/settings/profile-questions", answer=QuestionDefinitions)
def list_questions(call: Call[None, None]) -> QuestionDefinitions:
    """Every question of the shop, in the order of asking."""
    return service.questions()


@endpoint(routes, "GET /v1/profile-questions/{question_id}", answer=QuestionDefinition)
def read_question(call: Call[None, None], question_id: str) -> QuestionDefinition:
    """One question as it was defined."""
    return service.question(question_id)


@endpoint(routes, "PUT /v1/profile-questions/{question_id}", body=QuestionBody, answer=QuestionDefinition)
def put_question(call: Call[QuestionBody, None], question_id: str) -> QuestionDefinition:
    """Define a question, or replace it. Answers given and rewards promised stay as they were."""
    return service.put_question(question_id, call.body, now=call.now)


@endpoint(routes, "DELETE /v1/profile-questions/{question_id}", status=204)
def delete_question(call: Call[None, None], question_id: str) -> Answer:
    """Stop asking it; doing it again changes nothing."""
    store.remove_question(question_id)
    return Answer("", status=204)


@endpoint(routes, "GET /c/{token}", status=302, lenient=True)
def open_content(call: Call[None, None], token: str) -> Answer:
    """Unlocked content: redirects to it while the link is valid, 410 afterwards."""
    headers = {"Location": service.unlocked(token, now=call.now), "Referrer-Policy": "no-referrer"}
    return Answer("", status=302, headers=headers)


def _for_caller(
    customer_id: str | None, anonymous_id: str | None, caller: Caller
) -> tuple[str | None, str | None]:
    """Whom this caller means; raises Forbidden for somebody who is not theirs, InvalidInput for nobody."""
    if caller.kind == access.PUBLISHABLE and customer_id is not None:
        raise Forbidden("a publishable key speaks for an anonymous_id; for a customer take a customer token")
    if caller.kind == access.CUSTOMER:
        if customer_id not in (None, caller.customer_id) or anonymous_id is not None:
            raise Forbidden("a customer token speaks for its own customer only")
        return caller.customer_id, None
    if customer_id is None and anonymous_id is None:
        name = "anonymous_id" if caller.kind == access.PUBLISHABLE else "customer_id"
        raise InvalidInput.of(name, "is needed")
    return customer_id, anonymous_id


def _context(call: Call[None, AskQuery], turn: reads.Turn) -> ContextShown:
    here = places.place(call.query.country, call.query.region, call.headers, turn.address)
    season = places.season(call.now, here.country or config().shop_country)
    return ContextShown(country=here.country, region=here.region, region_code=here.region_code, season=season)


def _in_language(body: Any, call: Call[Any, Any]) -> Answer:
    return Answer(body, headers={"Content-Language": call.language, "Vary": "Accept-Language"})
