"""The driver: what is retried, what becomes a dead letter, and when nothing is left."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from chalicelib.shared import aws as clients
from chalicelib.shared import clock
from chalicelib.shared.config import config
from chalicelib.shared.dynamo import table
from infrastructure.template import Wire
from local.drive import Driver
from local.schedules import ScheduleSource

Event = dict[str, Any]
SECONDS = 20


def wired(
    name: str, kind: str, source: str, handler: Callable[[Event, Any], Any], attempts_max: int = 3
) -> Wire:
    """A wire to a handler of this test, importable by name as the deployed ones are."""
    module = sys.modules.setdefault("handlers_of_this_test", ModuleType("handlers_of_this_test"))
    setattr(module, name, handler)
    return Wire(name, f"handlers_of_this_test.{name}", kind, source, 10, attempts_max, "Dead")


@pytest.fixture
def queues(aws: Any) -> dict[str, str]:
    """A queue that moves a message to `Dead` after two failures, by logical id."""
    sqs = clients.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    work = sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    return {"Dead": dead, "Work": work, "Ledger": config().tables["ledger"]}


@pytest.fixture
def driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.stop()


def send(url: str, *bodies: str) -> None:
    for body in bodies:
        clients.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def dead_letters(queues: dict[str, str]) -> list[str]:
    answer = clients.client("sqs").receive_message(QueueUrl=queues["Dead"], MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


def write(*names: str) -> None:
    for name in names:
        table("ledger").put({"pk": name, "sk": "X"})


def new_names(event: Event) -> list[str]:
    return [record["dynamodb"]["NewImage"]["pk"]["S"] for record in event["Records"]]


def test_each_message_is_handled_once_and_only_failures_come_again(driver: Driver, queues: dict[str, str]):
    seen: list[str] = []

    def handler(event: Event, _context: Any) -> Any:
        bodies = {record["messageId"]: record["body"] for record in event["Records"]}
        seen.extend(bodies.values())
        poison = [{"itemIdentifier": key} for key, body in bodies.items() if body == "poison"]
        return {"batchItemFailures": poison}

    driver.start([wired("on_work", "queue", "Work", handler, attempts_max=2)], queues)
    send(queues["Work"], "a", "poison", "b", "c")
    assert driver.settle(SECONDS) == {}
    assert sorted(seen) == ["a", "b", "c", "poison", "poison"]
    assert dead_letters(queues) == ["poison"]


def test_a_queue_handler_that_raises_fails_its_whole_batch(driver: Driver, queues: dict[str, str]):
    tries: list[int] = []

    def handler(event: Event, _context: Any) -> None:
        tries.append(len(event["Records"]))
        if len(tries) == 1:
            raise RuntimeError("the first time")

    send(queues["Work"], "a", "b")
    driver.start([wired("on_work", "queue", "Work", handler, attempts_max=2)], queues)
    assert driver.settle(SECONDS) == {}
    assert sum(tries) == 4
    assert dead_letters(queues) == []


def test_a_stream_goes_on_from_the_lowest_failure_in_order(driver: Driver, queues: dict[str, str]):
    batches: list[list[str]] = []

    def handler(event: Event, _context: Any) -> Any:
        names = new_names(event)
        batches.append(names)
        failed = [
            event["Records"][names.index(name)] for name in ("d", "b") if name in names and len(batches) < 3
        ]
        return {
            "batchItemFailures": [{"itemIdentifier": each["dynamodb"]["SequenceNumber"]} for each in failed]
        }

    write("a", "b", "c", "d")
    driver.start([wired("on_change", "stream", "Ledger", handler)], queues)
    assert driver.settle(SECONDS) == {}
    assert batches == [["a", "b", "c", "d"], ["b", "c", "d"], ["b", "c", "d"]]
    assert dead_letters(queues) == []


@pytest.mark.parametrize("raises", [True, False])
def test_a_hopeless_change_becomes_a_dead_letter_and_the_rest_goes_on(
    driver: Driver, queues: dict[str, str], raises: bool
):
    done: list[str] = []
    tries: list[str] = []

    def handler(event: Event, _context: Any) -> Any:
        names = new_names(event)
        if "poison" not in names:
            done.extend(names)
            return None
        if raises:
            tries.extend(["poison"] if names == ["poison"] else [])
            raise RuntimeError("whoever it was")
        tries.append("poison")
        done.extend(names[: names.index("poison")])
        record = event["Records"][names.index("poison")]
        return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}

    write("a", "b", "poison", "c", "d")
    driver.start([wired("on_change", "stream", "Ledger", handler, attempts_max=4)], queues)
    assert driver.settle(SECONDS) == {}
    assert done == ["a", "b", "c", "d"]
    assert len(tries) == 4
    [letter] = dead_letters(queues)
    assert json.loads(letter)["requestContext"]["condition"] == "RetryAttemptsExhausted"


def test_a_change_arrives_as_lambda_shows_it(driver: Driver, queues: dict[str, str]):
    events: list[Event] = []
    driver.start(
        [wired("on_change", "stream", "Ledger", lambda event, _context: events.append(event))], queues
    )
    table("ledger").put({"pk": "a", "sk": "X", "packed": b"\x00\xff", "count": 7})
    assert driver.settle(SECONDS) == {}
    [record] = json.loads(json.dumps(events[0]))["Records"]  # Lambda's events are JSON
    assert record["eventName"] == "INSERT"
    assert record["dynamodb"]["NewImage"]["packed"] == {"B": "AP8="}
    assert record["dynamodb"]["NewImage"]["count"] == {"N": "7"}
    assert f":table/{queues['Ledger']}/stream/" in record["eventSourceARN"]


def test_nothing_is_left_only_when_every_link_of_a_chain_is_done(driver: Driver, queues: dict[str, str]):
    """change -> message -> change -> message ...: at each moment all but one place are empty."""
    links = 6
    seen: list[str] = []

    def on_change(event: Event, _context: Any) -> None:
        for name in new_names(event):
            send(queues["Work"], name)

    def on_work(event: Event, _context: Any) -> None:
        for record in event["Records"]:
            seen.append(record["body"])
            if len(seen) < links:
                write(f"link-{len(seen)}")

    wires = [wired("on_change", "stream", "Ledger", on_change), wired("on_work", "queue", "Work", on_work)]
    driver.start(wires, queues)
    write("link-0")
    assert driver.settle(SECONDS) == {}
    assert seen == [f"link-{number}" for number in range(links)]


def test_what_is_still_being_done_is_left(driver: Driver, queues: dict[str, str]):
    begun, may_end = threading.Event(), threading.Event()

    def handler(_event: Event, _context: Any) -> None:
        begun.set()
        may_end.wait(SECONDS)

    driver.start([wired("on_work", "queue", "Work", handler)], queues)
    send(queues["Work"], "a")
    driver.nudge()
    assert driver.settle(0.2) != {}
    assert begun.wait(SECONDS)
    may_end.set()
    assert driver.settle(SECONDS) == {}


def test_a_jump_in_time_runs_a_schedule_once(driver: Driver, queues: dict[str, str]):
    runs: list[str] = []

    def handler(event: Event, _context: Any) -> None:
        runs.append(event["time"])

    driver.start([wired("every_day", "schedule", "rate(1 day)", handler)], queues)
    assert driver.settle(SECONDS) == {}
    assert runs == []
    clock.travel(timedelta(days=30))
    assert driver.settle(SECONDS) == {}
    assert len(runs) == 1
    clock.travel(timedelta(0))
    assert driver.settle(SECONDS) == {}
    assert len(runs) == 1


def test_a_schedule_can_be_run_by_hand_and_says_whether_it_worked(driver: Driver, queues: dict[str, str]):
    tries: list[int] = []

    def handler(_event: Event, _context: Any) -> None:
        tries.append(len(tries))
        if len(tries) < 3:
            raise RuntimeError("not yet")

    driver.start([wired("every_day", "schedule", "rate(1 day)", handler, attempts_max=2)], queues)
    assert driver.run_schedule("every_day") is False
    assert driver.run_schedule("every_day") is True
    with pytest.raises(KeyError):
        driver.run_schedule("never")


def test_a_schedule_that_keeps_failing_is_a_dead_letter(aws: Any, queues: dict[str, str]):
    def handler(_event: Event, _context: Any) -> None:
        raise RuntimeError("never")

    source = ScheduleSource(wired("every_day", "schedule", "rate(1 day)", handler), queues["Dead"])
    clock.travel(timedelta(days=1))
    assert source.poll() == 1
    [letter] = dead_letters(queues)
    assert json.loads(letter)["detail-type"] == "Scheduled Event"
