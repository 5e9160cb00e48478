"""The rooms' handlers, the facts they name and the template say the same."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from infrastructure.functions import QUEUE, SCHEDULE, STREAM
from infrastructure.template import ROOT, wiring_of
from infrastructure.wiring import HEARD

DECORATORS = {"on_sqs_message": QUEUE, "on_dynamodb_record": STREAM, "schedule": SCHEDULE}


def _handlers() -> Iterator[tuple[str, str, str]]:
    """Every handler in the code: (handler as Lambda names it, kind, what its decorator names)."""
    for path in sorted((ROOT / "chalicelib").glob("*/handlers.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            for decorator in getattr(node, "decorator_list", []):
                if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute):
                    named = [each.value for each in decorator.keywords if each.arg in ("queue", "stream_arn")]
                    source = named[0].value if named else ""
                    yield f"{module}.{node.name}", DECORATORS[decorator.func.attr], source


def _published() -> dict[str, type[BaseModel]]:
    """Every fact type that some room's schemas name, with its model: `ORDER_PLACED` is `OrderPlaced`."""
    found = {}
    for path in sorted((ROOT / "chalicelib").glob("*/schemas.py")):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, model in inspect.getmembers(module, inspect.isclass):
            if model.__module__ == module.__name__ and (fact := _constant(module, name)):
                found[fact] = model
    return found


def _constant(module: ModuleType, model: str) -> str | None:
    name = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in model).lstrip("_")
    value = getattr(module, name, None)
    return value if isinstance(value, str) else None


def test_every_handler_in_the_code_is_deployed(template: dict[str, Any]) -> None:
    deployed = {(wire.handler, wire.kind) for wire in wiring_of(template)}
    assert deployed == {(handler, kind) for handler, kind, _ in _handlers()}


def test_each_is_woken_by_what_its_decorator_names(template: dict[str, Any]) -> None:
    wires = {wire.handler: wire for wire in wiring_of(template)}
    for handler, kind, source in _handlers():
        if kind == QUEUE:
            assert wires[handler].source == f"{source.title()}Queue"
        elif kind == STREAM:
            assert wires[handler].source == f"{source.title()}Table"
        else:
            assert wires[handler].source.startswith(("rate(", "cron("))


def test_every_table_with_a_stream_is_read_by_a_relay(template: dict[str, Any], resources: Any) -> None:
    streamed = {
        name for name, each in resources.of("AWS::DynamoDB::Table").items() if "StreamSpecification" in each
    }
    assert {wire.source for wire in wiring_of(template) if wire.kind == STREAM} == streamed


def test_every_room_that_hears_facts_has_a_handler_and_the_other_way_round() -> None:
    assert {source for _, kind, source in _handlers() if kind == QUEUE} == set(HEARD)


def test_each_rule_sends_one_fact_to_one_room(resources: Any) -> None:
    rules = resources.of("AWS::Events::Rule")
    assert len(rules) == sum(map(len, HEARD.values()))
    for rule in rules.values():
        [target] = rule["Targets"]
        heard = {each.fact for each in HEARD[target["Id"]]}
        assert rule["EventPattern"]["source"] == ["kokyaku"]
        assert set(rule["EventPattern"]["detail-type"]) <= heard
        assert target["Arn"] == {"Fn::GetAtt": [f"{target['Id'].title()}Queue", "Arn"]}


@pytest.mark.parametrize(
    ("room", "heard"), [(room, heard) for room, all_heard in HEARD.items() for heard in all_heard]
)
def test_what_a_room_hears_is_published_with_the_members_it_is_chosen_by(room: str, heard: Any) -> None:
    model = _published().get(heard.fact)
    assert model is not None, f"{room} hears {heard.fact}, which no room publishes"
    assert set(heard.only) <= set(model.model_fields)


# Heard by its own room to finish what a request began and could not: nothing that follows tells it again
# (tests/consumers/questions). A refund may take another customer's points too: who referred the friend has an account,
# and a transaction, of their own.
FINISHED_AT_HOME = {("questions", "profile.answered"), ("loyalty", "loyalty.order_refunded")}


def test_no_room_hears_its_own_facts() -> None:
    for room, all_heard in HEARD.items():
        for heard in all_heard:
            if (room, heard.fact) in FINISHED_AT_HOME:
                continue
            assert _published()[heard.fact].__module__ != f"chalicelib.{room}.schemas"
