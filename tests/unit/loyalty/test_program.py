"""The program over HTTP: versions, what contradicts itself, and what a change leaves as it was."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

PATH = "/v1/loyalty/program"
SPEND = {"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}
PROGRAM: dict[str, Any] = {"currency": "JPY", "timezone": "Asia/Tokyo", "earn": [SPEND]}
WHOLE: dict[str, Any] = PROGRAM | {
    "earn": [
        SPEND | {"minimum": 500, "rounding": "half_up", "cap": {"per_event": 1000, "per_day": 2000, "lifetime": 10**6}},
        {"name": "basket", "kind": "basket", "steps": [{"amount": 3000, "points": 20}, {"amount": 5000, "points": 50}]},
        {"name": "tea", "kind": "items", "points": 30, "scope": {"categories": ["drinks/tea"], "except_item_ids": ["x"]}},
        {"name": "card", "kind": "stamps", "every": 5, "points": 200},
        {"name": "review", "kind": "action", "action": "review", "points": 30, "ends_on": "2027-12-31"},
    ],
    "stacking": "best",
    "multipliers": [
        {"name": "sundays", "percent": 200, "rules": ["spend"], "weekdays": [6], "starts_on": "2026-12-01",
         "ends_on": "2026-12-31"}
    ],
    "multiplier_stacking": "product",
    "pending_days": 14,
    "expiry": "sliding",
    "expiry_months": 24,
    "redeem_minimum": 100,
    "overdraft": 50,
    "tiers": {
        "levels": [{"name": "silver", "threshold": 100}, {"name": "gold", "threshold": 300, "earn_percent": 150}],
        "downgrade": "one_step",
        "grace_months": 1,
    },
    "rewards": [
        {"reward_id": "tea-set", "title": "A tea set", "title_ja": "茶器", "points": 500, "amount_off": 800, "currency": "JPY"}
    ],
    "gifts": [{"occasion": "birthday", "points": 300}],
    "referral": {"points": 300, "friend_points": 200},
}  # fmt: skip


def test_a_shop_starts_with_a_point_for_every_hundred(api: Any) -> None:
    answer = api.get(PATH)

    assert (answer.json_body["version"], answer.headers["ETag"]) == (0, '"0"')
    assert answer.json_body["program"]["earn"] == [
        SPEND | {"minimum": 0, "rounding": "down", "starts_on": None, "ends_on": None}
        | {"scope": {name: [] for name in ("item_ids", "categories", "except_item_ids", "except_categories")}}
        | {"cap": dict.fromkeys(("per_event", "per_day", "lifetime"))}
    ]  # fmt: skip


def test_what_is_said_by_default_is_what_is_done_by_default() -> None:
    from chalicelib.loyalty import mapping
    from chalicelib.loyalty.program import Program
    from chalicelib.loyalty.program_schemas import ProgramBody
    from chalicelib.loyalty.service import DEFAULT

    text = ProgramBody.model_validate_json(DEFAULT).model_dump_json()

    assert asdict(mapping.to_program(0, text)) == asdict(Program())


def test_every_change_is_a_version(api: Any) -> None:
    first = api.put(PATH, PROGRAM)
    same = api.put(PATH, PROGRAM)
    second = api.put(PATH, WHOLE)
    kept = api.get(PATH)

    assert [each.json_body["version"] for each in (first, same, second)] == [1, 1, 2]
    assert (kept.headers["ETag"], kept.body) == ('"2"', second.body)
    for name, value in WHOLE.items():
        assert _within(value, kept.json_body["program"][name]), name


def test_everything_that_can_be_said_is_read_back_by_the_rules(api: Any) -> None:
    from chalicelib.loyalty import program_store

    api.put(PATH, WHOLE)
    known, _ = program_store.load()

    assert program_store.version(1) == known
    assert [rule.kind for rule in known.earn] == ["amount", "basket", "items", "stamps", "action"]
    assert known.earn[2].scope.categories == {"drinks/tea"}
    assert known.multipliers[0].weekdays == {6}
    assert known.tiers is not None
    assert [level.earn_percent for level in known.tiers.levels] == [100, 150]
    assert (known.rewards[0].amount_off, known.referral and known.referral.points) == (800, 300)


def test_only_over_the_version_that_was_read(api: Any) -> None:
    api.put(PATH, PROGRAM)

    assert api.put(PATH, WHOLE, **{"If-Match": '"0"'}).status_code == 412
    assert api.get(PATH).json_body["version"] == 1
    assert api.put(PATH, WHOLE, **{"If-Match": '"1"'}).status_code == 200


def test_a_dry_run_checks_and_keeps_nothing(api: Any) -> None:
    dry = api.put(f"{PATH}?dry_run=true", WHOLE)
    kept = api.get(PATH).json_body["version"]
    refused = api.put(f"{PATH}?dry_run=true", WHOLE | {"pending_days": -1})
    done = api.put(PATH, WHOLE)

    assert (kept, refused.status_code) == (0, 400)
    assert dry.body == done.body


CONTRADICTIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"earn": []}, "earn", ""),
    ({"earn": [SPEND, SPEND]}, "earn", "spend is there 2 times"),
    ({"earn": [SPEND | {"points": 0}]}, "earn.0.points", "1"),
    ({"earn": [SPEND | {"points": 2**63}]}, "earn.0.points", "10000000"),
    ({"earn": [SPEND | {"points": 0.5}]}, "earn.0.points", "whole number"),
    ({"earn": [SPEND | {"per_amount": 0}]}, "earn.0.per_amount", "1"),
    ({"earn": [SPEND | {"rounding": "bankers"}]}, "earn.0.rounding", ""),
    ({"earn": [SPEND | {"starts_on": "2027-01-02", "ends_on": "2027-01-01"}]}, "earn.0.ends_on", "before"),
    ({"earn": [{"name": "n", "kind": "luck", "points": 1}]}, "earn.0", ""),
    (
        {
            "earn": [
                {
                    "name": "n",
                    "kind": "basket",
                    "steps": [{"amount": 5, "points": 2}, {"amount": 5, "points": 3}],
                }
            ]
        },
        "earn.0.steps",
        "must rise",
    ),
    (
        {
            "earn": [
                {
                    "name": "n",
                    "kind": "basket",
                    "steps": [{"amount": 5, "points": 2}, {"amount": 6, "points": 2}],
                }
            ]
        },
        "earn.0.steps",
        "must rise",
    ),
    ({"earn": [{"name": "n", "kind": "items", "points": 1, "scope": {}}]}, "earn.0.scope", "must name"),
    ({"earn": [{"name": "n", "kind": "stamps", "points": 1, "every": 1}]}, "earn.0.every", "2"),
    (
        {"earn": [{"name": name, "kind": "action", "action": "review", "points": 1} for name in ("a", "b")]},
        "earn",
        "action review is there 2 times",
    ),
    (
        {"multipliers": [{"name": "m", "percent": 200, "rules": ["gone"]}]},
        "multipliers.0.rules",
        "no spending rule gone",
    ),
    ({"multipliers": [{"name": "m", "percent": 0}]}, "multipliers.0.percent", "1"),
    ({"multipliers": [{"name": "m", "percent": 200, "weekdays": [7]}]}, "multipliers.0.weekdays.0", "6"),
    (
        {"tiers": {"levels": [{"name": "a", "threshold": 9}, {"name": "b", "threshold": 9}]}},
        "tiers.levels",
        "must rise",
    ),
    ({"tiers": {"levels": []}}, "tiers.levels", ""),
    (
        {"tiers": {"levels": [{"name": "a", "threshold": 9}], "window_months": 25}},
        "tiers.window_months",
        "24",
    ),
    ({"rewards": [WHOLE["rewards"][0] | {"percent_off": 10}]}, "rewards.0", "either"),
    ({"rewards": [WHOLE["rewards"][0] | {"currency": None}]}, "rewards.0.currency", "amount_off"),
    ({"rewards": WHOLE["rewards"], "redeem_minimum": 501}, "rewards.0.points", "redeem_minimum"),
    ({"gifts": [{"occasion": "birthday", "points": 1}] * 2}, "gifts", "birthday is there 2 times"),
    (
        {"referral": {"points": 1, "friend_points": 1, "per_month": 9, "lifetime": 8}},
        "referral.per_month",
        "lifetime",
    ),
    ({"pending_days": 29, "expiry_months": 1}, "pending_days", "expire"),
    ({"timezone": "Mars/Olympus"}, "timezone", "time zone"),
    ({"currency": "yen"}, "currency", ""),
    ({"expiry_months": 0}, "expiry_months", "1"),
    ({"overdraft": -1}, "overdraft", "0"),
    ({"expires_after_months": 12}, "expires_after_months", ""),
]


@pytest.mark.parametrize(
    ("changed", "field", "limit"), CONTRADICTIONS, ids=lambda each: json.dumps(each)[:60]
)
def test_a_program_that_contradicts_itself_is_refused(
    api: Any, changed: dict[str, Any], field: str, limit: str
) -> None:
    refused = api.put(PATH, PROGRAM | changed)
    errors = {each["field"]: each["message"] for each in refused.json_body["errors"]}

    assert refused.status_code == 400
    assert field in errors
    assert limit in errors[field]
    assert api.get(PATH).json_body["version"] == 0


def test_two_changes_at_once_are_two_versions(api: Any, aws: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    programs = [PROGRAM | {"pending_days": days} for days in range(1, 7)]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda body: api.put(PATH, body), programs))
    for body, answer in zip(programs, answers, strict=True):
        if answer.status_code == 503:
            api.put(PATH, body)

    assert api.get(PATH).json_body["version"] == 6
    assert {answer.status_code for answer in answers} <= {200, 503}


def _within(said: Any, kept: Any) -> bool:
    """Whether what was said stands in what is kept, which also says what was left out."""
    if isinstance(said, dict):
        return all(_within(value, kept[name]) for name, value in said.items())
    if isinstance(said, list):
        return len(said) == len(kept) and all(map(_within, said, kept))
    return bool(said == kept)
