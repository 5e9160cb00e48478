"""Least privilege, encryption, and nothing that one careless click could lose."""

from __future__ import annotations

import os
from typing import Any

import pytest

from chalicelib.shared.config import TABLES, config
from infrastructure.functions import functions_of
from infrastructure.permissions import GRANTS
from infrastructure.template import references

STREAMED = {"PeopleTable", "ActivityTable", "OrdersTable", "LedgerTable", "EngagementTable"}
EXPIRING = {"PeopleTable", "ActivityTable", "EngagementTable"}
REPLACEABLE = {"CatalogTable"}


def _statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]


def test_each_function_has_a_role_of_its_own(resources: Any) -> None:
    functions = resources.of("AWS::Serverless::Function")
    roles = [references(each["Role"]) for each in functions.values()]
    assert sorted(name for [name] in map(list, roles)) == sorted(resources.of("AWS::IAM::Role"))


def test_no_action_and_no_resource_is_a_star(resources: Any) -> None:
    for name, role in resources.of("AWS::IAM::Role").items():
        for statement in _statements(role):
            assert statement["Effect"] == "Allow"
            assert all("*" not in action for action in statement["Action"]), name
            for resource in statement["Resource"]:
                assert references(resource) - {"AWS::Partition"}, f"{name}: {resource} names nothing of ours"


def test_no_role_reads_or_deletes_a_whole_table_but_the_run_that_passes_by_everybody(resources: Any) -> None:
    roles = resources.of("AWS::IAM::Role")
    actions = {
        name: {action for each in _statements(role) for action in each["Action"]}
        for name, role in roles.items()
    }
    whole = {"dynamodb:DeleteTable", "dynamodb:PartiQLSelect", "dynamodb:UpdateTable"}
    assert not [name for name, each in actions.items() if each & whole]
    assert [name for name, each in actions.items() if "dynamodb:Scan" in each] == ["LoyaltyDailyRole"]
    [scanning] = [
        each for each in _statements(roles["LoyaltyDailyRole"]) if "dynamodb:Scan" in each["Action"]
    ]
    assert [list(references(each)) for each in scanning["Resource"]] == [["LedgerTable"], ["PeopleTable"]]


def test_every_function_is_granted_something_by_name(template: dict[str, Any]) -> None:
    assert set(GRANTS) == {function.name for function in functions_of(template)}


def test_no_function_has_an_address_of_its_own(resources: Any, translated: Any) -> None:
    assert all("FunctionUrlConfig" not in each for each in resources.of("AWS::Serverless::Function").values())
    assert not [each for each in translated.all.values() if each["Type"] == "AWS::Lambda::Url"]


def test_the_seven_tables_are_encrypted(resources: Any) -> None:
    tables = resources.of("AWS::DynamoDB::Table")
    assert set(tables) == {f"{name.title()}Table" for name in TABLES}
    for name, table in tables.items():
        assert table["SSESpecification"] == {"SSEEnabled": True}, name
        assert table["BillingMode"] == "PAY_PER_REQUEST", name


def test_what_nothing_else_holds_can_be_restored_and_hardly_be_lost(resources: Any) -> None:
    for name in set(resources.of("AWS::DynamoDB::Table")) - REPLACEABLE:
        table = resources.all[name]
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["Properties"]["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
        assert table["DeletionPolicy"] == "RetainExceptOnCreate"
        assert table["UpdateReplacePolicy"] == "Retain"
    assert resources.template["Parameters"]["DeletionProtection"]["Default"] == "true"


def test_streams_and_expiry_are_where_the_code_expects_them(resources: Any) -> None:
    tables = resources.of("AWS::DynamoDB::Table")
    assert {name for name, each in tables.items() if "StreamSpecification" in each} == STREAMED
    assert {tables[name]["StreamSpecification"]["StreamViewType"] for name in STREAMED} == {
        "NEW_AND_OLD_IMAGES"
    }
    assert {name for name, each in tables.items() if "TimeToLiveSpecification" in each} == EXPIRING
    assert {tables[name]["TimeToLiveSpecification"]["AttributeName"] for name in EXPIRING} == {"ttl"}


def test_the_ledger_has_no_index(resources: Any) -> None:
    assert "GlobalSecondaryIndexes" not in resources.of("AWS::DynamoDB::Table")["LedgerTable"]


def test_every_queue_is_encrypted_and_refuses_plain_http(resources: Any) -> None:
    queues = resources.of("AWS::SQS::Queue")
    assert all(each["SqsManagedSseEnabled"] is True for each in queues.values())
    refused = set()
    for policy in resources.of("AWS::SQS::QueuePolicy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny" and statement["Principal"] == "*":
                assert statement["Action"] == "sqs:*"
                assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                refused |= references(statement["Resource"])
    assert refused == set(queues)


def test_only_its_own_rules_may_send_to_a_queue(resources: Any) -> None:
    for policy in resources.of("AWS::SQS::QueuePolicy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                assert statement["Action"] == "sqs:SendMessage"
                assert list(statement["Condition"]) == ["ArnLike"]
                assert all(references(each) for each in statement["Condition"]["ArnLike"]["aws:SourceArn"])


def test_the_bucket_is_private_encrypted_and_soon_empty(resources: Any) -> None:
    [bucket] = resources.of("AWS::S3::Bucket").values()
    [policy] = resources.of("AWS::S3::BucketPolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]

    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert [rule["ExpirationInDays"] for rule in bucket["LifecycleConfiguration"]["Rules"]] == [7]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2, "the bucket and what is in it"


def test_every_function_writes_to_a_log_that_ends(resources: Any) -> None:
    logs = resources.of("AWS::Logs::LogGroup")
    for name, function in resources.of("AWS::Serverless::Function").items():
        [log] = references(function["LoggingConfig"]["LogGroup"])
        assert 1 <= logs[log]["RetentionInDays"] <= 90, name


def test_the_template_holds_no_secret(template: dict[str, Any]) -> None:
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["KOKYAKU_KEYRING"] == "/kokyaku/prod/keyring"  # the name of the secret, not the secret
    assert not [name for name in variables if "SECRET" in name or "PASSWORD" in name or "TOKEN" in name]


def test_the_code_finds_every_setting_it_reads(
    template: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    for name in [name for name in os.environ if name.startswith("KOKYAKU_") or name.endswith("_TABLE")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value if isinstance(value, str) else f"resolved:{value}")
    config.cache_clear()
    try:
        assert config().stage == "prod"
        assert not config().is_embedded
        assert set(config().tables) == set(TABLES)
    finally:
        config.cache_clear()
