"""What a person may choose about a local run, read from the environment once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parent.parent
Demo = Literal["small", "full", "0"]
DEMOS: dict[str, Demo] = {"small": "small", "full": "full", "0": "0"}


class Stop(Exception):
    """The run cannot go on; the message is the one sentence a person needs."""


@dataclass(frozen=True)
class Settings:
    """`port` 0 takes a free one; `demo` is `small`, `full` or `0`; `state` is where the run keeps everything."""

    port: int
    demo: Demo
    state: Path
    emulator_python: Path


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this run; raises Stop naming the variable that cannot be used."""
    env = os.environ if environment is None else environment
    demo = env.get("DEMO") or "small"
    if demo not in DEMOS:
        raise Stop(f"DEMO is {demo!r}, but it can be small, full or 0 (nothing).")
    return Settings(
        port=_port(env.get("PORT") or "8000"),
        demo=DEMOS[demo],
        state=Path(env.get("KOKYAKU_STATE") or ROOT / ".kokyaku").resolve(),
        emulator_python=_python(env.get("KOKYAKU_EMULATOR_PYTHON")),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise Stop(f"PORT is {text!r}, but it must be a number from 0 (any free port) to 65535.")
    return int(text)


def _python(given: str | None) -> Path:
    # Not resolved: a virtual environment's interpreter is a link, and following it would leave the environment.
    return Path(given) if given else ROOT / ".venv-emulator" / "bin" / "python"
