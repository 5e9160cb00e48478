"""`python -m infrastructure package|deploy|key`: what `make package` and `make deploy` call."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infrastructure.deploy import Undeployable, another_key, check_stage, deploy
from infrastructure.package import ARCHITECTURES, Unpackable, package
from infrastructure.stack import StackFailed


def main() -> int:
    """Run the sub-command; answer the exit code."""
    options = _options()
    try:
        return int(options.run(options))
    except (Unpackable, Undeployable, StackFailed, ClientError, BotoCoreError) as problem:
        print(problem, file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infrastructure", description=__doc__)
    commands = parser.add_subparsers(required=True)
    packing = commands.add_parser("package", help="build the zip and the template")
    packing.add_argument("--stage", default="prod")
    packing.set_defaults(run=_package)
    deploying = commands.add_parser("deploy", help="bring a stage of your AWS account to this working tree")
    deploying.add_argument("--stage", required=True)
    deploying.set_defaults(run=_deploy)
    for command in (packing, deploying):
        command.add_argument("--architecture", choices=ARCHITECTURES, default=ARCHITECTURES[0])
        command.add_argument("--out", type=Path, default=Path("build"))
    key = commands.add_parser("key", help="make another API key that may do everything")
    key.add_argument("--stage", required=True)
    key.set_defaults(run=_key)
    return parser.parse_args()


def _package(options: argparse.Namespace) -> int:
    check_stage(options.stage)
    built = package(options.stage, options.architecture, options.out)
    for path in (built.code, built.template):
        print(f"{path}  {path.stat().st_size / 1024:,.0f} kB")
    return 0


def _deploy(options: argparse.Namespace) -> int:
    deployed = deploy(options.stage, options.architecture, options.out)
    print("Changed." if deployed.changed else "Nothing to change.")
    for name, value in sorted(deployed.outputs.items()):
        print(f"{name:16} {value}")
    if deployed.key:
        print(f"\nThe first API key; it may do everything and is shown this once:\n{deployed.key}")
    return 0


def _key(options: argparse.Namespace) -> int:
    print(another_key(options.stage))
    return 0


if __name__ == "__main__":
    sys.exit(main())
