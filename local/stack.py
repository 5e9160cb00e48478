"""The embedded stack: created from the template that is deployed, and found again after a restart."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.shared import aws
from chalicelib.shared.config import EMBEDDED
from infrastructure.template import Wire, full_template, stateful_template, wiring_of
from local.emulator import CREDENTIALS, REGION
from local.settings import Stop

NAME = "kokyaku"
WAIT_SECONDS_MAX = 60

# What the template leaves to whoever deploys it. The data here is a game: nothing protects it from `make reset`.
PARAMETERS = {
    "MailFrom": "hello@shop.example.com",
    "ShopName": "Kokyaku Demo Shop",
    "ShopAddress": "1-1 Chiyoda, Chiyoda-ku, Tokyo 100-0001, Japan",
    "ShopContact": "help@shop.example.com",
    "DeletionProtection": "false",
}


@dataclass(frozen=True)
class Stack:
    """The resources that stand, by logical id, and what wakes which handler."""

    resources: Mapping[str, str]
    environment: Mapping[str, str]
    wires: tuple[Wire, ...]


def reach(endpoint: str) -> None:
    """Let this process, and everything it starts, know the embedded AWS and no other."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            del os.environ[name]
    os.environ |= CREDENTIALS | {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    }


def stand(public_url: str) -> Stack:
    """Make the stack be what the template says, and set the variables the deployed functions would have."""
    full = full_template(EMBEDDED)
    template = stateful_template(full)
    _apply(template, PARAMETERS)
    _verify_sender()
    resources = _resources()
    environment = _variables(full, resources | PARAMETERS | {"PublicUrl": public_url})
    os.environ |= environment
    return Stack(resources, environment, tuple(wiring_of(full)))


def _apply(template: Mapping[str, Any], values: Mapping[str, str]) -> None:
    body = json.dumps(template, sort_keys=True)
    mark = hashlib.sha256(body.encode()).hexdigest()
    parameters = [
        {"ParameterKey": name, "ParameterValue": values[name]}
        for name, parameter in template.get("Parameters", {}).items()
        if name in values or "Default" not in parameter
    ]
    request = {
        "StackName": NAME,
        "TemplateBody": body,
        "Parameters": parameters,
        "Tags": [{"Key": "template", "Value": mark}],
    }
    standing = _describe()
    if standing is None:
        aws.client("cloudformation").create_stack(**request)
        _await("CREATE_COMPLETE")
    elif {"Key": "template", "Value": mark} not in standing.get("Tags", []):
        try:
            aws.client("cloudformation").update_stack(**request)
        except ClientError as error:
            if "No updates" not in str(error):
                raise _incompatible(str(error)) from error
        _await("UPDATE_COMPLETE")


def _describe() -> dict[str, Any] | None:
    try:
        [stack] = aws.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    found: dict[str, Any] = stack
    return found


def _await(wanted: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    status = ""
    while time.monotonic() < deadline:
        stack = _describe()
        status = stack["StackStatus"] if stack else "gone"
        if status == wanted:
            return
        if not status.endswith("_IN_PROGRESS"):
            break
        time.sleep(0.05)
    raise _incompatible(f"the stack is {status}: {_first_failure()}")


def _first_failure() -> str:
    events = aws.client("cloudformation").describe_stack_events(StackName=NAME)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    return (
        f"{failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason', '')}" if failed else ""
    )


def _incompatible(reason: str) -> Stop:
    return Stop(f"What is stored here does not fit this version ({reason}): `make reset` forgets it.")


def _resources() -> dict[str, str]:
    pages = aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=NAME)
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
    }


def _variables(full: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """The variables of the deployed functions, with `values` for what they name, else the template's defaults."""
    variables = full["Globals"]["Function"]["Environment"]["Variables"]
    parameters = full.get("Parameters", {}).items()
    known = {name: body["Default"] for name, body in parameters if "Default" in body} | dict(values)
    return {name: known[said["Ref"]] if isinstance(said, dict) else said for name, said in variables.items()}


def _verify_sender() -> None:
    try:
        aws.client("sesv2").create_email_identity(EmailIdentity=PARAMETERS["MailFrom"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
