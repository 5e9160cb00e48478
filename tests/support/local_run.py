"""`python -m local` as a real child process, as a person starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
READY = re.compile(r"Kokyaku is ready at (http://\S+)")
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30


def environment(state: Path, **more: str) -> dict[str, str]:
    """The environment of a run with a state folder of its own, on a free port, with nothing in it."""
    return os.environ | {"PORT": "0", "DEMO": "0", "KOKYAKU_STATE": str(state)} | more


class LocalRun:
    """One run. `output` is what it has printed so far; `address` is where it answers once it is ready."""

    def __init__(self, state: Path, **more: str) -> None:
        self.state = state
        self.output: list[str] = []
        self.address = ""
        self._over = False
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local"],
            cwd=ROOT,
            env=environment(state, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def await_ready(self) -> LocalRun:
        self.await_said("Kokyaku is ready")
        return self

    def await_said(self, text: str) -> None:
        """Wait until it has said so."""
        with self._news:
            self._news.wait_for(lambda: self._over or text in self.said, START_SECONDS_MAX)
        assert text in self.said, f"never said {text!r}:\n{self.said}"

    def stop(self, number: int = signal.SIGINT) -> int:
        """Stop it with a signal; answers its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self._reader.join()
        return code

    @property
    def said(self) -> str:
        return "".join(self.output)

    def emulator_pid(self) -> int:
        """The process id of the emulator that this run started."""
        listing = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        [pid] = listing.read_text().split()
        return int(pid)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                found = READY.match(line)
                with self._news:
                    self.address = found[1] if found else self.address
                    self.output.append(line)
                    self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()


@contextmanager
def running(state: Path, **more: str) -> Iterator[LocalRun]:
    """A run that is ready; it is stopped cleanly afterwards, whatever happened."""
    run = LocalRun(state, **more)
    try:
        yield run.await_ready()
    finally:
        code = run.stop()
    assert code == 0, f"ended with {code}:\n{run.said}"


def command(state: Path, *arguments: str, **more: str) -> tuple[int, str]:
    """Run a command to its end; answers its exit code and everything it said."""
    done = subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env=environment(state, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout
