"""Counts round trips and capacity units of DynamoDB calls from the sizes of items: emulators get the units wrong.

The rules are those of the DynamoDB developer guide ("item sizes and formats", "read/write capacity units"):
reads round up to 4 KB and cost half when eventually consistent; writes round up to 1 KB of the larger of the item
before and after, also when their condition fails; a transaction costs double; an absent item costs the least unit.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from benchmarks.rounds import Rounds

READ_BYTES = 4096
WRITE_BYTES = 1024


def size_bytes(typed_item: Mapping[str, Any]) -> int:
    """The size DynamoDB bills for one item in its typed form."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in typed_item.items())


def _value_bytes(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    if kind == "S":
        return len(str(value).encode())
    if kind == "N":  # about one byte for two significant digits, and one more
        digits = str(value).strip("-").strip("0") or "0"
        return math.ceil(len(digits) / 2) + 1 + int(str(value).startswith("-"))
    if kind == "B":
        return len(bytes(value))
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_bytes(inner) for name, inner in value.items())
    if kind == "L":
        return 3 + sum(1 + _value_bytes(inner) for inner in value)
    return 1


@dataclass
class Meter:
    """Attached to a DynamoDB client, it sums what goes over it.

    `indexed` are the short names of tables with an index that holds whole items: each write there is paid twice.
    """

    indexed: frozenset[str] = frozenset()
    trips: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    calls: list[str] = field(default_factory=list)
    rounds: Rounds = field(default_factory=Rounds)
    _client: Any = None
    _peeking: threading.local = field(default_factory=threading.local)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def attach(self, client: Any) -> Meter:
        """Start counting on this client."""
        self._client = client
        client.meta.events.register("provide-client-params.dynamodb", self._sent)
        client.meta.events.register("after-call.dynamodb", self._answered)
        return self

    def detach(self) -> None:
        """Stop counting."""
        self._client.meta.events.unregister("provide-client-params.dynamodb", self._sent)
        self._client.meta.events.unregister("after-call.dynamodb", self._answered)

    def _sent(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        if not getattr(self._peeking, "now", False):
            context["metered"] = (params, self._sizes_before(model.name, params))

    def _answered(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        if "metered" not in context:
            return
        count: Callable[[dict[str, Any], dict[str, Any]], None] = getattr(self, f"_{xform_name(model.name)}")
        with self._counting:  # answers come to several threads at once
            params, self._old = context["metered"]
            self.trips += 1
            self.calls.append(model.name)
            self.rounds.called()
            count(params, parsed)

    def _peek(self, table: str, item_key: dict[str, Any]) -> int:
        self._peeking.now = True
        try:
            found = self._client.get_item(TableName=table, Key=item_key, ConsistentRead=True)
        finally:
            self._peeking.now = False
        return size_bytes(found["Item"]) if "Item" in found else 0

    def _sizes_before(self, operation: str, params: dict[str, Any]) -> list[int]:
        if operation == "TransactWriteItems":
            bodies = [next(iter(each.values())) for each in params["TransactItems"]]
        elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
            bodies = [params]
        else:
            return []
        return [self._peek(body["TableName"], _key_of(body)) for body in bodies]

    def _get_item(self, params: dict[str, Any], parsed: dict[str, Any]) -> None:
        self._read(size_bytes(parsed.get("Item", {})), consistent=params.get("ConsistentRead", False))

    def _batch_get_item(self, params: dict[str, Any], parsed: dict[str, Any]) -> None:
        for table, request in params["RequestItems"].items():
            found = [size_bytes(item) for item in parsed.get("Responses", {}).get(table, [])]
            absent = len(request["Keys"]) - len(found)
            for size in found + [0] * absent:
                self._read(size, consistent=request.get("ConsistentRead", False))

    def _query(self, params: dict[str, Any], parsed: dict[str, Any]) -> None:
        total = sum(size_bytes(item) for item in parsed.get("Items", []))
        self._read(total, consistent=params.get("ConsistentRead", False))

    def _put_item(self, params: dict[str, Any], _parsed: dict[str, Any]) -> None:
        self._write(params, size_bytes(params["Item"]), 0, 1)

    def _update_item(self, params: dict[str, Any], _parsed: dict[str, Any]) -> None:
        self._write(params, self._peek(params["TableName"], params["Key"]), 0, 1)

    def _delete_item(self, params: dict[str, Any], _parsed: dict[str, Any]) -> None:
        self._write(params, 0, 0, 1)

    def _transact_write_items(self, params: dict[str, Any], _parsed: dict[str, Any]) -> None:
        for number, operation in enumerate(params["TransactItems"]):
            body = next(iter(operation.values()))
            after = (
                size_bytes(body["Item"]) if "Item" in body else self._peek(body["TableName"], _key_of(body))
            )
            self._write(body, after, number, 2)

    def _batch_write_item(self, params: dict[str, Any], _parsed: dict[str, Any]) -> None:
        for requests in params["RequestItems"].values():
            for each in requests:
                self.write_units += max(1, math.ceil(size_bytes(each["PutRequest"]["Item"]) / WRITE_BYTES))

    def _read(self, size: int, *, consistent: bool) -> None:
        self.read_units += max(1, math.ceil(size / READ_BYTES)) * (1.0 if consistent else 0.5)

    def _write(self, body: dict[str, Any], after: int, number: int, factor: int) -> None:
        before = self._old[number]
        copies = 2 if body["TableName"].rsplit("-", 1)[-1] in self.indexed else 1
        self.write_units += copies * factor * max(1, math.ceil(max(before, after) / WRITE_BYTES))


def _key_of(body: dict[str, Any]) -> dict[str, Any]:
    source = body.get("Key") or body["Item"]
    return {"pk": source["pk"], "sk": source["sk"]}
