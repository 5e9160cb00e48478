"""The final template, as it is deployed, read by every test of this folder."""

from __future__ import annotations

import copy
import json
from typing import Any

import boto3
import pytest

from infrastructure.template import full_template


class Resources:
    """A template's resources, asked by type."""

    def __init__(self, template: dict[str, Any]) -> None:
        self.template = template
        self.all: dict[str, Any] = template["Resources"]

    def of(self, kind: str) -> dict[str, Any]:
        """Properties by logical id; there has to be one, or a test that looks at all of them would look at none."""
        found = {name: each["Properties"] for name, each in self.all.items() if each["Type"] == kind}
        assert found, f"the template has no {kind}"
        return found


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    return full_template("prod")


@pytest.fixture(scope="session")
def resources(template: dict[str, Any]) -> Resources:
    return Resources(template)


@pytest.fixture(scope="session")
def translated(template: dict[str, Any]) -> Resources:
    """The same after SAM, with the rules and mappings that CloudFormation really makes."""
    return Resources(translate(template))


def translate(template: dict[str, Any]) -> dict[str, Any]:
    """What AWS makes of a SAM template."""
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    source = copy.deepcopy(template)
    for each in source["Resources"].values():
        if each["Type"] == "AWS::Serverless::Function":
            each["Properties"]["CodeUri"] = "s3://kokyaku-artifacts/prod/code.zip"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="ap-northeast-1"))
    translated = translator.translate(source, {})
    return json.loads(json.dumps(translated))  # SAM uses dictionaries of its own
