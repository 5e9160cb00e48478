"""API keys over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.partners import service
from chalicelib.partners.schemas import KeyAnswer, KeyRequest, KeyRevoked
from chalicelib.shared.http import Call, endpoint

routes = Blueprint(__name__)


@endpoint(routes, "POST /v1/api-keys", body=KeyRequest, answer=KeyAnswer, status=201, needs_key=True)
def create_key(call: Call[KeyRequest, None]) -> KeyAnswer:
    """Make an API key. The answer shows it once; keep it, only its hash is stored."""
    return service.create_key(call.body, maker=call.caller, idempotency_key=call.key, now=call.now)


@endpoint(routes, "DELETE /v1/api-keys/{key_id}", answer=KeyRevoked)
def revoke_key(call: Call[None, None], key_id: str) -> KeyRevoked:
    """Stop a key. It may work for up to half a minute more, where it was just used."""
    return service.revoke_key(key_id, now=call.now)
