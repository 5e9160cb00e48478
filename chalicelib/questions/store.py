"""What this room keeps.

Settings table: `QUESTION`/`{question_id}`, one partition, so that all are read with one query. People table:
`C#{customer_id}` or `A#{anonymous_id}`/`ANSWERS` is a sheet; `C#{customer_id}`/`GRANT#{answer_set}` is the mark that a
promise was kept, once, under the id whose answer it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from chalicelib.coupons import store as coupon_store
from chalicelib.coupons.model import Coupon, CouponTerms
from chalicelib.questions.model import (
    QUESTIONS_MAX,
    SHEET,
    VISITOR_KEPT,
    Choice,
    ContentTerms,
    Grant,
    OnlyIf,
    Promise,
    Question,
    Reward,
    Said,
    Sheet,
    Who,
)
from chalicelib.shared import tombstones
from chalicelib.shared.clock import epoch_seconds, from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, TransactionRefused, table, transact

PK = "QUESTION"
GRANT_PREFIX = "GRANT#"
NEW = "attribute_not_exists(pk)"
AS_SEEN = "version = :seen"
LATER = float("inf")
# Writers who come at the same time may each find room; what they overshoot by is read all the same.
READ_MAX = 3 * QUESTIONS_MAX
GRANTS_MAX = 1000


class SheetMoved(Exception):
    """Another answer, or our own whose reply was lost, came first: load again and see which."""


@dataclass(frozen=True)
class Found:
    """The sheets of the ids that were asked for, in their order, and what was granted; or one of the ids was erased."""

    sheets: tuple[Sheet, ...]
    grants: Mapping[str, Grant]
    erased: bool


# --- what the shop asks


def questions() -> list[Question]:
    """Every question by its id. Consistent; one trip, 1 read unit per 4 KB."""
    items = table("settings").query(PK, limit=READ_MAX, consistent=True)
    return [_question(json.loads(item["definition"])) for item in items]


def save_question(question: Question) -> None:
    """Put a question in force. One trip, 1 write unit per KB."""
    definition = asdict(question) | {"updated_at": to_text(question.updated_at)}
    table("settings").put({"pk": PK, "sk": question.question_id, "definition": _json(definition)})


def remove_question(question_id: str) -> None:
    """Stop asking it, if it is asked. One trip, 1 write unit."""
    table("settings").delete(PK, question_id)


# --- what people said


def sheets(who: Iterable[Who], *, now: datetime) -> list[Sheet]:
    """What these ids said, consistent; an empty sheet for each who said nothing. One trip, 1 read unit each."""
    return list(look([*who], (), (), now=now).sheets)


def look(
    who: Sequence[Who], customer_ids: Sequence[str], answer_sets: Iterable[str], *, now: datetime
) -> Found:
    """What the ids of one person said and what they were given for these answer sets, consistent, in one trip.

    1 read unit for each id, each answer set under each customer id, and the tombstone of the first if it is a visitor.
    """
    wanted = list(dict.fromkeys(who))
    graves = [tombstones.key_of(*each) for each in wanted[:1] if each[0] == "anonymous"]
    granted = _grant_keys(customer_ids, answer_sets)
    keys = [*((partition_of(each), SHEET) for each in wanted), *graves, *granted]
    found = table("people").get_many(keys, consistent=True)
    return Found(
        tuple(_sheet(each, found.get((partition_of(each), SHEET)), now) for each in wanted),
        _grants(found[key] for key in granted if key in found),
        erased=any(each in found for each in graves),
    )


def put_sheet(sheet: Sheet) -> None:
    """Write a sheet over the version before it; raises SheetMoved. One trip, 1 write unit per KB."""
    condition, values = (AS_SEEN, {":seen": sheet.version - 1}) if sheet.version > 1 else (NEW, None)
    try:
        table("people").put(_sheet_item(sheet), condition=condition, values=values)
    except ConditionFailed as failed:
        raise SheetMoved from failed


# --- what they were given


def grants_of(customer_ids: Sequence[str], answer_sets: Iterable[str]) -> dict[str, Grant]:
    """What was granted for these answer sets under any of these ids. Consistent; one trip, none for no sets."""
    keys = _grant_keys(customer_ids, answer_sets)
    found = table("people").get_many(keys, consistent=True) if keys else {}
    return _grants(found[key] for key in keys if key in found)


def all_grants(customer_ids: Iterable[str]) -> list[Grant]:
    """Everything granted to these ids. A trip for each, consistent."""
    return [_grant(item) for customer_id in customer_ids for item in _grant_items(customer_id)]


def put_grant(grant: Grant, coupon: Coupon | None, *, customer_ids: Iterable[str]) -> bool:
    """Mark a promise as kept, with its coupon, unless one of these ids of its person has the mark; whether this call did.

    One trip; 1 write unit, or 2 for each of mark, coupon and further id.
    """
    people = table("people")
    item = _grant_item(grant)
    operations = [
        people.checking(_pk(each), item["sk"], condition=NEW)
        for each in customer_ids
        if each != grant.customer_id
    ]
    operations += coupon_store.issuing(coupon) if coupon else []
    try:
        if operations:
            transact([people.putting(item, condition=NEW), *operations])
        else:
            people.put(item, condition=NEW)
    except (ConditionFailed, TransactionRefused):
        return False  # somebody else did, or our own write's reply was lost: the caller reads what stands
    return True


def finish_grant(grant: Grant) -> bool:
    """Note that a grant's points are in the ledger; whether this call did. One trip, 1 write unit."""
    try:
        table("people").update(
            _pk(grant.customer_id),
            GRANT_PREFIX + grant.answer_set,
            "SET done = :true",
            values={":true": True, ":false": False},
            condition="done = :false",
        )
    except ConditionFailed:
        return False
    return True


# --- everything of one person


def erase(who: Who) -> dict[str, int]:
    """Remove all of it under one id; returns how many items, by what they are. Safe to break off and repeat."""
    people = table("people")
    kind, identifier = who
    removed = {"answers": 0, "grants": 0}
    for item in _grant_items(identifier) if kind == "customer" else []:
        people.delete(item["pk"], item["sk"])
        removed["grants"] += 1
    key = (partition_of(who), SHEET)
    if people.get(*key, consistent=True):
        people.delete(*key)
        removed["answers"] += 1
    return removed


def partition_of(who: Who) -> str:
    """The partition key of a customer or a visitor."""
    kind, identifier = who
    return _pk(identifier) if kind == "customer" else f"A#{identifier}"


def _pk(customer_id: str) -> str:
    return f"C#{customer_id}"


def _grant_items(customer_id: str) -> list[Item]:
    return table("people").query(_pk(customer_id), prefix=GRANT_PREFIX, limit=GRANTS_MAX, consistent=True)


def _grant_keys(customer_ids: Sequence[str], answer_sets: Iterable[str]) -> list[tuple[str, str]]:
    return [(_pk(each), GRANT_PREFIX + name) for name in answer_sets for each in customer_ids]


def _grants(items: Iterable[Item]) -> dict[str, Grant]:
    granted: dict[str, Grant] = {}
    for item in items:
        granted.setdefault(item["answer_set"], _grant(item))
    return granted


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _question(plain: dict[str, Any]) -> Question:
    return Question(
        **plain
        | {
            "choices": tuple(Choice(**each) for each in plain["choices"]),
            "reward": _reward(plain["reward"]) if plain["reward"] else None,
            "only_if": OnlyIf(**plain["only_if"]) if plain["only_if"] else None,
            "updated_at": from_text(plain["updated_at"]),
        }
    )


def _reward(plain: Mapping[str, Any]) -> Reward:
    return Reward(
        points=plain["points"],
        coupon=CouponTerms(**plain["coupon"]) if plain["coupon"] else None,
        content=ContentTerms(**plain["content"]) if plain["content"] else None,
    )


def _sheet_item(sheet: Sheet) -> Item:
    # One text each, because an answer may be a number with a fraction, which the store does not take.
    last = max(each.at for each in sheet.said.values())
    return {
        "pk": partition_of(sheet.who),
        "sk": SHEET,
        "version": sheet.version,
        "updated_at": to_text(last),
        "said": _json([asdict(each) | {"at": to_text(each.at)} for each in sheet.said.values()]),
        "promises": _json([asdict(each) | {"at": to_text(each.at)} for each in sheet.promises.values()]),
        **({"ttl": epoch_seconds(last + VISITOR_KEPT)} if sheet.who[0] == "anonymous" else {}),
    }


def _sheet(who: Who, item: Item | None, now: datetime) -> Sheet:
    if item is None:
        return Sheet(who)
    if item.get("ttl", LATER) <= epoch_seconds(now):
        return Sheet(who, item["version"])  # the store deletes it within days, not at the hour
    said = [Said(**each | {"at": from_text(each["at"])}) for each in json.loads(item["said"])]
    promises = [
        Promise(**each | {"at": from_text(each["at"]), "reward": _reward(each["reward"])})
        for each in json.loads(item["promises"])
    ]
    return Sheet(
        who,
        item["version"],
        {each.question_id: each for each in said},
        {each.answer_set: each for each in promises},
    )


def _grant_item(grant: Grant) -> Item:
    item: Item = {
        "pk": _pk(grant.customer_id),
        "sk": GRANT_PREFIX + grant.answer_set,
        "customer_id": grant.customer_id,
        "answer_set": grant.answer_set,
        "question_id": grant.question_id,
        "reward": asdict(grant.reward),
        "promised_at": to_text(grant.promised_at),
        "granted_at": to_text(grant.granted_at),
        "done": grant.done,
    }
    return item | ({"code": grant.code} if grant.code else {})


def _grant(item: Item) -> Grant:
    return Grant(
        customer_id=item["customer_id"],
        answer_set=item["answer_set"],
        question_id=item["question_id"],
        reward=_reward(item["reward"]),
        promised_at=from_text(item["promised_at"]),
        granted_at=from_text(item["granted_at"]),
        done=item["done"],
        code=item.get("code"),
    )
