"""Customers over the app's door."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.embedded import PUBLISHABLE

PATH = "/v1/customers/u1"
HANA = {
    "traits": {"email": "hana@example.com", "firstName": "Hana", "address": {"country": "JP", "height": 1.58}}
}


def bearer(api: Any, customer_id: str = "u1") -> dict[str, str]:
    token = api.post("/v1/customer-tokens", {"customer_id": customer_id}).json_body["token"]
    return {"Authorization": f"Bearer {token}"}


def gate(customer_id: str = "u1") -> dict[str, Any]:
    from chalicelib.shared.dynamo import table

    return table("engagement").get(f"C#{customer_id}", "GATE") or {}


def test_traits_make_a_profile_and_null_deletes_one(api: Any) -> None:
    made = api.patch(PATH, HANA)
    assert made.status_code == 200
    assert made.json_body["identifiers"] == {"email": "hana@example.com"}
    assert made.json_body["traits"]["address"]["value"] == {"country": "JP", "height": 1.58}
    assert made.json_body["traits"]["firstName"]["source"] == "api"

    changed = api.patch(PATH, {"traits": {"firstName": None, "lastName": "Sato"}}).json_body
    assert sorted(changed["traits"]) == ["address", "email", "lastName"]
    assert api.get(PATH).json_body == changed


def test_somebody_nobody_spoke_of_is_not_found(api: Any) -> None:
    assert api.get(PATH).status_code == 404
    assert api.patch(PATH, {}).status_code == 404
    assert api.patch(PATH, {"traits": {"name": None}}).status_code == 404
    assert api.patch(PATH, {"consents": {"sms": True}}).status_code == 404
    assert api.get(PATH).status_code == 404
    assert gate() == {}


def test_somebody_of_whom_there_is_only_activity_has_a_bare_profile(api: Any) -> None:
    at = "2026-01-01T00:00:00.000Z"
    api.post("/v1/track", {"userId": "u1", "messageId": "m1", "event": "Cart Viewed", "timestamp": at})

    bare = api.get(PATH)
    assert (bare.json_body["created_at"], bare.json_body["updated_at"], bare.json_body["traits"]) == (
        at,
        None,
        {},
    )
    assert bare.headers["ETag"] == '"0"'
    consented = api.patch(PATH, {"consents": {"sms": True}}, None, **{"If-Match": '"0"'})
    assert consented.status_code == 200
    assert consented.json_body["consents"]["sms"]["status"] == "granted"


def test_somebody_of_whom_there_are_only_orders_has_one_too(api: Any) -> None:
    order = {
        "customer_id": "u1",
        "placed_at": "2020-01-01T00:00:00Z",
        "currency": "JPY",
        "total": 100,
        "lines": [{"line_id": "1", "item_id": "a", "quantity": 1, "price": 100}],
    }
    assert api.put("/v1/orders/o1", order).status_code in (200, 201)

    assert api.get(PATH).json_body["created_at"] is None
    assert api.patch(PATH, {"consents": {"sms": True}}).status_code == 200


def test_if_match_protects_what_somebody_else_wrote(api: Any) -> None:
    version = api.patch(PATH, HANA).headers["ETag"]
    mine = api.patch(PATH, {"traits": {"a": 1}}, None, **{"If-Match": version})
    stale = api.patch(PATH, {"traits": {"a": 2}}, None, **{"If-Match": version})

    assert (mine.status_code, stale.status_code) == (200, 412)
    assert stale.json_body["type"] == "/problems/stale-version"
    assert api.get(PATH).json_body["traits"]["a"]["value"] == 1
    assert api.patch(PATH, {"traits": {"a": 3}}, None, **{"If-Match": "*"}).status_code == 200
    assert api.patch("/v1/customers/u9", HANA, None, **{"If-Match": "*"}).status_code == 412
    assert api.patch("/v1/customers/u9", HANA, None, **{"If-Match": '"3", "0"'}).status_code == 200


def test_the_same_patch_again_changes_nothing(api: Any) -> None:
    patch = HANA | {
        "consents": {"email_marketing": {"status": "granted", "wording_version": "v1", "source": "checkout"}}
    }
    first, again = api.patch(PATH, patch), api.patch(PATH, patch)

    assert again.json_body == first.json_body
    assert again.headers["ETag"] == first.headers["ETag"]
    consent = first.json_body["consents"]["email_marketing"]
    assert (consent["source"], consent["wording_version"]) == ("checkout", "v1")


def test_the_merge_patch_type_is_read_too(api: Any) -> None:
    assert api.patch(PATH, HANA, None, **{"Content-Type": "application/merge-patch+json"}).status_code == 200
    assert api.patch(PATH, HANA, None, **{"Content-Type": "text/plain"}).status_code == 415


def test_consent_is_at_the_gate_with_the_profile(api: Any) -> None:
    api.patch(
        PATH, HANA | {"consents": {"email_marketing": True, "sms": True, "push": False, "analytics": True}}
    )
    assert {name: gate()[f"consent_{name}"] for name in ("email_marketing", "sms", "push")} == {
        "email_marketing": True,
        "sms": True,
        "push": False,
    }
    assert "consent_analytics" not in gate()

    api.patch(PATH, {"consents": {"email_marketing": False}})
    assert gate()["consent_email_marketing"] is False
    assert api.get(PATH).json_body["consents"]["email_marketing"]["status"] == "withdrawn"


def test_an_unsubscription_at_the_gate_shows_and_is_not_undone_by_older_words(api: Any) -> None:
    from chalicelib.messages import gate as door

    said = {"userId": "u1", "messageId": "m1", "timestamp": "2026-01-01T00:00:00Z"}
    consent = {"context": {"consent": {"categoryPreferences": {"email_marketing": True}}}}
    api.post("/v1/identify", said | consent)
    left = datetime(2026, 6, 1, tzinfo=UTC)
    assert door.withdraw("u1", "email_marketing", source="one_click", now=left)

    seen = api.get(PATH).json_body["consents"]["email_marketing"]
    assert (seen["status"], seen["source"]) == ("withdrawn", "one_click")
    late = (
        said | consent | {"messageId": "m2", "timestamp": "2026-03-01T00:00:00Z", "traits": {"name": "Hana"}}
    )
    assert api.post("/v1/identify", late).status_code == 200
    assert gate()["consent_email_marketing"] is False
    assert api.get(PATH).json_body["traits"]["name"]["value"] == "Hana"

    again = api.patch(PATH, {"consents": {"email_marketing": True}}).json_body
    assert again["consents"]["email_marketing"]["status"] == "granted", "who subscribes again is subscribed"
    assert gate()["consent_email_marketing"] is True


def test_a_fast_clock_cannot_outlast_an_unsubscription(api: Any) -> None:
    from chalicelib.messages import gate as door
    from chalicelib.shared import clock

    tomorrow = (clock.now() + timedelta(hours=20)).isoformat()
    consent = {"context": {"consent": {"categoryPreferences": {"email_marketing": True}}}}
    api.post("/v1/identify", {"userId": "u1", "messageId": "m1", "timestamp": tomorrow} | consent)
    assert door.withdraw("u1", "email_marketing", source="one_click", now=clock.now())

    consent = api.get(PATH).json_body["consents"]["email_marketing"]
    assert (consent["status"], consent["at"] < tomorrow) == ("withdrawn", True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"traits": {"email": "no address"}}, "traits.email"),
        ({"traits": {"email": "a@b.c\nBcc: x@y.z"}}, "traits.email"),
        ({"traits": {"phone": "call me"}}, "traits.phone"),
        ({"traits": {"a": "\u0000"}}, "traits.a"),
        ({"traits": {"a": 10**400}}, "traits.a"),
        ({"traits": {"": 1}}, "traits."),
        ({"traits": {"x" * 101: 1}}, "traits." + "x" * 101),
        ({"traits": {f"t{n}": n for n in range(101)}}, "traits"),
        ({"traits": {"a": "x" * 9000, "b": "x" * 9000}}, "traits"),
        ({"traits": None}, "traits"),
        ({"traits": []}, "traits"),
        ({"consents": {"newsletter": True}}, "consents.newsletter"),
        ({"consents": {"sms": None}}, "consents"),
        ({"consents": {"sms": "yes"}}, "consents.sms"),
        ({"consents": {"sms": 1}}, "consents.sms"),
        ({"consents": {"sms": {"status": "maybe"}}}, "consents.sms.status"),
        ({"consents": {"sms": {"status": "granted", "at": "2026-01-01T00:00:00Z"}}}, "consents.sms.at"),
        ({"version": 5}, "version"),
        ({"points": 5, "traits": {"a": 1}}, "points"),
    ],
)
def test_wrong_input_is_refused_by_name_and_nothing_is_stored(api: Any, body: Any, field: str) -> None:
    refused = api.patch(PATH, body)

    assert refused.status_code == 400
    assert [error["field"] for error in refused.json_body["errors"]] == [field]
    assert api.get(PATH).status_code == 404


@pytest.mark.parametrize("customer_id", ["a%23b", "a%2Fb", "%00", "e%CC%81", "a" * 129, "a%20b", "%E2%80%AE"])
def test_hostile_ids_are_refused(api: Any, customer_id: str) -> None:
    assert api.get(f"/v1/customers/{customer_id}").status_code in (400, 404)
    assert api.patch(f"/v1/customers/{customer_id}", HANA).status_code in (400, 404)


def test_look_alikes_are_different_customers(api: Any) -> None:
    api.patch("/v1/customers/a", HANA)

    assert api.get("/v1/customers/%D0%B0").status_code == 404  # Cyrillic
    assert api.get("/v1/customers/A").status_code == 404
    assert api.patch("/v1/customers/%E4%BD%90%E8%97%A4", HANA).json_body["customer_id"] == "佐藤"


def test_a_customer_keeps_their_own_page(api: Any) -> None:
    api.patch(PATH, HANA)
    me = bearer(api)

    assert api.get("/v1/me", me).json_body["customer_id"] == "u1"
    changed = api.patch("/v1/me", {"traits": {"firstName": "花"}, "consents": {"sms": True}}, me).json_body
    assert changed["traits"]["firstName"] | {"updated_at": 0} == {
        "value": "花",
        "source": "customer",
        "updated_at": 0,
    }
    assert changed["consents"]["sms"]["source"] == "customer"
    for name in ("id", "createdAt", "plan"):
        refused = api.patch("/v1/me", {"traits": {name: "x"}}, me)
        assert [error["field"] for error in refused.json_body["errors"]] == [f"traits.{name}"]
    pretended = {"consents": {"sms": {"status": "withdrawn", "source": "call centre"}}}
    assert api.patch("/v1/me", pretended, me).json_body["consents"]["sms"]["source"] == "customer"


def test_the_holder_of_a_token_is_known(api: Any) -> None:
    me = bearer(api, "new")

    assert api.get("/v1/me", me).json_body["created_at"] is None
    assert api.patch("/v1/me", {"consents": {"sms": True}}, me).status_code == 200
    assert api.get("/v1/customers/new").status_code == 200


def test_nobody_else_reads_or_writes_a_customer(api: Any) -> None:
    api.patch(PATH, HANA)
    for headers, status in ((PUBLISHABLE, 403), (bearer(api, "u1"), 403), ({}, 401)):
        assert api.get(PATH, headers).status_code == status
        assert api.patch(PATH, {"traits": {"a": 1}}, headers).status_code == status
        assert api.post("/v1/customer-tokens", {"customer_id": "u1"}, headers).status_code == status
    assert api.get("/v1/me").status_code == 403
    assert api.get("/v1/me", PUBLISHABLE).status_code == 403


@pytest.mark.parametrize("seconds", [60, 86_400])
def test_a_token_lives_as_long_as_asked(api: Any, seconds: int) -> None:
    from chalicelib.shared import clock

    answer = api.post("/v1/customer-tokens", {"customer_id": "u1", "ttl_seconds": seconds}).json_body
    headers = {"Authorization": f"Bearer {answer['token']}"}

    left = datetime.fromisoformat(answer["expires_at"]) - clock.now()
    assert timedelta(0) <= timedelta(seconds=seconds) - left < timedelta(seconds=30)
    clock.travel(timedelta(seconds=seconds - 30))
    assert api.get("/v1/me", headers).status_code == 200
    clock.travel(timedelta(seconds=seconds + 1))
    assert api.get("/v1/me", headers).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"customer_id": "a#b"},
        *({"customer_id": "u1", "ttl_seconds": each} for each in (59, 86_401, "60", 60.5, True)),
    ],
)
def test_tokens_are_asked_for_properly(api: Any, body: dict[str, Any]) -> None:
    assert api.post("/v1/customer-tokens", body).status_code == 400


def test_points_are_shown(api: Any) -> None:
    api.patch(PATH, HANA)
    api.post(
        f"{PATH}/loyalty/accruals", {"points": 120, "reason": "survey"}, None, **{"Idempotency-Key": "k1"}
    )

    assert api.get(PATH).json_body["loyalty"] == {"active_points": 120, "tier": None}


def test_writers_of_one_profile_lose_nothing(api: Any) -> None:
    """Eight at once; who hears 503 sends it again, as a client would."""

    def write(number: int) -> int:
        for _ in range(20):
            answer = api.patch(PATH, {"traits": {f"t{number}": number}})
            if answer.status_code != 503:
                return int(answer.status_code)
            assert answer.headers["Retry-After"]
        return 503

    from chalicelib.customers import service
    from chalicelib.shared import clock
    from chalicelib.shared.errors import Busy

    def say(number: int) -> None:
        for _ in range(50):
            try:
                service.identify(
                    "u1",
                    at=clock.now(),
                    traits={f"e{number}": number},
                    consents={"sms": number % 2 == 0},
                    anonymous_id=f"a{number}",
                    trusted=True,
                    now=clock.now(),
                )
            except Busy:
                continue
            return
        raise AssertionError("never got through")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(say, range(16)))
    assert [write(number) for number in range(4)] == [200] * 4

    customer = api.get(PATH).json_body
    assert sorted(customer["traits"]) == sorted([*(f"e{n}" for n in range(16)), *(f"t{n}" for n in range(4))])
    assert sorted(customer["anonymous_ids"]) == sorted(f"a{n}" for n in range(16))
    assert gate()["consent_sms"] == (customer["consents"]["sms"]["status"] == "granted")


def test_a_device_claimed_by_two_at_once_belongs_to_one(api: Any) -> None:
    from chalicelib.customers import reads, service
    from chalicelib.shared import clock

    with ThreadPoolExecutor(8) as threads:
        list(
            threads.map(lambda n: service.link(f"u{n}", "shared", at=clock.now(), now=clock.now()), range(5))
        )

    owners = [
        f"u{n}" for n in range(5) if api.get(f"/v1/customers/u{n}").json_body["anonymous_ids"] == ["shared"]
    ]
    assert owners == [reads.customer_of("shared")]


def test_a_lost_reply_is_not_taken_for_somebody_elses_write(api: Any, aws: Any) -> None:
    from tests.support.faults import FaultyWire

    version = api.patch(PATH, HANA).headers["ETag"]
    wire = FaultyWire(aws)
    wire.plan = ["ok", "reply_lost"]

    answer = api.patch(PATH, {"traits": {"a": 1}}, None, **{"If-Match": version})
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"2"'


def test_what_other_rooms_read(api: Any) -> None:
    from chalicelib.customers import reads

    traits = HANA["traits"] | {"locale": "ja-JP", "timezone": "Asia/Tokyo"}
    api.patch(PATH, {"traits": traits, "consents": {"personalization": True, "sms": False}})
    api.patch("/v1/customers/u2", {"traits": {"name": "Ken"}})

    person = reads.person("u1")
    assert person is not None
    assert (person.email, person.name, person.locale, person.timezone) == (
        "hana@example.com",
        "Hana",
        "ja-JP",
        "Asia/Tokyo",
    )
    assert person.consents == {"personalization": True, "sms": False}
    assert reads.person("nobody") is None
    assert reads.customer_of("nobody") is None


def test_history_may_be_brought_along_twice_and_leaves_the_living_alone(api: Any) -> None:
    from chalicelib.customers import reads, service
    from chalicelib.shared import clock

    records = [
        {
            "customer_id": f"u{number}",
            "created_at": datetime(2024, 5, 1, tzinfo=UTC),
            "traits": {"email": f"u{number}@example.com"},
            "locale": "en-GB",
            "timezone": "Europe/London",
            "consents": {"email_marketing": number % 2 == 0, "analytics": True, "unknown": True},
        }
        for number in range(250)
    ]
    api.patch(PATH, HANA)
    assert service.import_customers(records, now=clock.now()) == 249
    assert service.import_customers(iter(records), now=clock.now()) == 0

    assert api.get(PATH).json_body["identifiers"] == {"email": "hana@example.com"}
    imported = api.get("/v1/customers/u2").json_body
    assert imported["created_at"] == "2024-05-01T00:00:00.000Z"
    assert imported["consents"]["email_marketing"]["source"] == "import"
    assert gate("u2")["consent_email_marketing"] is True
    assert gate("u3")["consent_email_marketing"] is False
    person = reads.person("u2")
    assert person is not None
    assert (person.locale, sorted(person.consents)) == ("en-GB", ["analytics", "email_marketing"])
