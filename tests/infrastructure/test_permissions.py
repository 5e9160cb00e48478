"""No role holds an action that the code behind it cannot use.

Read from the code: what is reachable from a handler's module by imports, and what that does with which table. That
each role holds enough is shown by the deployment test, where the emulated AWS enforces them.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infrastructure.functions import STREAM, functions_of
from infrastructure.permissions import GRANTS
from infrastructure.template import ROOT

READS = {"get", "get_many", "query"}
WRITES = {"put", "putting", "update", "updating"}
REMOVES = {"delete", "deleting"}
LOADS = {"put_many", "delete_many"}
SCANS = {"scan"}


def _file(module: str) -> Path | None:
    path = ROOT / Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    return None


@cache
def _imports(module: str) -> frozenset[str]:
    path = _file(module)
    assert path is not None, module
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return frozenset(name for name in found if name.startswith("chalicelib") and _file(name))


def _reachable(module: str) -> set[str]:
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _imports(name)
    return seen


def _uses(module: str) -> set[tuple[str, str]]:
    """(table, method) for `table("x").method` and for `name = table("x")` with `name.method` anywhere in the module."""
    path = _file(module)
    assert path is not None
    text = path.read_text()
    found = set(re.findall(r'\btable\("(\w+)"\)\.(\w+)', text))
    for name, table in re.findall(r'\b(\w+) = table\("(\w+)"\)', text):
        found |= {(table, method) for method in re.findall(rf"\b{name}\.(\w+)", text)}
    return found


@pytest.fixture(params=sorted(GRANTS))
def function(request: Any, template: dict[str, Any]) -> Any:
    [found] = [each for each in functions_of(template) if each.name == request.param]
    return found


def test_every_granted_table_is_used_that_way(function: Any) -> None:
    module = function.handler.rsplit(".", 1)[0]
    modules = _reachable(module)
    uses = {use for each in modules for use in _uses(each)}
    grant = GRANTS[function.name]
    granted = (
        (grant.reads, READS),
        (grant.writes, WRITES),
        (grant.removes, REMOVES),
        (grant.loads, LOADS),
        (grant.scans, SCANS),
    )
    for tables, methods in granted:
        for table in tables:
            used = {method for name, method in uses if name == table}
            assert used & methods, f"{function.name} may {sorted(methods)} {table}, and nothing does"


def test_only_relays_publish(function: Any) -> None:
    assert GRANTS[function.name].publishes == (function.kind == STREAM)


def test_only_who_can_mail_may_mail_and_who_can_sign_may_sign(function: Any) -> None:
    modules = _reachable(function.handler.rsplit(".", 1)[0])
    grant = GRANTS[function.name]
    if grant.mails:
        assert any('client("sesv2")' in path.read_text() for path in filter(None, map(_file, modules)))
    if grant.signs:
        assert "chalicelib.shared.tokens" in modules
