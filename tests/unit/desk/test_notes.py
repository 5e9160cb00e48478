"""Notes over the app's door."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.embedded import SECRET

PATH = "/v1/customers/u1/notes"
NOTE = {
    "text": "沖縄も検討",
    "topics": ["travel"],
    "item_ids": ["paris-7", "paris-7"],
    "author": {"name": "佐藤", "role": "store staff"},
    "conversation_id": "call-1",
    "channel": "phone",
}


def write(api: Any, key: str, headers: dict[str, str] | None = None, path: str = PATH, **more: Any) -> Any:
    return api.post(path, NOTE | more, headers, **{"Idempotency-Key": key})


def bearer(api: Any, customer_id: str = "u1") -> dict[str, str]:
    token = api.post("/v1/customer-tokens", {"customer_id": customer_id}).json_body["token"]
    return {"Authorization": f"Bearer {token}"}


def key_of(api: Any, *scopes: str) -> dict[str, str]:
    body = {"name": "desk", "kind": "secret", "scopes": list(scopes)}
    return {"X-Api-Key": api.post("/v1/api-keys", body, **{"Idempotency-Key": str(scopes)}).json_body["key"]}


def texts(answer: Any) -> list[str]:
    return [each["text"] for each in answer.json_body["data"]]


def test_a_note_is_on_the_list_and_on_the_timeline_at_once(api: Any) -> None:
    made = write(api, "k1")

    assert made.status_code == 201
    assert made.json_body["item_ids"] == ["paris-7"]
    assert api.get(PATH).json_body == {"data": [made.json_body], "next_cursor": None}
    [entry] = api.get("/v1/customers/u1/timeline?kind=note&channel=phone").json_body["data"]
    assert (entry["kind"], entry["channel"], entry["at"]) == ("note", "phone", made.json_body["created_at"])
    assert entry["title"] == "Note: 沖縄も検討"
    assert entry["details"]["author_name"] == "佐藤"
    assert api.get("/v1/customers/u1/timeline?kind=note&channel=staff").json_body["data"] == []


def test_sent_again_it_is_one_note_and_with_another_text_it_is_refused(api: Any) -> None:
    first = write(api, "k1").json_body

    assert write(api, "k1").json_body == first
    assert write(api, "k1", text="else").status_code == 422
    assert len(api.get(PATH).json_body["data"]) == 1
    assert len(api.get("/v1/customers/u1/timeline").json_body["data"]) == 1
    assert write(api, "k2").json_body["note_id"] != first["note_id"]
    assert write(api, "k1", path="/v1/customers/u2/notes").status_code == 201, "another customer's key"


@pytest.mark.parametrize("fault", ["crash_before", "crash_after", "reply_lost"])
def test_a_fault_at_any_call_leaves_one_note_with_one_place(api: Any, aws: Any, fault: str) -> None:
    from tests.support.faults import Crash, FaultyWire

    wire = FaultyWire(aws)
    write(api, "counted", path="/v1/customers/u0/notes")
    for place in range(wire.requests):
        path = f"/v1/customers/u{place}{fault}/notes"
        wire.plan = ["ok"] * place + [fault]
        try:
            write(api, "k", path=path)
        except Crash:
            assert fault != "reply_lost"
        wire.plan = []

        assert write(api, "k", path=path).status_code == 201
        assert len(api.get(path).json_body["data"]) == 1
        assert len(api.get(path.replace("notes", "timeline")).json_body["data"]) == 1


def test_customers_see_what_is_meant_for_them_and_nobody_elses(api: Any) -> None:
    write(api, "k1", text="internal")
    write(api, "k2", {**key_of(api, "staff"), "X-Actor": "sato"}, text="visible", visible_to_customer=True)
    me, other = bearer(api), bearer(api, "u2")

    [mine] = api.get("/v1/me/notes", me).json_body["data"]
    assert (mine["text"], mine["actor"], mine["conversation_id"]) == ("visible", None, None)
    assert mine["author"] == {"name": None, "role": "store staff"}
    [entry] = api.get("/v1/me/timeline", me, **{"Accept-Language": "ja"}).json_body["data"]
    assert entry["title"] == "メモ: visible"
    assert set(entry["details"]) == {"note_id", "text", "topics", "author_role"}
    assert api.get("/v1/me/timeline?kind=note&limit=1", me).json_body["next_cursor"] is None
    assert api.get("/v1/me/notes", other).json_body["data"] == []
    assert api.get("/v1/me/timeline", other).json_body["data"] == []


def test_who_is_at_the_desk_is_kept_when_the_key_is_for_staff(api: Any) -> None:
    said = {"X-Actor": "sato@shop.example"}

    assert write(api, "k1", key_of(api, "staff") | said).json_body["actor"] == "sato@shop.example"
    assert write(api, "k2", key_of(api, "notes:write") | said).json_body["actor"] is None
    assert write(api, "k3", SECRET | {"X-Actor": "x" * 1000}).status_code == 400
    assert write(api, "k4", key_of(api, "notes:read")).status_code == 403


def test_pages_go_from_the_newest_to_the_oldest_through_every_id_of_a_person(api: Any) -> None:
    from chalicelib.desk import store

    for number in range(7):
        write(api, f"k{number}", text=str(number), visible_to_customer=number % 3 == 0,
              path=f"/v1/customers/u{number % 2}/notes")  # fmt: skip

    def walk(*, visible_only: bool, limit: int) -> list[str]:
        found, before = [], ""
        for _ in range(20):
            page, before = store.look(["u0", "u1"], visible_only=visible_only, limit=limit, before=before)
            found += [each.text for each in page]
            if not before:
                return found
        raise AssertionError("the pages do not end")

    for limit in (1, 2, 3, 50):
        assert walk(visible_only=False, limit=limit) == list("6543210")
        assert walk(visible_only=True, limit=limit) == list("630")

    first = api.get("/v1/customers/u0/notes?limit=2").json_body
    assert texts(api.get(f"/v1/customers/u0/notes?cursor={first['next_cursor']}")) == ["2", "0"]
    assert api.get(f"/v1/customers/u1/notes?cursor={first['next_cursor']}").status_code == 400
    assert api.get(f"/v1/me/notes?cursor={first['next_cursor']}", bearer(api, "u0")).status_code == 400


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", ""),
        ("text", "x" * 10_001),
        ("text", "a\x00b"),
        ("topics", ["x"] * 21),
        ("topics.0", [""]),
        ("item_ids.0", ["a#b"]),
        ("item_ids", ["a"] * 51),
        ("author.name", {"name": "a\nb"}),
        ("author.email", {"email": "x"}),
        ("conversation_id", "a/b"),
        ("channel", "fax"),
        ("visible_to_customer", "yes"),
        ("pk", "C#u2"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(api: Any, field: str, value: Any) -> None:
    answer = write(api, "k1", **{field.partition(".")[0]: value})

    assert answer.status_code == 400
    assert [each["field"] for each in answer.json_body["errors"]] == [field]
    assert api.get(PATH).json_body["data"] == []
    assert api.get("/v1/customers/u1/timeline").json_body["data"] == []


def test_a_long_note_is_whole_on_the_list_and_short_on_the_timeline(api: Any) -> None:
    long = "長" * 10_000
    write(api, "k1", text=long)

    assert texts(api.get(PATH)) == [long]
    [entry] = api.get("/v1/customers/u1/timeline").json_body["data"]
    assert (len(entry["details"]["text"]), entry["details"]["is_shortened"]) == (1000, True)


def test_somebody_erased_is_gone_and_nothing_is_written_for_them(api: Any) -> None:
    from chalicelib.shared import tombstones
    from chalicelib.shared.dynamo import table

    table("people").put(
        {
            "pk": tombstones.key_of("customer", "u1")[0],
            "sk": "ERASED",
            "erased_at": "2026-01-01T00:00:00.000Z",
        }
    )

    assert write(api, "k1").status_code == 410
    for path in ("notes", "watchlist", "projects", "projects/p1"):
        assert api.get(f"/v1/customers/u1/{path}").status_code == 410
    assert api.put("/v1/customers/u1/watchlist/a").status_code == 410
    assert api.put("/v1/customers/u1/projects/p1", {"title": "x"}).status_code == 410
    assert table("people").query("C#u1", prefix="NOTE#") == []
