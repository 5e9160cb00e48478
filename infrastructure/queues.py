"""Queues: one per room that hears facts, and a dead letter queue behind everything that can fail."""

from __future__ import annotations

from typing import Any

from infrastructure.functions import QUEUE, SCHEDULE, STREAM, Function
from infrastructure.wiring import HEARD, Heard

Resources = dict[str, dict[str, Any]]

RECEIVED_MAX = 5  # then it is a dead letter
VISIBLE_AFTER_TIMEOUTS = 6  # what Lambda asks for, so that a throttled batch is not given out twice
DEAD_LETTER_SECONDS = 14 * 24 * 3600  # the longest SQS keeps anything
BUS_RETRIES = 185  # with backoff these take a day
BUS_SECONDS = 24 * 3600


def queue_of(room: str) -> str:
    """Logical id of the queue that brings a room its facts."""
    return f"{room.title()}Queue"


def dead_letters_of(function: Function) -> str:
    """Logical id of the queue that keeps what a function could not do."""
    owner = function.source.title() if function.kind == QUEUE else function.logical_id
    return f"{owner}DeadLetters"


def queues(functions: list[Function]) -> Resources:
    """Queues, dead letter queues and their policies for every function that is not called by HTTP."""
    found: Resources = {}
    for function in functions:
        dead_letters = dead_letters_of(function)
        if function.kind == QUEUE:
            rules = [rule_of(function.source, heard) for heard in HEARD[function.source]]
            found |= _queue(queue_of(function.source), function.timeout_seconds, dead_letters)
            found |= _policy(queue_of(function.source), [_arn(rule) for rule in rules])
            found |= _dead_letters(dead_letters) | _policy(dead_letters, [_arn(rule) for rule in rules])
        elif function.kind == STREAM:
            found |= _dead_letters(dead_letters) | _policy(dead_letters, [])
        elif function.kind == SCHEDULE:
            # The rule is made by SAM and needs this queue, so it can only be named by how its name begins.
            rule = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${AWS::StackName}-"
            found |= _dead_letters(dead_letters)
            found |= _policy(dead_letters, [{"Fn::Sub": f"{rule}{function.logical_id}*"}])
    return found


def rules(functions: list[Function]) -> Resources:
    """The bus and its rules: which facts go to which room's queue."""
    found: Resources = {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": {"Ref": "AWS::StackName"}}}
    }
    for function in functions:
        if function.kind == QUEUE:
            for heard in HEARD[function.source]:
                found[rule_of(function.source, heard)] = _rule(function, heard)
    return found


def rule_of(room: str, heard: Heard) -> str:
    """Logical id of the rule that lets a room hear one fact type."""
    return f"{room.title()}Hears{heard.logical_name}"


def _rule(function: Function, heard: Heard) -> dict[str, Any]:
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Description": f"{function.source} hears {heard.fact}",
            "EventBusName": {"Ref": "Bus"},
            "EventPattern": heard.pattern(),
            "Targets": [
                {
                    "Id": function.source,
                    "Arn": _arn(queue_of(function.source)),
                    "DeadLetterConfig": {"Arn": _arn(dead_letters_of(function))},
                    "RetryPolicy": {
                        "MaximumRetryAttempts": BUS_RETRIES,
                        "MaximumEventAgeInSeconds": BUS_SECONDS,
                    },
                }
            ],
        },
    }


def _queue(logical_id: str, timeout_seconds: int, dead_letters: str) -> Resources:
    return {
        logical_id: {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "VisibilityTimeout": VISIBLE_AFTER_TIMEOUTS * timeout_seconds,
                "RedrivePolicy": {"deadLetterTargetArn": _arn(dead_letters), "maxReceiveCount": RECEIVED_MAX},
                "SqsManagedSseEnabled": True,
            },
        }
    }


def _dead_letters(logical_id: str) -> Resources:
    return {
        logical_id: {
            "Type": "AWS::SQS::Queue",
            "Properties": {"MessageRetentionPeriod": DEAD_LETTER_SECONDS, "SqsManagedSseEnabled": True},
        }
    }


def _policy(queue: str, senders: list[dict[str, Any]]) -> Resources:
    """TLS only; EventBridge may send on behalf of these rules. Functions send by their own roles."""
    statements: list[dict[str, Any]] = [
        {
            "Sid": "OnlyEncrypted",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": _arn(queue),
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    if senders:
        statements.append(
            {
                "Sid": "OnlyFromItsRules",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": _arn(queue),
                "Condition": {"ArnLike": {"aws:SourceArn": senders}},
            }
        )
    return {
        f"{queue}Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": queue}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
            },
        }
    }


def _arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}
