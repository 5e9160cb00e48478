"""The blend beside the textbook methods on two years of a real shop: one command, one table.

Everything before the last 30 days teaches; what counts is the first order of each returning customer in those days. The
rivals choose their settings on the 30 days before that, by Recall@10; the blend is what every shop gets, and chooses nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import process_time

from tqdm import tqdm

from benchmarks.quality.door import lines_of
from benchmarks.quality.measures import Quality, mean, ndcg, recall
from benchmarks.quality.rivals import RIVALS, Options, Past, Scores
from benchmarks.quality.shop import Line, open_shop
from local.demo import shop as demo

DAYS = 30
DEMO_NOW = datetime(2011, 11, 1, 12, tzinfo=UTC)  # the day after its last order: nothing is moved


@dataclass(frozen=True)
class Split:
    """What teaches, and what each returning customer then bought first."""

    past: Past
    bought: Mapping[str, frozenset[str]]


def show(orders: Path | None) -> None:
    """Print the table as Markdown, a row as soon as it is known; 20 minutes of one core for the demo's full shop."""
    lines = lines_of(orders) if orders else list(_demo_lines())
    last = max(line.at for line in lines)
    cut = last - timedelta(days=DAYS)
    now = split(lines, cut, last)
    before = split(lines, cut - timedelta(days=DAYS), cut)
    print(
        f"{len(now.past.lines):,} lines before {cut:%Y-%m-%d}; {len(now.bought):,} customers came back after.\n"
    )
    print(
        "| method | Recall@10 | Recall@20 | NDCG@10 | discover Recall@10 | CPU s | chosen on the 30 days before |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    for name, (method, options) in RIVALS.items():
        chosen = _choose(name, method, options, before)
        begun = process_time()
        found = measure(now, partial(_lists, now.past, method(now.past, **chosen)))
        _row(
            name,
            found,
            process_time() - begun,
            ", ".join(f"{key} {value:g}" for key, value in chosen.items()),
        )
    begun = process_time()
    ours = open_shop(now.past.lines)
    found = measure(
        now, lambda discover: [ours.of_customer(each, discover=discover) for each in now.past.asked]
    )
    _row("**the blend**", found, process_time() - begun, "nothing")


def _lists(past: Past, scores: Scores, discover: bool) -> Sequence[Sequence[str]]:  # noqa: FBT001
    return past.lists(scores, discover=discover)


def split(lines: Sequence[Line], cut: datetime, end: datetime) -> Split:
    """What was bought until the cut, and the first basket of each customer from there to the end."""
    past = [line for line in lines if line.at < cut]
    known = {line.user_id for line in past if line.user_id}
    first: dict[str, tuple[datetime, str]] = {}
    bought: dict[tuple[str, str], set[str]] = {}
    for line in lines:
        if cut <= line.at <= end and line.user_id in known:
            basket = (line.at, line.basket_id)
            first[line.user_id] = min(first.get(line.user_id, basket), basket)
            bought.setdefault((line.user_id, line.basket_id), set()).add(line.item_id)
    truth = {user_id: frozenset(bought[user_id, first[user_id][1]]) for user_id in sorted(first)}
    return Split(Past(past, list(truth)), truth)


def measure(split: Split, lists: Callable[[bool], Sequence[Sequence[str]]]) -> Quality:
    """How good the lists are: `lists(discover)` in the order of the customers asked."""
    owned: dict[str, set[str]] = {}
    for line in split.past.lines:
        owned.setdefault(line.user_id, set()).add(line.item_id)
    mixed = list(zip(lists(False), split.bought.values(), strict=True))
    new = [split.bought[user_id] - owned[user_id] for user_id in split.past.asked]
    return Quality(
        mean(recall(shown, bought, 10) for shown, bought in mixed),
        mean(recall(shown, bought, 20) for shown, bought in mixed),
        mean(ndcg(shown, bought, 10) for shown, bought in mixed),
        mean(recall(shown, bought, 10) for shown, bought in zip(lists(True), new, strict=True) if bought),
    )


def _choose(name: str, method: Callable[..., Scores], options: Sequence[Options], before: Split) -> Options:
    """The settings that were best on an earlier time."""
    if len(options) == 1:
        return options[0]

    def found(each: Options) -> float:
        shown = before.past.lists(method(before.past, **each), discover=False)
        return mean(recall(*pair, 10) for pair in zip(shown, before.bought.values(), strict=True))

    return max(tqdm(options, desc=f"  {name}", disable=not sys.stderr.isatty(), leave=False), key=found)


def _row(name: str, found: Quality, seconds: float, chosen: str) -> None:
    figures = " | ".join(f"{value:.4f}" for value in found)
    print(f"| {name} | {figures} | {seconds:.0f} | {chosen} |", flush=True)


def _demo_lines() -> Iterator[Line]:
    for order in demo.orders("full", now=DEMO_NOW):
        for line in order["lines"]:
            yield Line(order["customer_id"], line["item_id"], order["order_id"], order["placed_at"])
