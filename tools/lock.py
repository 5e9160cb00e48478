"""Writes the requirements files: every group of pyproject.toml with all that it brings, exactly pinned.

`make lock` changes as little as it can; `make lock UPGRADE=--upgrade` takes the newest of what is not chosen by hand.
"""

import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

from tools.environment import pins

UV = "uv==0.13.9"
TOOL = Path(".cache/lock")


class Lock(NamedTuple):
    """One requirements file: its group, the file that it builds on, and what it is for."""

    name: str
    group: str
    base: str | None
    purpose: str


# Each file adds to its base what the base does not hold yet.
LOCKS = [
    Lock(
        "requirements.txt",
        "service",
        None,
        "What goes into the Lambda zip, and nothing more. Chalice is not here because `chalice package` copies its own\n"
        "# runtime into the zip; boto3 is not because Lambda brings it (20 MB saved). requirements-local.txt pins both.",
    ),
    Lock(
        "requirements-local.txt",
        "local",
        "requirements.txt",
        "What the service and its local run need where there is no Lambda to bring it.",
    ),
    Lock(
        "requirements-dev.txt",
        "dev",
        "requirements-local.txt",
        "What tests and checks need beside the service.",
    ),
    Lock("requirements-spark.txt", "spark", "requirements-dev.txt", "Training at scale on Spark."),
    Lock(
        "requirements-bench.txt",
        "bench",
        "requirements-local.txt",
        "The textbook methods that the quality table stands beside.",
    ),
    Lock(
        "requirements-emulator.txt",
        "emulator",
        None,
        "The embedded AWS, in an environment of its own because it pins botocore exactly.",
    ),
]


def main() -> None:
    """Write each file, held to what stands in its base."""
    uv = TOOL / "bin" / "uv"
    if not uv.exists():
        venv.create(TOOL, with_pip=True, clear=True)
        subprocess.run([str(TOOL / "bin" / "pip"), "install", "--quiet", UV], check=True)
    found: dict[str | None, dict[str, str]] = {None: {}}
    for lock in LOCKS:
        found[lock.name] = resolve(uv, lock)
        own = {name: line for name, line in found[lock.name].items() if name not in found[lock.base]}
        heading = (
            f"# {lock.purpose}\n# Written by `make lock` from the group `{lock.group}` of pyproject.toml.\n\n"
        )
        base = f"-r {lock.base}\n\n" if lock.base else ""
        Path(lock.name).write_text(heading + base + "".join(own.values()))


def resolve(uv: Path, lock: Lock) -> dict[str, str]:
    """Every package of the group: its name and its line (packages that only Windows needs left out)."""
    answer = TOOL / lock.name  # what stands in it beforehand is kept where it can be
    answer.write_text("\n".join(pins(Path(lock.name)) if Path(lock.name).exists() else []))
    options = [
        "--quiet",
        "--universal",
        "--python-version",
        "3.11",
        "--no-header",
        "--annotation-style",
        "line",
    ]
    options += ["--constraint", lock.base] if lock.base else []
    options += ["--output-file", str(answer), *sys.argv[1:]]
    subprocess.run([str(uv), "pip", "compile", "--group", lock.group, *options], check=True)
    found: dict[str, str] = {}
    for line in answer.read_text().splitlines():
        name = re.match(r"[\w.-]+", line)
        if name and "sys_platform == 'win32'" not in line:
            found[name[0]] = found.get(name[0], "") + readable(line)
    return found


def readable(line: str) -> str:
    """The line, naming our own choices as such and leaving out how the files are held together."""
    pin, _, reason = line.partition("# via ")
    pin = re.sub(
        r" ; (implementation_name|platform_python_implementation) .*", "", pin.rstrip()
    )  # CPython only
    causes = [cause for cause in reason.split(", ") if not cause.startswith("-c ")]
    said = "chosen" if any("pyproject.toml" in cause for cause in causes) else "for " + ", ".join(causes)
    return f"{pin:<36}  # {said}\n"


if __name__ == "__main__":
    main()
