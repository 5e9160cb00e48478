"""What each function may do: one role each, with the actions and tables its code uses and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infrastructure import buckets
from infrastructure.functions import QUEUE, SCHEDULE, STREAM, Function
from infrastructure.queues import dead_letters_of, queue_of
from infrastructure.tables import BY_NAME

READ = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
# A write may hang on an item that stays as it is.
WRITE = ("dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
REMOVE = ("dynamodb:DeleteItem",)
LOAD = ("dynamodb:BatchWriteItem",)  # can write anything and delete anything, so only who needs it
SCAN = ("dynamodb:Scan",)  # reads everything, so only a run that has to pass by everybody
STORE, FETCH, DELETE = "s3:PutObject", "s3:GetObject", "s3:DeleteObject"

KEYRING_ARN = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter"


@dataclass(frozen=True)
class Grant:
    """What one function's code uses beside its own event source and log. Tables by their short names."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    loads: tuple[str, ...] = ()  # many items at once
    scans: tuple[str, ...] = ()  # all items, page by page
    publishes: bool = False  # puts facts on the bus
    mails: bool = False
    files: tuple[str, ...] = ()  # what it does with the documents people take along
    signs: bool = False  # reads the key ring: tokens, cursors, links


# Taking away and taking along touch every room that keeps something of a person.
PRIVACY = Grant(
    reads=("activity", "engagement", "ledger", "orders", "people"),
    writes=("engagement", "ledger", "orders", "people"),
    removes=("engagement", "ledger", "orders", "people"),
    loads=("activity", "engagement", "ledger", "orders"),
    files=(STORE, DELETE),
)

GRANTS: dict[str, Grant] = {
    "api": Grant(
        reads=tuple(BY_NAME),
        writes=tuple(BY_NAME),
        removes=("catalog", "orders", "people", "settings"),
        loads=("catalog",),
        signs=True,
        files=(FETCH,),  # the links it signs can do what it may
    ),
    "activity_relay": Grant(publishes=True),
    "engagement_relay": Grant(publishes=True),
    "ledger_relay": Grant(publishes=True),
    "orders_relay": Grant(publishes=True),
    "people_relay": Grant(publishes=True),
    "activity_on_facts": Grant(reads=("activity", "people"), writes=("activity",)),
    "campaigns_on_facts": Grant(reads=("people",), writes=("engagement",)),
    "loyalty_on_facts": Grant(
        reads=("catalog", "ledger", "orders", "people", "settings"), writes=("ledger",)
    ),
    "loyalty_daily": Grant(
        reads=("ledger", "people", "settings"),
        writes=("ledger", "people", "settings"),  # a gift may bring a coupon
        scans=("ledger", "people"),
    ),
    "messages_on_facts": Grant(reads=("engagement", "people"), writes=("engagement",), mails=True),
    "orders_on_facts": Grant(reads=("orders", "people"), writes=("orders",), removes=("orders",)),
    "questions_on_facts": Grant(reads=("ledger", "people", "settings"), writes=("ledger", "people")),
    "privacy_on_facts": PRIVACY,
    "privacy_tick": PRIVACY,
    "campaigns_tick": Grant(
        reads=("engagement", "people"),
        writes=("engagement",),
        removes=("engagement",),
        mails=True,
        signs=True,
    ),
}


def role(function: Function, grant: Grant, keyring: str) -> dict[str, Any]:
    """The IAM role of one function. `keyring` is the name of the key ring's parameter."""
    statements = [
        _allow(["logs:CreateLogStream", "logs:PutLogEvents"], [_arn(f"{function.logical_id}Log")]),
        *_source_statements(function),
        *_grant_statements(grant, keyring),
    ]
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            "Policies": [
                {
                    "PolicyName": function.name,
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                }
            ],
        },
    }


def _source_statements(function: Function) -> list[dict[str, Any]]:
    if function.kind == QUEUE:
        actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        return [_allow(actions, [_arn(queue_of(function.source))])]
    statements = []
    if function.kind in (STREAM, SCHEDULE):
        statements.append(_allow(["sqs:SendMessage"], [_arn(dead_letters_of(function))]))
    if function.kind == STREAM:
        table = BY_NAME[function.source].logical_id
        actions = [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ]
        statements.append(_allow(actions, [{"Fn::Sub": f"${{{table}.Arn}}/stream/*"}]))
    return statements


def _grant_statements(grant: Grant, keyring: str) -> list[dict[str, Any]]:
    statements = []
    on_tables = (
        (READ, grant.reads),
        (WRITE, grant.writes),
        (REMOVE, grant.removes),
        (LOAD, grant.loads),
        (SCAN, grant.scans),
    )
    for actions, names in on_tables:
        if names:
            indexes = _indexes(names) if actions is READ else []
            statements.append(_allow([*actions], [*map(_table_arn, names), *indexes]))
    if grant.publishes:
        statements.append(_allow(["events:PutEvents"], [_arn("Bus")]))
    if grant.mails:
        identities = {"Fn::Sub": "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*"}
        statements.append(_allow(["ses:SendEmail"], [identities]))
    if grant.files:
        statements.append(_allow([*grant.files], [buckets.documents()]))
    if grant.signs:
        statements.append(_allow(["ssm:GetParameter"], [{"Fn::Sub": KEYRING_ARN + keyring}]))
    return statements


def _indexes(names: tuple[str, ...]) -> list[dict[str, Any]]:
    tables = map(BY_NAME.__getitem__, names)
    return [{"Fn::Sub": f"${{{each.logical_id}.Arn}}/index/{each.index[0]}"} for each in tables if each.index]


def _table_arn(name: str) -> dict[str, Any]:
    return _arn(BY_NAME[name].logical_id)


def _arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def _allow(actions: list[str], resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}
