"""Learns item lists, popularity and repurchase intervals from what a shop sold and showed, by plain SQL on DuckDB."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple, cast

import duckdb

from chalicelib.recommendations.model import SessionWeights
from training.sessions import choose, held_out

Relation = Literal["together", "users", "next", "session"]
Progress = Callable[[str, int, int], None]
"""Called with the step that begins, the steps done and the steps in all; at the end with "done"."""

RELATIONS: tuple[Relation, ...] = ("together", "users", "next", "session")
TABLES = ("baskets", "thresholds", "visits")
"""Statements whose result the later ones read, in this order."""
STEPS = ("load", *TABLES, "session weights", *RELATIONS, "popularity", "viewed", "intervals")

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


class View(NamedTuple):
    """Somebody looked at an item, or put it into the cart."""

    visitor_id: str
    entry_id: str
    """Orders what was looked at in the same second."""
    at: datetime
    item_id: str


class Neighbour(NamedTuple):
    item_id: str
    score: float
    """Comparable within one relation only."""
    times: int
    """How often it was seen, unfaded: baskets (together), customers (users), next baskets (next), meetings (session)."""


class Popular(NamedTuple):
    item_id: str
    baskets: int
    """Baskets in the window."""


class Viewed(NamedTuple):
    item_id: str
    visits: int


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
    viewed: list[Viewed] = field(default_factory=list)
    """At most 200, those in most visits of 14 days first."""
    session_weights: tuple[float, float, int] = astuple(SessionWeights())
    """How visitors browse, chosen on the newest visits: what an item looked at itself counts, decay, length."""


def train(
    purchases: Iterable[Purchase],
    as_of: datetime,
    *,
    version: str,
    views: Iterable[View] = (),
    progress: Progress = lambda _step, _done, _total: None,
) -> Model:
    """Return the model of everything bought and looked at until `as_of`.

    `version` is the caller's id of this run; ids that sort by time let a reader take the newest. The same
    purchases give the same model in whatever order they come; no purchases give an empty model.
    """

    def begin(step: str) -> None:
        progress(step, STEPS.index(step), len(STEPS))

    with TemporaryDirectory(prefix="training-") as folder, _connect(folder) as connection:
        begin("load")
        _load(connection, purchases, views, as_of, Path(folder))
        for table in TABLES:
            begin(table)
            connection.execute(f"CREATE TABLE {table} AS\n{statement(table)}")
        begin("session weights")
        weights = _session_weights(connection, as_of)
        neighbours: dict[str, dict[Relation, list[Neighbour]]] = {}
        for relation in RELATIONS:
            begin(relation)
            for item_id, *rest in _rows(connection, relation):
                neighbours.setdefault(item_id, {}).setdefault(relation, []).append(Neighbour(*rest))
        begin("popularity")
        popularity: dict[int, list[Popular]] = {days: [] for days in POPULARITY_WINDOWS_DAYS}
        for window_days, *rest in _rows(connection, "popularity"):
            popularity[window_days].append(Popular(*rest))
        begin("viewed")
        viewed = [Viewed(*row) for row in _rows(connection, "viewed")]
        begin("intervals")
        intervals = {item_id: Interval(*rest) for item_id, *rest in _rows(connection, "intervals")}
    progress("done", len(STEPS), len(STEPS))
    return Model(version, as_of, neighbours, popularity, intervals, viewed, astuple(weights))


def statement(name: str) -> str:
    """Return the text of one SQL file. It names no engine: whatever holds the tables before it can run it."""
    return (SQL / f"{name}.sql").read_text("utf-8")


def _connect(folder: str) -> duckdb.DuckDBPyConnection:
    """Open an engine in memory that spills into `folder`, the only place a function may write to."""
    return duckdb.connect(config={"threads": THREADS, "temp_directory": folder})


def _session_weights(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> SessionWeights:
    """Learn from all but the newest visits, ask those, and put everything back."""
    visits, cutoff_s = held_out(lambda query: connection.execute(query).fetchall())
    if cutoff_s is None:
        return SessionWeights()
    remake = f"CREATE OR REPLACE TABLE visits AS\n{statement('visits')}"
    connection.execute("UPDATE parameters SET as_of_s = ?", [cutoff_s])
    connection.execute(remake)
    weights = choose(visits, cast("Iterator[tuple[str, str, float, int]]", _rows(connection, "session")))
    connection.execute("UPDATE parameters SET as_of_s = ?", [_seconds(as_of)])
    connection.execute(remake)
    return weights


def _load(
    connection: duckdb.DuckDBPyConnection,
    purchases: Iterable[Purchase],
    views: Iterable[View],
    as_of: datetime,
    folder: Path,
) -> None:
    """Fill the three tables that everything starts from.

    By way of a CSV file: a microsecond a row, against 40 with bound values and 300 with `executemany`. Times
    become whole seconds since 1970, one moment in every engine; a timestamp depends on the session's zone.
    """
    connection.execute("CREATE TABLE parameters AS SELECT CAST(? AS BIGINT) AS as_of_s", [_seconds(as_of)])
    columns = "customer_id VARCHAR, basket_id VARCHAR, at_s BIGINT, item_id VARCHAR, quantity BIGINT"
    connection.execute(f"CREATE TABLE purchases ({columns})")
    connection.execute(
        "CREATE TABLE views (visitor_id VARCHAR, entry_id VARCHAR, at_s BIGINT, item_id VARCHAR)"
    )
    bought = (
        (customer_id, basket_id, _seconds(at), item_id, quantity)
        for customer_id, basket_id, at, item_id, quantity in purchases
    )
    _copy(connection, "purchases", bought, folder)
    _copy(connection, "views", ((who, entry, _seconds(at), item) for who, entry, at, item in views), folder)


def _copy(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[tuple[object, ...]], folder: Path
) -> None:
    path = folder / f"{table}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        # All text in quotes, so that no id can be taken for a separator, a number or a missing value.
        csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(rows)
    options = (
        "FORMAT csv, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR '', AUTO_DETECT false"
    )
    connection.execute(f"COPY {table} FROM ? ({options})", [str(path)])


def _seconds(moment: datetime) -> int:
    assert moment.tzinfo is not None, "a moment without a zone is a caller's bug"
    return int(moment.timestamp())


def _rows(connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one statement, a batch at a time: the lists of a large shop need no second copy."""
    result = connection.execute(statement(name))
    while rows := result.fetchmany(ROWS_PER_FETCH):
        yield from rows
