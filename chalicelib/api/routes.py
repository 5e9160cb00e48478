"""The contract over HTTP: health, the OpenAPI document, the page that shows it."""

from __future__ import annotations

import json

from chalice.app import Blueprint

from chalicelib.api.schemas import HealthAnswer
from chalicelib.shared.clock import to_text
from chalicelib.shared.config import config
from chalicelib.shared.http import Answer, Call, endpoint

routes = Blueprint(__name__)


@endpoint(routes, "GET /v1/health", answer=HealthAnswer)
def health(call: Call[None, None]) -> HealthAnswer:
    """Whether requests are answered. Touches no store, so that it costs nothing to ask often."""
    from chalicelib.api.openapi import VERSION  # only this room's routes pay for building the document

    return HealthAnswer(status="ok", version=VERSION, time=to_text(call.now))


@endpoint(routes, "GET /openapi.json")
def openapi(call: Call[None, None]) -> Answer:
    """This document: OpenAPI 3.1, made from the models that read and write every body."""
    from chalicelib.api.openapi import document

    return Answer(json.dumps(document(config().public_url), ensure_ascii=False))


@endpoint(routes, "GET /docs", answer_media_type="text/html; charset=utf-8")
def docs(call: Call[None, None]) -> Answer:
    """The same as a page to read; it needs no network."""
    from chalicelib.api.openapi import document
    from chalicelib.api.page import page

    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return Answer(page(document(config().public_url)), headers={"Content-Security-Policy": policy})
