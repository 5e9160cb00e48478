"""A customer's own copy has every word that was written about them, and no name of the shop's people."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.privacy import files
from chalicelib.shared import aws as clients
from chalicelib.shared.config import config
from tests.support.circuit import Circuit
from tests.support.embedded import SECRET
from tests.support.person import Person

pytestmark = pytest.mark.privacy
KEY = {"Idempotency-Key": "copy"}
STAFF = ("佐藤", "sato@shop.example", "suzuki@shop.example")


def copy_of(export_id: str) -> str:
    bucket = clients.client("s3")
    found: bytes = bucket.get_object(Bucket=config().exports, Key=files.address_of(export_id))["Body"].read()
    return found.decode()


@pytest.mark.parametrize(
    ("path", "own"), [("/v1/me/export", True), ("/v1/customers/u1/export", False)], ids=["token", "key"]
)
def test_a_copy_has_internal_notes_and_reasons_but_no_names_of_staff(
    api: Any, circuit: Circuit, path: str, *, own: bool
) -> None:
    body = {"name": "till", "kind": "secret", "scopes": ["staff", "customers:write"]}
    till = {"X-Api-Key": api.post("/v1/api-keys", body, **KEY).json_body["key"]}
    for customer_id in ("u1", "u2"):
        edit = {"traits": {"nick": customer_id}}
        assert (
            api.patch(f"/v1/customers/{customer_id}", edit, SECRET | {"X-Actor": STAFF[2]}).status_code == 200
        )
    note = {
        "text": "値引きは5%まで",
        "author": {"name": STAFF[0], "role": "店頭スタッフ"},
        "conversation_id": "call-1",
    }
    written = api.post("/v1/customers/u1/notes", note, till, **KEY, **{"X-Actor": STAFF[1]})
    assert (written.status_code, written.json_body["actor"]) == (201, STAFF[1])
    reason = {"from": "u2", "reason": "same card at the till"}
    merged = api.post("/v1/customers/u1/merge", reason, SECRET, **KEY, **{"X-Actor": STAFF[2]})
    assert (merged.status_code, merged.json_body["merged_by"]) == (201, STAFF[2])
    circuit.settle()

    me = Person.token_of("u1")
    export_id = api.post(path, None, me if own else SECRET, **KEY).json_body["export_id"]
    circuit.settle()
    told = copy_of(export_id)
    sections = json.loads(told)["sections"]

    [kept] = sections["desk"]["notes"]
    assert (kept["text"], kept["author_role"], kept["visible_to_customer"], kept["conversation_id"]) == (
        note["text"],
        "店頭スタッフ",
        False,
        "call-1",
    )
    [entry] = [each for each in sections["activity"]["timeline"] if each["kind"] == "note"]
    assert entry["details"]["text"] == note["text"]
    assert sections["customers"]["merges"][0]["reason"] == "same card at the till"
    assert [name for name in STAFF if name in told] == []
    page = api.get("/v1/me", me)
    assert (page.status_code, page.json_body["updated_by"]) == (200, None)
    assert note["text"] not in api.get("/v1/me/notes", me).body.decode(), "the pages stay as they are"
    assert note["text"] not in api.get("/v1/me/timeline", me).body.decode()
