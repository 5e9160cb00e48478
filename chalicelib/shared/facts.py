"""Facts: what happened, told to other rooms over the bus in CloudEvents' words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.shared import aws
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.config import config

SOURCE = "kokyaku"
ENTRIES_MAX = 10  # PutEvents takes no more,
BYTES_MAX = 240 * 1024  # nor more than 256 KB in one call, names and all
HOPS_MAX = 5  # a fact caused by a fact caused by ...: a loop between rooms stops here


@dataclass(frozen=True)
class Fact:
    """Something that happened. `id` is derived from its cause, so that redelivery carries the same id.

    `type` is `<noun>.<past_tense>`; `subject` is `customers/{customer_id}` where there is one; `data` follows the
    publishing room's schema of that type.
    """

    id: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]
    hops: int = 0

    def to_json(self) -> str:
        return json.dumps(
            {
                "specversion": "1.0",
                "id": self.id,
                "source": SOURCE,
                "type": self.type,
                "subject": self.subject,
                "time": to_text(self.time),
                "hops": self.hops,
                "data": self.data,
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_dict(cls, detail: dict[str, Any]) -> Fact:
        """Read a fact as the bus delivers it; raises KeyError or ValueError when it is not one."""
        return cls(
            id=detail["id"],
            type=detail["type"],
            subject=detail["subject"],
            time=from_text(detail["time"]),
            data=detail["data"],
            hops=int(detail.get("hops", 0)),
        )


def publish(facts: Sequence[Fact]) -> set[str]:
    """Put facts on the bus and return the ids of those it did not take. One trip per 10, or per 240 KB.

    PutEvents answers 200 with failures inside; the caller reports them so that the stream sends them again.
    """
    failed: set[str] = set()
    for chunk in _chunks([(fact, fact.to_json()) for fact in facts]):
        entries = [
            {"Source": SOURCE, "DetailType": fact.type, "Detail": detail, "EventBusName": config().bus}
            for fact, detail in chunk
        ]
        answer = aws.client("events").put_events(Entries=entries)
        pairs = zip(chunk, answer["Entries"], strict=True)
        failed |= {fact.id for (fact, _), entry in pairs if entry.get("ErrorCode")}
    return failed


def _chunks(details: Sequence[tuple[Fact, str]]) -> Iterator[list[tuple[Fact, str]]]:
    chunk: list[tuple[Fact, str]] = []
    size = 0
    for fact, detail in details:
        bytes_more = len(detail.encode())
        if chunk and (len(chunk) == ENTRIES_MAX or size + bytes_more > BYTES_MAX):
            yield chunk
            chunk, size = [], 0
        chunk.append((fact, detail))
        size += bytes_more
    if chunk:
        yield chunk
