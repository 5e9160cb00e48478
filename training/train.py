"""Learns item lists, popularity and repurchase intervals from a shop's purchases, by plain SQL on DuckDB."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import duckdb

Relation = Literal["together", "users", "next"]
Progress = Callable[[str, int, int], None]
"""Called with the step that begins, the steps done and the steps in all; at the end with "done"."""

RELATIONS: tuple[Relation, ...] = ("together", "users", "next")
TABLES = ("baskets", "thresholds")
"""Statements whose result the later ones read, in this order."""
STEPS = ("load", *TABLES, *RELATIONS, "popularity", "intervals")

SQL = Path(__file__).with_name("sql")
POPULARITY_WINDOWS_DAYS = (14, 90)
"""As popularity.sql counts them."""
THREADS = 2
ROWS_PER_FETCH = 10_000


class Purchase(NamedTuple):
    """One line of an order."""

    customer_id: str | None
    """None for a guest, who counts in `together` and in popularity."""
    basket_id: str
    at: datetime
    item_id: str
    quantity: int


class Neighbour(NamedTuple):
    item_id: str
    score: float
    """Comparable within one relation only."""
    times: int
    """How often it was seen, unfaded: baskets (together), customers (users), next baskets (next)."""


class Popular(NamedTuple):
    item_id: str
    baskets: int
    """Baskets in the window."""


class Interval(NamedTuple):
    days: int
    gaps: int
    """How many repurchases stand behind it."""


@dataclass(frozen=True)
class Model:
    version: str
    as_of: datetime
    neighbours: dict[str, dict[Relation, list[Neighbour]]]
    """item -> relation -> at most 50, best first. What would be empty is missing."""
    popularity: dict[int, list[Popular]]
    """Window in days (14 and 90) -> at most 2,000, most baskets first; both keys are always there."""
    intervals: dict[str, Interval]
    """item -> typical days between two purchases by the same customer, for items bought again at all."""


def train(
    purchases: Iterable[Purchase],
    as_of: datetime,
    *,
    version: str,
    progress: Progress = lambda _step, _done, _total: None,
) -> Model:
    """Return the model of everything bought until `as_of`.

    `version` is the caller's id of this run; ids that sort by time let a reader take the newest. The same
    purchases give the same model in whatever order they come; no purchases give an empty model.
    """

    def begin(step: str) -> None:
        progress(step, STEPS.index(step), len(STEPS))

    with TemporaryDirectory(prefix="training-") as folder, _connect(folder) as connection:
        begin("load")
        _load(connection, purchases, as_of, Path(folder) / "purchases.csv")
        for table in TABLES:
            begin(table)
            connection.execute(f"CREATE TABLE {table} AS\n{statement(table)}")
        neighbours: dict[str, dict[Relation, list[Neighbour]]] = {}
        for relation in RELATIONS:
            begin(relation)
            for item_id, *rest in _rows(connection, relation):
                neighbours.setdefault(item_id, {}).setdefault(relation, []).append(Neighbour(*rest))
        begin("popularity")
        popularity: dict[int, list[Popular]] = {days: [] for days in POPULARITY_WINDOWS_DAYS}
        for window_days, *rest in _rows(connection, "popularity"):
            popularity[window_days].append(Popular(*rest))
        begin("intervals")
        intervals = {item_id: Interval(*rest) for item_id, *rest in _rows(connection, "intervals")}
    progress("done", len(STEPS), len(STEPS))
    return Model(version, as_of, neighbours, popularity, intervals)


def statement(name: str) -> str:
    """Return the text of one SQL file. It names no engine: whatever holds the tables before it can run it."""
    return (SQL / f"{name}.sql").read_text("utf-8")


def _connect(folder: str) -> duckdb.DuckDBPyConnection:
    """Open an engine in memory that spills into `folder`, the only place a function may write to."""
    return duckdb.connect(config={"threads": THREADS, "temp_directory": folder})


def _load(
    connection: duckdb.DuckDBPyConnection, purchases: Iterable[Purchase], as_of: datetime, path: Path
) -> None:
    """Fill the two tables that everything starts from.

    By way of a CSV file: a microsecond a row, against 40 with bound values and 300 with `executemany`. Times
    become whole seconds since 1970, one moment in every engine; a timestamp depends on the session's zone.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        # All text in quotes, so that no id can be taken for a separator, a number or a missing value.
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        for customer_id, basket_id, at, item_id, quantity in purchases:
            writer.writerow((customer_id, basket_id, _seconds(at), item_id, quantity))
    connection.execute("CREATE TABLE parameters AS SELECT CAST(? AS BIGINT) AS as_of_s", [_seconds(as_of)])
    columns = "customer_id VARCHAR, basket_id VARCHAR, at_s BIGINT, item_id VARCHAR, quantity BIGINT"
    connection.execute(f"CREATE TABLE purchases ({columns})")
    options = (
        "FORMAT csv, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR '', AUTO_DETECT false"
    )
    connection.execute(f"COPY purchases FROM ? ({options})", [str(path)])


def _seconds(moment: datetime) -> int:
    assert moment.tzinfo is not None, "a moment without a zone is a caller's bug"
    return int(moment.timestamp())


def _rows(connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one statement, a batch at a time: the lists of a large shop need no second copy."""
    result = connection.execute(statement(name))
    while rows := result.fetchmany(ROWS_PER_FETCH):
        yield from rows
