"""Check E13: no address, name, token, key or body of anybody is ever in a log, whatever succeeds or fails."""

from __future__ import annotations

import io
import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.client
import pytest
from botocore.exceptions import ClientError
from pydantic import BaseModel

from chalicelib.shared import clock
from chalicelib.shared.config import TABLES
from chalicelib.shared.consumer import RunFailed
from chalicelib.shared.dynamo import unpack_item
from chalicelib.shared.http import Contract
from chalicelib.shared.logs import logger
from infrastructure.template import full_template, wiring_of
from local.handlers import Handler
from tests.support.local_run import running
from tests.support.marked import ADDRESS, AT, BODIES, MARK, found_in
from tests.support.marked_events import FACTS, deliver, fact, spoilt, stream, tick
from tests.support.marked_life import LIVELY, bearer_of, call, live, refused
from tests.support.post import Post
from tests.support.routes import contracts
from tests.support.shop import Shop


class Logged:
    """Everything written so far: our own lines, other people's with their tracebacks, and both streams."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.lines = io.StringIO()
        self.text = ""

    def add(self, error: BaseException) -> None:
        """An error that left a function: its text and trace are written by what runs the function."""
        self.lines.write("".join(traceback.format_exception(error, chain=False)))

    def read(self) -> str:
        captured = self._capsys.readouterr()
        self.text += captured.out + captured.err
        return self.lines.getvalue() + self.text

    def count(self, message: str) -> int:
        lines = [line for line in self.lines.getvalue().splitlines() if line.startswith("{")]
        return sum(json.loads(line)["message"] == message for line in lines)


class _WithEverything(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(record) + repr(vars(record))


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Logged]:
    logged = Logged(capsys)
    own = logger._logger.powertools_handler
    others = logging.StreamHandler(logged.lines)
    others.setFormatter(_WithEverything())
    before = own.setStream(logged.lines)
    logging.getLogger().addHandler(others)
    yield logged
    logging.getLogger().removeHandler(others)
    own.setStream(before)


def test_every_route_that_takes_a_body_is_tried() -> None:
    taking = {
        each.signature for each in contracts() if each.signature.split(" ")[0] in ("POST", "PUT", "PATCH")
    }

    assert taking == set(BODIES)


def test_the_net_catches_what_it_is_for(logged: Logged) -> None:
    logger.info(f"sent to {ADDRESS}")
    logging.getLogger("botocore").warning("token %s", "secret-token")
    sys.stderr.write(f"a body: {MARK}")

    assert len(found_in(logged.read(), ["secret-token"])) >= 3


def test_what_succeeds_or_is_refused_says_nothing_of_anybody(api: Any, logged: Logged) -> None:
    secrets = [*live(api), *refused(api)]

    assert found_in(logged.read(), secrets) == []


def test_a_store_that_fails_on_any_route_is_logged_without_its_words(
    api: Any, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    bearer = bearer_of(api)
    live(api)
    _break_aws(monkeypatch)
    failed, fine = set(), set()
    for contract in contracts():
        before = logged.count("unhandled")
        answer = call(api, contract, bearer)
        assert (answer.status_code == 500) == (logged.count("unhandled") == before + 1), contract.signature
        if answer.status_code == 500:
            failed.add(contract.signature)
        elif answer.status_code < 300 and not contract.rule.public:
            fine.add(contract.signature)

    assert failed >= LIVELY
    assert fine == set(), (
        "every route asks the store, also the one that signs tokens: not for whom was erased"
    )
    assert found_in(logged.read(), [bearer["Authorization"]]) == []


def test_a_bug_on_any_route_is_logged_without_its_words(api: Any, logged: Logged) -> None:
    bearer = bearer_of(api)
    for bug, message in ((_unforeseen, "unhandled"), (_broken_answer, "answer breaks its contract")):
        failed = set()
        for contract in contracts():
            before = logged.count(message)
            with _instead(contract, bug):
                answer = call(api, contract, bearer)
            # What is refused before the function is called is no concern of its bugs.
            assert (answer.status_code == 500) == (logged.count(message) == before + 1), contract.signature
            if answer.status_code == 500:
                failed.add(contract.signature)

        assert failed >= LIVELY
    assert found_in(logged.read(), [bearer["Authorization"]]) == []


@pytest.fixture(scope="module")
def handlers() -> dict[str, list[Handler]]:
    """Every deployed function by what wakes it, from the template."""
    by_kind: dict[str, list[Handler]] = {}
    for wire in wiring_of(full_template("prod")):
        by_kind.setdefault(wire.kind, []).append(Handler(wire))
    assert set(by_kind) == {"queue", "stream", "schedule"}
    return by_kind


def test_facts_that_fail_are_logged_without_their_words(
    api: Any, logged: Logged, handlers: dict[str, list[Handler]], monkeypatch: pytest.MonkeyPatch
) -> None:
    live(api)
    poison = [
        f'{{"detail": "{MARK}',
        json.dumps({"detail": MARK}),
        json.dumps([MARK]),
        json.dumps({"detail": {"id": MARK}}),
    ]
    poison += [json.dumps({"detail": fact(kind, spoilt(data))}) for kind, data in FACTS.items()]
    poison.append(json.dumps({"detail": fact(f"{MARK}.happened", {"a": MARK})}))
    good = [json.dumps({"detail": fact(kind, data)}) for kind, data in FACTS.items()]
    heard = set()
    for handler in handlers["queue"]:
        assert deliver(handler, poison) == len(poison), handler.name
        if deliver(handler, good) < len(good):
            heard.add(handler.name.removesuffix("_on_facts"))
    _break_aws(monkeypatch)
    for handler in handlers["queue"]:
        assert deliver(handler, good) > 0, handler.name
    assert heard >= {"activity", "campaigns", "loyalty", "messages", "orders"}

    assert logged.count("fact not applied") > len(handlers["queue"]) * len(poison)
    assert found_in(logged.read(), []) == []


def test_changes_that_fail_are_logged_without_their_words(
    api: Any, aws: Any, logged: Logged, handlers: dict[str, list[Handler]], monkeypatch: pytest.MonkeyPatch
) -> None:
    live(api)
    items = {
        name: [unpack_item(item) for item in aws.scan(TableName=f"kokyaku-test-{name}")["Items"]]
        for name in TABLES
    }
    everything = [item for name in TABLES for item in items[name]]
    assert found_in(json.dumps(everything, default=str), []), "what is stored has to be worth hiding"
    for handler in handlers["stream"]:
        for item in everything:
            for image in (item, {name: MARK if name not in ("pk", "sk") else item[name] for name in item}):
                handler(stream(image))
    _break_aws(monkeypatch)
    for handler in handlers["stream"]:
        for item in everything:
            handler(stream(item))

    assert logged.count("change not understood") > 0
    assert logged.count("facts not published") > 0
    assert found_in(logged.read(), []) == []


def test_a_run_that_fails_is_logged_without_its_words(
    api: Any, logged: Logged, handlers: dict[str, list[Handler]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _break_aws(monkeypatch)
    for handler in handlers["schedule"]:
        with pytest.raises(RunFailed) as failure:
            handler(tick())
        logged.add(failure.value)

    assert logged.count("scheduled run failed") == len(handlers["schedule"])
    assert found_in(logged.read(), []) == []


@pytest.mark.parametrize("code", ["MessageRejected", "ThrottlingException", "InternalServiceErrorException"])
def test_a_mail_that_is_refused_is_not_quoted(
    api: Any,
    logged: Logged,
    handlers: dict[str, list[Handler]],
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    live(api)
    for handler in handlers["queue"]:
        deliver(handler, [json.dumps({"detail": fact("customer.created", FACTS["customer.created"])})])
    clock.travel(datetime.fromisoformat(AT) + timedelta(days=2) - datetime.now(UTC))
    post = Post()
    _break_aws(monkeypatch, code, only="SendEmail")
    for handler in handlers["queue"]:
        changed = json.dumps({"detail": fact("shipment.status_changed", FACTS["shipment.status_changed"])})
        deliver(handler, [changed])
    for handler in handlers["schedule"]:
        handler(tick())

    assert found_in(str(post.asked), []), "a mail that nobody tried to send cannot be quoted"
    assert found_in(logged.read(), []) == []


def test_a_running_shop_writes_nothing_of_anybody(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        shop = Shop(run.address)
        secrets = [*live(shop), *refused(shop)]
        shop.idle()
        shop.clock((datetime.now(UTC) + timedelta(days=1, hours=1)).isoformat())
        shop.idle()
        mails = shop.mails(to=ADDRESS)
        way_out = next(mail["headers"]["List-Unsubscribe"].strip("<>") for mail in mails if mail["headers"])
        secrets.append(way_out.rpartition("/")[2])
        assert shop.post(way_out.removeprefix(shop.base_url), {}).status_code == 200
        shop.idle()
        shop.close()
    written = run.said + (tmp_path / "service.log").read_text("utf-8")

    assert len(mails) == 2, "the parcel's and the welcome"
    assert "campaigns run" in written
    assert found_in(written, secrets) == []


# --- what goes wrong


def _break_aws(monkeypatch: pytest.MonkeyPatch, code: str = "ValidationException", only: str = "") -> None:
    """Every call to AWS, or one, fails in words that repeat everything it was sent."""
    carry = botocore.client.BaseClient._make_api_call

    def fail(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if only and operation != only:
            return carry(self, operation, parameters)
        self.meta.events.emit(
            f"provide-client-params.{self.meta.service_model.service_id.hyphenize()}.{operation}",
            params=parameters, model=self.meta.service_model.operation_model(operation), context={},
        )  # fmt: skip
        said = {"Error": {"Code": code, "Message": f"{MARK}: {parameters!r}"}}
        status = 500 if code.startswith("Internal") else 400
        raise ClientError(said | {"ResponseMetadata": {"HTTPStatusCode": status}}, operation)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", fail)


def _unforeseen(*_: Any, **__: Any) -> Any:
    try:
        raise KeyError(ADDRESS)
    except KeyError as error:
        raise RuntimeError(f"cannot write to {ADDRESS}") from error


class _Small(BaseModel):
    points: int


def _broken_answer(*_: Any, **__: Any) -> Any:
    return _Small.model_validate({"points": ADDRESS})


class _instead:  # noqa: N801  (reads as a word in `with`)
    def __init__(self, contract: Contract, function: Callable[..., Any]) -> None:
        self._contract, self._function, self._before = contract, function, contract.function

    def __enter__(self) -> None:
        object.__setattr__(self._contract, "function", self._function)

    def __exit__(self, *_: object) -> None:
        object.__setattr__(self._contract, "function", self._before)
