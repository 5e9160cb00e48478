"""The final template and the zip, deployed as a person would, serve an order over HTTP.

The emulated AWS enforces each function's role here, so an action that a role lacks fails these tests.
"""

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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from infrastructure.template import ROOT, wiring_of
from local.emulator import CREDENTIALS, REGION, Emulator
from local.settings import read as read_settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

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
                return answer.status, _lower(answer.headers), json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _lower(error.headers), json.load(error)

    def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        status, _, answer = self.call(method, path, body, **headers)
        assert status in (200, 201, 202), f"{method} {path}: {status} {answer}\n{self.errors()}"
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


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _deploy(environment: dict[str, str], out: Path) -> str:
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


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("aws")
    with StrictAws(read_settings().emulator_python, folder) as aws:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            **CREDENTIALS,
            **SETTINGS,
        }
        said = _deploy(environment, folder / "build")
        key = re.search(r"^sk_\S+$", said, re.MULTILINE)
        assert key, said
        partial = Deployment(aws, environment, said, key[0], {})
        [stack] = partial.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        _let_mail_out(partial)
        yield Deployment(aws, environment, said, key[0], outputs)


def test_an_order_earns_its_points_through_relay_bus_rule_and_queue(deployment: Deployment) -> None:
    deployment.ok(
        "PUT",
        "/v1/loyalty/program",
        {"currency": "JPY", "per_amount": 100, "points": 1, "expires_after_months": 12},
    )
    order = {
        "customer_id": "顧客-1",
        "placed_at": datetime.now(UTC).isoformat(),
        "currency": "JPY",
        "total": 1980,
        "lines": [{"item_id": "item-1", "quantity": 1, "price": 1980}],
    }
    deployment.ok("PUT", "/v1/orders/order-1", order)
    balance = f"/v1/customers/{urllib.request.quote('顧客-1')}/loyalty"
    first = deployment.eventually(
        "accruing points", lambda: (found := deployment.ok("GET", balance))["active_points"] and found
    )
    assert (first["active_points"], first["version"]) == (19, 1)

    # Sent again, nothing is earned twice: when the next order has its points, the repeated one is long through.
    deployment.ok("PUT", "/v1/orders/order-1", order)
    deployment.ok("PUT", "/v1/orders/order-2", order | {"total": 100})
    then = deployment.eventually(
        "accruing again", lambda: (found := deployment.ok("GET", balance))["version"] > 1 and found
    )
    assert (then["active_points"], then["version"]) == (20, 2)


def test_a_parcel_s_news_is_mailed_and_everything_enters_the_timeline(deployment: Deployment) -> None:
    now = datetime.now(UTC).isoformat()
    traits = {"email": "hana@example.com", "firstName": "Hana"}
    deployment.ok(
        "POST", "/v1/identify", {"messageId": "m-1", "userId": "hana", "traits": traits, "timestamp": now}
    )
    order = {
        "customer_id": "hana",
        "placed_at": now,
        "currency": "JPY",
        "total": 500,
        "lines": [{"item_id": "item-1", "quantity": 1, "price": 500}],
    }
    deployment.ok("PUT", "/v1/orders/order-h", order)
    parcel = {"shipment_id": "parcel-1", "carrier": "jp.yamato", "tracking_number": "1234-5678-9012"}
    deployment.ok("POST", "/v1/orders/order-h/shipments", parcel)
    news = {"event_id": "e-1", "status": "in_transit", "at": now}
    deployment.ok("POST", "/v1/shipments/parcel-1/events", news)

    [mail] = deployment.eventually("a mail", deployment.mails)
    assert "hana@example.com" in json.dumps(mail)
    assert SETTINGS["MAIL_FROM"] in json.dumps(mail)

    wanted = {"identify", "order", "delivery", "points", "message"}
    deployment.eventually(
        f"a timeline with {sorted(wanted)}",
        lambda: (
            wanted <= {each["kind"] for each in deployment.ok("GET", "/v1/customers/hana/timeline")["data"]}
        ),
    )


def test_the_api_knows_its_own_address(deployment: Deployment) -> None:
    function = deployment.client("lambda").get_function_configuration(
        FunctionName=deployment.outputs["APIHandlerName"]
    )
    assert function["Environment"]["Variables"]["KOKYAKU_PUBLIC_URL"] == deployment.outputs["EndpointURL"]


def test_deploying_again_changes_nothing_and_shows_no_key(deployment: Deployment, tmp_path: Path) -> None:
    without_settings = {name: value for name, value in deployment.environment.items() if name not in SETTINGS}
    said = _deploy(without_settings, tmp_path)
    assert "Nothing to change." in said
    assert "sk_" not in said


def test_tables_are_protected_once_the_stack_stands(deployment: Deployment) -> None:
    # Point-in-time recovery is asserted in the template: this emulator does not take it from there.
    table = deployment.client("dynamodb").describe_table(TableName=deployment.outputs["LedgerTable"])["Table"]
    assert str(table["DeletionProtectionEnabled"]).lower() == "true"


def test_every_mapping_is_at_work_with_its_limits(deployment: Deployment, template: dict[str, Any]) -> None:
    mappings = deployment.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert len(mappings) == len([wire for wire in wiring_of(template) if wire.kind != "schedule"])
    assert {each["State"] for each in mappings} == {"Enabled"}
    assert all(each["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for each in mappings)


def test_a_scheduled_run_may_do_what_it_does(deployment: Deployment, template: dict[str, Any]) -> None:
    timed = [wire for wire in wiring_of(template) if wire.kind == "schedule"]
    assert timed
    names = deployment.resources()
    for wire in timed:
        event = {
            "version": "0",
            "id": "run-1",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "detail": {},
        }
        event |= {"account": "0", "time": "2026-01-01T00:00:00Z", "region": REGION, "resources": []}
        answer = deployment.client("lambda").invoke(
            FunctionName=names[wire.function], Payload=json.dumps(event)
        )
        assert "FunctionError" not in answer, f"{answer['Payload'].read()!r}\n{deployment.errors()}"


def test_an_unknown_path_is_a_problem_document(deployment: Deployment, template: dict[str, Any]) -> None:
    # This emulator knows gateway responses, but not from the API's definition, where AWS reads them: so it is told
    # the same ones by their own call, and makes a deployment of them.
    gateway, api = deployment.client("apigateway"), deployment.outputs["RestAPIId"]
    for kind, answer in template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"].items():
        headers = answer["ResponseParameters"]["Headers"]
        gateway.put_gateway_response(
            restApiId=api,
            responseType=kind,
            statusCode=str(answer["StatusCode"]),
            responseParameters={f"gatewayresponse.header.{name}": value for name, value in headers.items()},
            responseTemplates=answer["ResponseTemplates"],
        )
    gateway.create_deployment(restApiId=api, stageName="api")

    for method, path in (("GET", "/v1/nothing"), ("DELETE", "/v1/loyalty/program")):
        status, headers, body = deployment.call(method, path)
        assert (status, headers["content-type"]) == (404, "application/problem+json")
        assert headers["access-control-allow-origin"] == "*"
        assert headers["x-correlation-id"] == body["correlation_id"]
        assert body["type"] == "/problems/not-found"


def test_a_role_that_lacks_an_action_is_noticed(deployment: Deployment) -> None:
    """The other tests prove something about permissions only because of this."""
    iam, role = deployment.client("iam"), deployment.resources()["APIHandlerRole"]
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    less = json.loads(json.dumps(whole).replace('"dynamodb:GetItem"', '"dynamodb:DescribeTable"'))
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    try:
        status, _, _ = deployment.call("GET", "/v1/customers/somebody/loyalty")
        assert status == 500
        assert "AccessDenied" in deployment.errors() or "ClientError" in deployment.errors()
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))
    deployment.ok("GET", "/v1/customers/somebody/loyalty")
