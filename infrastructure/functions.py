"""The Lambda functions as Chalice describes them: which code runs, and what wakes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

API, QUEUE, STREAM, SCHEDULE = "api", "queue", "stream", "schedule"
API_LOGICAL_ID = "APIHandler"

SERVERLESS_FUNCTION = "AWS::Serverless::Function"
KINDS = {"SQS": QUEUE, "DynamoDB": STREAM, "Schedule": SCHEDULE}


@dataclass(frozen=True)
class Function:
    """One function of Chalice's template.

    `source` is what its decorator names: a room (queue), a table's short name (stream) or an expression (schedule).
    """

    logical_id: str
    handler: str  # "module.attribute"
    timeout_seconds: int
    kind: str = API
    event: str = ""  # the logical name of its event inside the function
    source: str = ""

    @property
    def name(self) -> str:
        """The function's own name in the code, e.g. `loyalty_on_facts`."""
        return "api" if self.kind == API else self.handler.rsplit(".", 1)[-1]


def functions_of(template: dict[str, Any]) -> list[Function]:
    """Every function of the SAM template that Chalice emits, the API's included."""
    return [
        _function(logical_id, resource["Properties"])
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == SERVERLESS_FUNCTION
    ]


def _function(logical_id: str, properties: dict[str, Any]) -> Function:
    function = Function(logical_id, properties["Handler"], properties["Timeout"])
    if logical_id == API_LOGICAL_ID:
        return function
    [(event, body)] = properties["Events"].items()
    kind = KINDS[body["Type"]]
    return Function(
        logical_id, function.handler, function.timeout_seconds, kind, event, _source(kind, body["Properties"])
    )


def _source(kind: str, event: dict[str, Any]) -> str:
    if kind == QUEUE:
        # Chalice makes an ARN of the queue's name, which for us is the room's.
        return str(event["Queue"]["Fn::Sub"].rsplit(":", 1)[-1])
    return str(event["Stream"] if kind == STREAM else event["Schedule"])
