"""Everything that Chalice does not emit, merged over its template."""

from __future__ import annotations

from typing import Any

from infrastructure import alarms, buckets, gateway, permissions, queues, tables
from infrastructure.functions import QUEUE, SCHEDULE, STREAM, Function, functions_of

STREAM_RETRIES = 25  # a record that cannot be read holds up its shard only so long
STREAM_SECONDS = 6 * 3600  # leaves three quarters of the stream's day to send again what was given up
SCHEDULE_RETRIES = 2
SCHEDULE_SECONDS = 600
LOG_DAYS = 30

PARAMETERS: dict[str, dict[str, Any]] = {
    "PublicUrl": {
        "Description": "Where customers reach the API; links in mails begin with it. Empty: the API's own address.",
        "Default": "",
    },
    "MailFrom": {"Description": "The sender of every mail; verified in SES, e.g. hello@shop.example."},
    "ShopName": {"Description": "How mails name the shop."},
    "ShopAddress": {"Description": "The shop's postal address, which mail law wants in promotional mail."},
    "ShopContact": {"Description": "Where customers reach the shop: a mail address or a telephone number."},
    "ShopCountry": {
        "Description": "ISO 3166 code of the country where telephone numbers without a country code are dialled.",
        "Default": "JP",
        "AllowedPattern": "[A-Z]{2}",
    },
    "AlarmEmail": {"Description": "Who is told when something needs a person. Empty: nobody.", "Default": ""},
    "DeletionProtection": {
        "Description": "Whether tables that hold what nothing else holds refuse to be deleted.",
        "Default": "true",
        "AllowedValues": ["true", "false"],
    },
}


def keyring_of(stage: str) -> str:
    """Name of the SSM parameter that holds the stage's signing keys."""
    return f"/kokyaku/{stage}/keyring"


def overlay(chalice: dict[str, Any], stage: str) -> dict[str, Any]:
    """What to merge over Chalice's template of the same stage."""
    functions = functions_of(chalice)
    woken = [function for function in functions if function.event]
    resources: dict[str, Any] = tables.resources() | buckets.resources()
    resources |= queues.rules(woken) | queues.queues(woken)
    for function in functions:
        resources |= _of_function(function, stage)
    resources["RestAPI"] = {"Properties": gateway.properties(stage)}
    resources |= alarms.alarms(functions, gateway.name(stage))
    return {
        "Description": f"Kokyaku, stage {stage}",
        "Parameters": {name: {"Type": "String", **body} for name, body in PARAMETERS.items()},
        "Conditions": alarms.CONDITIONS,
        "Globals": {"Function": {"Environment": {"Variables": _variables(stage)}}},
        "Resources": resources,
        "Outputs": {
            table.logical_id: {"Value": {"Ref": table.logical_id}, "Description": f"The {table.name} table"}
            for table in tables.TABLES
        }
        | {"Bus": {"Value": {"Ref": "Bus"}, "Description": "The bus that carries facts"}},
    }


def _variables(stage: str) -> dict[str, Any]:
    return {table.variable: {"Ref": table.logical_id} for table in tables.TABLES} | {
        # There are none, and looking for them reads the metadata of every package at each cold start.
        "PYDANTIC_DISABLE_PLUGINS": "true",
        "KOKYAKU_STAGE": stage,
        "KOKYAKU_BUS": {"Ref": "Bus"},
        buckets.VARIABLE: {"Ref": buckets.EXPORTS},
        "KOKYAKU_KEYRING": keyring_of(stage),
        "KOKYAKU_PUBLIC_URL": {"Ref": "PublicUrl"},
        "KOKYAKU_MAIL_FROM": {"Ref": "MailFrom"},
        "KOKYAKU_SHOP_NAME": {"Ref": "ShopName"},
        "KOKYAKU_SHOP_ADDRESS": {"Ref": "ShopAddress"},
        "KOKYAKU_SHOP_CONTACT": {"Ref": "ShopContact"},
        "KOKYAKU_SHOP_COUNTRY": {"Ref": "ShopCountry"},
    }


def _of_function(function: Function, stage: str) -> dict[str, Any]:
    name, log, role = function.logical_id, f"{function.logical_id}Log", f"{function.logical_id}Role"
    grant = permissions.GRANTS.get(function.name, permissions.Grant())
    properties: dict[str, Any] = {
        "Role": _arn(role),
        # Its own log group, made before it: one that Lambda makes on the first call would be kept for ever.
        "LoggingConfig": {"LogGroup": {"Ref": log}},
    }
    if function.event:
        properties["Events"] = {function.event: {"Properties": _event(function)}}
    if function.kind == SCHEDULE:
        properties["EventInvokeConfig"] = {
            "MaximumRetryAttempts": SCHEDULE_RETRIES,
            "MaximumEventAgeInSeconds": SCHEDULE_SECONDS,
            "DestinationConfig": {"OnFailure": _failures(function)},
        }
    return {
        name: {"Properties": properties},
        role: permissions.role(function, grant, keyring_of(stage)),
        log: {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": {"Fn::Sub": "/kokyaku/${AWS::StackName}/" + function.name},
                "RetentionInDays": LOG_DAYS,
            },
        },
    }


def _event(function: Function) -> dict[str, Any]:
    """What wakes the function, and what happens when it fails."""
    if function.kind == QUEUE:
        return {
            # Chalice says Fn::Sub here, and merging two different intrinsics would leave both.
            "Queue": {"Fn::Sub": f"${{{queues.queue_of(function.source)}.Arn}}"},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        }
    if function.kind == STREAM:
        return {
            "Stream": {"Fn::GetAtt": [tables.BY_NAME[function.source].logical_id, "StreamArn"]},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "BisectBatchOnFunctionError": True,
            "MaximumRetryAttempts": STREAM_RETRIES,
            "MaximumRecordAgeInSeconds": STREAM_SECONDS,
            "DestinationConfig": {"OnFailure": _failures(function)},
        }
    return {
        "RetryPolicy": {
            "MaximumRetryAttempts": SCHEDULE_RETRIES,
            "MaximumEventAgeInSeconds": SCHEDULE_SECONDS,
        },
        "DeadLetterConfig": {"Arn": _arn(queues.dead_letters_of(function))},
    }


def _failures(function: Function) -> dict[str, Any]:
    return {"Type": "SQS", "Destination": _arn(queues.dead_letters_of(function))}


def _arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}
