"""The seven tables: one per kind of life, each with the string keys `pk` and `sk`."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

Resource = dict[str, Any]

BY_KIND = "by_kind"


@dataclass(frozen=True)
class Table:
    """One table. `index` is (name, hash key, range key) of its only secondary index.

    `streamed`: every change is read by a relay. `expires`: items may carry `ttl`, epoch seconds. `irreplaceable`:
    nothing else holds what is in it, so it outlives its stack and can be restored to any second of 35 days.
    """

    name: str
    streamed: bool = False
    expires: bool = False
    irreplaceable: bool = True
    index: tuple[str, str, str] | None = None

    @property
    def logical_id(self) -> str:
        return f"{self.name.title()}Table"

    @property
    def variable(self) -> str:
        """The environment variable by which the code finds it."""
        return f"{self.name.upper()}_TABLE"


TABLES = (
    Table("people", streamed=True, expires=True),
    Table("activity", streamed=True, expires=True),
    # The shop sends its catalogue again, and the models are trained again.
    Table("catalog", irreplaceable=False, index=(BY_KIND, "kind", "shelf_key")),
    Table("ledger", streamed=True),
    Table("orders", streamed=True),
    Table("engagement", streamed=True, expires=True),
    Table("settings"),
)
BY_NAME = {table.name: table for table in TABLES}


def resources() -> dict[str, Resource]:
    """The CloudFormation resources of all tables, by logical id."""
    return {table.logical_id: _resource(table) for table in TABLES}


def create_table_requests(prefix: str = "kokyaku-test") -> dict[str, dict[str, Any]]:
    """Arguments of boto3's `create_table` for each table by its short name, derived from the deployed resources."""
    return {
        table.name: _request(_resource(table)["Properties"], f"{prefix}-{table.name}") for table in TABLES
    }


def _resource(table: Table) -> Resource:
    attributes = ["pk", "sk", *(table.index[1:] if table.index else ())]
    properties: dict[str, Any] = {
        "TableName": {"Fn::Sub": "${AWS::StackName}-" + table.name},
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in attributes],
        "KeySchema": _keys("pk", "sk"),
        "SSESpecification": {"SSEEnabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": table.irreplaceable},
    }
    if table.index:
        name, hash_key, range_key = table.index
        properties["GlobalSecondaryIndexes"] = [
            {
                "IndexName": name,
                "KeySchema": _keys(hash_key, range_key),
                "Projection": {"ProjectionType": "ALL"},
            }
        ]
    if table.streamed:
        properties["StreamSpecification"] = {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    if table.expires:
        properties["TimeToLiveSpecification"] = {"AttributeName": "ttl", "Enabled": True}
    if table.irreplaceable:
        properties["DeletionProtectionEnabled"] = {"Ref": "DeletionProtection"}
    policy = "RetainExceptOnCreate" if table.irreplaceable else "Delete"
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": policy,
        "UpdateReplacePolicy": "Retain" if table.irreplaceable else "Delete",
        "Properties": properties,
    }


def _keys(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]


def _request(properties: dict[str, Any], name: str) -> dict[str, Any]:
    # The API says the same as CloudFormation, in other words here and there.
    request: dict[str, Any] = {
        key: copy.deepcopy(properties[key])
        for key in ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        if key in properties
    }
    if "StreamSpecification" in properties:
        request["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    return {"TableName": name, "SSESpecification": {"Enabled": True}, **request}
