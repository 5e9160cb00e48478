"""Finding somebody by what they call themselves, however it is written."""

# ruff: noqa: RUF001  (full-width digits and look-alike hyphens are what people type)

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.customers import identifiers
from tests.support.embedded import PUBLISHABLE


def found(api: Any, **by: str) -> list[str]:
    [(name, value)] = by.items()
    answer = api.get(f"/v1/customers?{name}={quote(value, safe='')}")
    assert answer.status_code == 200, answer.body
    return [each["customer_id"] for each in answer.json_body["data"]]


def known(api: Any, customer_id: str, **traits: Any) -> None:
    assert api.patch(f"/v1/customers/{customer_id}", {"traits": traits}).status_code == 200


def identify(api: Any, message_id: str, headers: dict[str, str] | None = None, **event: Any) -> Any:
    answer = api.post("/v1/identify", {"messageId": message_id, **event}, headers)
    assert answer.status_code == 200, answer.body
    return answer.json_body


@pytest.mark.parametrize(
    "spelling",
    [
        "090-1234-5678",
        "+81 90 1234 5678",
        "０９０−１２３４−５６７８",
        "(090)12345678",
        "+819012345678",
        "090ー1234ー5678",
    ],
)
def test_a_telephone_number_is_one_number_in_any_spelling(api: Any, spelling: str) -> None:
    known(api, "u1", phone="090 1234 5678", name="山田")
    known(api, "u2", phone="090 1234 5679")

    assert found(api, phone=spelling) == ["u1"]


def test_a_number_is_dialled_where_its_owner_lives(api: Any) -> None:
    known(api, "us", phone="(212) 555-0100", address={"country": "US"})
    known(api, "gb", phone="020 7946 0018", address={"country": "gb"})

    assert found(api, phone="+1 212 555 0100") == ["us"]
    assert found(api, phone="+44 20 7946 0018") == ["gb"]
    known(api, "us", address={"country": "JP"})
    assert found(api, phone="+1 212 555 0100") == []


def test_an_address_has_no_case(api: Any) -> None:
    known(api, "u1", email="Hana.Sato@Example.com")

    assert found(api, email="hana.sato@example.COM ") == ["u1"]
    assert found(api, email="hanasato@example.com") == [], "dots are for the mail provider to judge"
    [summary] = api.get("/v1/customers?email=hana.sato@example.com").json_body["data"]
    assert summary["identifiers"] == {"email": "Hana.Sato@Example.com"}
    assert summary["customer_ids"] == ["u1"]


def test_cards_and_partners_ids_are_found_too(api: Any) -> None:
    known(api, "u1", card="1234-5678", cards=["ＡＢ 99"])
    outside = [
        {"id": "U4af", "type": "LINE", "collection": "users", "encoding": "none"},
        {"id": "7788", "type": "card"},
        {"id": "g1", "type": "crm", "collection": "groups"},
    ]
    identify(api, "m1", userId="u2", context={"externalIds": outside})

    assert found(api, card="1234 5678") == found(api, card="ab-99") == ["u1"]
    assert found(api, card="7788") == found(api, external_id="line:U4af") == ["u2"]
    assert found(api, external_id="line:u4af") == [], "what another system calls an id is its own"
    assert found(api, external_id="crm:g1") == []


def test_what_changes_is_found_under_its_new_name_only(api: Any) -> None:
    known(api, "u1", email="old@example.com", phone="090-1111-2222")
    known(api, "u1", email="new@example.com", phone=None)

    assert found(api, email="new@example.com") == ["u1"]
    assert found(api, email="old@example.com") == found(api, phone="090-1111-2222") == []


def test_what_a_browser_says_finds_nobody(api: Any) -> None:
    identify(api, "m1", PUBLISHABLE, userId="u1", traits={"email": "hana@example.com"})

    assert found(api, email="hana@example.com") == []


def test_an_address_with_separators_has_a_key_of_its_own(api: Any) -> None:
    known(api, "u1", email="a#b/c@example.com")

    assert found(api, email="A#B/C@example.com") == ["u1"]


def test_staff_see_everybody_who_shares_an_address_page_by_page(api: Any) -> None:
    for number in range(7):
        known(api, f"u{number}", email="office@example.com")

    first = api.get("/v1/customers?email=office@example.com&limit=5").json_body
    rest = api.get(f"/v1/customers?email=office@example.com&limit=5&cursor={first['next_cursor']}").json_body
    assert [each["customer_id"] for each in first["data"] + rest["data"]] == [f"u{n}" for n in range(7)]
    assert rest["next_cursor"] is None
    foreign = api.get(f"/v1/customers?email=other@example.com&cursor={first['next_cursor']}")
    assert foreign.status_code == 400


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", ["email"]),
        ("?email=a@b.c&phone=090", ["email", "phone"]),
        ("?phone=call-me", ["phone"]),
        ("?phone=117", ["phone"]),
        ("?email=", ["email"]),
        ("?card=%00", ["card"]),
        ("?card=---", ["card"]),
        ("?external_id=nothing", ["external_id"]),
        ("?external_id=user_id:u1", ["external_id"]),
        ("?name=Hana", ["name"]),
        ("?email=a@b.c&email=d@e.f", ["email"]),
        ("?email=a@b.c&limit=0", ["limit"]),
    ],
)
def test_a_wrong_question_is_refused_by_name(api: Any, query: str, fields: list[str]) -> None:
    refused = api.get(f"/v1/customers{query}")

    assert refused.status_code == 400
    assert [error["field"] for error in refused.json_body["errors"]] == fields


@pytest.mark.parametrize(
    ("outside", "field"),
    [
        ("x", "context.externalIds"),
        ([{"id": "1"}], "context.externalIds.0.type"),
        ([{"id": "1", "type": "card"}, 5], "context.externalIds.1"),
        ([{"id": "a\u0000", "type": "card"}], "context.externalIds.0.id"),
        ([{"id": "x" * 129, "type": "card"}], "context.externalIds.0.id"),
        ([{"id": "1", "type": "card"}] * 21, "context.externalIds"),
    ],
)
def test_ids_of_other_systems_are_sent_properly(api: Any, outside: Any, field: str) -> None:
    event = {"messageId": "m1", "userId": "u1", "context": {"externalIds": outside}}
    refused = api.post("/v1/identify", event)

    assert refused.status_code == 400
    assert [error["field"] for error in refused.json_body["errors"]] == [field]


def test_a_form_with_a_known_address_links_the_device(api: Any) -> None:
    known(api, "u1", email="hana@example.com", name="Hana")
    api.post("/v1/track", {"messageId": "m1", "anonymousId": "a1", "event": "Cart Viewed"})
    identify(api, "m2", anonymousId="a1", traits={"email": "HANA@example.com", "name": "somebody else"})

    customer = api.get("/v1/customers/u1").json_body
    assert customer["anonymous_ids"] == ["a1"]
    assert customer["traits"]["name"]["value"] == "Hana", "a form filled in under an address changes nobody"
    kinds = [each["kind"] for each in api.get("/v1/customers/u1/timeline").json_body["data"]]
    assert sorted(kinds) == ["cart_viewed", "identify"]


def test_an_address_of_two_people_links_nobody(api: Any) -> None:
    for customer_id in ("u1", "u2"):
        known(api, customer_id, email="home@example.com")
    identify(api, "m1", anonymousId="a1", traits={"email": "home@example.com"})

    assert api.get("/v1/customers/u1").json_body["anonymous_ids"] == []
    assert api.get("/v1/customers/u2").json_body["anonymous_ids"] == []


def test_an_address_and_a_number_of_different_people_link_nobody(api: Any) -> None:
    known(api, "u1", email="hana@example.com")
    known(api, "u2", phone="090-1234-5678")
    identify(api, "m1", anonymousId="a1", traits={"email": "hana@example.com", "phone": "09012345678"})

    assert found(api, email="hana@example.com") == ["u1"]
    assert api.get("/v1/customers/u1").json_body["anonymous_ids"] == []


def test_a_browser_cannot_link_itself_to_an_address(api: Any) -> None:
    known(api, "u1", email="hana@example.com")
    identify(api, "m1", PUBLISHABLE, anonymousId="a1", traits={"email": "hana@example.com"})

    assert api.get("/v1/customers/u1").json_body["anonymous_ids"] == []


def test_a_tablet_that_many_people_use_is_nobodys(api: Any) -> None:
    from chalicelib.customers import reads

    api.post("/v1/track", {"messageId": "t1", "anonymousId": "tablet", "event": "Cart Viewed"})
    for number in range(1, 6):
        identify(api, f"m{number}", userId=f"u{number}", anonymousId="tablet")
    assert reads.customer_of("tablet") == "u1"

    identify(api, "m5again", userId="u5", anonymousId="tablet")
    assert reads.customer_of("tablet") == "u1", "the same five people are not six"
    identify(api, "m6", userId="u6", anonymousId="tablet")
    assert reads.customer_of("tablet") is None
    assert api.get("/v1/customers/u1").json_body["anonymous_ids"] == []
    identify(api, "m7", userId="u1", anonymousId="tablet")
    assert reads.customer_of("tablet") is None
    kinds = [each["kind"] for each in api.get("/v1/customers/u1/timeline").json_body["data"]]
    assert "cart_viewed" not in kinds


def test_customers_brought_along_are_found(api: Any) -> None:
    from chalicelib.customers import service
    from chalicelib.shared import clock

    record = {"customer_id": "u1", "created_at": clock.now(), "traits": {"email": "Hana@example.com"}}
    service.import_customers([record], now=clock.now())

    assert found(api, email="hana@example.com") == ["u1"]
    known(api, "u1", email="new@example.com")
    assert found(api, email="hana@example.com") == []


@given(st.text(max_size=40), st.sampled_from(["JP", "US", "XX", ""]))
def test_whatever_is_written_in_a_number_is_read_or_passed_over(text: str, country: str) -> None:
    number = identifiers.phone(text, country)
    assert number is None or identifiers.phone(number.value, "DE") == number


@given(st.text(min_size=1, max_size=40))
def test_one_spelling_stays_itself(text: str) -> None:
    for spell in (identifiers.email, identifiers.card):
        once = spell(text)
        if once is not None:
            assert spell(once.value) == once
            assert "#" not in identifiers.key_of(once).removeprefix(f"ID#{once.kind}#")
