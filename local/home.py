"""The folder in which a local run keeps everything, used by one run at a time."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.settings import Stop


class Home:
    """`notes` is what the run itself remembers, e.g. which demo was loaded; `running` tells others where it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = folder / "lock"
        self._notes = folder / "notes.json"
        self._running = folder / "running.json"

    @property
    def emulator(self) -> Path:
        return self.folder / "aws"

    @property
    def mailbox(self) -> Path:
        return self.folder / "mailbox.jsonl"

    @property
    def log(self) -> Path:
        return self.folder / "service.log"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other run out; raises Stop when one is in already."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Stop(f"Another run is using {self.folder}{self._where()}: stop it first.") from None
            self._running.unlink(missing_ok=True)  # a run that was killed could not take it back
            try:
                yield
            finally:
                self._running.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove everything; raises Stop while a run is using it."""
        if self.folder.exists():
            with self.alone():
                self.clear()

    def clear(self) -> None:
        """Remove everything, by the run that has the folder to itself."""
        for each in self.folder.iterdir():
            if each != self._lock:
                shutil.rmtree(each) if each.is_dir() else each.unlink()

    def notes(self) -> dict[str, Any]:
        """What was remembered, empty at first."""
        return _read(self._notes)

    def remember(self, **notes: Any) -> None:
        """Remember this too."""
        _write(self._notes, self.notes() | notes)

    def running(self) -> dict[str, Any] | None:
        """What the run that is using the folder has told, None when there is no such run."""
        try:
            with self.alone():
                return None
        except Stop:
            return _read(self._running)

    def tell(self, **facts: Any) -> None:
        """Let `running` say this while this run lasts."""
        _write(self._running, {"pid": os.getpid(), **facts})

    def _where(self) -> str:
        address = _read(self._running).get("address")
        return f" at {address}" if address else ""


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def _write(path: Path, content: dict[str, Any]) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(content), "utf-8")
    unfinished.replace(path)  # whole or not at all
