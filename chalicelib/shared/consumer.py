"""Around every stream, queue and schedule handler: one record at a time, partial failure, logs.

App middleware does not run for these (in production their module is imported alone), so this is where it all is.
A handler must be safe to run again: Lambda delivers at least once, in any order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalice.app import CloudWatchEvent, DynamoDBEvent, SQSEvent

from chalicelib.shared import clock
from chalicelib.shared.dynamo import Item, unpack_item
from chalicelib.shared.facts import HOPS_MAX, Fact, publish
from chalicelib.shared.logs import log_failure, logger

BatchAnswer = dict[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Change:
    """One committed change of a table: `old` is None for a new item, `new` is None for a removed one."""

    sequence: str
    old: Item | None
    new: Item | None


class LoopDetected(Exception):
    """A fact has travelled through too many rooms; it goes to the dead letters instead of round again."""


class RunFailed(Exception):
    """A scheduled run ended in an error. Lambda logs what leaves a handler, and the error's own text may quote data."""


def on_facts(apply: Callable[[Fact, datetime], None]) -> Callable[[SQSEvent], BatchAnswer]:
    """Make a queue handler of `apply(fact, now)`; each fact that fails is reported alone and comes again."""

    def handler(event: SQSEvent) -> BatchAnswer:
        failed = []
        for record in event.to_dict()["Records"]:
            try:
                fact = Fact.from_dict(json.loads(record["body"])["detail"])
                if fact.hops > HOPS_MAX:
                    raise LoopDetected(fact.type)
                logger.append_keys(correlation_id=fact.id)
                apply(fact, clock.now())
            except Exception as error:  # noqa: BLE001  reported to the queue, which sends it again
                log_failure("fact not applied", error, handler=apply.__name__, message_id=record["messageId"])
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    handler.__name__ = apply.__name__
    handler.__doc__ = apply.__doc__
    return handler


def relay(to_facts: Callable[[Change], Sequence[Fact]]) -> Callable[[DynamoDBEvent], BatchAnswer]:
    """Make a stream handler that publishes the facts of each change, in order.

    A stream goes on from the lowest reported record, so the batch stops at the first failure; what is sent twice
    carries the same fact id.
    """

    def handler(event: DynamoDBEvent) -> BatchAnswer:
        first_record: dict[str, str] = {}  # fact id -> sequence number of the change it came from
        facts: list[Fact] = []
        for record in event.to_dict()["Records"]:
            sequence = record["dynamodb"]["SequenceNumber"]
            try:
                for fact in to_facts(_change(record)):
                    first_record.setdefault(fact.id, sequence)
                    facts.append(fact)
            except Exception as error:  # noqa: BLE001  reported to the stream, which starts again here
                log_failure("change not understood", error, handler=to_facts.__name__, sequence=sequence)
                lost = _publish(facts, to_facts.__name__)
                return _failed([*(first_record[fact.id] for fact in facts if fact.id in lost), sequence])
        lost = _publish(facts, to_facts.__name__)
        return _failed([first_record[fact.id] for fact in facts if fact.id in lost])

    handler.__name__ = to_facts.__name__
    handler.__doc__ = to_facts.__doc__
    return handler


def on_changes(apply: Callable[[Change, datetime], None]) -> Callable[[DynamoDBEvent], BatchAnswer]:
    """Make a stream handler of `apply(change, now)`: for a room that follows its own table."""

    def handler(event: DynamoDBEvent) -> BatchAnswer:
        for record in event.to_dict()["Records"]:
            sequence = record["dynamodb"]["SequenceNumber"]
            try:
                apply(_change(record), clock.now())
            except Exception as error:  # noqa: BLE001  reported to the stream, which starts again here
                log_failure("change not applied", error, handler=apply.__name__, sequence=sequence)
                return _failed([sequence])
        return _failed([])

    handler.__name__ = apply.__name__
    handler.__doc__ = apply.__doc__
    return handler


def on_tick(run: Callable[[datetime], None]) -> Callable[[CloudWatchEvent], None]:
    """Make a schedule handler of `run(now)`; a failure is logged and raised, so that its retry and alarm work."""

    def handler(event: CloudWatchEvent) -> None:
        logger.append_keys(correlation_id=event.to_dict().get("id", ""))
        try:
            run(clock.now())
        except Exception as error:  # noqa: BLE001  raised again without its text
            log_failure("scheduled run failed", error, handler=run.__name__)
            raise RunFailed(run.__name__) from None

    handler.__name__ = run.__name__
    handler.__doc__ = run.__doc__
    return handler


def _publish(facts: Sequence[Fact], handler: str) -> set[str]:
    """The ids of those facts that the bus did not take, all of them when it cannot be asked."""
    try:
        return publish(facts)
    except Exception as error:  # noqa: BLE001  reported to the stream; its text may quote the facts
        log_failure("facts not published", error, handler=handler)
        return {fact.id for fact in facts}


def _change(record: dict[str, Any]) -> Change:
    images = record["dynamodb"]
    old, new = images.get("OldImage"), images.get("NewImage")
    return Change(
        images["SequenceNumber"],
        unpack_item(old) if old else None,
        unpack_item(new) if new else None,
    )


def _failed(sequences: Sequence[str]) -> BatchAnswer:
    # In stream order: Lambda starts again at the first.
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in sequences[:1]]}
