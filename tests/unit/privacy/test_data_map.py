"""Check F7: nothing is stored that the data map does not name; and F6: what has expired is shown nowhere."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.shared import clock
from chalicelib.shared.config import TABLES, config
from chalicelib.shared.dynamo import unpack_item
from tests.support.circuit import Circuit
from tests.support.person import CUSTOMER, Person, marks_in
from tests.unit.privacy.data_map import DataMap

pytestmark = pytest.mark.privacy
KEPT_LONGEST = timedelta(days=431)


def test_f7_everything_stored_is_declared(api: Any, aws: Any, circuit: Circuit, figure: Any) -> None:
    Person(api, circuit).live()
    declared = DataMap.load()
    here = _items(aws)
    api.delete(f"/v1/customers/{CUSTOMER}")
    circuit.settle()
    later = _items(aws)
    attributes = {
        (table, name) for rows in (here, later) for table in rows for item in rows[table] for name in item
    }

    assert declared.undeclared(here) | declared.undeclared(later) == set()
    figure(
        f"F7  {len(attributes)} attributes of {len(TABLES)} tables seen, 0 undeclared; {len(declared.kinds)} kinds"
    )


def test_f7_an_attribute_nobody_declared_is_found() -> None:
    stored = {
        "people": [
            {"pk": "C#u1", "sk": "PROFILE", "version": 1, "shoe_size": 38},
            {"pk": "C#u1", "sk": "DIARY", "text": "x"},
        ]
    }
    assert DataMap.load().undeclared(stored) == {"people/profile: shoe_size", "people: C#u1 / DIARY"}


def test_f6_what_has_expired_is_shown_nowhere(api: Any, aws: Any, circuit: Circuit, figure: Any) -> None:
    person = Person(api, circuit).live()
    expiring = sum("ttl" in item for rows in _items(aws).values() for item in rows)
    shown = _everything_shown(api, person)
    circuit.travel(clock.now() + KEPT_LONGEST)
    still_stored = sum("ttl" in item for rows in _items(aws).values() for item in rows)
    later = _everything_shown(api, person)

    assert still_stored == expiring > 10, "the store has not got round to deleting them"
    assert len(shown["timeline"]) > 5
    assert len(shown["messages"]) >= 2
    assert later["timeline"] == later["messages"] == []
    assert later["export"]["sections"]["activity"]["timeline"] == []
    assert later["export"]["sections"]["messages"]["messages"] == []
    assert marks_in(json.dumps(later["explanation"]["interests"])) == []
    figure(f"F6  {expiring} items past due and still stored: 0 in any answer")


def _everything_shown(api: Any, person: Person) -> dict[str, Any]:
    from chalicelib.privacy import exports

    path = f"/v1/customers/{CUSTOMER}"
    return {
        "timeline": api.get(f"{path}/timeline?limit=200").json_body["data"],
        "messages": api.get(f"{path}/messages").json_body["data"],
        "explanation": api.get("/v1/me/explanation", person.token()).json_body,
        "export": exports.document_of(CUSTOMER, now=clock.now()),
    }


def _items(client: Any) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [unpack_item(item) for item in client.scan(TableName=config().tables[name])["Items"]]
        for name in TABLES
    }
