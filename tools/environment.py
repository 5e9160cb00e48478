"""Makes the project's environments: once, visibly, and again by itself after an interruption.

Runs on any Python that the project supports, before anything is installed, so it uses the standard library only.
"""

import argparse
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PIP = "pip==26.2.1"  # Chalice refuses newer ones
LAMBDA_PLATFORMS = ("x86_64", "aarch64")
FAILURE_LINES_MAX = 30
ROUTINE = (
    "Collecting ",
    "Downloading ",
    "Requirement already satisfied: ",
    "Using cached ",
    "Saved ",
    "Looking in ",
)


class Unfit(Exception):
    """Something on this machine that its owner has to put right; the message says what."""


def main() -> int:
    """Run the sub-command; answer the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    install_options = commands.add_parser(
        "install", help="make an environment and install a requirements file"
    )
    install_options.add_argument("folder", type=Path)
    install_options.add_argument("requirements", type=Path)
    wheels_options = commands.add_parser("wheels", help="keep the wheels that `chalice package` will ask for")
    wheels_options.add_argument("folder", type=Path)
    wheels_options.add_argument("requirements", type=Path)
    options = parser.parse_args()
    work = {"install": install, "wheels": wheels}[options.command]
    try:
        with only_one(options.folder):
            work(options.folder, options.requirements)
    except Unfit as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The next run starts this installation again.", file=sys.stderr)
        return 130
    return 0


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Let one process at a time work on `folder`; the others wait and then find the work done."""
    path = Path(".cache") / f"{folder.name}.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Waiting for another process that is preparing {folder} ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(folder: Path, requirements: Path) -> None:
    """Make `folder` a virtual environment that holds `requirements`, unless it is one already."""
    stamp = folder / f".{requirements.stem}"
    unfinished = folder / ".unfinished"
    # A virtual environment knows its own path: one that was moved or copied is another one.
    mark = fingerprint(requirements, str(folder.resolve()), PIP)
    usable = runs(folder / "bin" / "python") and not unfinished.exists()
    if usable and read(stamp) == mark:
        return
    if not usable:
        create(folder)
    unfinished.touch()
    total = len({pin.partition("==")[0] for pin in pins(requirements)})
    print(f"Installing {requirements} into {folder} ({total} packages; only when it changes)", flush=True)
    python = folder / "bin" / "python"
    if read(folder / ".pip") != PIP:
        pip(python, "install", PIP, total=1)
        (folder / ".pip").write_text(PIP)
    pip(python, "install", "-r", str(requirements), total=total)
    stamp.write_text(mark)
    unfinished.unlink()


def create(folder: Path) -> None:
    """Make an empty virtual environment, in place of what may be there."""
    version = platform.python_version()
    try:
        import ensurepip  # noqa: F401 (some systems package it apart)
        import venv
    except ImportError:
        raise Unfit(
            f"Python {version} at {sys.executable} cannot make virtual environments: install its venv package"
            f" (on Debian and Ubuntu: apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv)"
            " and run this again."
        ) from None
    print(f"Making {folder} with Python {version}", flush=True)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / ".unfinished").touch()
    venv.create(folder, with_pip=True, symlinks=True)


def wheels(folder: Path, requirements: Path) -> None:
    """Fill `folder` with the wheels of `requirements` for Lambda's two processors, so that packaging needs no network.

    Called with the interpreter that will package, because its version becomes Lambda's.
    """
    stamp = folder / ".complete"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    mark = fingerprint(requirements, version, PIP)
    if read(stamp) == mark:
        return
    total = len({pin.partition("==")[0] for pin in pins(requirements)})
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    print(f"Keeping the wheels of {requirements} for packaging in {folder}", flush=True)
    into = ["download", "--no-deps", "--only-binary=:all:", "-r", str(requirements), "-d", str(folder)]
    python = Path(sys.executable)
    pip(python, *into, total=total)  # Chalice first asks for whatever fits this machine
    for processor in LAMBDA_PLATFORMS:
        target = [
            "--platform",
            f"manylinux2014_{processor}",
            "--implementation",
            "cp",
            "--python-version",
            version,
        ]
        pip(python, *into, *target, total=total)
    stamp.write_text(mark)


def pip(python: Path, *arguments: str, total: int) -> None:
    """Run pip, turn its talk into a count, and show the talk itself only when it fails.

    Where packages come from is the user's own pip configuration.
    """
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments, "--progress-bar", "off"]
    talk: list[str] = []
    count = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            talk.append(line)
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                count += 1
                progress(f"{min(count, total):4}/{total} {package_name(line)}")
            elif line.startswith("Installing collected packages") and total > 1:
                progress(f"     unpacking {line.count(',') + 1} packages")
    progress("")
    if process.returncode != 0:
        telling = [line for line in talk if not line.lstrip().startswith(ROUTINE)]
        print("".join(telling[-FAILURE_LINES_MAX:]), file=sys.stderr, end="")
        raise Unfit(
            f"pip could not install everything for Python {platform.python_version()}; its own words are above."
            " Check the network and pip's settings, then run this again: it starts over by itself."
        )


def progress(text: str) -> None:
    """Show `text` in place of the last one on a terminal; in a log, one line for each tenth package."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\x1b[K{text[:width]}", end="", flush=True)
    elif re.match(r" *\d*0/", text) or text.strip().startswith("unpacking"):
        print(text, flush=True)


def package_name(line: str) -> str:
    """The package that a line of pip's talk is about."""
    found = re.search(r"(?:Collecting|satisfied:) ([\w.\[\],-]+(?:==[\w.]+)?)", line)
    return found[1] if found else ""


def pins(requirements: Path) -> list[str]:
    """The lines of a requirements file that pin something, and those of the files that it builds on."""
    found: list[str] = []
    for line in requirements.read_text().splitlines():
        if line.startswith("-r "):
            found += pins(requirements.parent / line.removeprefix("-r ").strip())
        elif "==" in line and not line.startswith("#"):
            found.append(line.partition(" #")[0].strip())
    return found


def fingerprint(requirements: Path, *others: str) -> str:
    """One value that changes when a pin or anything else that matters here does."""
    return hashlib.sha256("\0".join([*pins(requirements), *others]).encode()).hexdigest()


def runs(python: Path) -> bool:
    """Whether this interpreter is there and starts (its base may have been removed since)."""
    if not os.access(python, os.X_OK):
        return False
    return subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode == 0


def read(path: Path) -> str:
    """The text of a file, empty if there is none."""
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
