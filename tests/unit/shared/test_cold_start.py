"""What a cold start must not do; what it costs is measured by `make bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent.parent
ENTRIES = [
    "app",
    *(f"chalicelib.{path.parent.name}.handlers" for path in sorted(ROOT.glob("chalicelib/*/handlers.py"))),
]
# Each is loaded by the first function that needs it. `botocore.session` is what makes clients.
TOO_HEAVY = (
    "boto3",
    "botocore.session",
    "duckdb",
    "jinja2",
    "jwt",
    "tomllib",
    "ulid",
    "tqdm",
    "xml.etree.ElementTree",
)
NOT_DEPLOYED = ("benchmarks", "infrastructure", "local", "tests", "tools", "training")


def said(code: str) -> str:
    """What a fresh interpreter prints that knows nothing of this one, not even one variable."""
    command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"]
    return subprocess.run(
        command, env={}, check=True, stdout=subprocess.PIPE, text=True, timeout=60
    ).stdout.strip()


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_most_requests_do_not_need_is_not_loaded(entry: str) -> None:
    loaded = set(said(f"import {entry}; print(*sys.modules)").split())

    assert entry in loaded
    assert loaded.isdisjoint(TOO_HEAVY)
    assert loaded.isdisjoint(NOT_DEPLOYED)


@pytest.mark.parametrize("entry", ENTRIES)
def test_models_wait_until_they_are_used(entry: str) -> None:
    # An import that built them all would be a fifth slower.
    code = (
        f"import {entry}, pydantic; every = lambda c: [c, *(d for s in c.__subclasses__() for d in every(s))];"
        "own = [c for c in every(pydantic.BaseModel) if c.__module__.startswith('chalicelib.')];"
        "assert own;"
        "print(*(c.__qualname__ for c in own if c.__pydantic_complete__ and c.__subclasses__() == []))"
    )
    assert said(code) == ""


def test_a_handler_brings_its_own_room_and_not_the_front_door() -> None:
    for entry in ENTRIES[1:]:
        loaded = set(said(f"import {entry}; print(*sys.modules)").split())

        assert "app" not in loaded
        assert not any(name.endswith(".routes") for name in loaded)
