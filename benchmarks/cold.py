"""What a cold start costs: the CPU time of fresh processes, beside that of one which only makes a boto3 client.

Measured on code as it is deployed, with its bytecode; taken in turns, so that a busy machine is busy for all of them.
"""

from __future__ import annotations

import compileall
import os
import py_compile
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.environment import ENVIRONMENT

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 11
RATIO_MAX = 1.5

FLOOR = "boto3 and a DynamoDB client"
# The clock of the process counts from its start, interpreter included. It ends at once: a function does not clean up.
_SAY = "import os, time; os.write(1, f'{time.process_time()} '.encode())"
_END = "os._exit(0)"
_CLIENT = "from chalicelib.shared import aws; aws.client('dynamodb')"
_ANSWER = """
from benchmarks.warm import answer_for_the_store, request
answer_for_the_store(aws.client('dynamodb'))
assert app.app(*request('GET', '/v1/items/{item_id}', item_id='i1'))['statusCode'] == 404
"""


@dataclass(frozen=True)
class Cold:
    """One thing that starts: CPU time in ms until it is imported, and until it has its client, each with its ratio."""

    name: str
    imported_ms: float
    ready_ms: float
    imported_ratio: float
    ready_ratio: float


def cold() -> list[Cold]:
    """The floor, the API function, and each module of handlers. About half a minute."""
    with _staged() as folder:
        cases = {FLOOR: f"import boto3; {_SAY}; boto3.client('dynamodb'); {_SAY}; {_END}"}
        for module in ("app", *_handler_modules(folder)):
            cases[module] = f"import {module}; {_SAY}; {_CLIENT}; {_SAY}; {_END}"
        cases["app, its first answer"] = f"import app; {_SAY}; {_CLIENT}\n{_ANSWER}\n{_SAY}; {_END}"
        times = _measured(cases, folder)
    # Each time is set beside the floor of its own round, because a machine has slower minutes than others.
    floors = [ready for _, ready in times[FLOOR]]
    rows = []
    for name, pairs in times.items():
        imported, ready = zip(*pairs, strict=True)
        rows.append(Cold(name, _ms(imported), _ms(ready), _ratio(imported, floors), _ratio(ready, floors)))
    return rows


def _ms(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1000


def _ratio(seconds: Sequence[float], floors: Sequence[float]) -> float:
    return statistics.median(each / floor for each, floor in zip(seconds, floors, strict=True))


def _measured(cases: dict[str, str], folder: Path) -> dict[str, list[tuple[float, float]]]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{folder}:{ROOT}"} | ENVIRONMENT
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, code in cases.items():
            said = subprocess.run(
                [sys.executable, "-c", code], cwd=folder, env=environment, stdout=subprocess.PIPE, check=True
            ).stdout
            imported, ready = map(float, said.split())
            times[name].append((imported, ready))
    return times


@contextmanager
def _staged() -> Iterator[Path]:
    """The code in a folder of its own with bytecode that is not checked against it, as the package has it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "app.py", folder)
        shutil.copytree(
            ROOT / "chalicelib", folder / "chalicelib", ignore=shutil.ignore_patterns("__pycache__")
        )
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        assert compileall.compile_dir(folder, quiet=1, invalidation_mode=mode)
        yield folder


def _handler_modules(folder: Path) -> list[str]:
    return [
        f"chalicelib.{path.parent.name}.handlers" for path in sorted(folder.glob("chalicelib/*/handlers.py"))
    ]
