"""A stage deployed to the emulated AWS as a person deploys one, with each function's role enforced."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from infrastructure.template import ROOT
from local.emulator import CREDENTIALS, REGION, Emulator
from local.settings import read as read_settings

STAGE = "test"
STACK = f"kokyaku-{STAGE}"
DEADLINE_SECONDS = 60
SETTINGS = {
    "MAIL_FROM": "hello@shop.example",
    "SHOP_NAME": "Test Shop",
    "SHOP_ADDRESS": "1-1 Chiyoda, Tokyo 100-0001",
    "SHOP_CONTACT": "help@shop.example",
}


class StrictAws(Emulator):
    """The embedded AWS with its door keeper awake: signatures and roles count."""

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"AUTH": "true", "PERSIST_STATE": "0"}


@dataclass(frozen=True)
class Deployment:
    """What a person has after `make deploy`."""

    aws: StrictAws
    environment: dict[str, str]
    said: str
    key: str
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        return boto3.client(
            service, endpoint_url=self.aws.endpoint, region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )  # fmt: skip

    def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers by lower-case name, and the JSON of one request through the emulated API Gateway."""
        url = f"{self.aws.endpoint}/restapis/{self.outputs['RestAPIId']}/api/_user_request_{path}"
        request = urllib.request.Request(
            url, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"X-Api-Key": self.key, "Content-Type": "application/json", **headers},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, _lower(answer.headers), _body(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _lower(error.headers), _body(error.read())

    def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        status, _, answer = self.call(method, path, body, **headers)
        assert status in (200, 201, 202, 204), f"{method} {path}: {status} {answer}\n{self.errors()}"
        return answer

    def resources(self) -> dict[str, str]:
        """Physical ids by logical id."""
        found = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def mails(self) -> list[Any]:
        """What the emulated SES was given."""
        with urllib.request.urlopen(f"{self.aws.endpoint}/_ministack/ses/messages", timeout=10) as answer:
            return [mail for mails in json.load(answer)["messages"].values() for mail in mails]

    def errors(self) -> str:
        """What the functions logged as an error, for the message of a failed test."""
        logs, lines = self.client("logs"), []
        for group in logs.describe_log_groups(logGroupNamePrefix=f"/kokyaku/{STACK}/")["logGroups"]:
            events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
            lines += [
                f"{group['logGroupName']}: {each['message']}"
                for each in events
                if '"ERROR"' in each["message"]
            ]
        return "\n".join(lines[-10:])

    def eventually(self, what: str, found: Callable[[], Any]) -> Any:
        """What `found` answers once it is not empty; fails with the functions' own errors after a minute."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            if result := found():
                return result
            time.sleep(0.1)
        pytest.fail(f"{what} did not happen within {DEADLINE_SECONDS} s\n{self.errors()}")


def _body(sent: bytes) -> Any:
    return json.loads(sent) if sent else None


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def deploy(environment: dict[str, str], out: Path) -> str:
    command = [sys.executable, "-m", "infrastructure", "deploy", "--stage", STAGE]
    done = subprocess.run(
        [*command, "--architecture", "x86_64", "--out", str(out)],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _let_mail_out(deployment: Deployment) -> None:
    """The sender is verified, as a person does it. And this emulator asks whether a role may mail without saying as
    whom, where AWS names the sender's identity: so the roles that may mail are told it in its words too.
    """
    deployment.client("sesv2").create_email_identity(EmailIdentity=SETTINGS["MAIL_FROM"])
    iam = deployment.client("iam")
    statement = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    for logical_id, role in deployment.resources().items():
        if logical_id.endswith("Role"):
            [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            if "ses:SendEmail" in json.dumps(document):
                iam.put_role_policy(RoleName=role, PolicyName="mail", PolicyDocument=json.dumps(policy))


def _let_plain_http_in(deployment: Deployment) -> None:
    """The bucket refuses what is not encrypted, and this emulator enforces that without having any encryption: so its
    policy is taken away here. What it says is tested on the template.
    """
    bucket = deployment.resources()["ExportsBucket"]
    deployment.client("s3").delete_bucket_policy(Bucket=bucket)


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    """The emulated AWS with a stage in it, until the block ends."""
    with StrictAws(read_settings().emulator_python, folder) as aws:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            **CREDENTIALS,
            **SETTINGS,
        }
        said = deploy(environment, folder / "build")
        key = re.search(r"^sk_\S+$", said, re.MULTILINE)
        assert key, said
        partial = Deployment(aws, environment, said, key[0], {})
        [stack] = partial.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        _let_mail_out(partial)
        _let_plain_http_in(partial)
        yield Deployment(aws, environment, said, key[0], outputs)
