"""Messages over HTTP, and the way out of promotional mail."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.messages import render, service
from chalicelib.messages.schemas import MessagesAnswer, MessagesQuery
from chalicelib.shared.http import ANY_TYPE, Answer, Call, endpoint

routes = Blueprint(__name__)

HTML = "text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


@endpoint(routes, "GET /v1/customers/{customer_id}/messages", query=MessagesQuery, answer=MessagesAnswer)
def list_messages(call: Call[None, MessagesQuery], customer_id: str) -> MessagesAnswer:
    """What was sent to a customer and what was withheld, each with its reason, newest first."""
    return service.page(customer_id, call.query, now=call.now)


@endpoint(
    routes, "GET /u/{token}", answer_media_type=HTML, headers=("Accept-Language",), lenient=True
)  # fmt: skip
def ask(call: Call[None, None], token: str) -> Answer:
    """The page behind a mail's way out. It changes nothing: mail scanners open every link."""
    is_ours = service.customer_of(token, now=call.now) is not None
    return _page("ask" if is_ours else "unknown", call.language, status=200 if is_ours else 404)


@endpoint(
    routes,
    "POST /u/{token}",
    media_types=ANY_TYPE,
    answer_media_type=HTML,
    headers=("Accept-Language",),
    lenient=True,
)
def unsubscribe(call: Call[None, None], token: str) -> Answer:
    """Withdraw consent to promotional mail at once, by the page's button or a mail program's (RFC 8058).

    No login, no redirect, and whatever the body says; doing it again changes nothing.
    """
    is_ours = service.withdraw_consent(token, now=call.now)
    return _page("done" if is_ours else "unknown", call.language, status=200 if is_ours else 404)


def _page(section: str, language: str, *, status: int) -> Answer:
    headers = {
        "Content-Language": language,
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language",
    }
    return Answer(render.page(section, language=language), status=status, headers=headers)
