"""What every test may use: the app on an embedded AWS behind one lock, and the whole service as it runs here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The variables a deployment would set; every cache that read older ones is emptied before and after."""
    from chalicelib.shared import access, clock, rounds
    from chalicelib.shared.config import config
    from tests.support.environment import ENVIRONMENT

    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(rounds, "pause", lambda _seconds: None)
    _forget()
    yield
    config.cache_clear()
    access._known.clear()
    clock.travel(timedelta(0))
    _forget()


@pytest.fixture
def aws(environment: None) -> Iterator[Any]:
    """Moto behind one lock, with every table, the bus and a verified sender; yields the DynamoDB client."""
    from tests.support.embedded import embedded_aws

    with embedded_aws() as client:
        yield client


@pytest.fixture
def api(aws: Any) -> Iterator[Any]:
    """The app's HTTP door without a server: `api.get(path)`, `api.post(path, body)`; trusted unless headers say else."""
    from tests.support.embedded import Api

    with Api() as door:
        yield door


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The service as `make run` starts it, empty; tests share it, so each uses ids of its own."""
    from tests.support.local_run import running
    from tests.support.shop import Shop

    with running(tmp_path_factory.mktemp("shop")) as run:
        shop = Shop(run.address)
        yield shop
        shop.close()


@pytest.fixture
def real_time(shop: Any) -> Iterator[Any]:
    """The shop, brought back to the present after a test that travels in time."""
    yield shop
    shop.clock(None)


@pytest.fixture
def figure(record_property: Any) -> Callable[[str], None]:
    """Say one figure of a check, its name first; they are printed after the tests."""

    def say(text: str) -> None:
        record_property("figure", text)

    return say


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The figures of checks."""
    reports = terminalreporter.stats.get("passed", [])
    figures = [value for report in reports for name, value in report.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        for line in sorted(figures):
            terminalreporter.write_line(line)


def _forget() -> None:
    from chalicelib.shared import aws as clients
    from chalicelib.shared import tokens
    from chalicelib.shared.config import config

    config.cache_clear()
    clients.forget_clients()
    tokens.key_ring.cache_clear()
