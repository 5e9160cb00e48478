"""The final template and the zip, deployed as a person would, serve a shop over HTTP.

The emulated AWS enforces each function's role here, so an action that a role lacks fails these tests.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infrastructure.template import wiring_of
from tests.support.deployed import REGION, SETTINGS, Deployment, deploy, deployed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("aws")) as found:
        yield found


def test_an_order_earns_its_points_through_relay_bus_rule_and_queue(deployment: Deployment) -> None:
    deployment.ok(
        "PUT",
        "/v1/loyalty/program",
        {"currency": "JPY", "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}]},
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


def test_what_the_api_may_do_is_what_it_does(deployment: Deployment) -> None:
    item = {"title": "A lantern", "price": {"amount": 500, "currency": "JPY"}}
    deployment.ok("PUT", "/v1/items/lantern", item)
    deployment.ok("POST", "/v1/items/batch", {"items": [item | {"item_id": f"item-{n}"} for n in range(3)]})
    listed = deployment.ok("GET", "/v1/items?limit=2")
    assert len(listed["data"]) == 2
    deployment.ok(
        "GET", f"/v1/items?limit=2&cursor={listed['next_cursor']}"
    )  # signed with the stage's own key ring
    deployment.ok("GET", "/v1/recommendations/trending")
    deployment.ok("DELETE", "/v1/items/lantern")
    token = deployment.ok("POST", "/v1/customer-tokens", {"customer_id": "hana"})["token"]
    own = deployment.ok("GET", "/v1/me/orders", **{"Authorization": f"Bearer {token}", "X-Api-Key": ""})
    assert own["data"] == []
    made = deployment.ok(
        "POST", "/v1/api-keys", {"name": "shop", "kind": "publishable"}, **{"Idempotency-Key": "k-1"}
    )
    deployment.ok("DELETE", f"/v1/api-keys/{made['key_id']}")
    for path in ("/v1/health", "/openapi.json"):
        deployment.ok("GET", path)


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
    said = deploy(without_settings, tmp_path)
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


def test_a_schedule_sends_the_welcome_that_has_fallen_due(
    deployment: Deployment, template: dict[str, Any]
) -> None:
    def run() -> list[Any]:
        run_schedule(deployment, template, "campaigns_tick")
        return [mail for mail in deployment.mails() if "taro@example.com" in json.dumps(mail)]

    assert run() == []
    yesterday = (datetime.now(UTC) - timedelta(hours=25)).isoformat()
    traits = {"email": "taro@example.com", "firstName": "Taro"}
    deployment.ok(
        "POST",
        "/v1/identify",
        {"messageId": "m-2", "userId": "taro", "traits": traits, "timestamp": yesterday},
    )
    deployment.ok("PATCH", "/v1/customers/taro", {"consents": {"email_marketing": True}})
    [mail] = deployment.eventually("the welcome", run)
    assert deployment.outputs["EndpointURL"] in json.dumps(mail), "the way out leads to the deployed API"


def test_a_trusted_refund_takes_points_back(deployment: Deployment) -> None:
    order = {
        "order_id": "order-9",
        "currency": "JPY",
        "total": 1500,
        "products": [{"product_id": "item-1", "price": 1500}],
    }
    sent = {"userId": "saburo", "event": "Order Completed", "messageId": "m-4", "properties": order}
    balance = "/v1/customers/saburo/loyalty"
    deployment.ok("POST", "/v1/track", sent)
    deployment.eventually("accruing", lambda: deployment.ok("GET", balance)["active_points"] == 15)
    back = {"event": "Order Refunded", "messageId": "m-5", "properties": {"order_id": "order-9"}}
    deployment.ok("POST", "/v1/track", sent | back)
    deployment.eventually("taking back", lambda: deployment.ok("GET", balance)["active_points"] == 0)


def test_the_daily_run_gives_a_birthdays_present(deployment: Deployment, template: dict[str, Any]) -> None:
    cake = {
        "reward_id": "cake", "title": "A cake", "title_ja": "ケーキ", "points": 500, "amount_off": 500, "currency": "JPY",
    }  # fmt: skip
    program = deployment.ok("GET", "/v1/loyalty/program")["program"]
    gift = {"occasion": "birthday", "points": 300, "reward_id": "cake"}
    deployment.ok("PUT", "/v1/loyalty/program", program | {"rewards": [cake], "gifts": [gift]})
    birthday = datetime.now(UTC).date().replace(year=1992).isoformat()
    told = {"messageId": "m-6", "userId": "shiro", "traits": {"birthday": birthday}}
    deployment.ok("POST", "/v1/identify", told)

    run_schedule(deployment, template, "loyalty_daily")
    run_schedule(deployment, template, "loyalty_daily")

    assert deployment.ok("GET", "/v1/customers/shiro/loyalty")["active_points"] == 300
    assert len(deployment.ok("GET", "/v1/customers/shiro/coupons")["data"]) == 1


def test_a_customer_takes_a_copy_along_and_is_forgotten(deployment: Deployment) -> None:
    traits = {"email": "jiro@example.com"}
    sent = {"messageId": "m-3", "userId": "jiro", "anonymousId": "j-phone", "traits": traits}
    deployment.ok("POST", "/v1/identify", sent)
    deployment.ok("POST", "/v1/customers/jiro/notes", {"text": "likes the sea"}, **{"Idempotency-Key": "j-1"})
    asked = deployment.ok("POST", "/v1/customers/jiro/export", **{"Idempotency-Key": "j-2"})
    path = f"/v1/exports/{asked['export_id']}"
    ready = deployment.eventually("the copy", lambda: (got := deployment.ok("GET", path))["url"] and got)
    with urllib.request.urlopen(ready["url"], timeout=10) as document:
        profiles = json.load(document)["sections"]["customers"]["profiles"]

    erasure_id = deployment.ok("DELETE", "/v1/customers/jiro")["erasure_id"]
    swept = deployment.eventually(
        "the first sweep",
        lambda: {each["store"] for each in deployment.ok("GET", f"/v1/erasures/{erasure_id}")["stores"]},
    )

    assert profiles[0]["traits"]["email"]["value"] == "jiro@example.com"
    assert "people.profiles" in swept
    assert deployment.call("GET", "/v1/customers/jiro")[0] == 410


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


def test_no_function_logged_an_error_on_the_way(deployment: Deployment) -> None:
    # Some would only have cost a retry: a refused clean-up, for one.
    assert deployment.errors() == ""


def test_a_role_that_lacks_an_action_is_noticed(deployment: Deployment) -> None:
    """The other tests prove something about permissions only because of this."""
    iam, role = deployment.client("iam"), deployment.resources()["APIHandlerRole"]
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    less = json.loads(json.dumps(whole).replace('"dynamodb:BatchGetItem"', '"dynamodb:DescribeTable"'))
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    try:
        status, _, _ = deployment.call("GET", "/v1/customers/somebody/loyalty")
        assert status == 500
        assert "AccessDenied" in deployment.errors() or "ClientError" in deployment.errors()
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))
    deployment.ok("GET", "/v1/customers/somebody/loyalty")


def run_schedule(deployment: Deployment, template: dict[str, Any], name: str) -> None:
    """Call a function as its schedule does."""
    [wire] = [wire for wire in wiring_of(template) if wire.handler.endswith(f".{name}")]
    event = {"id": "run", "detail-type": "Scheduled Event", "source": "aws.events", "time": "", "detail": {}}
    event |= {"version": "0", "account": "0", "region": REGION, "resources": []}
    function = deployment.resources()[wire.function]
    answer = deployment.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    assert "FunctionError" not in answer, f"{answer['Payload'].read()!r}\n{deployment.errors()}"
