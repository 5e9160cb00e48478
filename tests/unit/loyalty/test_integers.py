"""Points and money are integers: nothing in the room says float, writes one, or divides into one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[3] / "chalicelib" / "loyalty"
# Seconds of the machine's own time, which no points are made of.
SECONDS = {"RUN_SECONDS_MAX", "ends_at"}


def floats_in(source: str) -> list[str]:
    """Where a source names `float`, writes a number with a point, divides with `/`, or asks for what gives one."""
    tree = ast.parse(source)
    excused = {id(part) for each in ast.walk(tree) if _is_of_seconds(each) for part in ast.walk(each)}
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if id(node) not in excused and isinstance(node, ast.expr | ast.AugAssign) and _is_float(node)
    ]


def _is_float(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in ("float", "Decimal", "Fraction", "round")
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float | complex) or (
            isinstance(node.value, str) and node.value == "float"
        )
    return isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)


def _is_of_seconds(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Name) and target.id in SECONDS for target in node.targets)
    return isinstance(node, ast.arg) and node.arg in SECONDS


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.name)
def test_no_float_in_the_room(path: Path) -> None:
    assert floats_in(path.read_text()) == []


@pytest.mark.parametrize(
    "planted",
    ["x = a / b", "x /= 2", "def f(points: float) -> int: ...", "x = 0.5", "x = float(points)", "x: 'float' = 1",
     "x = 1e3", "x = round(points * 2)"],
)  # fmt: skip
def test_a_planted_float_is_found(planted: str) -> None:
    assert floats_in(planted)
    assert not floats_in("x = a // b; share = a * 100 // b")
