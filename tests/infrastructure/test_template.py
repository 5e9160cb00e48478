"""The template as a whole: CloudFormation takes it, and the local run gets its part of the same one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from infrastructure import alarms
from infrastructure.tables import create_table_requests
from infrastructure.template import ROOT, references, stateful_template

PSEUDO = "AWS::"


@pytest.mark.parametrize("form", ["sam", "translated", "stateful"])
def test_cfn_lint_finds_nothing(form: str, template: dict[str, Any], translated: Any) -> None:
    forms = {"sam": template, "translated": translated.template, "stateful": stateful_template(template)}
    found = lint(json.dumps(forms[form]), config=ManualArgs(regions=["ap-northeast-1", "us-east-1"]))
    assert not found


def test_every_name_in_the_template_is_defined(template: dict[str, Any]) -> None:
    defined = set(template["Resources"]) | set(template["Parameters"])
    named = references(
        [template["Resources"], template["Outputs"], template["Globals"], template["Conditions"]]
    )
    assert {name for name in named if not name.startswith(PSEUDO)} - defined == set()
    assert set(template["Parameters"]) <= named


def test_the_local_run_has_what_keeps_and_carries_and_nothing_that_handles(template: dict[str, Any]) -> None:
    local = stateful_template(template)
    kinds = {each["Type"] for each in local["Resources"].values()}
    assert kinds == {
        "AWS::DynamoDB::Table",
        "AWS::Events::EventBus",
        "AWS::Events::Rule",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
    }
    for name, resource in local["Resources"].items():
        assert resource == template["Resources"][name], "the local run has no second definition of anything"
    named = {
        name for name in references([local["Resources"], local["Outputs"]]) if not name.startswith(PSEUDO)
    }
    assert named <= set(local["Resources"]) | set(local["Parameters"])
    assert all("Default" in each for each in local["Parameters"].values())
    assert "Transform" not in local


def test_the_local_run_has_every_table_queue_and_rule_of_the_bus(template: dict[str, Any]) -> None:
    local = stateful_template(template)["Resources"]
    for name, resource in template["Resources"].items():
        if resource["Type"] in ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Events::Rule"):
            assert name in local


def test_unit_tests_use_the_deployed_tables(template: dict[str, Any]) -> None:
    for name, request in create_table_requests().items():
        deployed = template["Resources"][f"{name.title()}Table"]["Properties"]
        for member in ("KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes"):
            assert request.get(member) == deployed.get(member), name
        assert ("StreamSpecification" in request) == ("StreamSpecification" in deployed)


def test_every_alarm_leads_to_a_page_that_says_what_to_do(translated: Any) -> None:
    headings = {
        line.lstrip("#").strip().lower().replace(" ", "-")
        for line in (ROOT / alarms.RUNBOOKS).read_text().splitlines()
        if line.startswith("## ")
    }
    linked = {
        alarm["AlarmDescription"].rsplit(f"{alarms.RUNBOOKS}#", 1)[1]
        for alarm in translated.of("AWS::CloudWatch::Alarm").values()
    }
    assert linked
    assert linked <= headings
