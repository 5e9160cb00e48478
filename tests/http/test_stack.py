"""The embedded stack follows the template: made once, found again, changed in place, or refused in one sentence."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.shared import aws
from chalicelib.shared.dynamo import table
from infrastructure.template import full_template, stateful_template
from local import stack
from local.emulator import Emulator
from local.settings import Stop, read


@pytest.fixture
def emulator(environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An embedded AWS of its own, and an environment that is put back afterwards."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    with Emulator(read().emulator_python, tmp_path) as emulator:
        stack.reach(emulator.endpoint)
        yield emulator
        aws.forget_clients()


def template() -> dict[str, Any]:
    return copy.deepcopy(stateful_template(full_template("embedded")))


def test_every_variable_of_the_deployed_functions_is_set(emulator: Emulator):
    standing = stack.stand("http://127.0.0.1:8000")
    wanted = full_template("embedded")["Globals"]["Function"]["Environment"]["Variables"]
    assert set(standing.environment) == set(wanted)
    assert standing.environment["KOKYAKU_PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert all(isinstance(value, str) and value for value in standing.environment.values())
    assert {wire.dead_letters for wire in standing.wires} <= set(standing.resources)


def test_standing_twice_keeps_what_is_stored(emulator: Emulator):
    stack.stand("http://127.0.0.1:8000")
    table("ledger").put({"pk": "a", "sk": "X"})
    assert stack.stand("http://127.0.0.1:9000").environment["KOKYAKU_PUBLIC_URL"] == "http://127.0.0.1:9000"
    assert table("ledger").get("a", "X") is not None


def test_a_template_that_grew_is_followed(emulator: Emulator):
    standing = stack.stand("http://127.0.0.1:8000")
    table("ledger").put({"pk": "a", "sk": "X"})
    grown = template()
    grown["Resources"]["OneMoreQueue"] = {"Type": "AWS::SQS::Queue"}
    stack._apply(grown, stack.PARAMETERS)
    assert set(stack._resources()) == {*standing.resources, "OneMoreQueue"}
    assert table("ledger").get("a", "X") is not None


def test_a_template_that_does_not_fit_what_is_stored_is_one_sentence(emulator: Emulator):
    stack.stand("http://127.0.0.1:8000")
    table("ledger").put({"pk": "a", "sk": "X"})
    other = template()
    other["Resources"]["LedgerTable"]["Properties"]["KeySchema"].pop()
    with pytest.raises(Stop, match=r"does not fit this version .*make reset"):
        stack._apply(other, stack.PARAMETERS)
    assert table("ledger").get("a", "X") is not None
