"""A trained model in the table: it serves as a whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.recommendations import rows, store
from chalicelib.recommendations.model import Current, Neighbour, Popularity
from chalicelib.shared.dynamo import table
from tests.support.faults import Crash, FaultyWire
from tests.support.trained import Model

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)


def model(mark: str, items: int = 3) -> Model:
    """Every row of it says `mark`."""
    return Model(
        version=f"v-{mark}",
        neighbours={f"i{number}": {"together": [(mark, 0.5, 2)]} for number in range(items)},
        popularity={14: [(mark, 3)], 90: [(mark, 5)]},
        intervals={"i0": (30, 4), "alone": (7, 2)},
    )


def served() -> str | None:
    """The mark of the model that serves, after checking that it is whole."""
    now = store.current()
    if now is None:
        return None
    mark = now.version.removeprefix("v-")
    found = store.learned(now.version, ["i0", "i1", "i2", "alone"])
    assert {row.together for row in found.rows.values() if row.item_id != "alone"} == {
        (Neighbour(mark, 0.5, 2),)
    }
    assert len(found.rows) == 4
    assert found.popularity == Popularity({mark: 3}, {mark: 5})
    return mark


def stored_versions(aws: Any) -> set[str]:
    items = aws.scan(TableName="kokyaku-test-catalog")["Items"]
    keys = [item["sk"]["S"] for item in items if item["sk"]["S"] != "CURRENT"]
    return {sk.split("#")[1].removeprefix("v-") for sk in keys}


@pytest.fixture(autouse=True)
def fresh_process(aws: Any) -> None:
    store._popularity.clear()


def test_a_row_comes_back_as_it_was_learned() -> None:
    lists: dict[str, list[tuple[str, float, int]]] = {
        "together": [("豆腐", 0.25, 12), ("85123A", 0.125, 5), ("x", 0.000125, 2)],
        "users": [("a:b", 0.9, 3)],
    }
    store.save(Model(version="v1", as_of=AS_OF, neighbours={"i": lists}, intervals={"i": (30, 4)}))

    found = store.learned("v1", ["i", "never seen"])

    assert found.rows.keys() == {"i"}
    row = found.rows["i"]
    assert [(each.item_id, each.score, each.count) for each in row.together] == [
        ("豆腐", pytest.approx(0.25), 12),
        ("85123A", pytest.approx(0.125), 5),
        ("x", pytest.approx(0.00025), 2),  # kept to a thousandth of the best
    ]
    assert [(each.item_id, each.count) for each in row.users] == [("a:b", 3)]
    assert (row.next, row.interval_days) == ((), 30)
    assert store.current() == Current("v1", None, AS_OF)


def test_before_the_first_training_there_is_none() -> None:
    assert store.current() is None


def test_a_model_of_nothing_can_serve() -> None:
    store.save(Model(version="v1"))

    assert store.learned("v1", ["i"]).rows == {}


def test_a_new_model_serves_at_once_and_the_one_before_is_kept(aws: Any) -> None:
    for mark in ("a", "b", "c"):
        written: list[int] = []
        store.save(model(mark), on_written=written.append)
        assert served() == mark
        assert sum(written) == 4

    assert stored_versions(aws) == {"b", "c"}
    now = store.current()
    assert now is not None
    assert now.previous == "v-b"


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_a_run_that_dies_anywhere_never_serves_a_part(aws: Any, fault: str) -> None:
    store.save(model("a"))
    store.save(model("b"))
    wire = FaultyWire(aws)
    died, step = True, 0
    while died:
        wire.plan = ["ok"] * step + [fault]
        try:
            store.save(model(f"c{step}"))
        except Crash:
            pass
        else:
            died = False
        wire.plan = []
        before = served()
        assert before in (
            "b",
            f"c{step}",
            f"c{step - 1}",
        )  # the old one or, after the last write, the new one
        step += 1
    assert step > 8, "every call of a run was hit once"

    store.save(model("z"))

    assert served() == "z"
    assert len(stored_versions(aws)) == 2, "what the dead runs left is gone"


def test_a_reply_lost_at_the_switch_is_no_other_run(aws: Any) -> None:
    store.save(model("a"))
    wire = FaultyWire(aws)
    wire.plan = ["ok"] * 5 + ["reply_lost"]  # pointer, versions, list, rows, popularity, then the switch

    store.save(model("b"))

    assert served() == "b"


def test_of_two_runs_at_once_the_later_is_told(aws: Any) -> None:
    store.save(model("a"))
    wire = FaultyWire(aws)
    other_has_run = False

    def another_run_in_between() -> None:
        nonlocal other_has_run
        if wire.requests == 4 and not other_has_run:
            other_has_run = True
            store.save(model("b"))

    wire.gate = another_run_in_between
    with pytest.raises(store.Overtaken):
        store.save(model("c"))

    assert other_has_run
    assert served() == "b"
    wire.gate = lambda: None
    store.save(model("d"))
    assert stored_versions(aws) == {"b", "d"}


def test_saving_the_same_model_again_changes_nothing(aws: Any) -> None:
    store.save(model("a"))
    store.save(model("b"))
    store.save(model("b"))

    assert served() == "b"
    assert stored_versions(aws) == {"a", "b"}


def test_a_large_model_is_removed_to_the_last_row(aws: Any) -> None:
    store.save(model("a", items=1200))
    assert table("catalog").get("I#i1199", "N#v-a") is not None
    for mark in ("b", "c"):
        store.save(model(mark))

    assert stored_versions(aws) == {"b", "c"}


def test_what_sells_is_read_once_per_version(aws: Any) -> None:
    store.save(model("a"))
    wire = FaultyWire(aws)

    for _ in range(3):
        store.learned("v-a", [])
    assert wire.requests == 1

    store.save(replace(model("b")))
    assert served() == "b"


def test_a_row_of_two_hundred_neighbours_stays_under_a_kilobyte() -> None:
    names = [f"{10_000 + number * 37}{'ABC'[number % 3]}" for number in range(200)]
    lists = {
        relation: [(names[part * 50 + place], 0.4 / (place + 1), 60 - place) for place in range(50)]
        for part, relation in enumerate(rows.RELATIONS)
    }

    assert len(rows.pack_row("85123A", Model(neighbours={"85123A": lists}))) < 1000
