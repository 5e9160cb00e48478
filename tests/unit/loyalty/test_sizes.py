"""An accrual is two write units twice: the fullest account and the longest entry still fit into a KB each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from benchmarks.meter import WRITE_BYTES, size_bytes
from chalicelib.loyalty import answers, mapping
from chalicelib.loyalty.model import POINTS_PER_ENTRY_MAX, Account, Entry
from chalicelib.loyalty.program import Cap, EarnRule, Level, Multiplier, Program, Step, Tiers
from chalicelib.shared.dynamo import pack_item
from tests.unit.loyalty.purse import Purse, basket, day

CUSTOMER = "01KAE5VQ3M5Z8Y7X6W5V4T3S2R"
SHOP = Program(
    earn=(
        EarnRule("spend", "amount", points=100, per_amount=1),
        EarnRule("basket", "basket", steps=(Step(1, 500),), cap=Cap(per_day=10_000)),
        EarnRule("fifth-visit", "stamps", points=200, every=5),
    ),
    multipliers=(Multiplier("double", 200),),
    tiers=Tiers((Level("silver", 1), Level("gold", 10**9)), window_months=12),
    expiry_months=12,
    pending_days=14,
)


def test_an_account_of_three_years_fits_into_one_write(figure: Any) -> None:
    """Somebody who shops every week: 12 lots, every month that counts for a tier, visits, what waits, and a hold."""
    purse = Purse(SHOP, now=day("2026-01-05"), account=Account(CUSTOMER))
    sizes = []
    for number in range(3 * 52):
        entry = purse.earn(
            f"order-{number:08d}", basket(None, ("85123A", 3, 1990), at=purse.now), store="ginza"
        )
        sizes.append((_account(purse.account), _entry(purse, entry)))
        purse.wait(days=7)
    purse.reserve("0123456789abcdef0123456789", 5_000)
    full = _account(purse.account)

    assert len(purse.account.of("lot")) >= 12
    figure(
        f"units  three years of weekly orders: account {max(a for a, _ in sizes)} B, entry {max(e for _, e in sizes)} B"
    )
    assert max(entry for _, entry in sizes) <= WRITE_BYTES
    assert max(account for account, _ in sizes) <= WRITE_BYTES
    assert full <= WRITE_BYTES


def test_an_entry_with_its_kept_answer_fits_into_one_write() -> None:
    purse = Purse(SHOP, now=day("2026-01-05"), account=Account(CUSTOMER))
    for _ in range(12):
        purse.give(POINTS_PER_ENTRY_MAX)
        purse.wait(days=31)
    entry = purse.give(
        POINTS_PER_ENTRY_MAX, pending_until=(purse.now + timedelta(days=30)).date().isoformat()
    )

    assert _entry(purse, entry, answered=True) <= WRITE_BYTES


def _account(account: Account) -> int:
    return size_bytes(pack_item(mapping.of_account(account)))


def _entry(purse: Purse, entry: Entry | None, *, answered: bool = False) -> int:
    from chalicelib.loyalty.model import Decision

    assert entry is not None
    item = mapping.of_entry(entry) | {"active": purse.account.active, "fingerprint": "f" * 32}
    if answered:
        told = answers.accrual(Decision(entry, purse.account), purse.program, purse.now).model_dump_json()
        item["answer"] = mapping.packed(told)
    return size_bytes(pack_item(item))
