"""Check F4: a copy has everything that is stored about its person, and nothing of anybody else's."""

from __future__ import annotations

import json
import urllib.parse
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.privacy import exports, files
from chalicelib.privacy.model import EXPORT_SCHEMA
from chalicelib.shared import aws as clients
from chalicelib.shared import clock
from chalicelib.shared.config import TABLES, config
from chalicelib.shared.dynamo import unpack_item
from tests.support.circuit import Circuit
from tests.support.marked import MARK
from tests.support.person import CUSTOMER, Person
from tests.unit.privacy.data_map import DataMap

pytestmark = pytest.mark.privacy
KEY = {"Idempotency-Key": "copy"}


def test_f4_a_copy_has_every_personal_value_that_is_stored(
    api: Any, aws: Any, circuit: Circuit, figure: Any
) -> None:
    person = Person(api, circuit).live()
    other = {"userId": "bystander", "messageId": "b1", "traits": {"email": "bystander@example.com"}}
    api.post("/v1/identify", other)
    circuit.settle()

    document = exports.document_of(CUSTOMER, now=clock.now())
    told = json.dumps(document, ensure_ascii=False)
    wanted = DataMap.load().exported(_items(aws), MARK)
    missing = {f"{table}/{kind}.{name}": value for table, kind, name, value in wanted if value not in told}

    assert document["schema"] == EXPORT_SCHEMA
    assert len(wanted) > 50
    assert missing == {}
    assert "bystander" not in told
    figure(
        f"F4  {len(wanted)} personal values stored, {len(wanted) - len(missing)} of them in the copy, 0 of others"
    )
    assert person.refused == {}


def test_a_copy_is_made_and_fetched_by_a_link_for_a_quarter_of_an_hour(
    api: Any, aws: Any, circuit: Circuit
) -> None:
    api.post("/v1/identify", {"userId": "u1", "messageId": "m1", "traits": {"firstName": "Hana"}})
    asked = api.post("/v1/customers/u1/export", None, **KEY)
    export_id = asked.json_body["export_id"]
    waiting = api.get(f"/v1/exports/{export_id}").json_body
    circuit.settle()
    ready = api.get(f"/v1/exports/{export_id}").json_body
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(ready["url"]).query)
    body = (
        clients.client("s3")
        .get_object(Bucket=config().exports, Key=files.address_of(export_id))["Body"]
        .read()
    )

    assert asked.status_code == 202
    assert (waiting["status"], waiting["url"], waiting["expires_at"]) == ("running", None, None)
    assert ready["status"] == "done"
    assert query["X-Amz-Expires"] == ["900"]
    assert json.loads(body)["sections"]["customers"]["profiles"][0]["traits"]["firstName"]["value"] == "Hana"
    assert api.post("/v1/customers/u1/export", None, **KEY).json_body["export_id"] == export_id


def test_a_customer_sees_their_own_copy_only(api: Any, circuit: Circuit) -> None:
    mine, other = Person.token_of("u1"), Person.token_of("u2")
    export_id = api.post("/v1/me/export", None, mine, **KEY).json_body["export_id"]
    circuit.settle()

    assert api.get(f"/v1/exports/{export_id}", mine).status_code == 200
    assert api.get(f"/v1/exports/{export_id}", other).status_code == 404
    assert api.post("/v1/me/export", None, other, **KEY).json_body["export_id"] != export_id
    assert api.get("/v1/exports/nothing").status_code == 404


def test_a_copy_is_gone_with_its_person_and_after_a_week(api: Any, aws: Any, circuit: Circuit) -> None:
    api.post("/v1/identify", {"userId": "u1", "messageId": "m1", "traits": {"firstName": "Hana"}})
    export_id = api.post("/v1/customers/u1/export", None, **KEY).json_body["export_id"]
    circuit.settle()
    kept = api.get(f"/v1/exports/{export_id}").status_code
    circuit.travel(clock.now() + timedelta(days=8))
    expired = api.get(f"/v1/exports/{export_id}").status_code
    circuit.travel(clock.now() - timedelta(days=8))
    api.delete("/v1/customers/u1")
    erased = api.get(f"/v1/exports/{export_id}").status_code
    circuit.settle()
    exports.make(export_id, now=clock.now())

    assert (kept, expired, erased) == (200, 404, 410)
    assert "Contents" not in clients.client("s3").list_objects_v2(Bucket=config().exports)
    assert api.get(f"/v1/exports/{export_id}").status_code == 404


def _items(client: Any) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [unpack_item(item) for item in client.scan(TableName=config().tables[name])["Items"]]
        for name in TABLES
    }
