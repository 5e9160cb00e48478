"""`python -m local [run|reset|train]`: the whole service on this machine."""

from __future__ import annotations

import sys

from local.settings import Settings, Stop, read

USAGE = "usage: python -m local [run|reset|train]"


def main(arguments: list[str]) -> int:
    """Run one command; answers the exit code."""
    command = arguments[0] if arguments else "run"
    if len(arguments) > 1 or command not in ("run", "reset", "train"):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        _run(command, read())
    except Stop as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130  # what a shell says of Ctrl-C; a run that was ready ends with 0 instead
    return 0


def _run(command: str, settings: Settings) -> None:
    # Imported late: a sentence about a wrong PORT need not wait for half a second of imports.
    if command == "reset":
        from local.home import Home

        Home(settings.state).forget()
        print("Forgotten: the next `make run` starts with nothing.")
    elif command == "train":
        from local.run import train

        train(settings)
    else:
        from local.run import run

        run(settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
