"""Runs the emulator until its parent is gone, however the parent went; run as a script inside its environment."""

import os
import signal
import sys
import threading


def main() -> None:
    """Serve; the parent holds the other end of standard input, which closes when the parent ends or dies."""
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    sys.argv = ["ministack"]
    from ministack.app import main as serve

    serve()


def _stop_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)  # the clean way: it saves its state


if __name__ == "__main__":
    main()
