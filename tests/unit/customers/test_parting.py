"""What stands after two ids were parted again: a withdrawal counts for both, and who was erased stays so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.activity import service as activity
from chalicelib.activity.reading import Sending
from chalicelib.customers import hearing, mail_gates, merges, parting, reads, service, store
from chalicelib.customers.model import EVENTS, Absorption, Consent, Profile, Selves
from chalicelib.customers.schemas import CustomerPatch
from chalicelib.messages import gate
from chalicelib.shared import tombstones
from chalicelib.shared.dynamo import table
from chalicelib.shared.errors import Gone, InvalidInput

START = datetime(2026, 11, 22, tzinfo=UTC)
MAIL = "email_marketing"


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def say(customer_id: str, minute: int, **consents: bool) -> None:
    service.identify(
        customer_id,
        at=at(minute),
        traits={"t": minute},
        consents=consents,
        anonymous_id=None,
        trusted=True,
        now=at(minute),
    )


def edit(customer_id: str, minute: int, *, own: bool = True, **consents: bool) -> None:
    patch = CustomerPatch.model_validate({"consents": consents})
    service.edit(customer_id, patch, if_match="", by_customer=own, now=at(minute))


def leave(customer_id: str, minute: int) -> None:
    assert gate.withdraw(customer_id, MAIL, source="one_click", now=at(minute))


def join(survivor: str, other: str, minute: int, merge_id: str = "m") -> str:
    merges.merge(survivor, other, reason="same", merge_id=merge_id, said_by="test", now=at(minute))
    return merge_id


def part(merge_id: str, minute: int) -> None:
    merges.undo(merge_id, said_by="test", now=at(minute))


def granted(customer_id: str) -> dict[str, bool]:
    """What somebody agreed to, by their profile; the mail gate says the same."""
    answer, _ = service.view(customer_id, by_customer=True)
    shown = {purpose: each.status == "granted" for purpose, each in answer.consents.items()}
    person = reads.person(customer_id)
    assert person is not None
    gates = {
        each: table("engagement").get(f"C#{each}", gate.SK, consistent=True) or {}
        for each in person.customer_ids
    }
    assert reads.agrees(person, MAIL, gates) == shown.get(MAIL, False)
    return shown


WAYS: list[Callable[[str, int], None]] = [
    leave,
    lambda who, minute: edit(who, minute, email_marketing=False),
    lambda who, minute: say(who, minute, email_marketing=False),
]


@pytest.mark.parametrize("way", WAYS, ids=["link", "token", "event"])
@pytest.mark.parametrize("who", ["u1", "u2"])
def test_what_was_withdrawn_since_the_merge_is_withdrawn_for_both(aws: Any, way: Any, who: str) -> None:
    for each in ("u1", "u2"):
        say(each, 0, email_marketing=True, analytics=True)
    merge_id = join("u1", "u2", 1)
    way(who, 2)
    part(merge_id, 3)

    assert granted("u1") == granted("u2") == {MAIL: False, "analytics": True}
    evidence = [store.load(each).profile.consents.get(MAIL) for each in ("u1", "u2")]
    told = [each for each in evidence if each and not each.is_granted]
    assert {each.at for each in told} == {at(2)}, "it is known when it was said"
    [history] = [store.load(each).profile.consent_history[MAIL] for each in ("u1", "u2") if each != who]
    assert [each.status for each in history] == ["withdrawn", "granted"]
    part(merge_id, 4)
    for each in ("u1", "u2"):
        edit(each, 5, email_marketing=True)
    assert granted("u1")[MAIL]
    assert granted("u2")[MAIL], "whoever was left out may agree anew"


def test_every_purpose_is_carried_over_and_nothing_else(aws: Any) -> None:
    say("u1", 0, sms=True, push=True, email_marketing=True, personalization=True, ad_audiences=False)
    say("u2", 0, sms=True, push=True, email_marketing=True, personalization=True, ad_audiences=True)
    merge_id = join("u1", "u2", 1)
    edit("u2", 2, sms=False, push=False, email_marketing=False, personalization=False)
    part(merge_id, 3)

    none = dict.fromkeys(("sms", "push", MAIL, "personalization"), False)
    assert granted("u1") == none | {"ad_audiences": False}
    assert granted("u2") == none | {"ad_audiences": True}, "what was said before is the one side's alone"


def test_who_agreed_again_is_left_alone_and_the_other_is_not(aws: Any) -> None:
    for each in ("u1", "u2"):
        say(each, 0, email_marketing=True)
    merge_id = join("u1", "u2", 1)
    edit("u2", 2, email_marketing=False)
    assert not granted("u1")[MAIL]
    edit("u1", 3, email_marketing=True)
    assert granted("u1")[MAIL]
    part(merge_id, 4)

    assert granted("u1")[MAIL]
    assert not granted("u2")[MAIL], "the grant of one is no word of the other"


def test_an_edit_with_the_token_of_an_absorbed_id_stays_with_that_id(aws: Any) -> None:
    say("u1", 0)
    say("u2", 0)
    merge_id = join("u1", "u2", 1)
    patch = CustomerPatch.model_validate({"traits": {"firstName": "花"}, "consents": {"analytics": True}})
    answer, _ = service.edit("u2", patch, if_match="*", by_customer=True, now=at(2))
    assert (answer.customer_id, answer.traits["firstName"].value) == ("u1", "花")
    part(merge_id, 3)

    assert "firstName" not in store.load("u1").profile.traits
    assert store.load("u2").profile.traits["firstName"].value == "花"
    assert (granted("u1"), granted("u2")) == ({}, {"analytics": True})


def test_an_event_that_withdraws_counts_for_the_other_although_an_act_had_withdrawn_before(aws: Any) -> None:
    say("u1", 0, email_marketing=True)
    say("u2", 0, email_marketing=True)
    leave("u2", 1)
    merge_id = join("u1", "u2", 2)
    edit("u1", 3, email_marketing=True)
    say("u2", 4, email_marketing=False)
    assert not granted("u1")[MAIL], "the last word since the merge"
    part(merge_id, 5)
    say("u1", 6, email_marketing=True)
    say("u2", 6, email_marketing=True)

    assert granted("u1")[MAIL], "to them it was a preference"
    assert not granted("u2")[MAIL], "to them an act"


def test_a_withdrawal_by_hand_is_an_act_also_where_an_event_withdrew_before(aws: Any) -> None:
    say("u1", 0, email_marketing=False)
    edit("u1", 1, own=False, email_marketing=False)
    say("u1", 2, email_marketing=True)

    assert not granted("u1")[MAIL]


def test_in_a_chain_it_counts_for_whoever_was_the_same_person_then(aws: Any) -> None:
    for each in ("u1", "u2", "u3", "u4"):
        say(each, 0, email_marketing=True)
    inner = join("u2", "u3", 1, "inner")
    outer = join("u1", "u2", 2, "outer")
    leave("u3", 3)
    late = join("u1", "u4", 4, "late")
    assert not granted("u1")[MAIL]
    part(late, 5)
    assert granted("u4")[MAIL], "they were somebody else when it was said"
    part(outer, 6)
    part(inner, 7)

    assert [granted(each)[MAIL] for each in ("u1", "u2", "u3")] == [False, False, False]


def test_what_somebody_withdrew_before_they_joined_is_theirs_alone(aws: Any) -> None:
    for each in ("u1", "u2", "u3"):
        say(each, 0, email_marketing=True)
    first = join("u1", "u2", 1, "first")
    leave("u3", 2)
    second = join("u1", "u3", 3, "second")
    assert not granted("u1")[MAIL]
    part(first, 4)
    part(second, 5)

    assert [granted(each)[MAIL] for each in ("u1", "u2", "u3")] == [True, True, False]


def test_a_profile_that_a_merge_made_stays_when_it_has_a_withdrawal_to_keep(aws: Any) -> None:
    event = {"messageId": "m", "event": "Cart Viewed", "userId": "u2", "timestamp": START.isoformat()}
    activity.take_one(event, "track", Sending(trusted=True, now=START))
    say("u1", 0, email_marketing=True)
    merge_id = join("u1", "u2", 1)
    leave("u1", 2)
    part(merge_id, 3)
    say("u2", 4, email_marketing=True)

    assert not granted("u2")[MAIL], "a page repeats a preference"


@pytest.mark.parametrize("who", ["u1", "u2", "u3"])
def test_what_is_withdrawn_while_they_are_parted_counts_for_both(
    aws: Any, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("u1", "u2", "u3"):
        say(each, 0, email_marketing=True, analytics=True)
    join("u2", "u3", 1, "inner")
    outer = join("u1", "u2", 2, "outer")
    load_gates = mail_gates.load
    words = [lambda: leave(who, 3), lambda: say(who, 3, analytics=False)]

    def slow(customer_ids: Any) -> Any:
        found = load_gates(customer_ids)
        if len(customer_ids) == 3 and words:
            words.pop()()
        return found

    monkeypatch.setattr(mail_gates, "load", slow)
    part(outer, 4)

    assert not words
    assert granted("u1") == granted("u2") == {MAIL: False, "analytics": False}


def test_a_lost_reply_of_an_edit_of_an_absorbed_id_is_no_stale_version(aws: Any) -> None:
    from unittest import mock

    from tests.support.faults import FaultyWire

    say("u1", 0)
    say("u2", 0)
    join("u1", "u2", 1)
    _, version = service.view("u1")
    wire = FaultyWire(aws)
    wire.plan = ["ok", "ok", "ok", "reply_lost"]
    patch = CustomerPatch.model_validate({"traits": {"a": 1}})
    with mock.patch("botocore.endpoint.time.sleep"):
        answer, _ = service.edit("u2", patch, if_match=version, by_customer=True, now=at(2))
    assert not wire.plan
    assert answer.traits["a"].value == 1


def erase(customer_id: str) -> None:
    pk, sk = tombstones.key_of("customer", customer_id)
    table("people").put({"pk": pk, "sk": sk, "erased_at": "2026-11-22T00:00:00.000Z"})


@pytest.mark.parametrize("who", ["u1", "u2"])
@pytest.mark.parametrize("undone", [False, True])
def test_with_one_side_erased_nothing_is_merged_or_parted(aws: Any, who: str, undone: bool) -> None:
    say("u1", 0)
    say("u2", 0)
    merge_id = join("u1", "u2", 1)
    if undone:
        part(merge_id, 2)
    before = [store.load(each).profile for each in ("u1", "u2")]
    erase(who)

    with pytest.raises(Gone):
        part(merge_id, 3)
    with pytest.raises(Gone):
        join("u1", "u2", 4)
    assert [store.load(each).profile for each in ("u1", "u2")] == before


def test_an_erasure_that_comes_between_wins_over_the_undoing(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    say("u1", 0)
    say("u2", 0)
    merge_id = join("u1", "u2", 1)
    load_gates = mail_gates.load

    def slow(customer_ids: Any) -> Any:
        erase("u2")
        return load_gates(customer_ids)

    monkeypatch.setattr(mail_gates, "load", slow)
    with pytest.raises(Gone):
        part(merge_id, 2)
    assert store.load("u2").profile.merged is not None


def test_an_alias_names_nobody_who_was_erased(aws: Any) -> None:
    say("u1", 0)
    erase("u2")
    with pytest.raises(InvalidInput) as refused:
        hearing.alias("u1", "u2", message="m", at=at(1), now=at(1))

    assert [(each.field, each.message) for each in refused.value.fields] == [("previousId", "was erased")]
    assert store.load("u1").profile.anonymous_ids == ()
    assert store.customer_of("u2") is None


def test_an_alias_with_an_erased_previous_id_is_refused_at_the_door(api: Any) -> None:
    say("u1", 0)
    erase("u2")
    alias = {"messageId": "m1", "userId": "u1", "previousId": "u2"}
    refused = api.post("/v1/alias", alias)
    assert (refused.status_code, refused.json_body["errors"][0]["field"]) == (410, "previousId")
    batch = api.post(
        "/v1/batch", {"batch": [alias | {"type": "alias"}, {"type": "track", "event": "x", "userId": "u1"}]}
    )
    assert (batch.json_body["accepted"], [each["index"] for each in batch.json_body["refused"]]) == (1, [0])
    assert api.get("/v1/customers/u1").json_body["anonymous_ids"] == []


def test_a_preference_is_shown_with_its_own_source_after_an_act(aws: Any) -> None:
    act = Consent("withdrawn", at(1), "one_click")
    told = Consent("withdrawn", at(3), EVENTS)
    merge = Absorption("u2", "u1", "m", at(2))
    person = Selves(
        (
            Profile("u1", 1, consents={"sms": Consent("granted", at(0), EVENTS)}, absorbed=(merge,)),
            Profile(
                "u2", 1, consents={"sms": Consent("withdrawn", at(3), EVENTS, acted_at=act.at)}, merged=merge
            ),
        )
    )
    assert parting.carried(person, merge) == {"u1": {"sms": told}, "u2": {}}
