"""The embedded AWS: ministack as a child process in its own environment, on 127.0.0.1 only."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from local.settings import Stop

REGION = "ap-northeast-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
}  # it asks for some, and reads none
START_SECONDS_MAX = 120  # it reads its whole state while it starts
STOP_SECONDS_MAX = 120  # it writes its whole state while it stops
LOG_LINES_SHOWN = 15


class Emulator:
    """One ministack. Its state is in `folder` when it is not running, and in its memory while it is."""

    def __init__(self, python: Path, folder: Path) -> None:
        self._python = python
        self._folder = folder
        self.log = folder / "emulator.log"
        self._child: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def __enter__(self) -> Self:
        if not os.access(self._python, os.X_OK):
            raise Stop(
                f"The embedded AWS is not installed ({self._python} is missing): `make run` installs it."
            )
        for name in ("state", "tmp"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        with self.log.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal must reach only us, who still have streams to drain.
            self._child = subprocess.Popen(
                [str(self._python), str(Path(__file__).with_name("emulator_child.py"))],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                cwd=self._folder,
                start_new_session=True,
            )
        try:
            self._await()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _environment(self) -> dict[str, str]:
        # Built, not inherited: a person's own AWS profile, SMTP relay or Docker must not take part.
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder / "tmp"),
            "PYTHONUTF8": "1",
            "AWS_DEFAULT_REGION": REGION,
            **CREDENTIALS,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._folder / "state"),
            "S3_DATA_DIR": str(self._folder / "s3"),
            "LOG_LEVEL": "WARNING",
            "IOT_MTLS_ENABLED": "0",  # these two would open ports of their own
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": "unix:///nowhere",
        }

    def _await(self) -> None:
        assert self._child is not None
        deadline = time.monotonic() + START_SECONDS_MAX
        while self._child.poll() is None:
            if self._is_healthy():
                return
            if time.monotonic() > deadline:
                raise Stop(f"The embedded AWS did not answer within {START_SECONDS_MAX} s; see {self.log}.")
            time.sleep(0.05)
        raise Stop(
            f"The embedded AWS ended with code {self._child.returncode}; its last words:\n{self._last_words()}"
        )

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-LOG_LINES_SHOWN:])

    def _end(self) -> None:
        if self._child is None:
            return
        if self._child.stdin is not None:
            self._child.stdin.close()  # the same signal that our own death would be
        try:
            self._child.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise Stop(
                f"The embedded AWS did not stop within {STOP_SECONDS_MAX} s: this run is not stored."
            ) from None
        finally:
            self._child = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
