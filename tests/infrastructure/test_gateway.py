"""What API Gateway answers by itself looks like what the house answers."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest

from chalicelib.shared import problems
from chalicelib.shared.http import CORS, SAFETY_HEADERS

BLUNT = {"DEFAULT_4XX", "DEFAULT_5XX"}


@pytest.fixture
def answers(translated: Any) -> dict[str, Any]:
    [api] = translated.of("AWS::ApiGateway::RestApi").values()
    found: dict[str, Any] = api["Body"]["x-amazon-apigateway-gateway-responses"]
    return found


def test_every_answer_that_the_gateway_knows_is_ours(answers: dict[str, Any]) -> None:
    model = botocore.session.Session().get_service_model("apigateway")
    known = set(model.shape_for("GatewayResponseType").enum)
    # These belong to authorizers, which we have none of.
    unused = {"AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "API_CONFIGURATION_ERROR"}
    assert set(answers) == known - unused
    assert set(answers) >= BLUNT


def test_each_is_a_problem_document_of_its_status(answers: dict[str, Any]) -> None:
    for kind, answer in answers.items():
        body = json.loads(answer["responseTemplates"]["application/json"])
        assert body["status"] == int(answer["statusCode"]), kind
        assert body["type"].startswith("/problems/"), kind
        assert body["title"], kind
        assert body["correlation_id"] == "$context.requestId", kind
        assert set(body) == set(problems.document(404, "x", "x", "", "x")), kind


def test_each_has_the_headers_of_every_other_answer(answers: dict[str, Any]) -> None:
    wanted = {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in SAFETY_HEADERS.items()}
    wanted["gatewayresponse.header.Content-Type"] = "'application/problem+json'"
    wanted["gatewayresponse.header.X-Correlation-Id"] = "context.requestId"
    for kind, answer in answers.items():
        assert wanted.items() <= answer["responseParameters"].items(), kind
    assert (
        SAFETY_HEADERS["Access-Control-Allow-Origin"]
        == CORS.get_access_control_headers()["Access-Control-Allow-Origin"]
    )


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("MISSING_AUTHENTICATION_TOKEN", 404),  # what an unknown path is to the gateway
        ("RESOURCE_NOT_FOUND", 404),
        ("ACCESS_DENIED", 403),
        ("REQUEST_TOO_LARGE", 413),
        ("UNSUPPORTED_MEDIA_TYPE", 415),
        ("THROTTLED", 429),
        ("INTEGRATION_TIMEOUT", 504),
        ("DEFAULT_5XX", 500),
    ],
)
def test_the_status_says_what_happened(answers: dict[str, Any], kind: str, status: int) -> None:
    assert int(answers[kind]["statusCode"]) == status


def test_who_was_refused_for_speed_is_told_when_to_come_again(answers: dict[str, Any]) -> None:
    for kind in ("THROTTLED", "QUOTA_EXCEEDED"):
        assert answers[kind]["responseParameters"]["gatewayresponse.header.Retry-After"].strip("'").isdigit()


def test_an_unknown_path_says_the_same_here_and_there(answers: dict[str, Any]) -> None:
    ours = json.loads(problems.of_status(404, "c1").body)
    theirs = json.loads(answers["MISSING_AUTHENTICATION_TOKEN"]["responseTemplates"]["application/json"])
    assert theirs | {"correlation_id": "c1"} == ours


def test_the_whole_api_has_a_speed_limit(resources: Any) -> None:
    [api] = resources.of("AWS::Serverless::Api").values()
    [limits] = api["MethodSettings"]
    assert (limits["ResourcePath"], limits["HttpMethod"]) == ("/*", "*")
    assert 0 < limits["ThrottlingRateLimit"] <= limits["ThrottlingBurstLimit"]
