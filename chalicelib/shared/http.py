"""The edge: who is calling, what they sent, and one shape for every answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar, get_origin
from urllib.parse import quote, unquote, urlencode

from chalice.app import Blueprint, CORSConfig, MultiDict, Request, Response
from pydantic import BaseModel, ValidationError

from chalicelib.shared import access, clock, ids, problems
from chalicelib.shared.access import Caller
from chalicelib.shared.config import config
from chalicelib.shared.contract import Nothing
from chalicelib.shared.errors import InvalidInput, MissingIdempotencyKey, Moved, Refused, TooLarge
from chalicelib.shared.logs import log_failure, logger

BODY_BYTES_MAX = 64 * 1024
BATCH_BYTES_MAX = 500 * 1024
KEY_LENGTH_MAX = 128
ACTOR_LENGTH_MAX = 100
JSON_ONLY = ("application/json",)
ANY_TYPE = ("*/*",)

CORS = CORSConfig(
    allow_origin="*",
    # X-Retry-Count is what Segment's browser SDK puts on an event it sends again.
    allow_headers="Authorization Content-Type X-Api-Key Idempotency-Key If-Match X-Actor X-Retry-Count".split(),
    expose_headers=["ETag", "Retry-After", "X-Correlation-Id", "Location"],
    max_age=600,
)
SAFETY_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag,Retry-After,X-Correlation-Id,Location",
}

B = TypeVar("B")
Q = TypeVar("Q")


@dataclass(frozen=True)
class Call(Generic[B, Q]):
    """One request after the edge has checked it."""

    caller: Caller
    now: datetime
    body: B
    query: Q
    raw: bytes = b""
    key: str = ""  # the Idempotency-Key, where the route asks for one
    headers: Mapping[str, str] = field(default_factory=dict)  # lower-case names

    @property
    def actor(self) -> str | None:
        """The member of staff for whom a key with the scope for staff speaks, as it says in X-Actor."""
        named = self.headers.get("x-actor", "").strip()
        if not named or not (self.caller.is_trusted and self.caller.may(access.STAFF)):
            return None
        if len(named) > ACTOR_LENGTH_MAX or not named.isprintable():
            raise InvalidInput.of("X-Actor", f"must be 1 to {ACTOR_LENGTH_MAX} printable characters")
        return named

    @property
    def language(self) -> str:
        """`ja` or `en`, whichever Accept-Language names first."""
        wanted = re.findall(r"\b(ja|en)\b", self.headers.get("accept-language", "").lower())
        return wanted[0] if wanted else "en"


@dataclass(frozen=True)
class Answer:
    """An answer that needs more than a body: another status, headers, or a body that is already text."""

    body: BaseModel | str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contract:
    """What the OpenAPI document says of one route."""

    signature: str
    function: Callable[..., Any]
    rule: access.Rule
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel] | None
    status: int
    also: tuple[int, ...]
    needs_key: bool
    media_types: tuple[str, ...]
    answer_media_type: str
    headers: tuple[str, ...]
    lenient: bool
    choices: Mapping[str, tuple[str, ...]]


CONTRACTS: dict[str, Contract] = {}  # filled as the rooms' routes are defined; read by the OpenAPI builder


def endpoint(
    blueprint: Blueprint,
    signature: str,
    *,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    answer: type[BaseModel] | None = None,
    status: int = 200,
    also: tuple[int, ...] = (),
    needs_key: bool = False,
    me: str | None = None,
    media_types: tuple[str, ...] = JSON_ONLY,
    answer_media_type: str = "application/json",
    bytes_max: int = BODY_BYTES_MAX,
    raw: bool = False,
    headers: tuple[str, ...] = (),
    lenient: bool = False,
    choices: Mapping[str, tuple[str, ...]] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Serve `function(call, **path variables)` at `signature`, e.g. `"GET /v1/items/{item_id}"`.

    The access table decides who may call; body and query are parsed by their models; refusals become problem documents.
    `also`: other statuses of success; `headers`: what is read of them; `choices`: what a path variable may be.
    `needs_key` demands an Idempotency-Key. `me` serves the function to a customer token too, without `{customer_id}`.
    `lenient` passes over what mail programs hang on links. `raw` leaves body and credentials to the function.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for each in filter(None, (signature, me)):
            method, path = each.split(" ")
            CONTRACTS[each] = contract = Contract(
                each, function, access.ROUTES[each], body, query, answer, status, also, needs_key, media_types,
                answer_media_type, headers, lenient, choices or {},
            )  # fmt: skip
            has_body = method in ("POST", "PUT", "PATCH")
            view = _view(blueprint, contract, bytes_max, raw=raw)
            blueprint.route(
                path, methods=[method], cors=CORS, content_types=list(media_types if has_body else ANY_TYPE)
            )(view)
        return function

    return decorate


def _view(blueprint: Blueprint, contract: Contract, bytes_max: int, *, raw: bool) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        request = blueprint.current_request
        try:
            call, variables = _open(request, contract, path, bytes_max, raw=raw)
            return _close(contract, contract.function(call, **variables))
        except Moved as moved:
            moved.headers["Location"] = _location(request, contract, path | moved.variables)
            return problems.of_refusal(moved, correlation_id(request))
        except Refused as refused:
            return problems.of_refusal(refused, correlation_id(request))
        except ValidationError as error:
            # An answer that breaks its own model is our bug; input is validated in _open.
            log_failure("answer breaks its contract", error, route=contract.signature)
        except Exception as error:  # noqa: BLE001  the last resort: answered as 500, logged without its text
            log_failure("unhandled", error, route=contract.signature)
        return problems.of_status(500, correlation_id(request))

    view.__name__ = contract.function.__name__
    view.__doc__ = contract.function.__doc__
    return view


def _open(
    request: Request, contract: Contract, path: Mapping[str, str], bytes_max: int, *, raw: bool
) -> tuple[Call[Any, Any], dict[str, str]]:
    headers = {name.lower(): value for name, value in dict(request.headers).items()}
    sent_query = request.query_params or MultiDict({})
    parameters = {name: sent_query.getlist(name) for name in sent_query}
    now = clock.now()
    caller = access.Caller(access.PUBLIC, "events") if raw else access.admit(contract.rule, headers, now=now)
    now = _travelled(caller, parameters, now)
    variables = {name: _variable(name, value) for name, value in path.items()}
    if caller.customer_id is not None and contract.signature.split(" ")[1].startswith("/v1/me"):
        variables["customer_id"] = caller.customer_id
    sent = _sent(request) if contract.body or raw or _minds_bodies(contract) else b""
    if len(sent) > bytes_max:
        raise TooLarge(f"the body may have {bytes_max} bytes at most")
    call: Call[Any, Any] = Call(
        caller=caller,
        now=now,
        body=None if raw else _body(contract, sent),
        query=_query(contract, parameters),
        raw=sent,
        key=_idempotency_key(headers) if contract.needs_key else "",
        headers=headers,
    )
    return call, variables


def _minds_bodies(contract: Contract) -> bool:
    """Whether a body that nobody reads is refused, because its sender means something by it."""
    return not contract.lenient and contract.signature.startswith(("POST ", "PUT ", "PATCH "))


def _body(contract: Contract, sent: bytes) -> Any:
    if contract.body:
        return parse(contract.body, sent)
    if sent.strip():
        parse(Nothing, sent)
    return None


def _sent(request: Request) -> bytes:
    try:
        body = request.raw_body
        return body.encode() if isinstance(body, str) else body
    except UnicodeEncodeError:
        raise InvalidInput.of("body", "must be UTF-8") from None


def parse(model: type[BaseModel], sent: bytes) -> Any:
    """Read a JSON body with its model; raises InvalidInput naming each wrong field."""
    if not sent.strip():
        raise InvalidInput.of("body", "must be a JSON document")
    try:
        return model.model_validate_json(sent)
    except ValidationError as error:
        raise problems.of_validation(error, said=sent) from None


def _query(contract: Contract, parameters: Mapping[str, list[str]]) -> Any:
    model = contract.query
    if contract.lenient:
        parameters = {name: parameters[name] for name in parameters if model and name in model.model_fields}
    if model is None:
        if parameters:
            raise InvalidInput.of(min(parameters), "is not a parameter of this route")
        return None
    repeatable = {name for name, info in model.model_fields.items() if get_origin(info.annotation) is list}
    for name, values in parameters.items():
        if len(values) > 1 and name not in repeatable:
            raise InvalidInput.of(name, "may be given once")
    try:
        return model.model_validate(
            {name: values if name in repeatable else values[0] for name, values in parameters.items()}
        )
    except ValidationError as error:
        raise problems.of_validation(error, whole="query") from None


def _travelled(caller: Caller, parameters: dict[str, list[str]], now: datetime) -> datetime:
    """Local test keys may ask as of another time; nobody else has that parameter."""
    if "now" not in parameters or not (caller.is_test and caller.is_trusted and config().is_embedded):
        return now
    try:
        moment = datetime.fromisoformat(parameters.pop("now")[0])
    except ValueError:
        raise InvalidInput.of("now", "must be an RFC 3339 time") from None
    if moment.tzinfo is None or not clock.EARLIEST <= moment < clock.LATEST:
        raise InvalidInput.of("now", "must name its time zone and lie between 2000 and 2099")
    return moment


def _variable(name: str, value: str) -> str:
    # Whether the gateway decodes path segments differs between gateways; ids hold no per cent sign, so once is safe.
    value = unquote(value)
    return value if name == "token" else ids.check(name, value)


def _location(request: Request, contract: Contract, variables: Mapping[str, str]) -> str:
    """The same route for other variables, with the same query, below whatever the gateway puts before our paths."""
    path = contract.signature.split(" ")[1]
    sent = str(request.context.get("path", path))
    before = sent[: max(sent.find("/v1/"), 0)]
    for name, value in variables.items():
        path = path.replace(f"{{{name}}}", quote(unquote(value), safe=""))
    query = request.query_params or MultiDict({})
    pairs = [(name, value) for name in query for value in query.getlist(name)]
    return before + path + (f"?{urlencode(pairs)}" if pairs else "")


def _idempotency_key(headers: Mapping[str, str]) -> str:
    value = headers.get("idempotency-key", "")
    if not value:
        raise MissingIdempotencyKey
    if len(value) > KEY_LENGTH_MAX or not value.isascii() or not value.isprintable():
        raise InvalidInput.of("Idempotency-Key", f"must be 1 to {KEY_LENGTH_MAX} printable ASCII characters")
    return value


def _close(contract: Contract, result: Any) -> Response:
    answer = result if isinstance(result, Answer) else Answer(result, contract.status)
    body = answer.body.model_dump_json() if isinstance(answer.body, BaseModel) else answer.body
    headers: dict[str, Any] = {"Content-Type": contract.answer_media_type, **answer.headers}
    return Response(body=body, status_code=answer.status, headers=headers)


def correlation_id(request: Request | None) -> str:
    """The gateway's own request id: it is in the access log, in our log lines and in every problem."""
    context: Mapping[str, Any] = getattr(request, "context", None) or {}
    return str(context.get("requestId", ""))


def middleware(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Around every HTTP request: log keys, safety headers, and problem documents for Chalice's own errors."""
    logger.append_keys(correlation_id=correlation_id(request))
    response = get_response(request)
    if response.status_code >= 400 and not isinstance(response.body, str):  # our own answers are text by now
        response = problems.of_status(response.status_code, correlation_id(request))
    for name, value in (SAFETY_HEADERS | {"X-Correlation-Id": correlation_id(request)}).items():
        response.headers.setdefault(name, value)
    return response
