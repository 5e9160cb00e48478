"""From files to a file: what a shop with these orders or visits would be shown."""

from __future__ import annotations

from pathlib import Path

from benchmarks.quality import files, times
from benchmarks.quality.shop import Line, counted, open_doors, open_shop


def predict(orders: Path, users: Path, out: Path, *, discover: bool = False) -> None:
    """Write at most 100 ranks for each user: what `for_you` (or `discover`) shows after the last order.

    Whoever never ordered gets what sells. Raises Unreadable; then nothing is written.
    """
    with files.written(out, ("user_id", "item_id", "rank")) as table:
        asked = files.users(users)
        shop = open_shop(lines_of(orders))
        for user_id in counted(asked, "Lists", len(asked)):
            for rank, item_id in enumerate(shop.of_customer(user_id, discover=discover), 1):
                table.row((user_id, item_id, rank))


def predict_sessions(sessions: Path, queries: Path, out: Path) -> None:
    """Write at most 100 ranks for each query, named by its line number from 0: what `session` shows next.

    Raises Unreadable; then nothing is written.
    """
    with files.written(out, ("query_id", "item_id", "rank")) as table:
        asked = list(files.visits(queries, "Queries"))
        visits = [visit for visit in files.visits(sessions, "Sessions") if visit]
        shop = open_doors(visits, times.evenly(len(visits)))
        for query_id in counted(map(str, range(len(asked))), "Lists", len(asked)):
            for rank, item_id in enumerate(shop.of_visit(asked[int(query_id)]), 1):
                table.row((query_id, item_id, rank))


def lines_of(orders: Path) -> list[Line]:
    """The lines of a file of orders, each with its moment. Raises Unreadable."""
    rows = list(files.orders(orders))
    moments = times.read(orders, rows)
    return [Line(row.user_id, row.item_id, row.basket_id, at) for row, at in zip(rows, moments, strict=True)]
