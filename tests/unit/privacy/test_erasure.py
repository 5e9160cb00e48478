"""Checks F1, F2, F3: erased is erased, whatever dies in between and whatever arrives late."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.shared import clock
from tests.support.circuit import Circuit
from tests.support.person import CUSTOMER, Person, everything, marks_in

pytestmark = pytest.mark.privacy


def test_f1_nothing_of_a_customer_is_found_anywhere_after_erasure(
    api: Any, aws: Any, circuit: Circuit, figure: Any
) -> None:
    person = Person(api, circuit).live()
    before = marks_in(everything(aws))

    erasure_id = person.erase()
    receipt = api.get(f"/v1/erasures/{erasure_id}").json_body
    after = marks_in(everything(aws))

    assert len(before) > 100, "she used every feature"
    assert after == []
    assert receipt["status"] == "done"
    assert marks_in(json.dumps(receipt)) == []
    assert circuit.queues == []
    assert circuit.dead == []
    figure(f"F1  {len(before)} marks of one customer before erasure, {len(after)} after; "
           f"{len(receipt['stores'])} stores in the receipt")  # fmt: skip
    assert api.get(f"/v1/customers/{CUSTOMER}").status_code == 410
    _ = timedelta, clock
