"""The fold of several ids into one person, as rules: order, repetition and undoing make no difference."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.customers import merging, rules
from chalicelib.customers.model import (
    API,
    CONSENT_HISTORY_MAX,
    EVENTS,
    SELVES_MAX,
    UNSUBSCRIBE,
    Consent,
    Profile,
    Selves,
    Statement,
    Trait,
)
from chalicelib.shared.errors import Conflict

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


MOMENTS = st.integers(0, 20).map(at)
CONSENTS = st.builds(
    Consent,
    status=st.sampled_from(["granted", "withdrawn"]),
    at=MOMENTS,
    source=st.sampled_from([API, EVENTS, UNSUBSCRIBE]),
)
TRAITS = st.builds(Trait, value=st.integers(0, 3), source=st.just(EVENTS), at=MOMENTS)


def profiles(customer_id: str) -> st.SearchStrategy[Profile]:
    return st.builds(
        Profile,
        customer_id=st.just(customer_id),
        version=st.integers(1, 5),
        traits=st.dictionaries(st.sampled_from("abc"), TRAITS),
        consents=st.dictionaries(st.sampled_from(["analytics", "sms"]), CONSENTS),
        anonymous_ids=st.lists(st.sampled_from(["x", "y", "z"]), unique=True).map(tuple),
        created_at=MOMENTS,
        updated_at=MOMENTS,
    )


def joined(survivor: Profile, other: Profile, minute: int, merge_id: str = "m") -> tuple[Profile, Profile]:
    return merging.joined(survivor, other, merge_id=merge_id, at=at(minute))


def content(profile: Profile) -> Profile:
    """The profile without how it belongs to others."""
    return replace(profile, version=0, merged=None, absorbed=())


@given(profiles("u1"), profiles("u2"), st.integers(0, 30))
def test_parting_gives_each_what_it_had_and_versions_never_come_back(
    one: Profile, two: Profile, minute: int
) -> None:
    head, absorbed = joined(one, two, minute)
    assert (content(head), content(absorbed)) == (content(one), content(two))
    apart = merging.parted(head, absorbed)

    assert tuple(map(content, apart)) == (content(one), content(two))
    assert [(each.merged, each.absorbed) for each in apart] == [(None, ())] * 2
    assert [each.version for each in apart] == [one.version + 2, two.version + 2]


@given(profiles("u1"), profiles("u2"), profiles("u3"))
def test_a_chain_comes_apart_as_it_was_put_together(one: Profile, two: Profile, three: Profile) -> None:
    middle, inner = joined(two, three, 30, "inner")
    head, absorbed = joined(one, middle, 31, "outer")
    assert [each.customer_id for each in head.absorbed] == ["u2", "u3"]

    apart, again = merging.parted(head, absorbed)
    assert apart.absorbed == ()
    assert again.absorbed == middle.absorbed
    assert tuple(map(content, merging.parted(again, inner))) == (content(two), content(three))


@given(profiles("u1"), profiles("u2"), profiles("u3"), st.permutations([1, 2]))
def test_the_person_does_not_depend_on_the_order_of_their_ids(
    one: Profile, two: Profile, three: Profile, order: list[int]
) -> None:
    head, second = joined(one, two, 30, "a")
    head, third = joined(head, three, 31, "b")
    others = [second, third]

    usual = merging.whole(Selves((head, second, third)))
    other = merging.whole(Selves((head, *(others[place - 1] for place in order))))
    assert (usual.traits, usual.consents, usual.consent_history) == (
        other.traits,
        other.consents,
        other.consent_history,
    )
    assert set(usual.anonymous_ids) == {*one.anonymous_ids, *two.anonymous_ids, *three.anonymous_ids}


@given(profiles("u1"), profiles("u2"))
def test_of_what_was_said_before_the_most_restrictive_counts(one: Profile, two: Profile) -> None:
    person = merging.whole(Selves(joined(one, two, 30)))

    for purpose, consent in person.consents.items():
        said = [each.consents[purpose] for each in (one, two) if purpose in each.consents]
        assert consent.is_granted == all(each.is_granted for each in said)


@given(profiles("u1"), profiles("u2"), st.sampled_from(["analytics", "sms"]), st.booleans())
def test_a_word_since_the_merge_counts_whatever_was_before(
    one: Profile, two: Profile, purpose: str, granted: bool
) -> None:
    head, absorbed = joined(one, two, 30)
    consent = Consent("granted" if granted else "withdrawn", at(10), API)
    said = Statement(at(10), API, consents={purpose: consent}, latest=True)  # by a slow clock
    after = rules.listen(head, said, now=at(40), seen=merging.whole(Selves((head, absorbed)))) or head

    person = merging.whole(Selves((after, absorbed)))
    assert person.consents[purpose].is_granted == granted


@given(profiles("u1"), profiles("u2"), st.sampled_from("abc"), st.integers(4, 9))
def test_an_edit_of_the_person_is_what_is_seen_next(
    one: Profile, two: Profile, name: str, value: int
) -> None:
    head, absorbed = joined(one, two, 30)
    said = Statement(at(0), API, traits={name: value}, latest=True)
    after = rules.listen(head, said, now=at(40), seen=merging.whole(Selves((head, absorbed))))

    assert after is not None
    assert merging.whole(Selves((after, absorbed))).traits[name].value == value


@pytest.mark.parametrize("late", [EVENTS, API])
def test_a_preference_under_one_id_does_not_undo_an_act_under_another(late: str) -> None:
    left = Profile("u1", 1, consents={"sms": Consent("withdrawn", at(5), UNSUBSCRIBE)})
    other = Profile("u2", 1, consents={"sms": Consent("granted", at(50), late)})
    person = merging.whole(Selves(joined(left, other, 30)))

    assert person.consents["sms"].is_granted == (late == API)


def test_a_merge_counts_after_everything_that_was_said_and_merged() -> None:
    assert merging.merge_moment([], at(3)) == at(3)
    assert merging.merge_moment([at(1), at(7)], at(3)) == at(7) + rules.TICK


def test_the_eleventh_id_is_refused() -> None:
    head = Profile("u0", 1)
    for number in range(1, SELVES_MAX):
        head, _ = joined(head, Profile(f"u{number}", 1), number, f"m{number}")
    with pytest.raises(Conflict):
        joined(head, Profile("more", 1), 30)


def test_evidence_is_kept_of_every_id_within_bounds() -> None:
    def telling(customer_id: str, source: str) -> Profile:
        heard = tuple(Consent("granted", at(minute), source) for minute in range(CONSENT_HISTORY_MAX))
        return Profile(customer_id, 1, consent_history={"sms": heard}, consents={"sms": heard[-1]})

    person = merging.whole(Selves(joined(telling("u1", API), telling("u2", EVENTS), 30)))
    kept = person.consent_history["sms"]
    assert len(kept) == CONSENT_HISTORY_MAX
    assert {each.source for each in kept} == {API, EVENTS}
    assert [each.at for each in kept] == sorted((each.at for each in kept), reverse=True)
