"""A profile is read in one round where one will do, and in no more than it has to be where not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.budget import metered
from chalicelib.customers import merges, store
from chalicelib.shared import clock


def put(api: Any, path: str, body: dict[str, Any], *, expect: int = 200) -> None:
    answer = api.put(path, body)
    assert answer.status_code == expect, answer.body


def identify(api: Any, customer_id: str, *anonymous_ids: str) -> None:
    for anonymous_id in anonymous_ids or (None,):
        said = {"userId": customer_id, "anonymousId": anonymous_id, "traits": {"firstName": customer_id}}
        assert api.post("/v1/identify", said).status_code == 200


def view(api: Any, item_id: str, **who: str) -> None:
    put_item = {"title": item_id, "brand": f"brand of {item_id}"}
    put(api, f"/v1/items/{item_id}", put_item, expect=201)
    event = {"event": "Product Viewed", "properties": {"product_id": item_id}} | who
    assert api.post("/v1/track", event).status_code == 200


def points(api: Any, customer_id: str, number: int) -> None:
    path = f"/v1/customers/{customer_id}/loyalty/accruals"
    given = api.post(path, {"points": number, "reason": "survey"}, None, **{"Idempotency-Key": customer_id})
    assert given.status_code == 201, given.body


def merge(api: Any, survivor: str, absorbed: str) -> str:
    body = {"from": absorbed, "reason": "the same person"}
    answer = api.post(f"/v1/customers/{survivor}/merge", body, None, **{"Idempotency-Key": absorbed})
    assert answer.status_code == 201, answer.body
    return str(answer.json_body["merge_id"])


def bearer(api: Any, customer_id: str) -> dict[str, str]:
    token = api.post("/v1/customer-tokens", {"customer_id": customer_id}).json_body["token"]
    return {"Authorization": f"Bearer {token}"}


def read(api: Any, customer_id: str = "u1") -> tuple[dict[str, Any], int]:
    """The profile, and in how many rounds it was read."""
    with metered() as meter:
        answer = api.get(f"/v1/customers/{customer_id}")
    assert answer.status_code == 200, answer.body
    return answer.json_body, meter.rounds.now


def brands(profile: dict[str, Any]) -> list[str]:
    return sorted(each["name"] for each in profile["interests"]["brands"])


def test_somebody_of_one_id_takes_one_round(api: Any) -> None:
    identify(api, "u1")
    points(api, "u1", 5)

    profile, rounds = read(api)
    assert (profile["loyalty"]["active_points"], rounds) == (5, 1)


def test_the_items_they_met_take_one_more(api: Any) -> None:
    identify(api, "u1")
    view(api, "vase", userId="u1")

    profile, rounds = read(api)
    assert (brands(profile), rounds) == (["brand of vase"], 2)


def test_a_device_is_read_while_the_items_are(api: Any) -> None:
    view(api, "vase", anonymousId="a1")
    identify(api, "u1", "a1", "a2")
    profile, rounds = read(api)
    assert (brands(profile), rounds) == (["brand of vase"], 3), "an item met on the device alone"

    told = {"event": "Product Viewed", "properties": {"product_id": "vase"}, "userId": "u1"}
    assert api.post("/v1/track", told).status_code == 200
    assert read(api)[1] == 2, "the same item met under their own id too"


def test_what_other_ids_hold_takes_one_more(api: Any) -> None:
    for number, customer_id in enumerate(("u1", "u2", "u3"), 1):
        identify(api, customer_id)
        points(api, customer_id, 10**number)
    merge(api, "u1", "u2")
    merge(api, "u1", "u3")

    profile, rounds = read(api)
    assert (profile["customer_ids"], profile["loyalty"]["active_points"], rounds) == (
        ["u1", "u2", "u3"], 1110, 2,
    )  # fmt: skip


def test_a_token_of_an_absorbed_id_reads_the_whole_person(api: Any) -> None:
    for number, customer_id in enumerate(("u1", "u2", "u3"), 1):
        identify(api, customer_id)
        points(api, customer_id, 10**number)
        view(api, f"vase{number}", userId=customer_id)
    me = bearer(api, "u2")
    merge(api, "u1", "u2")
    merge(api, "u1", "u3")

    mine = api.get("/v1/me", me).json_body
    assert mine == read(api)[0]
    assert (mine["loyalty"]["active_points"], len(brands(mine))) == (1110, 3)


def test_an_id_that_is_parted_while_it_is_read_is_left_out(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, customer_id in enumerate(("u1", "u2"), 1):
        identify(api, customer_id)
        points(api, customer_id, 10**number)
        view(api, f"vase{number}", userId=customer_id)
    merge_id = merge(api, "u1", "u2")
    load_many = store.load_many

    def after_the_undo(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(store, "load_many", load_many)
        merges.undo(merge_id, said_by="t", now=clock.now())
        return load_many(*args, **more)

    monkeypatch.setattr(store, "load_many", after_the_undo)
    profile, _ = read(api)

    assert profile["customer_ids"] == ["u1"]
    assert profile["loyalty"]["active_points"] == 10
    assert brands(profile) == ["brand of vase1"]


def test_somebody_without_a_profile_is_known_by_what_they_did(api: Any) -> None:
    view(api, "vase", userId="u1")

    profile, rounds = read(api)
    assert (profile["traits"], brands(profile), rounds) == ({}, ["brand of vase"], 2)
    assert profile["created_at"] is not None


@pytest.mark.parametrize(
    ("before", "status"),
    [
        (lambda _: None, 404),
        (lambda api: api.delete("/v1/customers/u1"), 410),
        (lambda api: merge(api, "u2", "u1"), 308),
    ],
)
def test_whoever_is_not_to_be_read_is_refused_whatever_else_was_asked(
    api: Any, before: Callable[[Any], Any], status: int
) -> None:
    identify(api, "u2")
    if status != 404:
        identify(api, "u1", "a1")
        view(api, "vase", userId="u1")
    before(api)

    answer = api.get("/v1/customers/u1")
    assert answer.status_code == status
    assert "vase" not in str(answer.body)
