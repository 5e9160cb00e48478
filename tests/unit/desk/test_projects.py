"""Projects over the app's door, and what the desk offers the rooms that export and erase."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

PATH = "/v1/customers/u1/projects"
CELLAR = {
    "title": "地下室の改築",
    "room": "basement",
    "for_whom": "a teenager",
    "style": "modern",
    "colours": ["beige", "black"],
    "deadline": "2027-03-31",
    "notes": "low ceiling",
}


def bearer(api: Any, customer_id: str = "u1") -> dict[str, str]:
    token = api.post("/v1/customer-tokens", {"customer_id": customer_id}).json_body["token"]
    return {"Authorization": f"Bearer {token}"}


def test_a_project_is_made_read_changed_and_removed(api: Any) -> None:
    made = api.put(f"{PATH}/p1", CELLAR)
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    assert {name: made.json_body[name] for name in CELLAR} == CELLAR
    assert api.get(f"{PATH}/p1").json_body == made.json_body

    again = api.put(f"{PATH}/p1", CELLAR)
    assert (again.status_code, again.json_body) == (200, made.json_body)
    changed = api.put(f"{PATH}/p1", {"title": "Cellar"})
    assert (changed.json_body["room"], changed.json_body["version"]) == (None, 2)
    assert api.get(PATH).json_body["data"] == [changed.json_body]

    assert [api.delete(f"{PATH}/p1").status_code for _ in range(2)] == [204, 204]
    assert api.get(f"{PATH}/p1").status_code == 404
    [entry] = api.get("/v1/customers/u1/timeline").json_body["data"]
    assert (entry["kind"], entry["title"]) == ("project", "Began the project 地下室の改築")


def test_staff_and_customer_write_the_same_project_and_nobody_else_does(api: Any) -> None:
    me, other = bearer(api), bearer(api, "u2")

    mine = api.put("/v1/me/projects/p1", CELLAR, me)
    assert (mine.status_code, mine.json_body["updated_by"]) == (201, "customer")
    assert api.get(f"{PATH}/p1").json_body == mine.json_body
    assert api.put(f"{PATH}/p1", CELLAR | {"room": "attic"}).json_body["updated_by"] == "shop"
    assert api.get("/v1/me/projects/p1", other).status_code == 404
    assert api.delete("/v1/me/projects/p1", other).status_code == 204
    assert api.get("/v1/me/projects/p1", me).json_body["room"] == "attic"
    [entry] = api.get("/v1/me/timeline", me).json_body["data"]
    assert entry["details"] == {"project_id": "p1", "title": "地下室の改築"}


def test_whoever_was_slower_is_told(api: Any) -> None:
    api.put(f"{PATH}/p1", CELLAR)
    api.put(f"{PATH}/p1", CELLAR | {"room": "attic"})
    stale = {"If-Match": '"1"'}

    assert api.put(f"{PATH}/p1", CELLAR, None, **stale).status_code == 412
    assert api.delete(f"{PATH}/p1", None, **stale).status_code == 412
    assert api.put(f"{PATH}/p2", CELLAR, None, **{"If-Match": "*"}).status_code == 412
    assert api.get(f"{PATH}/p1").json_body["room"] == "attic"
    assert api.put(f"{PATH}/p1", CELLAR, None, **{"If-Match": '"2"'}).status_code == 200


@pytest.mark.parametrize("fault", ["crash_before", "crash_after", "reply_lost"])
def test_a_fault_at_any_call_leaves_one_project_with_one_place(api: Any, aws: Any, fault: str) -> None:
    from tests.support.faults import Crash, FaultyWire

    wire = FaultyWire(aws)
    api.put("/v1/customers/u0/projects/p1", CELLAR)
    for place in range(wire.requests):
        path = f"/v1/customers/u{place}{fault}"
        wire.plan = ["ok"] * place + [fault]
        try:
            api.put(f"{path}/projects/p1", CELLAR)
        except Crash:
            assert fault != "reply_lost"
        wire.plan = []

        assert api.put(f"{path}/projects/p1", CELLAR).json_body["version"] == 1
        assert len(api.get(f"{path}/timeline").json_body["data"]) == 1


def test_fifty_projects_are_enough(api: Any) -> None:
    for number in range(50):
        assert api.put(f"{PATH}/p{number}", {"title": str(number)}).status_code == 201

    assert api.put(f"{PATH}/p50", {"title": "50"}).status_code == 409
    assert api.put(f"{PATH}/p7", {"title": "changed"}).status_code == 200
    api.delete(f"{PATH}/p7")
    assert api.put(f"{PATH}/p50", {"title": "50"}).status_code == 201
    assert len(api.get(PATH).json_body["data"]) == 50


def test_eight_editors_at_once_lose_no_version(api: Any) -> None:
    def put(number: int) -> int:
        while (answer := api.put(f"{PATH}/p1", {"title": str(number)})).status_code == 503:
            pass
        return int(answer.status_code)

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(put, range(16))) == [200] * 15 + [201]
    assert api.get(f"{PATH}/p1").json_body["version"] == 16


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 301),
        ("colours", ["x"] * 21),
        ("deadline", "next week"),
        ("deadline", 1),
        ("notes", "x" * 10_001),
        ("room", "a\nb"),
        ("owner", "u2"),
    ],
)
def test_what_is_wrong_is_named(api: Any, field: str, value: Any) -> None:
    answer = api.put(f"{PATH}/p1", CELLAR | {field: value})

    assert answer.status_code == 400
    assert [each["field"] for each in answer.json_body["errors"]] == [field]
    assert api.get(PATH).json_body["data"] == []


def test_one_person_under_several_ids_has_one_desk(api: Any) -> None:
    from chalicelib.desk import reads
    from chalicelib.shared import clock

    api.put("/v1/customers/u1/projects/p1", {"title": "old"})
    api.put("/v1/customers/u2/projects/p1", {"title": "new"})
    api.put("/v1/customers/u2/projects/p2", {"title": "other"})
    api.put("/v1/customers/u1/watchlist/a")
    api.put("/v1/customers/u2/watchlist/b")

    assert [each.title for each in reads.projects(["u1", "u2"])] == ["other", "new", "old"]
    assert [each.item_id for each in reads.watchlist(["u1", "u2"], now=clock.now())] == ["b", "a"]


def test_everything_is_exported_and_erased_also_in_two_runs(api: Any, aws: Any) -> None:
    from chalicelib.desk import reads, service
    from chalicelib.shared import clock
    from chalicelib.shared.dynamo import table
    from tests.support.faults import Crash, FaultyWire

    for number in range(3):
        api.post("/v1/customers/u1/notes", {"text": f"n{number}"}, None, **{"Idempotency-Key": f"k{number}"})
    api.put(f"{PATH}/p1", CELLAR)
    api.put("/v1/customers/u1/watchlist/a")
    api.post(
        "/v1/track", {"anonymousId": "a1", "event": "Product Added to Wishlist", "properties": {"sku": "b"}}
    )
    api.put("/v1/customers/u2/watchlist/a")

    taken = reads.export_of(["u1"], ["a1"])
    assert json.loads(json.dumps(taken)) == taken
    assert [each["text"] for each in taken["notes"]] == ["n0", "n1", "n2"]
    assert [each["item_id"] for each in taken["watchlist"]] == ["a", "b"]
    assert [each["title"] for each in taken["projects"]] == [CELLAR["title"]]

    wire = FaultyWire(aws)
    wire.plan = ["ok"] * 4 + ["crash_after"]
    with pytest.raises(Crash):
        service.erase(["u1"], ["a1"], now=clock.now())
    wire.plan = []
    assert sum(service.erase(["u1"], ["a1"], now=clock.now()).values()) > 0
    assert service.erase(["u1"], ["a1"], now=clock.now()) == {"people.desk": 0}
    assert table("people").query("C#u1") == table("people").query("A#a1") == []
    assert len(table("people").query("C#u2")) == 1
