"""Brings a queue's messages to their handler as Lambda does: what fails stays and becomes a dead letter in the end."""

from __future__ import annotations

from typing import Any

from chalicelib.shared import aws
from chalicelib.shared.logs import log_failure
from infrastructure.template import Wire
from local.emulator import REGION
from local.handlers import Handler, failed_ids

AGAIN_SECONDS = 1  # deployed, it is the queue's visibility timeout: minutes


class QueueSource:
    """One queue. The queue itself counts deliveries and moves what failed too often to its dead letters."""

    is_upstream = False

    def __init__(self, wire: Wire, url: str) -> None:
        self._handler = Handler(wire)
        self.name = self._handler.name
        self._url = url
        self._batch_size = wire.batch_size
        self._attempts_max = wire.attempts_max
        self._arn = f"arn:aws:sqs:{REGION}:{url.rsplit('/', 2)[-2]}:{url.rsplit('/', 1)[-1]}"

    def poll(self) -> int:
        """Handle one batch; answers how many messages were in it."""
        answer = aws.client("sqs").receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(self._batch_size, 10),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if messages:
            self._settle(messages, self._failed(messages))
        return len(messages)

    def left(self) -> int:
        """How many messages wait here, those that failed and come again included."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        answer = aws.client("sqs").get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def _failed(self, messages: list[dict[str, Any]]) -> set[str]:
        try:
            return failed_ids(self._handler({"Records": [self._record(message) for message in messages]}))
        except Exception as error:  # noqa: BLE001 (the whole batch comes again)
            log_failure("handler failed", error, handler=self.name)
            return {message["MessageId"] for message in messages}

    def _settle(self, messages: list[dict[str, Any]], failed: set[str]) -> None:
        done = [message for message in messages if message["MessageId"] not in failed]
        if done:
            entries = [
                {"Id": str(place), "ReceiptHandle": each["ReceiptHandle"]} for place, each in enumerate(done)
            ]
            aws.client("sqs").delete_message_batch(QueueUrl=self._url, Entries=entries)
        for message in messages:
            if message["MessageId"] in failed:
                is_last = int(message["Attributes"]["ApproximateReceiveCount"]) >= self._attempts_max
                aws.client("sqs").change_message_visibility(
                    QueueUrl=self._url,
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=0 if is_last else AGAIN_SECONDS,
                )

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},  # EventBridge sends none
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": REGION,
        }
