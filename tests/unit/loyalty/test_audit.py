"""`make audit-ledger` rebuilds what is stored, and finds what somebody changed by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.loyalty import service, spending
from chalicelib.loyalty.schemas import AccrualRequest, RedemptionRequest
from chalicelib.shared.dynamo import Item, table
from tools import audit_ledger

NOW = datetime(2026, 11, 22, tzinfo=UTC)
Change = Callable[[Item], object]


@pytest.fixture
def books(aws: Any) -> Any:
    """Three customers with points, one of them with a hold."""
    for number, who in enumerate(("u1", "u2", "u3"), start=1):
        for key in ("a", "b"):
            service.give_points(who, AccrualRequest(points=10 * number, reason="x"), key=key, now=NOW)
    spending.reserve(
        ["u2"], RedemptionRequest(points=15), key="r", now=NOW + timedelta(days=1), dry_run=False
    )
    return aws


def audited(client: Any) -> audit_ledger.Audit:
    return audit_ledger.audit(client, table("ledger").name, seen=lambda _: None)


def test_books_that_nobody_touched_have_no_differences(books: Any) -> None:
    found = audited(books)

    assert (found.accounts, found.entries, found.points, found.shop) == (3, 7, 120, -120)
    assert found.differences == []


def change(sk: str, how: Change) -> None:
    item = table("ledger").get("A#u2", sk)
    assert item is not None
    how(item)
    table("ledger").put(item)


@pytest.mark.parametrize(
    ("sk", "how", "said"),
    [
        ("ACCOUNT", lambda item: item["sums"].update({"lot:2027-11": 26}), "lot:2027-11 is 26, its entries say 25"),
        ("ACCOUNT", lambda item: item.update(version=4), "counts 4 entries, there are 3"),
        ("ACCOUNT", lambda item: item.pop("holds"), "its holds"),
        ("T#key:a", lambda item: item["moves"].update({"lot:2027-11": 21}), "add up to 0"),
        ("T#key:a", lambda item: item["moves"].update({"lot:2027-11": -20, "shop": 20}), "cannot be rebuilt"),
        ("T#key:a", lambda item: item.update(number=2), "the same number"),
    ],
    ids=["balance", "version", "holds", "one leg", "both legs", "number"],
)  # fmt: skip
def test_a_planted_difference_is_found(books: Any, sk: str, how: Change, said: str) -> None:
    change(sk, how)

    found = audited(books)

    assert [said in each and each.startswith("A#u2") for each in found.differences] == [True], (
        found.differences
    )


def test_an_entry_or_an_account_that_is_gone_is_found(books: Any) -> None:
    table("ledger").delete("A#u1", "T#key:b")
    table("ledger").delete("A#u3", "ACCOUNT")

    assert sorted(each[:4] for each in audited(books).differences) == ["A#u1", "A#u3"]


def test_the_command_prints_what_it_found(books: Any, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("LEDGER_TABLE", table("ledger").name)

    assert audit_ledger.main() == 0

    said = capsys.readouterr().out.split()
    assert said[said.index("differences") + 1] == "0"
    assert said[said.index("accounts") + 1] == "3"
    change("ACCOUNT", lambda item: item.update(version=4))
    assert audit_ledger.main() == 1
    assert "counts 4 entries, there are 3" in capsys.readouterr().out
    monkeypatch.setenv("LEDGER_TABLE", "nowhere")
    assert audit_ledger.main() == 2
    assert "could not be read" in capsys.readouterr().err


def test_pages_and_people_who_were_erased(books: Any) -> None:
    service.erase(["u3"], [], now=NOW, pseudonym="erased-1")

    found = audited(books)

    assert (found.accounts, found.closed, found.points, found.shop) == (2, 1, 60, -60)
    assert found.differences == []
