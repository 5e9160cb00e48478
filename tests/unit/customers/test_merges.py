"""Two ids turn out to be one person, and turn out not to be, over the app's door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.embedded import PUBLISHABLE


def path(customer_id: str) -> str:
    return f"/v1/customers/{customer_id}"


def read(api: Any, customer_id: str) -> Any:
    answer = api.get(path(customer_id))
    assert answer.status_code == 200, answer.body
    return answer.json_body


def known(api: Any, customer_id: str, *, consents: dict[str, Any] | None = None, **traits: Any) -> None:
    answer = api.patch(path(customer_id), {"traits": traits, "consents": consents or {}})
    assert answer.status_code == 200, answer.body


def ask(api: Any, survivor: str, other: str, *, key: str = "k1", **more: str) -> Any:
    body = {"from": other, "reason": "the same person"}
    return api.post(f"{path(survivor)}/merge", body, None, **{"Idempotency-Key": key}, **more)


def merge(api: Any, survivor: str, other: str, *, key: str = "k1") -> str:
    answer = ask(api, survivor, other, key=key)
    assert answer.status_code == 201, answer.body
    return str(answer.json_body["merge_id"])


def undo(api: Any, merge_id: str) -> Any:
    return api.post(f"/v1/merges/{merge_id}/undo")


def track(api: Any, message_id: str, **event: Any) -> None:
    answer = api.post("/v1/track", {"messageId": message_id, "event": "Cart Viewed", **event})
    assert answer.status_code == 200, answer.body


def order(api: Any, order_id: str, customer_id: str, day: int) -> None:
    body = {
        "customer_id": customer_id,
        "placed_at": f"2026-11-{day:02d}T00:00:00Z",
        "currency": "JPY",
        "total": 100,
        "lines": [{"line_id": "1", "item_id": "a", "quantity": 1, "price": 100}],
    }
    assert api.put(f"/v1/orders/{order_id}", body).status_code == 201


def points(api: Any, customer_id: str, amount: int) -> None:
    body = {"points": amount, "reason": "survey"}
    answer = api.post(
        f"{path(customer_id)}/loyalty/accruals", body, None, **{"Idempotency-Key": f"{customer_id}{amount}"}
    )
    assert answer.status_code == 201, answer.body


def bearer(api: Any, customer_id: str) -> dict[str, str]:
    token = api.post("/v1/customer-tokens", {"customer_id": customer_id}).json_body["token"]
    return {"Authorization": f"Bearer {token}"}


def two(api: Any) -> None:
    known(api, "u1", email="old@example.com", name="Hana")
    known(api, "u2", email="new@example.com", phone="090-1234-5678")


def test_one_id_speaks_for_both_and_parting_gives_each_what_it_had(api: Any) -> None:
    two(api)
    before = read(api, "u1"), read(api, "u2")
    merge_id = merge(api, "u1", "u2")

    person = read(api, "u1")
    assert person["customer_ids"] == ["u1", "u2"]
    assert {name: each["value"] for name, each in person["traits"].items()} == {
        "email": "new@example.com",
        "name": "Hana",
        "phone": "090-1234-5678",
    }
    for by in ("email=old@example.com", "email=new@example.com", "phone=%2B819012345678"):
        [summary] = api.get(f"/v1/customers?{by}").json_body["data"]
        assert (summary["customer_id"], summary["customer_ids"]) == ("u1", ["u1", "u2"])

    undone = undo(api, merge_id)
    assert undone.status_code == 200
    assert undone.json_body["survivor"] == "u1"
    assert (read(api, "u1"), read(api, "u2")) == before
    assert undo(api, merge_id).json_body == undone.json_body, "doing it again changes nothing"
    assert (read(api, "u1"), read(api, "u2")) == before


def test_what_was_said_since_stays_with_whom_it_was_said_to(api: Any) -> None:
    two(api)
    merge_id = merge(api, "u1", "u2")
    for number, customer_id in enumerate(("u1", "u2")):
        event = {"userId": customer_id, "anonymousId": f"a-{customer_id}", "traits": {f"t{number}": number}}
        assert api.post("/v1/identify", {"messageId": f"m{number}", **event}).status_code == 200
    assert {"t0", "t1"} <= read(api, "u1")["traits"].keys()
    assert sorted(read(api, "u1")["anonymous_ids"]) == ["a-u1", "a-u2"]

    undo(api, merge_id)
    assert {"t0"} == {"t0", "t1"} & read(api, "u1")["traits"].keys()
    assert {"t1"} == {"t0", "t1"} & read(api, "u2")["traits"].keys()
    assert (read(api, "u1")["anonymous_ids"], read(api, "u2")["anonymous_ids"]) == (["a-u1"], ["a-u2"])


def test_an_edit_of_the_person_counts_whichever_id_had_said_it(api: Any) -> None:
    two(api)
    merge(api, "u1", "u2")
    known(api, "u1", phone=None, email="old@example.com")

    traits = read(api, "u1")["traits"]
    assert "phone" not in traits
    assert traits["email"]["value"] == "old@example.com"
    version = api.get(path("u1")).headers["ETag"]
    event = {"messageId": "m1", "userId": "u2", "traits": {"city": "Tokyo"}}
    assert api.post("/v1/identify", event).status_code == 200
    stale = api.patch(path("u1"), {"traits": {"a": 1}}, None, **{"If-Match": version})
    assert stale.status_code == 412, "what the other id was told is a change of the person too"
    current = api.get(path("u1")).headers["ETag"]
    assert api.patch(path("u1"), {"traits": {"a": 1}}, None, **{"If-Match": current}).status_code == 200


@pytest.mark.parametrize("rest", ["", "/timeline?limit=5&kind=order", "/loyalty", "/orders", "/messages"])
def test_an_absorbed_id_leads_to_the_surviving_one(api: Any, rest: str) -> None:
    known(api, "u1", name="Hana")
    known(api, "山田:2", name="Hana")
    merge(api, "u1", "山田:2")

    moved = api.get(f"{path('%E5%B1%B1%E7%94%B0:2')}{rest}")
    assert moved.status_code == 308
    assert moved.headers["Location"] == f"/v1/customers/u1{rest.replace('order', 'order')}"
    assert moved.json_body["customer_id"] == "u1"
    assert api.get(moved.headers["Location"]).status_code == 200


def test_an_absorbed_id_cannot_be_edited(api: Any) -> None:
    two(api)
    merge(api, "u2", "u1")

    moved = api.patch(path("u1"), {"traits": {"a": 1}})
    assert (moved.status_code, moved.headers["Location"]) == (308, "/v1/customers/u2")
    assert "a" not in read(api, "u2")["traits"]


def test_a_token_of_an_absorbed_id_is_the_persons(api: Any) -> None:
    two(api)
    points(api, "u1", 10)
    points(api, "u2", 5)
    order(api, "o1", "u2", 1)
    track(api, "m1", userId="u1")
    merge(api, "u1", "u2")
    me = bearer(api, "u2")

    assert api.get("/v1/me", me).json_body["customer_ids"] == ["u1", "u2"]
    assert api.get("/v1/me", me).json_body["loyalty"] == {"active_points": 15, "tier": None}
    assert api.get("/v1/me/loyalty", me).json_body["active_points"] == 15
    assert [each["order_id"] for each in api.get("/v1/me/orders", me).json_body["data"]] == ["o1"]
    assert [each["kind"] for each in api.get("/v1/me/timeline", me).json_body["data"]] == ["cart_viewed"]
    changed = api.patch("/v1/me", {"traits": {"firstName": "花"}}, me)
    assert changed.json_body["customer_id"] == "u1"
    assert read(api, "u1")["traits"]["firstName"]["source"] == "customer"


def test_orders_events_and_points_are_read_over_all_ids_and_stay_where_they_are(api: Any) -> None:
    two(api)
    for day, customer_id in ((1, "u1"), (2, "u2"), (3, "u1"), (4, "u2")):
        order(api, f"o{day}", customer_id, day)
        track(api, f"m{day}", userId=customer_id, timestamp=f"2026-11-{day:02d}T00:00:00Z")
    points(api, "u1", 10)
    points(api, "u2", 5)
    merge_id = merge(api, "u1", "u2")
    order(api, "o5", "u2", 5)
    track(api, "m5", userId="u2", timestamp="2026-11-05T00:00:00Z")

    pages, cursor = [], ""
    while cursor is not None:
        answer = api.get(f"{path('u1')}/orders?limit=2{cursor and f'&cursor={cursor}'}").json_body
        pages += [each["order_id"] for each in answer["data"]]
        cursor = answer["next_cursor"]
    assert pages == ["o5", "o4", "o3", "o2", "o1"]
    days = [each["at"][8:10] for each in api.get(f"{path('u1')}/timeline?kind=cart_viewed").json_body["data"]]
    assert days == ["05", "04", "03", "02", "01"]
    balance = api.get(f"{path('u1')}/loyalty").json_body
    assert (balance["active_points"], sum(lot["points"] for lot in balance["expiring"])) == (15, 15)

    undo(api, merge_id)
    assert [each["order_id"] for each in api.get(f"{path('u2')}/orders").json_body["data"]] == [
        "o5",
        "o4",
        "o2",
    ]
    assert api.get(f"{path('u1')}/loyalty").json_body["active_points"] == 10
    assert api.get(f"{path('u2')}/loyalty").json_body["active_points"] == 5


def test_the_most_restrictive_consent_wins_until_a_new_word(api: Any) -> None:
    known(api, "u1", consents={"analytics": True, "sms": True, "push": True}, name="Hana")
    known(api, "u2", consents={"analytics": False, "sms": True, "personalization": True}, name="Hana")
    merge_id = merge(api, "u1", "u2")

    def status() -> dict[str, str]:
        return {name: each["status"] for name, each in read(api, "u1")["consents"].items()}

    assert status() == {
        "analytics": "withdrawn",
        "sms": "granted",
        "push": "granted",
        "personalization": "granted",
    }
    known(api, "u1", consents={"analytics": True})
    assert status()["analytics"] == "granted", "what is said now is newer than the merge"
    undo(api, merge_id)
    assert read(api, "u2")["consents"]["analytics"]["status"] == "withdrawn"
    assert status()["analytics"] == "granted"


def test_chains_are_fine_and_come_apart_from_the_outside(api: Any) -> None:
    for number in (1, 2, 3):
        known(api, f"u{number}", **{f"t{number}": number})
    inner = merge(api, "u2", "u1", key="inner")
    outer = merge(api, "u3", "u2", key="outer")

    assert read(api, "u3")["customer_ids"] == ["u3", "u2", "u1"]
    assert {"t1", "t2", "t3"} <= read(api, "u3")["traits"].keys()
    for customer_id in ("u1", "u2"):
        assert api.get(path(customer_id)).headers["Location"] == path("u3")
    first = undo(api, inner)
    assert (first.status_code, first.json_body["undo_first"]) == (409, outer)
    assert undo(api, outer).status_code == 200
    assert read(api, "u2")["customer_ids"] == ["u2", "u1"]
    assert api.get(path("u1")).headers["Location"] == path("u2")
    assert undo(api, inner).status_code == 200
    assert read(api, "u1")["customer_ids"] == ["u1"]


def test_two_merges_into_one_come_apart_in_any_order(api: Any) -> None:
    for number in (1, 2, 3):
        known(api, f"u{number}", **{f"t{number}": number})
    first, second = merge(api, "u1", "u2", key="a"), merge(api, "u1", "u3", key="b")

    assert undo(api, first).status_code == 200
    assert read(api, "u1")["customer_ids"] == ["u1", "u3"]
    assert undo(api, second).status_code == 200
    assert sorted(read(api, "u1")["traits"]) == ["t1"]


def test_circles_and_ids_that_were_merged_are_refused_by_name(api: Any) -> None:
    two(api)
    known(api, "u3", name="Ken")
    merge(api, "u1", "u2")

    for survivor, other in (("u2", "u1"), ("u2", "u3"), ("u3", "u2"), ("u1", "u2")):
        refused = ask(api, survivor, other, key=f"{survivor}{other}")
        assert (refused.status_code, refused.json_body["customer_id"]) == (409, "u1")
    itself = ask(api, "u1", "u1", key="self")
    assert (itself.status_code, itself.json_body["errors"][0]["field"]) == (400, "from")


def test_a_person_has_ten_ids_at_most(api: Any) -> None:
    for number in range(11):
        known(api, f"u{number}", name="Hana")
    for number in range(1, 10):
        merge(api, "u0", f"u{number}", key=f"k{number}")

    assert ask(api, "u0", "u10", key="k10").status_code == 409
    assert len(read(api, "u0")["customer_ids"]) == 10


def test_the_same_key_is_the_same_merge(api: Any) -> None:
    two(api)
    first = ask(api, "u1", "u2")

    assert ask(api, "u1", "u2").json_body == first.json_body
    assert first.json_body["undone_at"] is None
    undone = undo(api, first.json_body["merge_id"]).json_body
    again = ask(api, "u1", "u2")
    assert (again.status_code, again.json_body) == (201, undone), "it says that it no longer holds"
    assert read(api, "u1")["customer_ids"] == ["u1"], "a retry does not merge again what was undone"
    known(api, "u3", name="Ken")
    assert ask(api, "u1", "u3").status_code == 422
    assert ask(api, "u1", "u2", key="k2").status_code == 201
    assert read(api, "u1")["customer_ids"] == ["u1", "u2"]


def test_who_only_did_something_is_merged_and_parted_too(api: Any) -> None:
    known(api, "u1", name="Hana")
    track(api, "m1", userId="u2")
    before = read(api, "u2")
    assert ask(api, "u1", "nobody", key="k0").status_code == 404
    merge_id = merge(api, "u1", "u2")

    assert [each["kind"] for each in api.get(f"{path('u1')}/timeline").json_body["data"]] == ["cart_viewed"]
    undo(api, merge_id)
    assert read(api, "u2") == before


def test_the_record_names_who_did_it(api: Any) -> None:
    two(api)
    merged = ask(api, "u1", "u2", **{"X-Actor": "sato@shop.example"}).json_body
    assert (merged["merged_by"], merged["reason"]) == ("sato@shop.example", "the same person")
    undone = undo(api, merged["merge_id"]).json_body
    assert (undone["merged_by"], undone["undone_by"]) == ("sato@shop.example", "sk_test_local")

    api.patch(path("u1"), {"traits": {"a": 1}}, None, **{"X-Actor": "tanaka"})
    assert read(api, "u1")["updated_by"] == "tanaka"
    api.patch(path("u1"), {"traits": {"a": 2}})
    assert read(api, "u1")["updated_by"] == "sk_test_local"
    assert api.patch(path("u1"), {"traits": {"a": 3}}, None, **{"X-Actor": "x" * 101}).status_code == 400


def test_only_a_key_for_staff_speaks_for_somebody(api: Any) -> None:
    two(api)
    key = api.post(
        "/v1/api-keys",
        {"name": "till", "kind": "secret", "scopes": ["customers:write", "customers:read"]},
        None,
        **{"Idempotency-Key": "key"},
    ).json_body
    mine = {"X-Api-Key": key["key"]}
    body = {"from": "u2", "reason": "same"}
    merged = api.post(
        f"{path('u1')}/merge", body, mine, **{"Idempotency-Key": "k1", "X-Actor": "somebody"}
    ).json_body
    assert merged["merged_by"] == key["key_id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "x"}, "from"),
        ({"from": "u2"}, "reason"),
        ({"from": "a#b", "reason": "x"}, "from"),
        ({"from": "u2", "reason": "x\ny"}, "reason"),
        ({"from": "u2", "reason": ""}, "reason"),
        ({"from": "u2", "reason": "x", "to": "u3"}, "to"),
        ({"from": ["u2"], "reason": "x"}, "from"),
    ],
)
def test_a_wrong_merge_is_refused_by_name(api: Any, body: Any, field: str) -> None:
    two(api)
    refused = api.post(f"{path('u1')}/merge", body, None, **{"Idempotency-Key": "k1"})

    assert refused.status_code == 400
    assert [error["field"] for error in refused.json_body["errors"]] == [field]
    assert read(api, "u1")["customer_ids"] == ["u1"]


def test_a_merge_needs_a_key_and_an_undo_needs_a_merge(api: Any) -> None:
    two(api)
    assert api.post(f"{path('u1')}/merge", {"from": "u2", "reason": "x"}).status_code == 400
    assert undo(api, "nothing").status_code == 404
    assert api.post(f"{path('u1')}/merge", {"from": "u2", "reason": "x"}, PUBLISHABLE).status_code == 403
    assert api.post("/v1/merges/m1/undo", None, bearer(api, "u1")).status_code == 403


def test_an_alias_of_a_customer_id_is_a_merge(api: Any) -> None:
    two(api)
    alias = {"messageId": "m1", "userId": "u2", "previousId": "u1"}
    assert api.post("/v1/alias", alias, PUBLISHABLE).status_code == 200
    assert read(api, "u2")["customer_ids"] == ["u2"], "a browser's word joins nobody"
    assert api.post("/v1/alias", alias).status_code == 200
    assert read(api, "u2")["customer_ids"] == ["u2", "u1"]
    assert api.post("/v1/alias", alias).json_body["duplicates"] == 1
    assert api.post("/v1/alias", alias | {"messageId": "m2", "userId": "new"}).status_code == 200
    assert read(api, "new")["customer_ids"] == ["new", "u2", "u1"]
    assert api.post("/v1/alias", {"messageId": "m3", "userId": "u1", "previousId": "a1"}).status_code == 200
    assert read(api, "new")["anonymous_ids"] == ["a1"]


def test_a_device_of_one_id_is_at_home_with_the_other(api: Any) -> None:
    two(api)
    api.post("/v1/identify", {"messageId": "m1", "userId": "u1", "anonymousId": "a1"})
    merge(api, "u2", "u1")
    for number in range(2, 9):
        event = {"messageId": f"m{number}", "userId": "u2", "anonymousId": "a1"}
        assert api.post("/v1/identify", event).status_code == 200

    assert read(api, "u2")["anonymous_ids"] == ["a1"]


def test_the_older_id_decides_the_arm_of_an_experiment(api: Any) -> None:
    from chalicelib.customers import reads, service

    for customer_id, year in (("old", 2020), ("young", 2024)):
        service.identify(
            customer_id,
            at=datetime(year, 1, 1, tzinfo=UTC),
            traits={},
            consents={},
            anonymous_id=None,
            trusted=True,
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )
    merge_id = merge(api, "young", "old")
    assert {reads.experiment_unit(each) for each in ("old", "young")} == {"old"}
    assert read(api, "young")["created_at"].startswith("2020")
    undo(api, merge_id)
    assert [reads.experiment_unit(each) for each in ("old", "young", "nobody")] == ["old", "young", "nobody"]


def test_other_rooms_are_answered_for_the_person_by_any_id(api: Any) -> None:
    from chalicelib.customers import reads

    two(api)
    merge(api, "u1", "u2")
    person = reads.person("u2")
    assert person is not None
    assert (person.customer_ids, person.head, person.email) == (("u1", "u2"), "u1", "new@example.com")
    assert reads.head("u2") == "u1"
    assert reads.head("nobody") == "nobody"


def test_a_tombstone_answers_410_and_nothing_makes_them_anew(api: Any) -> None:
    from chalicelib.customers import reads, service
    from chalicelib.shared import tombstones
    from chalicelib.shared.dynamo import table

    two(api)
    merge_id = merge(api, "u1", "u2")
    for customer_id in ("u1", "u2"):
        pk, sk = tombstones.key_of("customer", customer_id)
        table("people").put({"pk": pk, "sk": sk, "erased_at": "2026-11-22T00:00:00.000Z"})
    counted = service.erase(["u1", "u2"], [], now=datetime(2026, 11, 22, tzinfo=UTC))
    assert counted == {"people.profiles": 2, "people.links": 0, "people.merges": 1}
    assert sum(service.erase(["u1", "u2"], [], now=datetime(2026, 11, 22, tzinfo=UTC)).values()) == 0

    for rest in ("", "/timeline", "/loyalty", "/orders", "/messages"):
        assert api.get(f"{path('u1')}{rest}").status_code == 410
    assert api.patch(path("u2"), {"traits": {"a": 1}}).status_code == 410
    assert api.post("/v1/identify", {"messageId": "m1", "userId": "u1"}).status_code in (400, 410)
    assert undo(api, merge_id).status_code == 404
    assert api.get("/v1/customers?email=new@example.com").json_body["data"] == []
    person = reads.person("u1")
    assert person is not None
    assert person.erased
    assert reads.is_erased(["u1", "u3"]) == {"u1"}
    known(api, "u3", name="Ken")
    assert ask(api, "u3", "u1", key="k9").status_code == 410
    left = [item for item in _people() if "u1" in item["pk"] and item["sk"] != "ERASED"]
    assert left == []


def test_a_copy_holds_every_profile_and_merge(api: Any) -> None:
    from chalicelib.customers import reads

    two(api)
    merge(api, "u1", "u2")
    copy = reads.export_of(("u1", "u2"), ())
    assert [each["traits"]["email"]["value"] for each in copy["profiles"]] == [
        "old@example.com",
        "new@example.com",
    ]
    assert [(each["survivor"], each["absorbed"]) for each in copy["merges"]] == [("u1", "u2")]


def test_evidence_of_consent_is_kept_per_source(api: Any) -> None:
    from chalicelib.messages import gate
    from chalicelib.shared import clock

    checkout = {
        "status": "granted",
        "wording_version": "v1",
        "source": "checkout",
        "locale": "ja-JP",
    }
    known(api, "u1", consents={"email_marketing": checkout}, name="Hana")
    assert gate.withdraw("u1", "email_marketing", source="one_click", now=clock.now() + timedelta(seconds=1))
    event = {"messageId": "m1", "userId": "u1", "context": {"locale": "en-GB"}}
    event["context"]["consent"] = {"categoryPreferences": {"email_marketing": True}}
    clock.travel(timedelta(seconds=5))
    assert api.post("/v1/identify", event).status_code == 200
    assert read(api, "u1")["consents"]["email_marketing"]["status"] == "withdrawn"  # a banner is no new act
    known(api, "u1", consents={"email_marketing": {"status": "granted", "source": "till", "locale": "en-GB"}})

    consent = read(api, "u1")["consents"]["email_marketing"]
    assert (consent["status"], consent["source"], consent["locale"]) == ("granted", "till", "en-GB")
    assert [(each["status"], each["source"], each["locale"]) for each in consent["history"]] == [
        ("granted", "till", "en-GB"),
        ("withdrawn", "one_click", None),
        ("granted", "checkout", "ja-JP"),
    ]
    assert consent["history"][2]["wording_version"] == "v1"
    for number in range(25):
        known(api, "u1", consents={"email_marketing": number % 2 == 0})
    assert len(read(api, "u1")["consents"]["email_marketing"]["history"]) == 20
    refused = api.patch(path("u1"), {"consents": {"sms": checkout | {"locale": "not a locale"}}})
    assert [error["field"] for error in refused.json_body["errors"]] == ["consents.sms.locale"]


def _people() -> list[dict[str, Any]]:
    from chalicelib.shared import dynamo
    from chalicelib.shared.dynamo import table

    answer = dynamo._db().scan(TableName=table("people").name, ConsistentRead=True)
    return [dynamo.unpack_item(item) for item in answer["Items"]]
