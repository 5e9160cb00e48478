"""The one template: Chalice's own, merged with everything that Chalice does not emit."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalice.cli.factory import CLIFactory
from chalice.config import Config
from chalice.deploy import models
from chalice.deploy.appgraph import ApplicationGraphBuilder, DependencyBuilder
from chalice.deploy.deployer import BaseDeployStep, BuildStage, InjectDefaults, SwaggerBuilder
from chalice.deploy.swagger import CFNSwaggerGenerator
from chalice.package import PackageOptions, ResourceBuilder, SAMTemplateGenerator, TemplateDeepMerger

from infrastructure.functions import KINDS, SCHEDULE, SERVERLESS_FUNCTION, STREAM
from infrastructure.overlay import overlay

Template = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
CODE = (
    "./deployment.zip"  # as `chalice package` writes it; the deployment puts the uploaded zip's address here
)

# What the local run does itself, through the same handlers: it would be done twice if the emulator did it too.
HANDLED_OUTSIDE = (
    SERVERLESS_FUNCTION,
    "AWS::Serverless::Api",
    "AWS::Lambda::Permission",
    "AWS::IAM::Role",
    "AWS::Logs::LogGroup",
    "AWS::CloudWatch::Alarm",
    "AWS::SNS::Topic",
)


@dataclass(frozen=True)
class Wire:
    """What wakes one function: `source` is the logical id of a table or queue, or a schedule expression.

    `attempts_max` is how often one record, message or run is tried before it becomes a dead letter in `dead_letters`
    (a logical id).
    """

    function: str
    handler: str
    kind: str
    source: str
    batch_size: int
    attempts_max: int
    dead_letters: str


def full_template(stage: str, architecture: str = "arm64") -> Template:
    """The SAM template of one stage, as it is deployed; `architecture` is `arm64` or `x86_64`. Calls nothing."""
    chalice = _chalice_template(config_of(stage, architecture))
    merged: Template = TemplateDeepMerger().merge(overlay(chalice, stage), chalice)
    return merged


def config_of(stage: str, architecture: str) -> Config:
    """Chalice's configuration of this project for one stage."""
    return CLIFactory(str(ROOT)).create_config_obj(
        chalice_stage_name=stage, user_provided_params={"lambda_architecture": architecture}
    )


def stateful_template(full: Template) -> Template:
    """Only what keeps or carries something (tables, bus, rules, queues), as plain CloudFormation for the local run."""
    resources = {
        name: resource
        for name, resource in full["Resources"].items()
        if resource["Type"] not in HANDLED_OUTSIDE
    }
    gone = set(full["Resources"]) - set(resources)
    while broken := {name for name, resource in resources.items() if references(resource) & gone}:
        gone |= broken
        resources = {name: resource for name, resource in resources.items() if name not in broken}
    used = references(resources)
    parameters = {name: body for name, body in full["Parameters"].items() if name in used}
    parameters = TemplateDeepMerger().merge({"DeletionProtection": {"Default": "false"}}, parameters)
    return copy.deepcopy(
        {
            "AWSTemplateFormatVersion": full["AWSTemplateFormatVersion"],
            "Parameters": parameters,
            "Resources": resources,
            "Outputs": {name: body for name, body in full["Outputs"].items() if not references(body) & gone},
        }
    )


def references(part: Any) -> set[str]:
    """Every logical id and parameter that a part of a template names."""
    if isinstance(part, list):
        return set().union(*map(references, part))
    if not isinstance(part, dict):
        return set()
    found = set().union(*map(references, part.values()))
    match part:
        case {"Ref": str(name)}:
            found.add(name)
        case {"Fn::GetAtt": [str(name), *_]}:
            found.add(name)
        case {"Fn::Sub": str(text)}:
            found |= _in_text(text)
        case {"Fn::Sub": [str(text), dict(own)]}:
            found |= _in_text(text) - set(own)
    return found


def _in_text(text: str) -> set[str]:
    return {name.split(".")[0] for name in re.findall(r"\$\{([^}!]+)\}", text)}


def wiring_of(full: Template) -> list[Wire]:
    """What wakes each function that is not called by HTTP, read from the full template."""
    return [
        _wire(full, logical_id, resource["Properties"], event)
        for logical_id, resource in full["Resources"].items()
        if resource["Type"] == SERVERLESS_FUNCTION
        for event in resource["Properties"].get("Events", {}).values()
    ]


def _wire(full: Template, logical_id: str, properties: Template, event: Template) -> Wire:
    kind, body = KINDS[event["Type"]], event["Properties"]
    if kind == SCHEDULE:
        invoking = properties["EventInvokeConfig"]
        dead_letters = invoking["DestinationConfig"]["OnFailure"]["Destination"]
        source, tries = body["Schedule"], 1 + invoking["MaximumRetryAttempts"]
    elif kind == STREAM:
        dead_letters = body["DestinationConfig"]["OnFailure"]["Destination"]
        source, tries = _only(body["Stream"]), 1 + body["MaximumRetryAttempts"]
    else:
        source = _only(body["Queue"])
        redrive = full["Resources"][source]["Properties"]["RedrivePolicy"]
        dead_letters, tries = redrive["deadLetterTargetArn"], redrive["maxReceiveCount"]
    return Wire(
        function=logical_id,
        handler=properties["Handler"],
        kind=kind,
        source=source,
        batch_size=body.get("BatchSize", 1),
        attempts_max=tries,
        dead_letters=_only(dead_letters),
    )


def _only(part: Any) -> str:
    [name] = references(part)
    return name


def _chalice_template(config: Config) -> Template:
    """What `chalice package` would emit, without packing the code and without asking AWS for its region."""
    resources = ResourceBuilder(
        ApplicationGraphBuilder(),
        DependencyBuilder(),
        BuildStage(steps=[InjectDefaults(), _CodeElsewhere(), SwaggerBuilder(CFNSwaggerGenerator())]),
    ).construct_resources(config, config.chalice_stage)
    template: Template = SAMTemplateGenerator(config, _Principals()).generate(resources)
    return template


class _CodeElsewhere(BaseDeployStep):
    """Names the zip that is packed separately."""

    def handle_deploymentpackage(self, _config: Config, resource: models.DeploymentPackage) -> None:
        resource.filename = CODE


class _Principals(PackageOptions):
    """Chalice asks an AWS client for these names, which needs a region and says the same."""

    def __init__(self) -> None:
        pass

    def service_principal(self, service: str) -> str:
        return f"{service}.amazonaws.com"
