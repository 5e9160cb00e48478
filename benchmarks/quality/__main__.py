"""`python -m benchmarks.quality predict|predict-sessions|table`: lists for any shop's data, and how good they are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality import door
from benchmarks.quality.files import Unreadable

WRONG_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sub-command; 0, or 2 with a sentence on stderr for what cannot be read or written."""
    options = _options().parse_args(arguments)
    try:
        options.run(options)
    except Unreadable as problem:
        print(problem, file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        print("Interrupted: nothing was written.", file=sys.stderr)
        return 130
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    commands = parser.add_subparsers(required=True)
    orders = commands.add_parser("predict", help="lists for customers, from a shop's orders")
    orders.add_argument("--orders", type=Path, required=True, help="CSV(.gz): user_id,item_id,basket_id,time")
    orders.add_argument("--users", type=Path, required=True, help="for whom: one id a line")
    orders.add_argument("--out", type=Path, required=True, help="CSV to write: user_id,item_id,rank")
    orders.add_argument("--discover", action="store_true", help="only what the customer never bought")
    orders.set_defaults(
        run=lambda said: door.predict(said.orders, said.users, said.out, discover=said.discover)
    )
    visits = commands.add_parser("predict-sessions", help="lists for visitors, from a shop's visits")
    visits.add_argument("--sessions", type=Path, required=True, help="a visit a line: items, oldest first")
    visits.add_argument("--queries", type=Path, required=True, help="the same of those who are asked")
    visits.add_argument("--out", type=Path, required=True, help="CSV to write: query_id,item_id,rank")
    visits.set_defaults(run=lambda said: door.predict_sessions(said.sessions, said.queries, said.out))
    table = commands.add_parser("table", help="beside the textbook methods (needs .venv-bench)")
    table.add_argument("--orders", type=Path, help="another shop's orders; without it, the demo's full shop")
    table.set_defaults(run=_table)
    return parser


def _table(said: argparse.Namespace) -> None:
    from benchmarks.quality.table import show  # numpy, scipy and implicit: only the table needs them

    show(said.orders)


if __name__ == "__main__":
    sys.exit(main())
