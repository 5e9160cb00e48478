"""Reads what the door is given, and names the line that it cannot read; writes an answer whole or not at all."""

from __future__ import annotations

import csv
import gzip
import os
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, NamedTuple, TextIO, cast

from tqdm import tqdm

COLUMNS = ("user_id", "item_id", "basket_id", "time")
GZIP = b"\x1f\x8b"
FIELD_MAX = 1000


class Unreadable(Exception):
    """A file that is not what it should be; the text says which line, and what is wrong with it."""


class Row(NamedTuple):
    """One line of an order, as it was written; `number` is the line of the file, from 1."""

    number: int
    user_id: str
    item_id: str
    basket_id: str
    time: str


def orders(path: Path) -> Iterator[Row]:
    """The lines of `user_id,item_id,basket_id,time`, plain or gzipped, in any order of columns; more may stand beside.

    An empty user_id is a guest's order. Raises Unreadable.
    """
    with _lines(path, "Orders") as lines:
        reader = csv.reader(lines, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in COLUMNS if name not in header]
            if missing:
                raise Unreadable(
                    f"{path}, line 1: the header must name {', '.join(COLUMNS)}; {', '.join(missing)} is missing"
                )
            places = [header.index(name) for name in COLUMNS]
            shared: dict[str, str] = {}  # a million rows hold few different texts
            for cells in reader:
                if cells and len(cells) != len(header):
                    said = f"{len(cells)} fields, but the header names {len(header)}"
                    raise Unreadable(f"{path}, line {reader.line_num}: {said}")
                if cells:
                    yield _row(path, reader.line_num, [cells[place] for place in places], shared)
        except csv.Error as problem:
            raise Unreadable(f"{path}, line {reader.line_num}: {problem}") from problem


def _row(path: Path, number: int, cells: Sequence[str], shared: dict[str, str]) -> Row:
    for name, value in zip(COLUMNS, cells, strict=True):
        if name != "user_id" and not value.strip():
            raise Unreadable(f"{path}, line {number}: no {name}")
    user_id, item_id, basket_id, time = (shared.setdefault(cell, cell) for cell in cells)
    _check_id(path, number, item_id)
    return Row(number, user_id, item_id, basket_id, time)


def users(path: Path) -> list[str]:
    """One id a line, each once. Raises Unreadable."""
    with _lines(path, None) as lines:
        return list(dict.fromkeys(line for each in lines if (line := each.rstrip("\r\n"))))


def visits(path: Path, what: str) -> Iterator[list[str]]:
    """One visit a line, items separated by spaces, oldest first; a line may be empty. Raises Unreadable."""
    with _lines(path, what) as lines:
        for number, line in enumerate(lines, 1):
            items = line.split()
            for item_id in items:
                _check_id(path, number, item_id)
            yield items


@contextmanager
def written(path: Path, head: Sequence[str]) -> Iterator[_Writer]:
    """A CSV file that is there when all of it is written, and not before; what was there stays until then."""
    try:
        with NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            unfinished = Path(file.name)
            try:
                writer = _Writer(cast("TextIO", file))
                writer.row(head)
                yield writer
                file.flush()
                unfinished.chmod(0o666 & ~_umask())
                unfinished.replace(path)
            finally:
                unfinished.unlink(missing_ok=True)
    except OSError as problem:
        raise Unreadable(f"{path}: {problem.strerror or problem}") from problem


class _Writer:
    def __init__(self, file: TextIO) -> None:
        self._csv = csv.writer(file, lineterminator="\n")

    def row(self, cells: Iterable[object]) -> None:
        self._csv.writerow(cells)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _check_id(path: Path, number: int, item_id: str) -> None:
    # The stored lists join ids by commas; the API takes no such id either.
    if "," in item_id or len(item_id) > FIELD_MAX:
        raise Unreadable(f"{path}, line {number}: item_id {item_id[:40]!r} holds a comma or is too long")


@contextmanager
def _lines(path: Path, what: str | None) -> Iterator[Iterator[str]]:
    """The lines of a text file, plain or gzipped, with progress on a terminal when it has a name."""
    try:
        with path.open("rb") as file, _bar(what, path.stat().st_size) as bar:
            yield _decoded(path, file, bar)
    except (OSError, EOFError, zlib.error) as problem:
        raise Unreadable(f"{path}: {getattr(problem, 'strerror', None) or problem}") from problem


def _bar(what: str | None, size: int) -> tqdm[None]:
    silent = what is None or not sys.stderr.isatty()
    return tqdm(
        total=size, desc=f"  {what or '':<13}", unit="B", unit_scale=True, disable=silent, leave=False
    )


def _decoded(path: Path, file: BinaryIO, bar: tqdm[None]) -> Iterator[str]:
    zipped = file.read(2) == GZIP
    file.seek(0)
    source = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if zipped else file
    for number, line in enumerate(source, 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as problem:
            raise Unreadable(f"{path}, line {number}: this is not UTF-8 ({problem.reason})") from problem
        if number % 10_000 == 0:
            bar.update(file.tell() - bar.n)
        yield text
