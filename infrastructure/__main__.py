"""`python -m infrastructure package|deploy|key`: what `make package` and `make deploy` call."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infrastructure.package import ARCHITECTURES, Unpackable, package


def main() -> int:
    """Run the sub-command; answer the exit code."""
    options = _options()
    try:
        return int(options.run(options))
    except Unpackable as problem:
        print(problem, file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infrastructure", description=__doc__)
    commands = parser.add_subparsers(required=True)
    packing = commands.add_parser("package", help="build the zip and the template")
    packing.add_argument("--stage", default="prod")
    packing.set_defaults(run=_package)
    for command in (packing,):
        command.add_argument("--architecture", choices=ARCHITECTURES, default=ARCHITECTURES[0])
        command.add_argument("--out", type=Path, default=Path("build"))
    return parser.parse_args()


def _package(options: argparse.Namespace) -> int:
    built = package(options.stage, options.architecture, options.out)
    for path in (built.code, built.template):
        print(f"{path}  {path.stat().st_size / 1024:,.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
