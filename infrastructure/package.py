"""The zip and the template that are deployed: Chalice's package, with bytecode, always the same bytes."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chalice.deploy.packager import (
    DependencyBuilder,
    LambdaDeploymentPackager,
    MissingDependencyError,
    NoSuchPackageError,
    PackageDownloadError,
    PipRunner,
    SubprocessPip,
)
from chalice.utils import UI, OSUtils

from infrastructure.template import ROOT, config_of, full_template

ZIP_BYTES_MAX = 25 * 1024 * 1024
CODE_IN_LAMBDA = "/var/task"  # what tracebacks call the folder
EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)  # the oldest a zip knows
ARCHITECTURES = ("arm64", "x86_64")
WHEELS = ROOT / ".cache" / "wheels"


class Unpackable(Exception):
    """Why there is no package; the message says what to do."""


@dataclass(frozen=True)
class Package:
    """What was built: the two files."""

    code: Path
    template: Path


def package(stage: str, architecture: str, out: Path) -> Package:
    """Build `deployment.zip` and `template.json` of a stage into `out`; raises Unpackable."""
    out.mkdir(parents=True, exist_ok=True)
    code, template = out / "deployment.zip", out / "template.json"
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder) / "code"
        _unpack(_chalice_zip(stage, architecture), staged)
        _check_complete(staged)
        _compile(staged)
        _pack(staged, code)
    if code.stat().st_size > ZIP_BYTES_MAX:
        raise Unpackable(
            f"{code} has {code.stat().st_size:,} bytes; {ZIP_BYTES_MAX:,} is the limit, for a quick cold start"
        )
    template.write_text(json.dumps(full_template(stage, architecture), indent=1, sort_keys=True) + "\n")
    return Package(code, template)


def _chalice_zip(stage: str, architecture: str) -> Path:
    """Chalice's own zip: the app, Chalice's runtime, and wheels that fit Lambda. It is kept while nothing changes."""
    tools = _Tools()
    packager = _Packager(
        osutils=tools,
        dependency_builder=DependencyBuilder(tools, PipRunner(SubprocessPip(tools), tools), architecture),
        ui=UI(out=io.StringIO()),
        architecture=architecture,
    )
    version = config_of(stage, architecture).lambda_python_version
    try:
        made = Path(packager.create_deployment_package(str(ROOT), version))
    except MissingDependencyError as error:
        names = ", ".join(sorted(each.identifier for each in error.missing))
        raise Unpackable(f"No wheel fits Lambda on {architecture} for: {names}.") from error
    except (NoSuchPackageError, PackageDownloadError) as error:
        raise Unpackable(f"{error}\npip could not fetch what the zip needs; check the network.") from error
    for older in set(made.parent.glob(f"*{made.name.partition('-')[2]}")) - {made}:
        older.unlink(missing_ok=True)  # Chalice would keep one of every state the code was ever in
    return made


class _Packager(LambdaDeploymentPackager):
    """Chalice's packager, which would pack the bytecode lying about, and go on without a dependency it cannot find."""

    def _iter_app_filenames(self, project_dir: str) -> Iterator[tuple[str, str]]:
        for full_path, zip_path in super()._iter_app_filenames(project_dir):
            if "__pycache__" not in zip_path:
                yield full_path, zip_path

    def _build_python_dependencies(
        self, python_version: str, requirements_filepath: str, site_packages_dir: str
    ) -> None:
        abi = self._RUNTIME_TO_ABI[python_version]
        self._dependency_builder.build_site_packages(abi, requirements_filepath, site_packages_dir)


class _Tools(OSUtils):
    """Chalice's window to the system; pip reads the wheels that are kept here, when they are the right ones."""

    def environ(self) -> dict[str, str]:
        return os.environ | ({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(WHEELS)} if _wheels_fit() else {})


def _wheels_fit() -> bool:
    return all(any(WHEELS.glob(f"{name}-{version}-*.whl")) for name, version in _pins())


def _pins() -> list[tuple[str, str]]:
    """What requirements.txt pins: (name as wheels spell it, version)."""
    found = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    return [(re.sub(r"[-_.]+", "_", name).lower(), version) for name, version in found]


def _unpack(code: Path, staged: Path) -> None:
    with zipfile.ZipFile(code) as archive:
        archive.extractall(staged)


def _check_complete(staged: Path) -> None:
    held = {path.name.lower() for path in staged.glob("*.dist-info")}
    missing = [name for name, version in _pins() if f"{name}-{version}.dist-info" not in held]
    if missing:
        raise Unpackable(
            f"The zip lacks {', '.join(missing)}; remove .chalice/deployments and package again."
        )


def _compile(staged: Path) -> None:
    """Bytecode for every module: Lambda's disk cannot be written, so it would compile again at each cold start."""
    # Unchecked: the zip's dates are not the sources'. One hash seed: sets are stored in its order.
    options = ["-q", "-s", str(staged), "-p", CODE_IN_LAMBDA, "--invalidation-mode", "unchecked-hash"]
    command = [sys.executable, "-m", "compileall", *options, str(staged)]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Unpackable(f"Some module does not compile:\n{done.stdout}{done.stderr}")


def _pack(staged: Path, code: Path) -> None:
    """The same files always make the same bytes, so that nothing is deployed when nothing has changed."""
    with zipfile.ZipFile(code, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in staged.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(staged).as_posix(), EARLIEST_DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
