"""The door for other shops' data: plain files in, the lists of the product out, and every mistake named by its line."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.quality import times
from benchmarks.quality.__main__ import main
from benchmarks.quality.door import lines_of
from benchmarks.quality.files import Row
from benchmarks.quality.measures import mean, ndcg, recall

HEADER = "user_id,item_id,basket_id,time"
# ann buys bread every week and butter or jam with it; bob bread and butter once; cid, dan and eve soap.
ORDERS = [
    *(
        f"ann,{item},a{week},{week}"
        for week in range(1, 9)
        for item in ("bread", "butter" if week % 2 else "jam")
    ),
    "bob,bread,b1,5",
    "bob,butter,b1,5",
    "cid,soap,c1,6",
    "dan,soap,d1,8",
    "dan,rice,d1,8",
    "eve,soap,e1,8",
]

Door = Callable[..., dict[str, list[str]]]


def lists(path: Path, name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            of_one = found.setdefault(row[name], [])
            of_one.append(row["item_id"])
            assert int(row["rank"]) == len(of_one)
    return found


def predict(folder: Path, orders: bytes, users: str, *more: str) -> int:
    (folder / "orders").write_bytes(orders)
    (folder / "users").write_text(users)
    named = [f"--{name}={folder / name}" for name in ("orders", "users", "out")]
    return main(["predict", *named, *more])


def predict_sessions(folder: Path, sessions: str, queries: str) -> int:
    (folder / "sessions").write_text(sessions)
    (folder / "queries").write_text(queries)
    return main(
        ["predict-sessions", *(f"--{name}={folder / name}" for name in ("sessions", "queries", "out"))]
    )


def text(*lines: str) -> bytes:
    return "\n".join(lines).encode() + b"\n"


def test_everybody_gets_a_list_and_strangers_what_sells(tmp_path: Path) -> None:
    assert predict(tmp_path, text(HEADER, *ORDERS), "ann\nnobody\nbob\nann\n") == 0

    found = lists(tmp_path / "out", "user_id")
    assert list(found) == ["ann", "nobody", "bob"]
    assert found["ann"][0] == "bread"
    assert set(found["bob"]) == {"bread", "butter", "jam", "soap", "rice"}
    assert set(found["nobody"]) <= {"bread", "butter", "jam", "soap", "rice"}
    assert found["nobody"][0] == "soap", "of what was bought last it was in most baskets"
    assert all(len(each) == len(set(each)) for each in found.values())


def test_a_discovery_was_never_bought(tmp_path: Path) -> None:
    assert predict(tmp_path, text(HEADER, *ORDERS), "ann\nbob\n", "--discover") == 0

    found = lists(tmp_path / "out", "user_id")
    assert set(found["ann"]) == {"soap", "rice"}
    assert found["bob"][0] == "jam"
    assert not set(found["bob"]) & {"bread", "butter"}


def test_what_was_bought_long_ago_is_no_discovery_either(tmp_path: Path) -> None:
    orders = [
        *(f"ann,{'rare' if n == 0 else 'bread'},a{n},{n}" for n in range(60)),
        "bob,rare,b1,59",
        "bob,jam,b1,59",
    ]

    assert predict(tmp_path, text(HEADER, *orders), "ann\n", "--discover") == 0

    assert lists(tmp_path / "out", "user_id") == {"ann": ["jam"]}


def test_a_list_holds_a_hundred_and_no_more(tmp_path: Path) -> None:
    many = [f"u{n},i{n + step},o{n},{n // 100}" for n in range(300) for step in range(3)]
    assert predict(tmp_path, text(HEADER, *many), "u299\nnobody\n") == 0

    found = lists(tmp_path / "out", "user_id")
    assert [len(each) for each in found.values()] == [100, 100]
    assert set(found["u299"][:3]) == {"i299", "i300", "i301"}


@pytest.mark.parametrize(
    "written",
    [
        text(f"{HEADER},price", *(f"{line},9" for line in ORDERS)),
        text(
            "time,basket_id,note,item_id,user_id",
            *(",".join([*line.split(",")[:1:-1], "", *line.split(",")[1::-1]]) for line in ORDERS),
        ),
        gzip.compress(text(HEADER, *ORDERS)),
        b"\xef\xbb\xbf" + text(HEADER, *ORDERS).replace(b"\n", b"\r\n"),
        text(HEADER, *(",".join(f'"{cell}"' for cell in line.split(",")) for line in ORDERS)) + b"\n",
    ],
    ids=["more columns", "other order", "gzip", "Windows", "quoted, blank line"],
)
def test_the_same_orders_written_otherwise(tmp_path: Path, written: bytes) -> None:
    assert predict(tmp_path, text(HEADER, *ORDERS), "ann\nbob\n") == 0
    expected = (tmp_path / "out").read_bytes()

    assert predict(tmp_path, written, "ann\nbob\n") == 0

    assert (tmp_path / "out").read_bytes() == expected


def test_a_basket_is_its_customers_own(tmp_path: Path) -> None:
    """Everybody's first order is called 1: that bread and nails lie in one basket would be news."""
    assert predict(tmp_path, text(HEADER, "ann,bread,1,1", "bob,nails,1,1", "bob,hammer,1,1"), "ann\n") == 0

    path = tmp_path / "orders"
    assert {(line.user_id, line.basket_id) for line in lines_of(path)} == {("ann", "1"), ("bob", "1")}
    assert lists(tmp_path / "out", "user_id")["ann"][0] == "bread"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (text("user_id,item,basket_id,time", "a,b,c,1"), "line 1: the header must name"),
        (b"", "line 1: the header must name"),
        (text(HEADER, "a,b,c,1", "a,b,c"), "line 3: 3 fields"),
        (text(HEADER, "a,b,c,1", "a,,c,1"), "line 3: no item_id"),
        (text(HEADER, "a,b,c,1", "a,b,,1"), "line 3: no basket_id"),
        (text(HEADER, "a,b,c,1", "a,b,c,soon"), "line 3: time 'soon' is no number"),
        (text(HEADER, "a,b,c,soon"), "line 2: time 'soon' is neither a number nor ISO 8601"),
        (text(HEADER, "a,b,c,2026-01-01", "a,b,c,2026-13-01"), "line 3: time '2026-13-01'"),
        (text(HEADER, 'a,"b,c",d,1'), "line 2: item_id 'b,c' holds a comma"),
        (text(HEADER, "a,b,c,1") + b"\xff,b,c,1\n", "line 3: this is not UTF-8"),
        (text(HEADER, 'a,"b,c,1'), "line 2: "),
        (gzip.compress(text(HEADER, *ORDERS))[:40], "orders: "),
    ],
)
def test_a_mistake_is_named_by_its_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: bytes, said: str
) -> None:
    (tmp_path / "out").write_text("what was there before")

    assert predict(tmp_path, written, "a\n") == 2

    assert said in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "what was there before"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["orders", "out", "users"]


def test_files_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "users").write_text("a\n")
    missing = [f"--{name}={tmp_path / name}" for name in ("orders", "users")]

    assert main(["predict", *missing, f"--out={tmp_path / 'out'}"]) == 2
    assert f"{tmp_path / 'orders'}: No such file" in capsys.readouterr().err
    assert predict_sessions(tmp_path, "a b\n", "a\n") == 0
    assert main(["predict", *missing, f"--out={tmp_path / 'no' / 'out'}"]) == 2
    assert f"{tmp_path / 'no' / 'out'}: No such file" in capsys.readouterr().err


def test_a_shop_without_orders_has_nothing_to_show(tmp_path: Path) -> None:
    assert predict(tmp_path, text(HEADER), "a\n") == 0

    assert (tmp_path / "out").read_text() == "user_id,item_id,rank\n"


def test_what_is_looked_at_together_follows(tmp_path: Path) -> None:
    sessions = "tea milk honey\ntea milk\nrice soap\n\n" * 20
    assert predict_sessions(tmp_path, sessions, "tea\n\nrice\nnever seen\n") == 0

    found = lists(tmp_path / "out", "query_id")
    assert list(found) == ["0", "1", "2", "3"], "named by the line, also after an empty one"
    assert [each for each in found["0"] if each != "tea"][:2] == ["milk", "honey"]
    assert next(each for each in found["2"] if each != "rice") == "soap"
    assert found["1"] == found["3"], "strangers get what is looked at most"
    assert set(found["1"][:2]) == {"tea", "milk"}
    assert len(found["1"]) == 5


def test_how_visitors_browse_is_learned_from_their_own_newest_visits(tmp_path: Path) -> None:
    back = "".join(f"a{n % 7} b{n % 7} a{n % 7}\n" for n in range(700))
    onward = "".join(f"a{n % 7} b{n % 7} c{n % 7}\n" for n in range(700))

    assert predict_sessions(tmp_path, back, "a1 b1\n") == 0
    assert lists(tmp_path / "out", "query_id")["0"][0] == "a1"
    assert predict_sessions(tmp_path, onward, "a1 b1\n") == 0
    assert lists(tmp_path / "out", "query_id")["0"][0] == "c1"


def rows(*said: tuple[str, str]) -> list[Row]:
    return [Row(n, user, "i", f"b{n}", time) for n, (user, time) in enumerate(said, 2)]


def days_ago(moments: list[datetime]) -> list[float]:
    return [(max(moments) - each) / timedelta(days=1) for each in moments]


@pytest.mark.parametrize("unit", [1, 7, 1000, 0.5])
def test_plain_numbers_mean_the_same_in_any_unit(unit: float) -> None:
    said = rows(
        *((who, str(unit * number)) for who, number in (("a", 3), ("b", 11), ("a", 9), ("b", 23), ("a", 13)))
    )

    found = days_ago(times.read(Path("orders"), said))

    assert found == pytest.approx([365 * (23 - number) / 20 for number in (3, 11, 9, 23, 13)])


def test_where_each_customers_orders_are_numbered_everybodys_newest_is_of_now() -> None:
    said = rows(
        *(("a", str(number)) for number in range(1, 12)), *(("b", str(number)) for number in (1, 2, 3))
    )

    found = days_ago(times.read(Path("orders"), said))

    assert found == pytest.approx([36.5 * age for age in (10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 2, 1, 0)])


@pytest.mark.parametrize(
    ("time", "moment"),
    [
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22 09:30:00", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
        ("2026-11-22T18:30+09:00", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
        ("20261122", datetime(2026, 11, 22, tzinfo=UTC)),
        ("1795339800", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
    ],
)
def test_moments_are_taken_as_they_are(time: str, moment: datetime) -> None:
    assert times.read(Path("orders"), rows(("a", time))) == [moment]


def test_one_moment_is_no_span() -> None:
    assert days_ago(times.read(Path("orders"), rows(("a", "5"), ("b", "5")))) == [0, 0]


def test_measures() -> None:
    assert recall(["a", "b", "c"], {"b", "x"}, 2) == 0.5
    assert ndcg(["b", "x"], {"b", "x"}, 10) == pytest.approx(1.0)
    assert ndcg(["a", "b"], {"b"}, 10) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg(["a"], {"b"}, 10) == 0.0
    assert mean([]) == 0.0
