"""Complaints and satisfaction over the app's door."""

from __future__ import annotations

import json
from typing import Any

import pytest

PATH = "/v1/customers/u1"
BROKEN = {"text": "The lamp arrived broken.", "order_id": "o1"}


def post(api: Any, path: str, body: Any, key: str = "k1", headers: dict[str, str] | None = None) -> Any:
    return api.post(path, body, headers, **{"Idempotency-Key": key})


def order(api: Any, order_id: str, customer_id: str) -> None:
    body = {
        "customer_id": customer_id,
        "placed_at": "2026-01-01T00:00:00Z",
        "currency": "JPY",
        "total": 100,
        "lines": [{"line_id": "1", "item_id": "a", "quantity": 1, "price": 100}],
    }
    assert api.put(f"/v1/orders/{order_id}", body).status_code == 201


def bearer(api: Any, customer_id: str = "u1") -> dict[str, str]:
    token = api.post("/v1/customer-tokens", {"customer_id": customer_id}).json_body["token"]
    return {"Authorization": f"Bearer {token}"}


def test_a_complaint_is_open_until_it_is_resolved(api: Any) -> None:
    from chalicelib.feedback import reads

    opened = post(api, f"{PATH}/complaints", BROKEN)
    assert opened.status_code == 201
    complaint_id = opened.json_body["complaint_id"]
    [listed] = api.get(f"{PATH}/complaints?status=open").json_body["data"]
    assert (listed["complaint_id"], listed["text"], listed["status"]) == (
        complaint_id,
        BROKEN["text"],
        "open",
    )
    assert [each.complaint_id for each in reads.open_complaints(["u1", "u2"])] == [complaint_id]

    resolved = api.post(f"{PATH}/complaints/{complaint_id}/resolve").json_body
    assert resolved["status"] == "resolved"
    assert api.post(f"{PATH}/complaints/{complaint_id}/resolve").json_body == resolved
    assert reads.open_complaints(["u1"]) == []
    assert api.get(f"{PATH}/complaints?status=open").json_body["data"] == []
    assert api.get(f"{PATH}/complaints").json_body["data"] == [resolved]
    assert post(api, f"{PATH}/complaints", BROKEN).json_body == opened.json_body, (
        "sent again, it stays resolved"
    )
    kinds = [each["kind"] for each in api.get(f"{PATH}/timeline").json_body["data"]]
    assert sorted(kinds) == ["complaint", "complaint_resolved"]


def test_what_is_not_there_cannot_be_resolved(api: Any) -> None:
    complaint_id = post(api, f"{PATH}/complaints", BROKEN).json_body["complaint_id"]

    assert api.post(f"{PATH}/complaints/unknown/resolve").status_code == 404
    assert api.post(f"/v1/customers/u2/complaints/{complaint_id}/resolve").status_code == 404
    assert len(api.get(f"{PATH}/complaints?status=open").json_body["data"]) == 1


def test_an_order_must_be_the_customers_own(api: Any) -> None:
    order(api, "mine", "u1")
    order(api, "theirs", "u2")
    me = bearer(api)

    def status(path: str, order_id: str, headers: dict[str, str] | None = None) -> int:
        body = {"text": "x"} if path.endswith("complaints") else {"score": 3, "scale": "csat"}
        answer = post(api, path, body | {"order_id": order_id}, f"{path}{order_id}", headers)
        if answer.status_code == 400:
            assert [each["field"] for each in answer.json_body["errors"]] == ["order_id"]
        return int(answer.status_code)

    for kind in ("complaints", "satisfaction"):
        assert status(f"{PATH}/{kind}", "mine") == 201
        assert status(f"{PATH}/{kind}", "not-here-yet") == 201, "the shop may be ahead of its own orders"
        assert status(f"{PATH}/{kind}", "theirs") == 400
        assert status(f"/v1/me/{kind}", "mine", me) == 201
        # What a customer is told must not show which orders others have.
        assert status(f"/v1/me/{kind}", "not-here-yet", me) == status(f"/v1/me/{kind}", "theirs", me) == 400


def test_the_last_score_is_the_one_that_counts(api: Any) -> None:
    from chalicelib.feedback import reads

    assert reads.satisfaction(["u1"]) is None
    post(api, f"{PATH}/satisfaction", {"score": 5, "scale": "csat"}, "k1")
    post(api, "/v1/customers/u2/satisfaction", {"score": 9, "scale": "nps", "channel": "phone"}, "k2")
    post(api, f"{PATH}/satisfaction", {"score": 5, "scale": "csat"}, "k1")

    latest = reads.satisfaction(["u1", "u2"])
    assert latest is not None
    assert (latest.score, latest.scale, latest.channel) == (9, "nps", "phone")
    [entry] = api.get(f"{PATH}/timeline").json_body["data"]
    assert (entry["kind"], entry["title"]) == ("satisfaction", "Gave a score of 5")


def test_a_key_stands_for_one_request(api: Any) -> None:
    post(api, f"{PATH}/complaints", BROKEN)
    post(api, f"{PATH}/satisfaction", {"score": 5, "scale": "csat"})

    assert post(api, f"{PATH}/complaints", {"text": "else"}).status_code == 422
    assert post(api, f"{PATH}/satisfaction", {"score": 4, "scale": "csat"}).status_code == 422
    assert api.post(f"{PATH}/complaints", BROKEN).status_code == 400
    assert len(api.get(f"{PATH}/complaints").json_body["data"]) == 1


def test_customers_see_their_own_only(api: Any) -> None:
    me, other = bearer(api), bearer(api, "u2")
    post(api, "/v1/me/complaints", {"text": "mine"}, "k1", me)

    [mine] = api.get("/v1/me/complaints", me).json_body["data"]
    assert (mine["text"], mine["channel"]) == ("mine", "web")
    assert api.get("/v1/me/complaints", other).json_body["data"] == []
    [entry] = api.get("/v1/me/timeline", me, **{"Accept-Language": "ja"}).json_body["data"]
    assert entry["title"] == "ご意見をいただきました"
    resolve = f"{PATH}/complaints/{mine['complaint_id']}/resolve"
    assert api.post(resolve, None, me).status_code == 403


@pytest.mark.parametrize("fault", ["crash_before", "crash_after", "reply_lost"])
@pytest.mark.parametrize(
    ("kind", "body"), [("complaints", {"text": "x"}), ("satisfaction", {"score": 0, "scale": "nps"})]
)
def test_a_fault_at_any_call_leaves_one_with_one_place(
    api: Any, aws: Any, kind: str, body: dict[str, Any], fault: str
) -> None:
    from chalicelib.shared.dynamo import table
    from tests.support.faults import Crash, FaultyWire

    wire = FaultyWire(aws)
    post(api, f"/v1/customers/u0/{kind}", body)
    for place in range(wire.requests):
        customer_id = f"u{place}{fault}"
        wire.plan = ["ok"] * place + [fault]
        try:
            post(api, f"/v1/customers/{customer_id}/{kind}", body)
        except Crash:
            assert fault != "reply_lost"
        wire.plan = []

        assert post(api, f"/v1/customers/{customer_id}/{kind}", body).status_code == 201
        assert len(table("people").query(f"C#{customer_id}")) == 2, "it and the mark of its key"
        assert len(api.get(f"/v1/customers/{customer_id}/timeline").json_body["data"]) == 1


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("complaints", {"text": ""}, "text"),
        ("complaints", {"text": "x" * 10_001}, "text"),
        ("complaints", {"text": "a\x00b"}, "text"),
        ("complaints", {"text": "x", "order_id": "a#b"}, "order_id"),
        ("complaints", {"text": "x", "status": "resolved"}, "status"),
        ("complaints", {"text": "x", "channel": "A B"}, "channel"),
        ("satisfaction", {"score": 0, "scale": "csat"}, "score"),
        ("satisfaction", {"score": 6, "scale": "csat"}, "score"),
        ("satisfaction", {"score": 11, "scale": "nps"}, "score"),
        ("satisfaction", {"score": 4.5, "scale": "csat"}, "score"),
        ("satisfaction", {"score": True, "scale": "csat"}, "score"),
        ("satisfaction", {"score": 4, "scale": "stars"}, "scale"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(
    api: Any, path: str, body: dict[str, Any], field: str
) -> None:
    answer = post(api, f"{PATH}/{path}", body)

    assert answer.status_code == 400
    assert [each["field"] for each in answer.json_body["errors"]] == [field]
    assert api.get(f"{PATH}/timeline").json_body["data"] == []


def test_everything_is_exported_and_erased_also_in_two_runs(api: Any, aws: Any) -> None:
    from chalicelib.feedback import reads, service
    from chalicelib.shared import clock
    from chalicelib.shared.dynamo import table
    from tests.support.faults import Crash, FaultyWire

    for number in range(3):
        post(api, f"{PATH}/complaints", {"text": f"c{number}"}, f"k{number}")
    post(api, f"{PATH}/satisfaction", {"score": 5, "scale": "csat"})
    post(api, "/v1/customers/u2/complaints", {"text": "theirs"})

    taken = reads.export_of(["u1"], ["a1"])
    assert json.loads(json.dumps(taken)) == taken
    assert [each["text"] for each in taken["complaints"]] == ["c0", "c1", "c2"]
    assert [each["score"] for each in taken["satisfaction"]] == [5]

    wire = FaultyWire(aws)
    wire.plan = ["ok"] * 2 + ["crash_after"]
    with pytest.raises(Crash):
        service.erase(["u1"], [], now=clock.now())
    wire.plan = []
    assert sum(service.erase(["u1"], [], now=clock.now()).values()) > 0
    assert service.erase(["u1"], [], now=clock.now()) == {"people.feedback": 0}
    assert table("people").query("C#u1") == []
    assert len(reads.open_complaints(["u2"])) == 1


def test_nothing_is_written_for_somebody_erased(api: Any) -> None:
    from chalicelib.shared.dynamo import table
    from chalicelib.shared.tombstones import key_of

    table("people").put(
        {"pk": key_of("customer", "u1")[0], "sk": "ERASED", "erased_at": "2026-01-01T00:00:00.000Z"}
    )

    assert post(api, f"{PATH}/complaints", BROKEN).status_code == 410
    assert post(api, f"{PATH}/satisfaction", {"score": 5, "scale": "csat"}).status_code == 410
    assert api.get(f"{PATH}/complaints").status_code == 410
    assert api.post(f"{PATH}/complaints/c1/resolve").status_code == 410
