"""docs/data-map.toml as a test reads it: which attribute of which item is personal, and what becomes of it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[3] / "docs" / "data-map.toml"
Items = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Kind:
    """One kind of item: `personal`, `plain` and `technical` are its attributes by what they say of a person."""

    table: str
    name: str
    pk: re.Pattern[str]
    sk: re.Pattern[str]
    personal: frozenset[str]
    plain: frozenset[str]
    erased: str
    exported: bool

    def declares(self, attribute: str) -> bool:
        names = self.personal | self.plain
        return attribute in names or any(
            name.endswith("*") and attribute.startswith(name[:-1]) for name in names
        )


@dataclass(frozen=True)
class DataMap:
    """Every kind of item that may be stored."""

    kinds: tuple[Kind, ...]

    @classmethod
    def load(cls) -> DataMap:
        tables = tomllib.loads(FILE.read_text("utf-8"))
        return cls(
            tuple(
                Kind(
                    table,
                    name,
                    re.compile(body["pk"]),
                    re.compile(body["sk"]),
                    frozenset(body.get("personal", [])),
                    frozenset(body.get("plain", [])),
                    body["erased"],
                    body.get("exported", bool(body.get("personal"))),
                )
                for table, kinds in tables.items()
                for name, body in kinds.items()
            )
        )

    def kind_of(self, table: str, item: Mapping[str, Any]) -> Kind | None:
        for kind in self.kinds:
            if kind.table == table and kind.pk.fullmatch(item["pk"]) and kind.sk.fullmatch(item["sk"]):
                return kind
        return None

    def undeclared(self, items: Items) -> set[str]:
        """What is stored and stands nowhere in the map."""
        found = set()
        for table, rows in items.items():
            for item in rows:
                kind = self.kind_of(table, item)
                if kind is None:
                    found.add(f"{table}: {item['pk']} / {item['sk']}")
                    continue
                found |= {
                    f"{table}/{kind.name}: {name}"
                    for name in item.keys() - {"pk", "sk", "ttl"}
                    if not kind.declares(name)
                }
        return found

    def exported(self, items: Items, mark: str) -> list[tuple[str, str, str, str]]:
        """Every personal text with the mark that a copy must have: (table, kind, attribute, text)."""
        found = []
        for table, rows in items.items():
            for item in rows:
                kind = self.kind_of(table, item)
                if kind is None or not kind.exported:
                    continue
                for name in sorted(kind.personal & item.keys()):
                    found += [(table, kind.name, name, text) for text in _texts(item[name]) if mark in text]
        return found


def _texts(value: Any) -> list[str]:
    """The texts inside a value; of one that is JSON, those inside it."""
    if isinstance(value, dict):
        return [*value, *(text for inner in value.values() for text in _texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    if not isinstance(value, str):
        return []
    if value[:1] in ("[", "{"):
        return _texts(json.loads(value))
    return [value]
