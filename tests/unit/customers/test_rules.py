"""A profile's decisions, without AWS: what is said late, twice or in any order ends the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.customers import rules
from chalicelib.customers.model import (
    ANONYMOUS_IDS_MAX,
    API,
    EVENTS,
    HINT,
    TRAITS_MAX,
    UNSUBSCRIBE,
    Consent,
    Profile,
    Statement,
    Trait,
    status_of,
)
from chalicelib.shared.errors import InvalidInput

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOBODY = Profile("u1")

moments = st.integers(0, 5).map(lambda minute: NOW + timedelta(minutes=minute))
values = st.sampled_from([None, "a", "b", 1, 1.5, True, {"country": "JP"}, ["x"]])
sources = st.sampled_from([EVENTS, API, HINT])
traits = st.dictionaries(st.sampled_from("abc"), st.builds(Trait, values, sources, moments), max_size=3)
consents = st.dictionaries(
    st.sampled_from(["sms", "analytics"]),
    st.builds(Consent, st.sampled_from(["granted", "withdrawn"]), moments, st.sampled_from([EVENTS, API])),
    max_size=2,
)


def told(source: str = EVENTS, minute: int = 0, **traits: Any) -> Statement:
    return Statement(NOW + timedelta(minutes=minute), source, traits)


def hear(profile: Profile, *statements: Statement) -> Profile:
    for statement in statements:
        profile = rules.listen(profile, statement, now=NOW) or profile
    return profile


@given(st.lists(traits, max_size=5), st.randoms())
def test_traits_end_the_same_in_any_order_and_however_often(
    said: list[dict[str, Trait]], random: Any
) -> None:
    in_order: dict[str, Trait] = {}
    for each in said:
        in_order = rules.merge_traits(in_order, each)
    shuffled: dict[str, Trait] = {}
    again = [*said, *said]
    random.shuffle(again)
    for each in again:
        shuffled = rules.merge_traits(shuffled, each)

    assert shuffled == in_order


@given(st.lists(consents, max_size=5), st.randoms())
def test_consents_end_the_same_in_any_order_and_a_withdrawal_wins_its_moment(
    said: list[dict[str, Consent]], random: Any
) -> None:
    in_order: dict[str, Consent] = {}
    for each in said:
        in_order = rules.merge_consents(in_order, each)
    again = [*said, *said]
    random.shuffle(again)
    shuffled: dict[str, Consent] = {}
    for each in again:
        shuffled = rules.merge_consents(shuffled, each)

    assert shuffled == in_order
    for purpose, consent in in_order.items():
        latest = [each[purpose] for each in said if purpose in each and each[purpose].at == consent.at]
        assert consent.is_granted == all(each.is_granted for each in latest)


@given(st.lists(traits, max_size=4), st.lists(moments, min_size=4, max_size=4))
def test_a_statement_heard_again_changes_nothing(said: list[dict[str, Trait]], at: list[datetime]) -> None:
    statements = [
        Statement(moment, EVENTS, {name: trait.value for name, trait in each.items()})
        for each, moment in zip(said, at, strict=False)
    ]
    profile = hear(NOBODY, *statements)

    assert hear(profile, *statements) == profile


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_last_word_counts_not_the_last_heard(order: tuple[int, int]) -> None:
    said = [told(name="Old"), told(minute=1, name="New")]

    assert hear(NOBODY, *[said[each] for each in order]).traits["name"].value == "New"


def test_a_deleted_trait_stays_deleted_when_older_words_arrive() -> None:
    profile = hear(NOBODY, told(name="Hana"), told(minute=2, name=None), told(minute=1, name="Late"))

    assert rules.known_traits(profile) == {}


def test_an_edit_replaces_what_a_fast_clock_wrote() -> None:
    ahead = hear(NOBODY, told(minute=600, name="Ahead"))
    edit = Statement(NOW, API, {"name": "Edited"}, latest=True)

    assert hear(ahead, edit).traits["name"].value == "Edited"


def test_an_edit_that_says_what_is_known_changes_nothing() -> None:
    consent = {"sms": Consent("granted", NOW, API, "v1")}
    known = hear(NOBODY, replace(told(name="Hana"), consents=consent))
    edit = Statement(NOW + timedelta(days=1), API, {"name": "Hana", "unknown": None}, consent, latest=True)

    after = rules.listen(known, replace(edit, traits={"name": "Hana"}), now=NOW)
    assert after is None


def test_a_hint_begins_a_profile_and_nothing_else() -> None:
    hint = Statement(NOW, HINT, {"email": "x@example.com"}, {"sms": Consent("granted", NOW, HINT)}, "a1")
    profile = rules.listen(NOBODY, hint, now=NOW)

    assert profile is not None
    assert (profile.consents, profile.anonymous_ids, profile.confirmed) == ({}, (), False)
    assert rules.identifiers(profile) == {}
    assert rules.person(profile).email is None
    assert rules.listen(profile, replace(hint, traits={"email": "y@example.com"}), now=NOW) is None


@given(moments, moments)
def test_trusted_words_beat_a_hint_whenever_they_were_said(hinted: datetime, said: datetime) -> None:
    hint = {"name": Trait("hint", HINT, hinted)}
    trusted = {"name": Trait("trusted", EVENTS, said)}

    assert rules.merge_traits(hint, trusted) == rules.merge_traits(trusted, hint) == trusted


def test_a_profile_has_limits() -> None:
    full = hear(NOBODY, told(**{f"t{n}": n for n in range(TRAITS_MAX)}))

    with pytest.raises(InvalidInput) as refusal:
        hear(full, told(one_more=1))
    assert [each.field for each in refusal.value.fields] == ["traits"]
    with pytest.raises(InvalidInput):
        hear(NOBODY, told(**{f"t{n}": "x" * 9000 for n in range(2)}))
    assert len(hear(full, told(minute=1, t0=None, one_more=1)).traits) == TRAITS_MAX + 1


def test_deletions_are_remembered_up_to_a_limit() -> None:
    profile = NOBODY
    for minute in range(300):
        profile = hear(profile, told(minute=minute, **{f"t{minute}": None}))

    assert sorted(profile.traits) == sorted(f"t{minute}" for minute in range(200, 300))


def test_devices_are_linked_once_and_the_newest_are_kept() -> None:
    profile = NOBODY
    for number in range(ANONYMOUS_IDS_MAX + 5):
        statement = Statement(NOW, EVENTS, anonymous_id=f"a{number}")
        profile = hear(profile, statement, statement)

    assert profile.anonymous_ids == tuple(f"a{number}" for number in range(5, ANONYMOUS_IDS_MAX + 5))


def test_a_device_of_somebody_else_stays_theirs() -> None:
    statement = Statement(NOW, EVENTS, {"name": "Hana"}, anonymous_id="a1")
    profile = rules.listen(NOBODY, statement, now=NOW, owner="u2")

    assert profile is not None
    assert profile.anonymous_ids == ()


def test_a_history_sent_today_did_not_begin_today() -> None:
    old = hear(NOBODY, told(minute=-600, name="Hana"))
    ahead = hear(NOBODY, told(minute=600, name="Hana"))

    assert old.created_at == NOW - timedelta(minutes=600)
    assert ahead.created_at == NOW


@pytest.mark.parametrize(
    ("gate_minute", "gate_grants", "status"),
    [(1, False, "withdrawn"), (0, False, "withdrawn"), (-1, False, "granted"), (0, True, "granted")],
)
def test_what_the_gate_learnt_later_counts(gate_minute: int, gate_grants: bool, status: str) -> None:
    consent = Consent("granted", NOW, "checkout", "v1")
    profile = replace(NOBODY, consents={"email_marketing": consent})
    gate = {
        "email_marketing": Consent(
            status_of(granted=gate_grants), NOW + timedelta(minutes=gate_minute), UNSUBSCRIBE
        )
    }

    heard = rules.heed_gate(profile, gate).consents["email_marketing"]
    assert heard.status == status
    assert (heard == consent) == (status == "granted")


def test_a_statement_is_parted_where_one_item_would_be_written_twice() -> None:
    consent = {
        purpose: Consent("granted", NOW, API) for purpose in ("analytics", "email_marketing", "sms", "push")
    }
    said = Statement(NOW, API, {"name": "Hana"}, consent, "a1", latest=True)
    parts = rules.apart(said, ("email_marketing", "sms", "push"))

    assert [sorted(part.consents) for part in parts] == [["analytics", "email_marketing"], ["sms"], ["push"]]
    assert parts[0].traits == {"name": "Hana"}
    assert all(part.latest and part.at == NOW for part in parts)
    assert rules.apart(replace(said, consents={}), ("sms",)) == [replace(said, consents={})]


@pytest.mark.parametrize(
    ("traits", "name"),
    [
        ({"name": "Hana Sato", "firstName": "H"}, "Hana Sato"),
        ({"firstName": "Hana", "lastName": "Sato"}, "Hana Sato"),
        ({"firstName": " Hana\r\n"}, "Hana"),
        ({"firstName": 5}, None),
        ({}, None),
    ],
)
def test_the_name_by_which_somebody_is_greeted(traits: dict[str, Any], name: str | None) -> None:
    assert rules.person(hear(NOBODY, told(**traits))).name == name
