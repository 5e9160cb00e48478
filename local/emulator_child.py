"""Runs the emulator until its parent is gone, however the parent went; run as a script inside its environment."""

import copy
import json
import os
import signal
import sys
import threading
from typing import Any


def main() -> None:
    """Serve; the parent holds the other end of standard input, which closes when the parent ends or dies."""
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    sys.argv = ["ministack"]
    from hypercorn.config import Config  # type: ignore[import-not-found]
    from ministack.app import main as serve

    Config.graceful_timeout = 0.2  # our clients keep their connections open, and have nothing more to say
    serve()


def _stop_with_parent() -> None:
    sys.stdin.buffer.read()
    # It saves by copying everything and encoding it piece by piece: minutes for a large shop. Nobody writes any more
    # and this process is ending, so the copies can be left out and the encoder be the fast one.
    copy.deepcopy = _itself  # type: ignore[assignment]
    json.dump = lambda value, file, **how: file.write(json.dumps(value, **how))
    os.kill(os.getpid(), signal.SIGTERM)  # the clean way: it saves its state


def _itself(value: Any, _memo: Any = None, _nil: Any = None) -> Any:
    return value


if __name__ == "__main__":
    main()
