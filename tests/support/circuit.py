"""The whole service in one process on moto: what streams, bus, queues and schedules would carry, carried here.

Nothing runs by itself: `settle` carries on until nothing moves. What fails is kept as a dead letter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from unittest import mock

from chalicelib.shared import aws, clock, consumer
from chalicelib.shared.config import config
from chalicelib.shared.facts import Fact
from infrastructure.functions import QUEUE, SCHEDULE, STREAM
from infrastructure.template import Wire, full_template, wiring_of
from infrastructure.wiring import HEARD, Heard
from local.handlers import Handler, failed_ids
from local.streams import _as_lambda_sees_it

ROUNDS_MAX = 60
TRIES_MAX = 3


class Circuit:
    """`queues` and `dead` hold (room, fact) on their way and given up; `published` every fact there ever was."""

    def __init__(self) -> None:
        wires = wiring_of(full_template("embedded"))
        self._handlers = {wire.handler.rsplit(".", 1)[-1]: (wire, Handler(wire)) for wire in wires}
        self._iterators: dict[str, str] = {}
        self.queues: list[tuple[str, Fact]] = []
        self.dead: list[tuple[str, Fact]] = []
        self.published: list[Fact] = []
        self._patch = mock.patch.object(consumer, "publish", self._publish)

    def __enter__(self) -> Self:
        self._patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.stop()

    def settle(self) -> None:
        """Carry changes and facts until nothing is left."""
        for _ in range(ROUNDS_MAX):
            if not self.pump_streams() and not self.pump_queues():
                return
        raise AssertionError(f"never came to rest: {self.queues}")

    def pump_streams(self) -> int:
        """Bring what changed since the last time to its relay; returns how many changes."""
        moved = 0
        for wire, handler in self._of(STREAM):
            records = self._changes(config().tables[wire.source.removesuffix("Table").lower()])
            if records:
                answer = handler({"Records": records})
                assert not failed_ids(answer), f"{handler.name} refused a change"
                moved += len(records)
        return moved

    def pump_queues(self) -> int:
        """Deliver what is on its way, once; returns how much that was."""
        on_their_way, self.queues = self.queues, []
        for room, fact in on_their_way:
            self.deliver(room, fact)
        return len(on_their_way)

    def deliver(self, room: str, fact: Fact) -> None:
        """Bring one fact to a room, again when it fails; then it is a dead letter."""
        [(_, handler)] = [each for each in self._of(QUEUE) if each[0].source == f"{room.title()}Queue"]
        record = {"messageId": fact.id, "body": json.dumps({"detail": json.loads(fact.to_json())})}
        for _ in range(TRIES_MAX):
            if not failed_ids(handler({"Records": [record]})):
                return
        self.dead.append((room, fact))

    def tick(self, name: str) -> None:
        """Run a schedule now."""
        wire, handler = self._handlers[name]
        assert wire.kind == SCHEDULE
        handler({"id": "tick", "time": clock.to_text(clock.now()), "resources": [], "detail": {}, "source": "",
                 "account": "", "region": "", "version": "0", "detail-type": ""})  # fmt: skip

    def travel(self, moment: datetime) -> None:
        """Move the product's clock there."""
        clock.travel(moment - (clock.now() - clock._offset))

    def _of(self, kind: str) -> list[tuple[Wire, Handler]]:
        return [pair for pair in self._handlers.values() if pair[0].kind == kind]

    def _publish(self, facts: Any) -> set[str]:
        for fact in facts:
            self.published.append(fact)
            self.queues += [
                (room, fact) for room, heard in HEARD.items() if any(_hears(each, fact) for each in heard)
            ]
        return set()

    def _changes(self, table: str) -> list[dict[str, Any]]:
        streams = aws.client("dynamodbstreams")
        if table not in self._iterators:
            arn = aws.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
            [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
            self._iterators[table] = streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
        answer = streams.get_records(ShardIterator=self._iterators[table], Limit=1000)
        self._iterators[table] = answer["NextShardIterator"]
        return [_as_lambda_sees_it(record, table) for record in answer["Records"]]


def _hears(heard: Heard, fact: Fact) -> bool:
    data: Mapping[str, Any] = fact.data
    return heard.fact == fact.type and all(data.get(name) in values for name, values in heard.only.items())
