"""The zip: small, complete, the same each time, with bytecode that Lambda will use."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import marshal
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infrastructure import package as packaging
from infrastructure.package import ZIP_BYTES_MAX, Unpackable, package

UNCHECKED = 0b01  # PEP 552: by hash, never compared with the source
ELF_MACHINE = {"arm64": 0xB7, "x86_64": 0x3E}
HEADER_BYTES = 16


@pytest.fixture(scope="module", params=["arm64", "x86_64"])
def built(
    request: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, zipfile.ZipFile, Path]]:
    out = tmp_path_factory.mktemp("build")
    made = package("prod", request.param, out)
    with zipfile.ZipFile(made.code) as archive:
        yield request.param, archive, out


def test_it_is_small_enough_to_start_quickly(built: Any) -> None:
    _, _, out = built
    assert 1_000_000 < (out / "deployment.zip").stat().st_size <= ZIP_BYTES_MAX


def test_it_holds_the_service_and_nothing_that_stays_at_home(built: Any) -> None:
    _, archive, _ = built
    tops = {name.split("/")[0] for name in archive.namelist()}
    assert {
        "app.py",
        "chalice",
        "chalicelib",
        "pydantic",
        "jwt",
        "jinja2",
        "ulid",
        "aws_lambda_powertools",
    } <= tops
    stays = {
        "tests",
        "test",
        "docs",
        "infrastructure",
        "local",
        "benchmarks",
        "training",
        "console",
        "boto3",
        "botocore",
    }
    assert not tops & stays
    assert not [name for name in archive.namelist() if "/tests/" in name]


def test_every_module_has_bytecode_that_is_used_without_a_look_at_its_source(built: Any) -> None:
    _, archive, _ = built
    names = set(archive.namelist())
    sources = [name for name in names if name.endswith(".py")]
    assert len(sources) > 100
    for source in sources:
        compiled = importlib.util.cache_from_source(source)
        assert compiled in names, source
        content = archive.read(compiled)
        assert content[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(content[4:8], "little") == UNCHECKED, source


def test_tracebacks_name_the_place_in_lambda(built: Any) -> None:
    _, archive, _ = built
    code = marshal.loads(archive.read(importlib.util.cache_from_source("app.py"))[HEADER_BYTES:])
    assert code.co_filename == "/var/task/app.py"


def test_native_code_fits_the_processor(built: Any) -> None:
    architecture, archive, _ = built
    libraries = [name for name in archive.namelist() if name.endswith(".so")]
    assert any("pydantic_core" in name for name in libraries)
    for name in libraries:
        header = archive.read(name)[:20]
        assert header[:4] == b"\x7fELF"
        assert int.from_bytes(header[18:20], "little") == ELF_MACHINE[architecture], name


def test_building_again_makes_the_same_bytes(built: Any, tmp_path: Path) -> None:
    architecture, _, out = built
    again = package("prod", architecture, tmp_path)
    for first, second in ((out / "deployment.zip", again.code), (out / "template.json", again.template)):
        assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()


def test_the_template_asks_for_the_same_processor_and_this_zip(built: Any) -> None:
    architecture, _, out = built
    template = json.loads((out / "template.json").read_text())
    functions = [
        each for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function"
    ]
    assert functions
    for function in functions:
        assert function["Properties"]["Architectures"] == [architecture]
        assert function["Properties"]["CodeUri"] == "./deployment.zip"


def test_a_zip_that_lacks_a_dependency_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    held = packaging._pins()
    monkeypatch.setattr(packaging, "_pins", lambda: [*held, ("some_thing", "1.0")])
    staged = tmp_path / "code"
    for name, version in held:
        (staged / f"{name}-{version}.dist-info").mkdir(parents=True)
    with pytest.raises(Unpackable, match="some_thing"):
        packaging._check_complete(staged)


def test_a_zip_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packaging, "ZIP_BYTES_MAX", 1_000_000)
    with pytest.raises(Unpackable, match="1,000,000 is the limit"):
        package("prod", "arm64", tmp_path)
