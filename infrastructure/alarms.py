"""What wakes a person: facts given up, functions that fail, streams that fall behind, answers of 5xx.

Each alarm costs ten cents a month, so none says what another says already: a queue or stream function that fails as a
whole shows in its dead letters and its stream's age.
"""

from __future__ import annotations

from typing import Any

from infrastructure.functions import API, QUEUE, SCHEDULE, STREAM, Function
from infrastructure.queues import dead_letters_of

RUNBOOKS = "docs/runbooks/README.md"
ITERATOR_AGE_MS = 15 * 60 * 1000
SERVER_ERRORS = 5
FUNCTION_ERRORS = 3
PERIOD_SECONDS = 300

CONDITIONS = {"HasAlarmEmail": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]}}


def alarms(functions: list[Function], api_name: str) -> dict[str, Any]:
    """The alarms and the topic that carries them to a person."""
    # CloudWatch may not use a topic encrypted with the account's standard key; an alarm names no customer.
    found: dict[str, Any] = {
        "Alarms": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"DisplayName": {"Ref": "AWS::StackName"}},
        },
        "AlarmsByEmail": {
            "Type": "AWS::SNS::Subscription",
            "Condition": "HasAlarmEmail",
            "Properties": {
                "TopicArn": {"Ref": "Alarms"},
                "Protocol": "email",
                "Endpoint": {"Ref": "AlarmEmail"},
            },
        },
        "ServerErrorsAlarm": _alarm(
            "server-errors",
            "The API answered 5xx",
            ("AWS/ApiGateway", "5XXError", [_dimension("ApiName", api_name)]),
            threshold=SERVER_ERRORS,
        ),
    }
    for function in functions:
        found |= _of_function(function)
    return found


def _of_function(function: Function) -> dict[str, Any]:
    logical_id = function.logical_id
    dimensions = [_dimension("FunctionName", {"Ref": logical_id})]
    found = {}
    if function.kind in (API, SCHEDULE):
        found[f"{logical_id}ErrorsAlarm"] = _alarm(
            "function-errors",
            f"{function.name} failed as a whole",
            ("AWS/Lambda", "Errors", dimensions),
            threshold=FUNCTION_ERRORS,
        )
    if function.kind == STREAM:
        found[f"{logical_id}AgeAlarm"] = _alarm(
            "iterator-age",
            f"{function.name} is behind its table",
            ("AWS/Lambda", "IteratorAge", dimensions),
            threshold=ITERATOR_AGE_MS,
            statistic="Maximum",
        )
    if function.event:
        queue = dead_letters_of(function)
        what = f"the queue of {function.source}" if function.kind == QUEUE else function.name
        found[f"{queue}Alarm"] = _alarm(
            "dead-letters",
            f"Something was given up by {what}",
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible", [_dimension("QueueName", _name(queue))]),
            threshold=1,
            statistic="Maximum",
        )
    return found


def _alarm(
    runbook: str,
    sentence: str,
    metric: tuple[str, str, list[dict[str, Any]]],
    *,
    threshold: int,
    statistic: str = "Sum",
) -> dict[str, Any]:
    namespace, name, dimensions = metric
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": f"{sentence}. What to do: {RUNBOOKS}#{runbook}",
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": dimensions,
            "Statistic": statistic,
            "Period": PERIOD_SECONDS,
            "EvaluationPeriods": 1,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "Alarms"}],
        },
    }


def _dimension(name: str, value: Any) -> dict[str, Any]:
    return {"Name": name, "Value": value}


def _name(queue: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [queue, "QueueName"]}
