"""Who has the last word: a trusted sender over a browser, a customer's own act over a preference that is repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.customers import rules
from chalicelib.customers.model import (
    ANONYMOUS_IDS_MAX,
    API,
    CUSTOMER,
    EVENTS,
    HINT,
    HINT_TRAITS_MAX,
    IMPORT,
    TRAITS_MAX,
    UNSUBSCRIBE,
    Consent,
    Profile,
    Statement,
    Trait,
)
from chalicelib.shared import clock
from chalicelib.shared.errors import InvalidInput
from tests.support.embedded import PUBLISHABLE

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MANY = {f"t{number}": "x" for number in range(TRAITS_MAX)}
PREFERS = {"consent": {"categoryPreferences": {"email_marketing": True}}}


def test_a_browser_begins_a_small_profile_only() -> None:
    most = dict(list(MANY.items())[:HINT_TRAITS_MAX])

    assert rules.listen(Profile("u1"), Statement(NOW, HINT, most), now=NOW) is not None
    for too_much in (MANY, {"t": "x" * 3000}):
        with pytest.raises(InvalidInput) as refused:
            rules.listen(Profile("u1"), Statement(NOW, HINT, too_much), now=NOW)
        assert refused.value.fields[0].field == "traits"


def test_what_a_browser_said_gives_way_to_what_is_known() -> None:
    hinted = Profile("u1", version=1, traits={name: Trait("x", HINT, NOW) for name in MANY})

    after = rules.listen(hinted, Statement(NOW, EVENTS, {"plan": "gold"}), now=NOW)

    assert after is not None
    assert after.traits == {"plan": Trait("gold", EVENTS, NOW)}


def test_what_a_browser_said_stays_while_there_is_room() -> None:
    hinted = Profile("u1", version=1, traits={"color": Trait("red", HINT, NOW)})

    after = rules.listen(hinted, Statement(NOW, EVENTS, {"plan": "gold"}), now=NOW)

    assert after is not None
    assert set(after.traits) == {"color", "plan"}


def test_a_browser_cannot_keep_consent_out(api: Any) -> None:
    full = {"userId": "u1", "anonymousId": "a1", "traits": MANY}
    few = full | {"traits": dict(list(MANY.items())[:HINT_TRAITS_MAX])}
    assert api.post("/v1/identify", full, PUBLISHABLE).status_code == 400
    assert api.post("/v1/identify", few, PUBLISHABLE).status_code == 200

    ours = {f"o{number}": "x" for number in range(TRAITS_MAX)}
    told = api.post("/v1/identify", {"userId": "u1", "traits": ours, "context": PREFERS})

    assert told.status_code == 200, told.body
    profile = api.get("/v1/customers/u1").json_body
    assert set(profile["traits"]) == set(ours)
    assert profile["consents"]["email_marketing"]["status"] == "granted"


def consenting(status: Any, source: str, at: datetime) -> Profile:
    return Profile("u1", version=1, consents={"email_marketing": Consent(status, at, source)})


def preference(status: Any, at: datetime, source: str = EVENTS) -> Statement:
    return Statement(at, source, consents={"email_marketing": Consent(status, at, source)})


@pytest.mark.parametrize("act", [UNSUBSCRIBE, "one_click", CUSTOMER, API, IMPORT])
def test_a_repeated_preference_does_not_undo_a_withdrawal(act: str) -> None:
    withdrawn = consenting("withdrawn", act, NOW)

    after = rules.listen(withdrawn, preference("granted", NOW + timedelta(days=9)), now=NOW)

    assert after is not None
    assert after.consents == withdrawn.consents


def test_a_preference_may_take_back_what_a_preference_said() -> None:
    later = NOW + timedelta(days=9)
    withdrawn = rules.listen(consenting("granted", CUSTOMER, NOW), preference("withdrawn", later), now=NOW)
    assert withdrawn is not None
    assert not withdrawn.consents["email_marketing"].is_granted

    again = rules.listen(withdrawn, preference("granted", later + timedelta(days=1)), now=NOW)
    assert again is not None
    assert again.consents["email_marketing"].is_granted


@pytest.mark.parametrize("source", [API, CUSTOMER])
def test_an_edit_grants_again(source: str) -> None:
    later = NOW + timedelta(days=9)

    again = rules.listen(
        consenting("withdrawn", UNSUBSCRIBE, NOW), preference("granted", later, source), now=NOW
    )

    assert again is not None
    assert again.consents["email_marketing"].is_granted


@pytest.mark.parametrize("merged", [False, True])
def test_after_an_unsubscribe_only_an_edit_grants(api: Any, *, merged: bool) -> None:
    from chalicelib.messages import gate
    from tests.support.embedded import SECRET

    routine = {"userId": "u1", "traits": {"plan": "gold"}, "context": PREFERS}
    speaking = "u1"
    if merged:
        speaking = "u2"
        for customer_id in ("u1", "u2"):
            api.post("/v1/identify", routine | {"userId": customer_id})
        body = {"from": "u2", "reason": "same person"}
        made = api.post("/v1/customers/u1/merge", body, SECRET | {"Idempotency-Key": "k1"})
        assert made.status_code in (200, 201), made.body
    else:
        api.post("/v1/identify", routine)
    clock.travel(timedelta(hours=1))
    gate.withdraw("u1", gate.EMAIL_MARKETING, source="one_click", now=clock.now())

    clock.travel(timedelta(hours=2))
    assert api.post("/v1/identify", routine | {"userId": speaking}).json_body["accepted"] == 1
    assert api.get("/v1/customers/u1").json_body["consents"]["email_marketing"]["status"] == "withdrawn"

    granted = api.patch("/v1/customers/u1", {"consents": {"email_marketing": {"status": "granted"}}})
    assert granted.json_body["consents"]["email_marketing"]["status"] == "granted"


def test_a_device_that_had_to_go_comes_back_when_it_is_used() -> None:
    devices = tuple(f"a{number}" for number in range(1, ANONYMOUS_IDS_MAX + 1))
    full = Profile("u1", version=1, anonymous_ids=devices)

    after = rules.listen(full, Statement(NOW, EVENTS, anonymous_id="a0"), now=NOW, owner="u1")

    assert after is not None
    assert after.anonymous_ids == (*devices[1:], "a0")
    assert rules.listen(full, Statement(NOW, EVENTS, anonymous_id="a0"), now=NOW, owner="u2") is not None


def test_the_first_of_too_many_devices_comes_back(api: Any) -> None:
    devices = [f"a{number}" for number in range(ANONYMOUS_IDS_MAX + 1)]
    for device in [*devices, devices[0]]:
        api.post("/v1/identify", {"userId": "u1", "anonymousId": device})

    assert api.get("/v1/customers/u1").json_body["anonymous_ids"] == [*devices[2:], devices[0]]
