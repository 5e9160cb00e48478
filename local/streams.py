"""Brings a table's changes to their handler as Lambda does: in order, from the lowest failure on, the hopeless last."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from threading import Event
from typing import Any

from chalicelib.shared import aws
from chalicelib.shared.logs import log_failure
from infrastructure.template import Wire
from local.handlers import Handler, failed_ids

AGAIN_SECONDS = 0.05
AGAIN_SECONDS_MAX = 1.0

Record = dict[str, Any]


class StreamSource:
    """One table's stream. The emulator's stream begins anew when it starts, so it is read from its beginning."""

    is_upstream = True

    def __init__(self, wire: Wire, table: str, dead_letters: str, stopping: Event) -> None:
        self._handler = Handler(wire)
        self.name = self._handler.name
        self._table = table
        self._batch_size = wire.batch_size
        self._attempts_max = wire.attempts_max
        self._dead_letters = dead_letters
        self._stopping = stopping
        self._arn = ""
        self._iterators: dict[str, str] = {}

    def poll(self) -> int:
        """Handle one batch of each shard; answers how many changes were in them."""
        if not self._arn:
            self._begin()
        return sum(self._poll(shard) for shard in list(self._iterators))

    def left(self) -> int:
        """Nothing: a poll returns when everything it read is done or a dead letter."""
        return 0

    def _begin(self) -> None:
        arn = aws.client("dynamodb").describe_table(TableName=self._table)["Table"]["LatestStreamArn"]
        streams = aws.client("dynamodbstreams")
        for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            answer = streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )
            self._iterators[shard["ShardId"]] = answer["ShardIterator"]
        self._arn = arn

    def _poll(self, shard: str) -> int:
        answer = aws.client("dynamodbstreams").get_records(
            ShardIterator=self._iterators[shard], Limit=self._batch_size
        )
        records = [_as_lambda_sees_it(record, self._arn) for record in answer["Records"]]
        self._deliver(records, shard)
        self._iterators[shard] = answer["NextShardIterator"]
        return len(records)

    def _deliver(self, records: list[Record], shard: str) -> None:
        """Run the handler until every record is done or a dead letter; earlier ones always first."""
        attempts = 0
        while records and not self._stopping.is_set():
            done, failed = self._run(records)
            records = records[done:]
            attempts = (0 if done else attempts) + failed
            if failed and attempts >= self._attempts_max:
                self._bury(records[0], attempts, shard)
                records, attempts = records[1:], 0
            elif failed:
                self._stopping.wait(min(AGAIN_SECONDS * 2**attempts, AGAIN_SECONDS_MAX))

    def _run(self, records: list[Record]) -> tuple[int, bool]:
        """How many of the records, from the first on, are done; and whether the next one failed."""
        try:
            failed = failed_ids(self._handler({"Records": records}))
        except Exception as error:  # noqa: BLE001 (the batch is halved and comes again)
            log_failure("handler failed", error, handler=self.name)
            # Nobody knows which one it was: halve the batch until it is alone, as the mapping is told to.
            half = len(records) // 2
            return self._run(records[:half]) if half else (0, True)
        if not failed:
            return len(records), False
        sequences = [record["dynamodb"]["SequenceNumber"] for record in records]
        return min((sequences.index(each) for each in failed if each in sequences), default=0), True

    def _bury(self, record: Record, attempts: int, shard: str) -> None:
        sequence = record["dynamodb"]["SequenceNumber"]
        letter = {
            "requestContext": {
                "functionArn": self._handler.arn,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": attempts,
            },
            "DDBStreamBatchInfo": {
                "shardId": shard,
                "startSequenceNumber": sequence,
                "endSequenceNumber": sequence,
                "batchSize": 1,
                "streamArn": self._arn,
            },
        }
        aws.client("sqs").send_message(QueueUrl=self._dead_letters, MessageBody=json.dumps(letter))


def _as_lambda_sees_it(record: Mapping[str, Any], arn: str) -> Record:
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
    for image in ("Keys", "OldImage", "NewImage"):
        if image in change:
            change[image] = _typed(change[image])
    return {**record, "dynamodb": change, "eventSourceARN": arn}


def _typed(value: Any) -> Any:
    # Lambda's events are JSON: bytes arrive in base64.
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _typed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]
    return value
