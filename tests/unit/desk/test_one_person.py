"""What is kept about somebody who turned out to be two ids, and is two again when the merge is undone."""

from __future__ import annotations

from typing import Any

from tests.support.routes import contracts

BOTH = ("u1", "u2")


def post(api: Any, path: str, body: Any, key: str = "k1") -> Any:
    answer = api.post(path, body, None, **{"Idempotency-Key": key})
    assert answer.status_code in (200, 201), answer.body
    return answer.json_body


def data(api: Any, path: str, name: str) -> list[Any]:
    return sorted(each[name] for each in api.get(path).json_body["data"])


def test_merged_it_is_one_desk_and_undone_it_is_two(api: Any) -> None:
    for customer_id in BOTH:
        path = f"/v1/customers/{customer_id}"
        api.patch(path, {"traits": {"name": customer_id}})
        post(api, f"{path}/notes", {"text": customer_id})
        post(api, f"{path}/complaints", {"text": customer_id})
        api.put(f"{path}/watchlist/{customer_id}-item")
        api.put(f"{path}/projects/{customer_id}-project", {"title": customer_id})

    merge_id = post(api, "/v1/customers/u1/merge", {"from": "u2", "reason": "same person"})["merge_id"]
    assert data(api, "/v1/customers/u1/notes", "text") == ["u1", "u2"]
    assert data(api, "/v1/customers/u1/complaints?status=open", "text") == ["u1", "u2"]
    assert data(api, "/v1/customers/u1/watchlist", "item_id") == ["u1-item", "u2-item"]
    assert data(api, "/v1/customers/u1/projects", "title") == ["u1", "u2"]
    [theirs] = [
        each for each in api.get("/v1/customers/u1/complaints").json_body["data"] if each["text"] == "u2"
    ]
    post(api, f"/v1/customers/u1/complaints/{theirs['complaint_id']}/resolve", None)
    assert api.put("/v1/customers/u1/projects/u2-project", {"title": "changed"}).status_code == 200

    for path in ("notes", "watchlist", "projects", "projects/u2-project", "complaints"):
        moved = api.get(f"/v1/customers/u2/{path}")
        assert (moved.status_code, moved.headers["Location"]) == (308, f"/v1/customers/u1/{path}")

    post(api, f"/v1/merges/{merge_id}/undo", None)
    assert data(api, "/v1/customers/u2/notes", "text") == ["u2"]
    assert data(api, "/v1/customers/u2/watchlist", "item_id") == ["u2-item"]
    assert data(api, "/v1/customers/u2/projects", "title") == ["changed"]
    assert data(api, "/v1/customers/u1/projects", "title") == ["u1"]
    assert data(api, "/v1/customers/u1/complaints?status=open", "text") == ["u1"]
    assert data(api, "/v1/customers/u2/complaints?status=open", "text") == []


def test_two_projects_of_one_id_are_both_there_and_never_taken_for_each_other(api: Any) -> None:
    for customer_id in BOTH:
        api.patch(f"/v1/customers/{customer_id}", {"traits": {"name": customer_id}})
        api.put(f"/v1/customers/{customer_id}/projects/cellar", {"title": f"{customer_id}'s"})
    merge_id = post(api, "/v1/customers/u1/merge", {"from": "u2", "reason": "same person"})["merge_id"]
    path = "/v1/customers/u1/projects"

    listed = api.get(path).json_body["data"]
    assert [(each["kept_under"], each["title"]) for each in listed] == [("u2", "u2's"), ("u1", "u1's")]
    changed = {"title": "changed"}
    for refused in (
        api.get(f"{path}/cellar"),
        api.put(f"{path}/cellar", changed),
        api.delete(f"{path}/cellar"),
    ):
        assert (refused.status_code, refused.json_body["type"]) == (409, "/problems/ambiguous-project")
        assert refused.json_body["detail"].endswith("kept_under: u1, u2")

    assert api.get(f"{path}/cellar?kept_under=u1").json_body["title"] == "u1's"
    assert api.put(f"{path}/cellar?kept_under=u2", changed).json_body["kept_under"] == "u2"
    assert api.put(f"{path}/cellar?kept_under=u3", changed).status_code == 404
    assert api.delete(f"{path}/cellar?kept_under=u1").status_code == 204
    assert api.get(f"{path}/cellar").json_body["title"] == "changed", "the only one is the one that is meant"

    post(api, f"/v1/merges/{merge_id}/undo", None)
    assert api.get(f"{path}/cellar").status_code == 404
    assert api.get("/v1/customers/u2/projects/cellar").json_body["title"] == "changed"


def test_an_item_taken_off_the_one_list_is_off_whichever_id_put_it_on(api: Any) -> None:
    for customer_id in BOTH:
        api.patch(f"/v1/customers/{customer_id}", {"traits": {"name": customer_id}})
        api.put(f"/v1/customers/{customer_id}/watchlist/a")
    post(api, "/v1/customers/u1/merge", {"from": "u2", "reason": "same person"})

    api.delete("/v1/customers/u1/watchlist/a")
    assert data(api, "/v1/customers/u1/watchlist", "item_id") == []
    api.put("/v1/customers/u1/watchlist/a")
    assert data(api, "/v1/customers/u1/watchlist", "item_id") == ["a"]


def test_below_a_customer_nobody_has_spoken_of_everything_is_empty_and_nothing_is_missing(api: Any) -> None:
    paths = [
        contract.signature.removeprefix("GET ").replace("{customer_id}", "never-heard-of")
        for contract in contracts()
        if contract.signature.startswith("GET /v1/customers/{customer_id}/")
        and contract.signature.count("{") == 1
    ]

    paths.remove("/v1/customers/never-heard-of/traits")  # what is known of the customer, as the profile is

    assert {path: api.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)
    assert len(paths) > 7
    assert api.get("/v1/customers/never-heard-of/traits").status_code == 404
    assert api.get("/v1/customers/never-heard-of/projects/p1").status_code == 404
    assert api.post("/v1/customers/never-heard-of/complaints/c1/resolve").status_code == 404
