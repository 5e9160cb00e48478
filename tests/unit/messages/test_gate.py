"""Consent at the gate: the latest word counts, and a withdrawal wins."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.messages import gate
from chalicelib.messages.model import MessageClass
from chalicelib.shared.dynamo import TransactionRefused, table, transact

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PURPOSE = gate.EMAIL_MARKETING


def say(granted: bool, minutes: int = 0) -> bool:
    """Whether the gate took the word."""
    try:
        transact([gate.consent_operation("u1", PURPOSE, granted, NOW + timedelta(minutes=minutes))])
    except TransactionRefused as refused:
        reasons, old = refused.reasons, refused.old
    else:
        return True
    assert reasons == ["ConditionalCheckFailed"]
    assert old[0] is not None
    return False


def test_the_latest_word_counts(aws: Any) -> None:
    assert say(True, 0)
    assert say(False, 1)
    assert not say(True, 0)
    assert not gate.read("u1").email_marketing
    assert say(True, 2)
    assert gate.read("u1").email_marketing


def test_the_same_word_again_changes_nothing_and_is_no_contradiction(aws: Any) -> None:
    assert say(True)
    assert say(True)
    assert say(False)
    assert say(False)
    assert not gate.read("u1").email_marketing


def test_whatever_the_order_the_last_moment_wins_and_in_it_the_withdrawal(aws: Any) -> None:
    for words in itertools.permutations([(True, 0), (False, 1), (False, 2), (True, 2)]):
        table("engagement").delete("C#u1", gate.SK)
        for granted, at in words:
            say(granted, at)

        assert not gate.read("u1").email_marketing


def test_a_withdrawal_by_link_wins_over_a_grant_from_a_clock_that_ran_ahead(aws: Any) -> None:
    say(True, 60)

    assert gate.withdraw("u1", PURPOSE, source="one_click", now=NOW)
    assert not gate.read("u1").email_marketing
    assert not gate.withdraw("u1", PURPOSE, source="one_click", now=NOW)
    assert not say(True, 60)
    assert say(True, 61)


def test_a_withdrawal_of_what_was_never_given_is_kept(aws: Any) -> None:
    assert gate.withdraw("u1", PURPOSE, source="one_click", now=NOW)
    assert not say(True, -1)
    assert not gate.read("u1").email_marketing


@pytest.mark.parametrize("message_class", MessageClass)
def test_the_gate_remembers_a_bounded_number_of_keys(aws: Any, message_class: MessageClass) -> None:
    say(True)
    for number in range(100):
        assert gate.admit("u1", f"shipment:{'s' * 100}-{number}:1:delivered", message_class, now=NOW) is None

    item = table("engagement").get("C#u1", gate.SK)
    assert item is not None
    assert len(item) <= gate.SLOTS + 6
    assert len(repr(item)) < 1000  # one write unit, for ever
