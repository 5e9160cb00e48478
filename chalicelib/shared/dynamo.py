"""DynamoDB in the words of this service: plain items, named conditions, failures that say what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.shared import aws
from chalicelib.shared.config import config
from chalicelib.shared.errors import Busy

Place = tuple[str, str, str]  # a table's own name, pk, sk
Item = dict[str, Any]  # values: str, int, bool, None, bytes, and lists or string-keyed dicts of these

BATCH_GET_MAX = 100
BATCH_WRITE_MAX = 25
BATCH_ROUNDS_MAX = 8


class ConditionFailed(Exception):
    """A conditional write found another state. `old` is the item that stood in the way, None when there was none."""

    def __init__(self, old: Item | None) -> None:
        super().__init__("condition failed")
        self.old = old


class TransactionRefused(Exception):
    """A transaction wrote nothing. `reasons` has one code an operation, in order; `old` the items in the way.

    Codes: `None`, `ConditionalCheckFailed`, `TransactionConflict`, ...
    """

    def __init__(self, reasons: Sequence[str], old: Sequence[Item | None]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = list(reasons)
        self.old = list(old)


def pack(value: Any) -> dict[str, Any]:
    """One plain value as DynamoDB's typed form. Floats are refused: money and points are integers."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, Mapping):
        return {"M": {key: pack(inner) for key, inner in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [pack(inner) for inner in value]}
    raise TypeError(f"{type(value).__name__} cannot be stored")


def unpack(typed: Mapping[str, Any]) -> Any:
    """The inverse of `pack`."""
    ((kind, value),) = typed.items()
    if kind == "N":
        return int(value)
    if kind == "M":
        return {key: unpack(inner) for key, inner in value.items()}
    if kind == "L":
        return [unpack(inner) for inner in value]
    return None if kind == "NULL" else value


def pack_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """A whole item in DynamoDB's typed form."""
    return {key: pack(value) for key, value in item.items()}


def unpack_item(typed: Mapping[str, Any]) -> Item:
    """The inverse of `pack_item`."""
    return {key: unpack(value) for key, value in typed.items()}


class Table:
    """One table. Keys are `(pk, sk)` strings; conditions and updates are DynamoDB expressions with `values`."""

    def __init__(self, name: str) -> None:
        self.name = config().tables[name]

    def at(self, pk: str, sk: str) -> Place:
        """Where an item of this table lies, for `get_across`."""
        return self.name, pk, sk

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> Item | None:
        """One item, or None. One trip; 1 read unit per 4 KB consistent, half of that otherwise."""
        answer = _db().get_item(TableName=self.name, Key=key(pk, sk), ConsistentRead=consistent)
        return unpack_item(answer["Item"]) if "Item" in answer else None

    def get_many(
        self, keys: Iterable[tuple[str, str]], *, consistent: bool = False
    ) -> dict[tuple[str, str], Item]:
        """Many items by key; absent ones are left out. One trip per 100 keys; what DynamoDB left is asked again."""
        found = get_across((self.at(pk, sk) for pk, sk in keys), consistent=consistent)
        return {(pk, sk): item for (_, pk, sk), item in found.items()}

    def put(self, item: Item, *, condition: str = "", values: Mapping[str, Any] | None = None) -> None:
        """Write one item; raises ConditionFailed. One trip; 1 write unit per KB, also when refused."""
        request: dict[str, Any] = {"TableName": self.name, "Item": pack_item(item)}
        self._write("put_item", request, condition, values)

    def update(
        self,
        pk: str,
        sk: str,
        expression: str,
        *,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
        condition: str = "",
    ) -> Item:
        """Change one item and return it whole as it is afterwards; raises ConditionFailed. One trip."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "Key": key(pk, sk),
            "UpdateExpression": expression,
            "ReturnValues": "ALL_NEW",
        }
        if names:
            request["ExpressionAttributeNames"] = dict(names)
        return unpack_item(self._write("update_item", request, condition, values)["Attributes"])

    def delete(
        self, pk: str, sk: str, *, condition: str = "", values: Mapping[str, Any] | None = None
    ) -> None:
        """Remove one item if it is there; raises ConditionFailed. One trip."""
        self._write("delete_item", {"TableName": self.name, "Key": key(pk, sk)}, condition, values)

    def query(
        self,
        pk: str,
        *,
        after: str = "",
        before: str = "",
        prefix: str = "",
        newest_first: bool = False,
        limit: int = 100,
        consistent: bool = False,
        index: tuple[str, str, str] | None = None,
    ) -> list[Item]:
        """At most `limit` items of one partition in sort-key order. One trip per MB read.

        `prefix` keeps one kind; or `after`/`before` (exclusive; a page's first or last sort key) bound the range.
        `index` is `(index name, hash attribute, range attribute)` instead of the table's own key.
        """
        index_name, hash_name, range_name = index or ("", "pk", "sk")
        terms, values = ["#h = :h"], {":h": pk}
        names = {"#h": hash_name}
        if prefix and not (after or before):
            terms.append("begins_with(#r, :prefix)")
            values[":prefix"] = prefix
        elif prefix or after or before:
            low = f"{after}\x00" if after else prefix
            high = before or f"{prefix}\U0010ffff"
            if low > high:
                return []  # nothing lies between; DynamoDB would call the question wrong
            terms.append("#r BETWEEN :low AND :high")
            values |= {":low": low or "\x00", ":high": high}
        if len(terms) > 1:
            names["#r"] = range_name
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": " AND ".join(terms),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": pack_item(values),
            "ScanIndexForward": not newest_first,
            "ConsistentRead": consistent and not index_name,
        }
        if index_name:
            request["IndexName"] = index_name
        found: list[Item] = []
        # BETWEEN includes its upper end; one more row is asked for, and the end itself is dropped.
        wanted = limit + (1 if before else 0)
        while len(found) < wanted:
            answer = _db().query(**request, Limit=wanted - len(found))
            found += [unpack_item(typed) for typed in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return [item for item in found if not before or item[range_name] != before][:limit]

    def scan(
        self, *, sk: str, limit: int, after: tuple[str, str] | None = None
    ) -> tuple[list[Item], tuple[str, str] | None]:
        """Those with this sort key among the next `limit` items of the whole table, and the key to go on behind.

        None when that was the end. `after` need not exist any more. For named runs only, which permissions list. One
        trip; half a read unit per 4 KB of everything passed, kept or not.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "Limit": limit,
            "FilterExpression": "#r = :sk",
            "ExpressionAttributeNames": {"#r": "sk"},
            "ExpressionAttributeValues": pack_item({":sk": sk}),
        }
        answer = _db().scan(**request | ({"ExclusiveStartKey": key(*after)} if after else {}))
        last = unpack_item(answer["LastEvaluatedKey"]) if "LastEvaluatedKey" in answer else None
        return [unpack_item(typed) for typed in answer["Items"]], (last["pk"], last["sk"]) if last else None

    def put_many(self, items: Sequence[Item]) -> None:
        """Write items blindly (only for items that may be written twice). One trip per 25; raises Busy at the end."""
        self._write_many([{"PutRequest": {"Item": pack_item(item)}} for item in items])

    def delete_many(self, keys: Iterable[tuple[str, str]]) -> None:
        """Remove items by key, those that are there. One trip per 25; raises Busy at the end."""
        self._write_many([{"DeleteRequest": {"Key": key(pk, sk)}} for pk, sk in dict.fromkeys(keys)])

    # Operations of a transaction; each may carry a condition, and shows the item that stood in its way.

    def putting(
        self, item: Item, *, condition: str = "", values: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A put as one operation of `transact`."""
        return {"Put": _conditioned({"TableName": self.name, "Item": pack_item(item)}, condition, values)}

    def updating(
        self,
        pk: str,
        sk: str,
        expression: str,
        *,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
        condition: str = "",
    ) -> dict[str, Any]:
        """An update as one operation of `transact`."""
        request: dict[str, Any] = {"TableName": self.name, "Key": key(pk, sk), "UpdateExpression": expression}
        if names:
            request["ExpressionAttributeNames"] = dict(names)
        return {"Update": _conditioned(request, condition, values)}

    def deleting(
        self, pk: str, sk: str, *, condition: str = "", values: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A delete as one operation of `transact`; without a condition an absent item is deleted already."""
        return {"Delete": _conditioned({"TableName": self.name, "Key": key(pk, sk)}, condition, values)}

    def checking(
        self, pk: str, sk: str, *, condition: str, values: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A condition on an item that stays as it is, as one operation of `transact`. 2 write units."""
        return {
            "ConditionCheck": _conditioned({"TableName": self.name, "Key": key(pk, sk)}, condition, values)
        }

    def _write_many(self, requests: Sequence[dict[str, Any]]) -> None:
        for start in range(0, len(requests), BATCH_WRITE_MAX):
            left = list(requests[start : start + BATCH_WRITE_MAX])
            for _ in range(BATCH_ROUNDS_MAX):
                answer = _db().batch_write_item(RequestItems={self.name: left})
                left = answer.get("UnprocessedItems", {}).get(self.name, [])
                if not left:
                    break
            else:
                raise Busy("the store is throttling writes")

    def _write(
        self, operation: str, request: dict[str, Any], condition: str, values: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(_db(), operation)(**_conditioned(request, condition, values))
        except _db().exceptions.ConditionalCheckFailedException as error:
            old = error.response.get("Item")
            raise ConditionFailed(unpack_item(old) if old else None) from error
        return answer


def table(name: str) -> Table:
    """The table of one kind of life: people, activity, catalog, ledger, orders, engagement or settings."""
    return Table(name)


def get_across(places: Iterable[Place], *, consistent: bool = True) -> dict[Place, Item]:
    """Items of any tables; absent ones are left out. One trip per 100; what DynamoDB left is asked again."""
    wanted = list(dict.fromkeys(places))
    found: dict[Place, Item] = {}
    for start in range(0, len(wanted), BATCH_GET_MAX):
        left = wanted[start : start + BATCH_GET_MAX]
        for _ in range(BATCH_ROUNDS_MAX):
            request: dict[str, Any] = {}
            for name, pk, sk in left:
                asked = request.setdefault(name, {"Keys": [], "ConsistentRead": consistent})
                asked["Keys"].append(key(pk, sk))
            answer = _db().batch_get_item(RequestItems=request)
            for name, items in answer["Responses"].items():
                found |= {(name, item["pk"], item["sk"]): item for item in map(unpack_item, items)}
            unread = answer.get("UnprocessedKeys", {})
            left = [(name, *_plain(each)) for name, rest in unread.items() for each in rest["Keys"]]
            if not left:
                break
        else:
            raise Busy("the store is throttling reads")
    return found


def transact(operations: Sequence[dict[str, Any]]) -> None:
    """All operations or none; raises TransactionRefused. One trip; 2 write units per KB and item.

    The SDK does not retry a cancelled transaction; the caller's load-decide-commit round does.
    """
    try:
        _db().transact_write_items(TransactItems=list(operations))
    except _db().exceptions.TransactionCanceledException as error:
        reasons = error.response["CancellationReasons"]
        raise TransactionRefused(
            [reason.get("Code", "None") for reason in reasons],
            [unpack_item(reason["Item"]) if reason.get("Item") else None for reason in reasons],
        ) from error


def key(pk: str, sk: str) -> dict[str, Any]:
    """A primary key in DynamoDB's typed form."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _plain(typed_key: Mapping[str, Any]) -> tuple[str, str]:
    return typed_key["pk"]["S"], typed_key["sk"]["S"]


def _conditioned(request: dict[str, Any], condition: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
    if condition:
        request["ConditionExpression"] = condition
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if values:
        request["ExpressionAttributeValues"] = pack_item(values)
    return request


def _db() -> Any:
    return aws.client("dynamodb")
