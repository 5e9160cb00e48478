"""The shop's rules for its lists in the settings table, partition `RECOMMENDATIONS`: `RULE#{rule_id}` and `AUDIENCE`.

One partition, so that every list reads them with one query; compressed, because every list reads them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from chalicelib.recommendations.merchandising import (
    RULES_MAX,
    AudienceSettings,
    Rule,
    Rulebook,
    Selection,
    TraitFilter,
)
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import table

PK = "RECOMMENDATIONS"
RULE_PREFIX, AUDIENCE = "RULE#", "AUDIENCE"
# Writers who come at the same time may each find room; what they overshoot by is read all the same.
READ_MAX = 3 * RULES_MAX
MOMENTS = ("starts_at", "ends_at", "updated_at")
LISTS = ("placements", "countries", "regions", "seasons")


def load() -> Rulebook:
    """Everything that is set. Consistent; one trip, 1 read unit per 4 KB, which some fifteen rules fill."""
    found = {
        item["sk"]: item["definition"]
        for item in table("settings").query(PK, limit=READ_MAX, consistent=True)
    }
    audience = found.pop(AUDIENCE, None)
    return Rulebook(
        tuple(_rule(packed) for packed in found.values()),
        _audience(packed=audience) if audience else AudienceSettings(),
    )


def save_rule(rule: Rule) -> None:
    """Put a rule in force, from the next answer on. One trip, 1 write unit per KB."""
    moments = {name: to_text(at) if (at := getattr(rule, name)) else None for name in MOMENTS}
    _save(RULE_PREFIX + rule.rule_id, asdict(rule) | moments)


def remove_rule(rule_id: str) -> None:
    """Take a rule out of force, if it is there. One trip, 1 write unit."""
    table("settings").delete(PK, RULE_PREFIX + rule_id)


def save_audience(settings: AudienceSettings) -> None:
    """Change what keeps items from people, from the next answer on. One trip, 1 write unit per KB."""
    _save(AUDIENCE, asdict(settings))


def _save(sk: str, definition: Mapping[str, Any]) -> None:
    packed = zlib.compress(json.dumps(definition, ensure_ascii=False).encode(), 9)
    table("settings").put({"pk": PK, "sk": sk, "definition": packed})


# Every list reads them all, and they hardly ever change: a process takes each apart once.


@lru_cache(maxsize=4 * RULES_MAX)
def _rule(packed: bytes) -> Rule:
    told = _unpacked(packed)
    items = told.pop("items")
    attributes = items.pop("attributes")
    named = {name: tuple(value) if isinstance(value, list) else value for name, value in items.items()}
    told |= {name: _moment(told[name]) for name in MOMENTS}
    told |= {name: tuple(told[name]) for name in LISTS}
    selection: dict[str, Any] = {**named, "attributes": attributes}
    return Rule(items=Selection(**selection), **told)


@lru_cache(maxsize=4)
def _audience(*, packed: bytes) -> AudienceSettings:
    told = _unpacked(packed)
    filters = tuple(
        TraitFilter(each["trait"], each["value"], tuple(each["categories"]))
        for each in told.pop("trait_filters")
    )
    return AudienceSettings(**told, trait_filters=filters)


def _unpacked(packed: bytes) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(zlib.decompress(packed))
    return told


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None
