"""Rebuilds every account of the ledger from its entries and says where the books differ: `make audit-ledger`.

Reads the table that `LEDGER_TABLE` names, with the AWS credentials of the environment, or else the local run's, beside a
running service or alone. Writes nothing. Ends with 1 when something differs, 2 when it cannot read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from tqdm import tqdm

from chalicelib.loyalty import books, mapping
from chalicelib.loyalty.model import POINTS, SHOP, Account, Entry
from chalicelib.loyalty.store import CLOSED
from chalicelib.shared import aws
from chalicelib.shared.dynamo import Item, unpack_item
from local import stack
from local.emulator import Emulator
from local.home import Home
from local.settings import Stop, read

READ_AGAIN_MAX = 5  # an account that others move meanwhile is read as a whole again
DIFFERENCES_SHOWN = 20


@dataclass
class Audit:
    """What was read, and what does not fit: one sentence for each account."""

    accounts: int = 0
    entries: int = 0
    shop: int = 0  # the shop's legs of all entries
    points: int = 0  # what all accounts say their customers have, less what they owe
    closed: int = 0  # accounts of people who were erased; only their totals are kept
    differences: list[str] = field(default_factory=list)


def audit(client: Any, table: str, *, seen: Callable[[int], object]) -> Audit:
    """Read the whole table in pages, consistently; `seen` is told of the items of each page.

    1 read unit for every 4 KB. An account that does not fit is read again by itself, as others may write meanwhile.
    """
    found, known = Audit(), set[str]()
    for pk, group in groupby(_scanned(client, table, seen), key=lambda item: str(item["pk"]["S"])):
        if pk in known or not pk.startswith(mapping.pk_of("")):
            continue
        known.add(pk)
        items = list(group)
        problem = _problem(pk, items)
        for _ in range(READ_AGAIN_MAX):
            if problem is None:
                break
            items = _partition(client, table, pk)
            problem = _problem(pk, items)
        _count(found, items, problem)
    if not found.differences and found.shop != -found.points:
        found.differences.append(f"the shop's side is {found.shop:,}, the customers' {found.points:,}")
    return found


def report(found: Audit) -> list[str]:
    """The audit in lines for a person."""
    shown = [f"  {each}" for each in found.differences[:DIFFERENCES_SHOWN]]
    hidden = len(found.differences) - len(shown)
    return [
        f"accounts     {found.accounts:>12,}",
        f"entries      {found.entries:>12,}",
        f"points       {found.points:>12,}  of customers, less what they owe",
        f"shop's side  {found.shop:>12,}  the other leg of every entry",
        *(
            [f"erased       {found.closed:>12,}  accounts of which only totals are kept"]
            if found.closed
            else []
        ),
        f"differences  {len(found.differences):>12,}",
        *shown,
        *([f"  and {hidden:,} more"] if hidden else []),
    ]


def main() -> int:
    """Audit what the environment names, and print what was found; the exit code."""
    try:
        with _ledger() as table:
            client = aws.client("dynamodb")
            total = client.describe_table(TableName=table)["Table"].get("ItemCount") or None
            with tqdm(total=total, desc="  reading", unit=" items", disable=not sys.stdout.isatty()) as bar:
                found = audit(client, table, seen=bar.update)
    except (Stop, BotoCoreError, ClientError) as reason:
        print(f"The ledger could not be read: {reason}", file=sys.stderr)
        return 2
    print("\n".join(report(found)))
    return 1 if found.differences else 0


@contextmanager
def _ledger() -> Iterator[str]:
    """The name of the table that is to be read; this process can reach it."""
    if "LEDGER_TABLE" in os.environ:
        yield os.environ["LEDGER_TABLE"]
        return
    settings = read()
    home = Home(settings.state)
    running = home.running()
    if running is not None:
        if "environment" not in running:
            raise Stop("the service is still starting")
        stack.reach(running["endpoint"])
        yield running["environment"]["LEDGER_TABLE"]
        return
    if not home.notes():
        raise Stop("nothing is stored yet: `make run` first, or name a table with LEDGER_TABLE")
    with home.alone(), Emulator(settings.emulator_python, home.emulator) as emulator:
        stack.reach(emulator.endpoint)
        yield stack.stand("http://127.0.0.1").environment["LEDGER_TABLE"]


def _scanned(client: Any, table: str, seen: Callable[[int], object]) -> Iterator[Item]:
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]
        seen(len(page["Items"]))


def _partition(client: Any, table: str, pk: str) -> list[Item]:
    pages = client.get_paginator("query").paginate(
        TableName=table, ConsistentRead=True, KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
    )  # fmt: skip
    return [item for page in pages for item in page["Items"]]


def _read(pk: str, items: Sequence[Item]) -> tuple[Account, list[Entry]]:
    customer_id = pk.removeprefix(mapping.pk_of(""))
    plain = [unpack_item(item) for item in items]
    stands = next((each for each in plain if each["sk"] == mapping.ACCOUNT), None)
    entries = [mapping.to_entry(each) for each in plain if each["sk"].startswith(mapping.ENTRY_PREFIX)]
    return mapping.to_account(customer_id, stands), entries


def _problem(pk: str, items: Sequence[Item]) -> str | None:
    """What does not fit in one account, None when all does."""
    try:
        account, entries = _read(pk, items)
        again = books.rebuilt(account.customer_id, entries)
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        return f"{pk}: cannot be rebuilt: {error or type(error).__name__}"
    said = next(chain(_odd_entries(entries), _differing(account, again)), None)
    return f"{pk}: {said}" if said else None


def _odd_entries(entries: Sequence[Entry]) -> Iterator[str]:
    if sorted(each.number for each in entries) != list(range(1, len(entries) + 1)):
        yield "entries are missing, or have the same number"
    for entry in entries:
        if sum(n for key, n in entry.moves.items() if key.partition(":")[0] in (*POINTS, SHOP)):
            yield f"the legs of {entry.entry_id} do not add up to 0"


def _differing(account: Account, again: Account) -> Iterator[str]:
    if again.version != account.version:
        yield f"the account counts {account.version} entries, there are {again.version}"
    for key in sorted({*again.sums, *account.sums}):
        if again.sums.get(key, 0) != account.sums.get(key, 0):
            yield f"{key} is {account.sums.get(key, 0)}, its entries say {again.sums.get(key, 0)}"
    if (again.holds, again.tier) != (dict(account.holds), account.tier):
        yield "its holds or its tier are not what its entries say"


def _count(found: Audit, items: Sequence[Item], problem: str | None) -> None:
    for item in items:
        if item["sk"]["S"] == CLOSED:
            found.closed += int(item.get("accounts", {"N": "0"})["N"])
    if problem:
        found.differences.append(problem)
        found.accounts += 1
        return
    account, entries = _read(str(items[0]["pk"]["S"]), items) if items else (Account(""), [])
    found.accounts += bool(account.version)
    found.entries += len(entries)
    found.shop += sum(each.moves.get(SHOP, 0) for each in entries)
    found.points += account.active + account.pending + account.held - account.owed


if __name__ == "__main__":
    sys.exit(main())
