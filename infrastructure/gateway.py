"""The API at its edge: limits, and the house's own error shape for what the gateway answers by itself."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.shared import problems
from chalicelib.shared.http import SAFETY_HEADERS

REQUESTS_PER_SECOND = 500  # of the whole API; a shop that needs more raises it here
REQUESTS_BURST = 1000

# Each answer that API Gateway can give alone -> status, code and title of the house's problem.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
ANSWERS: dict[str, tuple[int, str, str]] = {
    "ACCESS_DENIED": (403, *problems.TITLES[403]),
    "BAD_REQUEST_BODY": (400, *problems.TITLES[400]),
    "BAD_REQUEST_PARAMETERS": (400, *problems.TITLES[400]),
    "EXPIRED_TOKEN": (403, *problems.TITLES[403]),
    "INTEGRATION_FAILURE": (502, *problems.TITLES[500]),
    "INTEGRATION_TIMEOUT": (504, "timeout", "This took too long"),
    "INVALID_API_KEY": (403, *problems.TITLES[403]),
    "INVALID_SIGNATURE": (403, *problems.TITLES[403]),
    # An unknown path and a wrong method look alike to the gateway: it says that a signature is missing.
    "MISSING_AUTHENTICATION_TOKEN": (404, *problems.TITLES[404]),
    "QUOTA_EXCEEDED": (429, "too-many-requests", "Too many requests"),
    "REQUEST_TOO_LARGE": (413, *problems.TITLES[413]),
    "RESOURCE_NOT_FOUND": (404, *problems.TITLES[404]),
    "THROTTLED": (429, "too-many-requests", "Too many requests"),
    "UNAUTHORIZED": (401, "unauthorized", "The caller is not known"),
    "UNSUPPORTED_MEDIA_TYPE": (415, *problems.TITLES[415]),
    "WAF_FILTERED": (403, *problems.TITLES[403]),
    # What is not named above.
    "DEFAULT_4XX": (400, *problems.TITLES[400]),
    "DEFAULT_5XX": (500, *problems.TITLES[500]),
}
RETRY_AFTER_SECONDS = {"THROTTLED": 1, "QUOTA_EXCEEDED": 60}


def name(stage: str) -> str:
    """The API's name, by which its metrics are kept."""
    return f"kokyaku-{stage}"


def properties(stage: str) -> dict[str, Any]:
    """What Chalice's `RestAPI` lacks."""
    return {
        "Name": name(stage),
        "Description": f"Kokyaku, stage {stage}",
        "GatewayResponses": {kind: _answer(kind, *answer) for kind, answer in ANSWERS.items()},
        "MethodSettings": [
            {
                "HttpMethod": "*",
                "ResourcePath": "/*",
                "ThrottlingRateLimit": REQUESTS_PER_SECOND,
                "ThrottlingBurstLimit": REQUESTS_BURST,
            }
        ],
    }


def _answer(kind: str, status: int, code: str, title: str) -> dict[str, Any]:
    body = problems.document(status, code, title, "", "$context.requestId")
    headers = SAFETY_HEADERS | {"Content-Type": problems.MEDIA_TYPE}
    if kind in RETRY_AFTER_SECONDS:
        headers = headers | {"Retry-After": str(RETRY_AFTER_SECONDS[kind])}
    return {
        "StatusCode": status,
        "ResponseParameters": {
            "Headers": {
                **{name: f"'{value}'" for name, value in headers.items()},
                "X-Correlation-Id": "context.requestId",
            }
        },
        "ResponseTemplates": {"application/json": json.dumps(body)},
    }
