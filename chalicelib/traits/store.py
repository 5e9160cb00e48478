"""The settings table, partition `TRAITS`: `COMPUTED#{trait_name}`, `RULE#{rule_id}` and `INTERESTS`.

One partition, so that a profile is read with one query for everything a shop has defined.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import Item, table
from chalicelib.traits.model import DEFINITIONS_MAX, HALF_LIFE_DAYS, Computation, Definitions, Rule

PK = "TRAITS"
COMPUTED_PREFIX, RULE_PREFIX, INTERESTS = "COMPUTED#", "RULE#", "INTERESTS"
# Writers who come at the same time may each find room; what they overshoot by is read all the same.
READ_MAX = 3 * DEFINITIONS_MAX
THOUSANDTHS = 1000


def load() -> Definitions:
    """Everything the shop has defined, by name. Consistent; one trip, 1 read unit per 4 KB."""
    items = table("settings").query(PK, limit=READ_MAX, consistent=True)
    half_lives = [item["half_life_days"] for item in items if item["sk"] == INTERESTS]
    return Definitions(
        computations=tuple(_computation(item) for item in items if item["sk"].startswith(COMPUTED_PREFIX)),
        rules=tuple(_rule(item) for item in items if item["sk"].startswith(RULE_PREFIX)),
        half_life_days=half_lives[0] if half_lives else HALF_LIFE_DAYS,
    )


def save_computation(definition: Computation) -> None:
    """Put a computed trait in force. One trip, 1 write unit per KB."""
    table("settings").put(
        _item(
            COMPUTED_PREFIX + definition.trait_name,
            definition.updated_at,
            trait_name=definition.trait_name,
            event=definition.event,
            aggregate=definition.aggregate,
            about=definition.about,
            within=definition.within,
            category=definition.category,
            channel=definition.channel,
            trusted_only=definition.trusted_only,
        )
    )


def save_rule(rule: Rule) -> None:
    """Put a rule in force. One trip, 1 write unit per KB."""
    table("settings").put(
        _item(
            RULE_PREFIX + rule.rule_id,
            rule.updated_at,
            rule_id=rule.rule_id,
            trait=rule.trait,
            value=rule.value,
            among=rule.among,
            item_of=rule.item_of,
            no_item_of=rule.no_item_of,
            orders_at_least=rule.orders_at_least,
            within=rule.within,
            # The store takes no fractions.
            minimum_confidence_thousandths=round(rule.minimum_confidence * THOUSANDTHS),
            sensitive_category=rule.sensitive_category,
        )
    )


def save_half_life(days: int) -> None:
    """Set how fast interests fade. One trip, 1 write unit."""
    table("settings").put({"pk": PK, "sk": INTERESTS, "half_life_days": days})


def remove_computation(trait_name: str) -> None:
    """Take a computed trait out of force, if it is there. One trip, 1 write unit."""
    table("settings").delete(PK, COMPUTED_PREFIX + trait_name)


def remove_rule(rule_id: str) -> None:
    """Take a rule out of force, if it is there. One trip, 1 write unit."""
    table("settings").delete(PK, RULE_PREFIX + rule_id)


def _item(sk: str, updated_at: datetime | None, **values: Any) -> Item:
    assert updated_at is not None, "a definition that is written has a time"
    return {"pk": PK, "sk": sk, "updated_at": to_text(updated_at), **values}


def _computation(item: Item) -> Computation:
    return Computation(
        trait_name=item["trait_name"],
        event=item["event"],
        aggregate=item["aggregate"],
        about=item["about"],
        within=item["within"],
        category=item["category"],
        channel=item["channel"],
        trusted_only=item["trusted_only"],
        updated_at=from_text(item["updated_at"]),
    )


def _rule(item: Item) -> Rule:
    return Rule(
        rule_id=item["rule_id"],
        trait=item["trait"],
        value=item["value"],
        among=tuple(item["among"]),
        item_of=tuple(item["item_of"]),
        no_item_of=tuple(item["no_item_of"]),
        orders_at_least=item["orders_at_least"],
        within=item["within"],
        minimum_confidence=item["minimum_confidence_thousandths"] / THOUSANDTHS,
        sensitive_category=item["sensitive_category"],
        updated_at=from_text(item["updated_at"]),
    )
