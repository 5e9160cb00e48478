"""DynamoDB in our words: values, pages, what it leaves undone, and how it says no."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.endpoint
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.shared import aws as clients
from chalicelib.shared import dynamo
from chalicelib.shared.dynamo import (
    BATCH_GET_MAX,
    BATCH_ROUNDS_MAX,
    BATCH_WRITE_MAX,
    ConditionFailed,
    TransactionRefused,
    pack_item,
    table,
    transact,
    unpack_item,
)
from chalicelib.shared.errors import Busy
from tests.support.faults import FaultyWire

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(10**37), 10**37), st.text(), st.binary())
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=9)
SORT_KEYS = ["a", "a#1", "a#2", "ab", "b", "b#1", "b#1#x", "b#2", "c", "花"]
ENDS = st.sampled_from(["", *SORT_KEYS, "0", "a#15", "bb", "zz"])


# --- values


@given(st.dictionaries(st.text(), VALUES))
def test_an_item_comes_back_as_it_went(item: dict[str, Any]) -> None:
    assert unpack_item(pack_item(item)) == item


@pytest.mark.parametrize("value", [1.5, {"a": [0.1]}, {1, 2}, object()])
def test_what_has_no_exact_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        pack_item({"a": value})


def test_true_is_not_one() -> None:
    assert pack_item({"a": True, "b": 1}) == {"a": {"BOOL": True}, "b": {"N": "1"}}


# --- one partition


@pytest.fixture
def shelf(aws: Any) -> Any:
    """A partition with a few items, and another that no question about it may show."""
    orders = table("orders")
    orders.put_many([{"pk": "P", "sk": sk, "n": place} for place, sk in enumerate(SORT_KEYS)])
    orders.put({"pk": "Q", "sk": "a#1"})
    return orders


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prefix=st.sampled_from(["", "a", "a#", "b#", "b#1", "d"]),
    after=ENDS,
    before=ENDS,
    newest_first=st.booleans(),
    limit=st.integers(1, 12),
)
def test_a_range_is_what_lies_between(
    shelf: Any, *, prefix: str, after: str, before: str, newest_first: bool, limit: int
) -> None:
    # Both ends are places in the same list, as a page's first and last key are.
    after, before = (end if end.startswith(prefix) else "" for end in (after, before))
    wanted = [
        sk
        for sk in sorted(SORT_KEYS, reverse=newest_first)
        if sk.startswith(prefix) and sk > after and (not before or sk < before)
    ]
    found = shelf.query(
        "P", prefix=prefix, after=after, before=before, newest_first=newest_first, limit=limit
    )

    assert [item["sk"] for item in found] == wanted[:limit]


def test_pages_of_a_list_meet_without_a_gap(shelf: Any) -> None:
    forwards, backwards, sk = [], [], ""
    while page := shelf.query("P", after=sk, limit=3):
        forwards += [item["sk"] for item in page]
        sk = forwards[-1]
    sk = ""
    while page := shelf.query("P", before=sk, limit=3, newest_first=True):
        backwards += [item["sk"] for item in page]
        sk = backwards[-1]

    assert forwards == sorted(SORT_KEYS)
    assert backwards == forwards[::-1]


def test_a_page_of_the_store_may_end_anywhere(shelf: Any) -> None:
    # A page of DynamoDB ends at a megabyte, and may be empty; here at one item.
    small = Interposed(shelf, "Query", lambda request: request | {"Limit": 1})

    found = shelf.query("P", prefix="b", limit=3)

    assert [item["sk"] for item in found] == ["b", "b#1", "b#1#x"]
    assert len(small.requests) == 3


# --- many at once


def test_many_are_asked_for_a_hundred_at_a_time(aws: Any) -> None:
    orders = table("orders")
    orders.put_many([{"pk": f"P{number}", "sk": "x", "n": number} for number in range(250)])
    calls = Interposed(orders, "BatchGetItem")

    keys = [(f"P{number}", "x") for number in range(260)]
    found = orders.get_many(keys * 2, consistent=True)

    assert {key: item["n"] for key, item in found.items()} == {(f"P{n}", "x"): n for n in range(250)}
    sizes = [len(request["RequestItems"][orders.name]["Keys"]) for request in calls.requests]
    assert sizes == [BATCH_GET_MAX, BATCH_GET_MAX, 60]
    assert all(request["RequestItems"][orders.name]["ConsistentRead"] for request in calls.requests)


def test_what_a_read_leaves_is_asked_for_again(aws: Any) -> None:
    orders = table("orders")
    orders.put_many([{"pk": f"P{number}", "sk": "x"} for number in range(40)])
    LeavesHalf(orders, "BatchGetItem", rounds=3)

    assert len(orders.get_many([(f"P{number}", "x") for number in range(40)])) == 40


def test_what_a_write_leaves_is_written_again(aws: Any) -> None:
    orders = table("orders")
    LeavesHalf(orders, "BatchWriteItem", rounds=3)
    orders.put_many([{"pk": "P", "sk": f"{number:03}"} for number in range(60)])
    assert len(orders.query("P")) == 60

    calls = LeavesHalf(orders, "BatchWriteItem", rounds=2)
    orders.delete_many([("P", f"{number:03}") for number in range(59)] * 2)
    assert [item["sk"] for item in orders.query("P")] == ["059"]
    assert max(len(request["RequestItems"][orders.name]) for request in calls.requests) == BATCH_WRITE_MAX


def test_a_store_that_never_does_it_is_busy(aws: Any) -> None:
    orders = table("orders")
    reads = LeavesHalf(orders, "BatchGetItem", rounds=100, share=1.0)
    with pytest.raises(Busy) as read:
        orders.get_many([("P", "x")])
    writes = LeavesHalf(orders, "BatchWriteItem", rounds=100, share=1.0)
    with pytest.raises(Busy) as written:
        orders.put_many([{"pk": "P", "sk": "x"}])

    assert len(reads.requests) == len(writes.requests) == BATCH_ROUNDS_MAX
    assert read.value.headers == written.value.headers == {"Retry-After": "1"}


def test_nothing_asked_is_no_call(aws: Any) -> None:
    orders = table("orders")
    calls = [Interposed(orders, name) for name in ("BatchGetItem", "BatchWriteItem")]

    orders.put_many([])
    orders.delete_many([])
    assert orders.get_many([]) == {}
    assert [each.requests for each in calls] == [[], []]


# --- how it says no


def test_a_condition_shows_what_stood_in_the_way(aws: Any) -> None:
    orders = table("orders")
    orders.put({"pk": "P", "sk": "x", "n": 1}, condition="attribute_not_exists(pk)")

    with pytest.raises(ConditionFailed) as put:
        orders.put({"pk": "P", "sk": "x", "n": 2}, condition="attribute_not_exists(pk)")
    with pytest.raises(ConditionFailed) as updated:
        orders.update("P", "x", "SET n = :n", values={":n": 3, ":was": 9}, condition="n = :was")
    with pytest.raises(ConditionFailed) as deleted:
        orders.delete("P", "y", condition="attribute_exists(pk)")

    assert put.value.old == updated.value.old == {"pk": "P", "sk": "x", "n": 1}
    assert deleted.value.old is None
    assert orders.get("P", "x", consistent=True) == {"pk": "P", "sk": "x", "n": 1}


def test_a_transaction_is_all_or_nothing_and_says_which(aws: Any) -> None:
    orders, ledger = table("orders"), table("ledger")
    orders.put({"pk": "P", "sk": "x", "n": 1})
    steps = [
        ledger.putting({"pk": "L", "sk": "x"}),
        orders.putting({"pk": "P", "sk": "x", "n": 2}, condition="attribute_not_exists(pk)"),
        orders.deleting("P", "z"),
    ]
    with pytest.raises(TransactionRefused) as refused:
        transact(steps)
    assert refused.value.reasons == ["None", "ConditionalCheckFailed", "None"]
    assert refused.value.old == [None, {"pk": "P", "sk": "x", "n": 1}, None]
    assert ledger.get("L", "x") is None

    transact(
        [steps[0], orders.updating("P", "x", "SET #n = #n + :one", names={"#n": "n"}, values={":one": 1})]
    )
    assert (ledger.get("L", "x"), orders.get("P", "x")) == (
        {"pk": "L", "sk": "x"},
        {"pk": "P", "sk": "x", "n": 2},
    )


def test_a_conflict_is_told_apart_from_a_condition(aws: Any) -> None:
    FaultyWire(clients.client("dynamodb")).plan = ["conflict"]

    with pytest.raises(TransactionRefused) as refused:
        transact([table("ledger").putting({"pk": "L", "sk": "x"})])
    assert refused.value.reasons == ["TransactionConflict"]


@pytest.mark.parametrize("fault", ["throttle", "server_error", "never_sent", "reply_lost"])
def test_a_moment_of_weakness_is_not_noticed(aws: Any, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda _: None)
    wire = FaultyWire(clients.client("dynamodb"))
    wire.plan = [fault] * (clients.ATTEMPTS_MAX - 1)

    table("orders").put({"pk": "P", "sk": "x"})

    assert wire.requests == clients.ATTEMPTS_MAX
    assert table("orders").get("P", "x") == {"pk": "P", "sk": "x"}


def test_a_weakness_that_lasts_is_an_error(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda _: None)
    wire = FaultyWire(clients.client("dynamodb"))
    wire.plan = ["throttle"] * 20

    with pytest.raises(ClientError):
        table("orders").put({"pk": "P", "sk": "x"})
    assert wire.requests == clients.ATTEMPTS_MAX


# --- between us and the store


class Interposed:
    """Sees every request of one operation on its way, and may hand on another one."""

    def __init__(self, _table: Any, operation: str, change: Any = lambda request: request) -> None:
        self.requests: list[dict[str, Any]] = []
        self._change = change
        events = clients.client("dynamodb").meta.events
        events.register(f"provide-client-params.dynamodb.{operation}", self._sent)

    def _sent(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.requests.append(params)
        return dict(self._change(params))


class LeavesHalf(Interposed):
    """A store that does only a part of what it is asked, for so many rounds: the rest is said to be unprocessed."""

    def __init__(self, table_: Any, operation: str, *, rounds: int, share: float = 0.5) -> None:
        self._rounds, self._share, self._left = rounds, share, None
        self._reads = operation == "BatchGetItem"
        super().__init__(table_, operation, self._halve)
        clients.client("dynamodb").meta.events.register(f"after-call.dynamodb.{operation}", self._confess)

    def _halve(self, request: dict[str, Any]) -> dict[str, Any]:
        self._left = None
        ((name, asked),) = request["RequestItems"].items()
        wanted = asked["Keys"] if self._reads else asked
        keep = len(wanted) - max(1, int(len(wanted) * self._share))
        if self._rounds == 0 or (keep == 0 and self._share < 1):
            return request
        self._rounds -= 1
        done, left = wanted[:keep], wanted[keep:]
        self._left = {name: {"Keys": left} if self._reads else left}
        # Nothing at all cannot be asked for: then it is done, and still said to be left.
        part = done or left
        return {"RequestItems": {name: asked | {"Keys": part} if self._reads else part}}

    def _confess(self, parsed: dict[str, Any], **_: Any) -> None:
        if self._left is not None:
            parsed["UnprocessedKeys" if self._reads else "UnprocessedItems"] = self._left


@pytest.fixture(autouse=True)
def _fresh_clients() -> Iterator[None]:
    yield
    clients.forget_clients()  # and what was put between


def test_the_words_of_the_module_are_those_of_the_store() -> None:
    assert dynamo.key("P", "x") == {"pk": {"S": "P"}, "sk": {"S": "x"}}


def test_items_of_several_tables_come_in_one_trip(aws: Any) -> None:
    names = ("orders", "people", "ledger")
    for name in names:
        table(name).put_many([{"pk": "P", "sk": f"{number}", "of": name} for number in range(3)])
    calls = Interposed(table("orders"), "BatchGetItem")

    places = [table(name).at("P", f"{number}") for name in names for number in range(5)]
    found = dynamo.get_across(places + places)

    assert {place: item["of"] for place, item in found.items()} == {
        table(name).at("P", f"{number}"): name for name in names for number in range(3)
    }
    [request] = calls.requests
    assert {name: len(each["Keys"]) for name, each in request["RequestItems"].items()} == {
        table(name).name: 5 for name in names
    }
    assert all(each["ConsistentRead"] for each in request["RequestItems"].values())


def test_what_is_left_of_several_tables_is_asked_for_again(aws: Any) -> None:
    for name in ("orders", "people"):
        table(name).put_many([{"pk": "P", "sk": f"{number}"} for number in range(60)])
    held_back = LeavesTable(table("people"), "BatchGetItem")

    places = [table(name).at("P", f"{number}") for name in ("orders", "people") for number in range(40)]
    assert len(dynamo.get_across(places)) == 80
    assert [sorted(request["RequestItems"]) for request in held_back.requests] == [
        sorted([table("orders").name, table("people").name]),
        [table("people").name],
    ]


class LeavesTable(Interposed):
    """A store that has no time for one of the tables when it is asked for several."""

    def __init__(self, table_: Any, operation: str) -> None:
        self._name, self._left = table_.name, {}
        super().__init__(table_, operation, self._without)
        clients.client("dynamodb").meta.events.register(f"after-call.dynamodb.{operation}", self._confess)

    def _without(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = dict(request["RequestItems"])
        self._left = {self._name: asked.pop(self._name)} if len(asked) > 1 else {}
        return {"RequestItems": asked}

    def _confess(self, parsed: dict[str, Any], **_: Any) -> None:
        parsed["UnprocessedKeys"] = self._left
