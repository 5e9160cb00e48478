"""Entries, accounts and programs as they are stored, and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from chalicelib.loyalty.model import Account, Basis, Entry, Refunded, RulePoints, TierState
from chalicelib.loyalty.program import (
    Cap,
    EarnRule,
    Gift,
    Incentive,
    IncentiveLevel,
    Level,
    Multiplier,
    PriceDowns,
    Program,
    ReferralTerms,
    Reward,
    Scope,
    Step,
    Tiers,
)
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import Item

ACCOUNT = "ACCOUNT"
ENTRY_PREFIX = "T#"


def pk_of(customer_id: str) -> str:
    """The partition of one customer's books."""
    return f"A#{customer_id}"


def of_account(account: Account) -> Item:
    """An account as an item."""
    item: Item = {
        "pk": pk_of(account.customer_id),
        "sk": ACCOUNT,
        "version": account.version,
        "sums": dict(account.sums),
        "holds": {each: to_text(until) for each, until in account.holds.items()},
        "tier": _of_tier(account.tier),
    }
    return {name: value for name, value in item.items() if value not in (None, {})}


def to_account(customer_id: str, item: Item | None) -> Account:
    """The inverse of `of_account`; nothing stored is an account of version 0."""
    if item is None:
        return Account(customer_id)
    holds = {each: from_text(until) for each, until in item.get("holds", {}).items()}
    return Account(customer_id, item["version"], item.get("sums", {}), holds, _to_tier(item.get("tier")))


def of_entry(entry: Entry) -> Item:
    """An entry as an item; what is empty is left out."""
    item: Item = {
        "pk": pk_of(entry.customer_id),
        "sk": ENTRY_PREFIX + entry.entry_id,
        "customer_id": entry.customer_id,
        "kind": entry.kind,
        "points": entry.points,
        "reason": entry.reason,
        "at": to_text(entry.at),
        "number": entry.number,
        "moves": dict(entry.moves),
        "rules": [[each.rule, each.points] for each in entry.rules],
        "lot": entry.lot,
        "pending_until": entry.pending_until,
        "basis": asdict(entry.basis) if entry.basis else None,
        "refunded": asdict(entry.refunded) if entry.refunded else None,
        "hold_until": to_text(entry.hold_until) if entry.hold_until else None,
        "coupon": entry.coupon,
        "reward_id": entry.reward_id,
        "order_id": entry.order_id,
        "tier": _of_tier(entry.tier),
        "tier_changed": entry.tier_changed or None,
    }
    return {name: value for name, value in item.items() if value not in (None, "", {}, [])}


def to_entry(item: Item) -> Entry:
    """The inverse of `of_entry`."""
    return Entry(
        entry_id=item["sk"].removeprefix(ENTRY_PREFIX),
        kind=item["kind"],
        customer_id=item["customer_id"],
        points=item["points"],
        reason=item["reason"],
        at=from_text(item["at"]),
        moves=item.get("moves", {}),
        rules=tuple(RulePoints(rule, points) for rule, points in item.get("rules", [])),
        number=item["number"],
        lot=item.get("lot", ""),
        pending_until=item.get("pending_until", ""),
        basis=Basis(**item["basis"]) if "basis" in item else None,
        refunded=Refunded(**item["refunded"]) if "refunded" in item else None,
        hold_until=from_text(item["hold_until"]) if "hold_until" in item else None,
        reward_id=item.get("reward_id", ""),
        order_id=item.get("order_id", ""),
        coupon=item.get("coupon", ""),
        tier=_to_tier(item.get("tier")),
        tier_changed=item.get("tier_changed", False),
    )


def packed(answer: str) -> bytes:
    """An answer, kept for ever beside its entry: compressed, so that both stay below the KB that one unit writes."""
    return zlib.compress(answer.encode(), 9)


def unpacked(answer: bytes) -> str:
    """The inverse of `packed`, byte for byte."""
    return zlib.decompress(answer).decode()


def to_program(version: int, text: str) -> Program:
    """A program out of the JSON that was validated when it was put."""
    data = json.loads(text)
    tiers, referral = data.pop("tiers"), data.pop("referral")
    downs, incentive = data.pop("price_downs", None), data.pop("incentive", None)
    return Program(
        **data
        | {
            "version": version,
            "earn": tuple(map(_to_rule, data["earn"])),
            "multipliers": tuple(map(_to_multiplier, data["multipliers"])),
            "tiers": _to_tiers(tiers) if tiers else None,
            "rewards": tuple(Reward(**_dated(each)) for each in data["rewards"]),
            "gifts": tuple(Gift(**each) for each in data["gifts"]),
            "referral": ReferralTerms(**referral) if referral else None,
            "price_downs": PriceDowns(**downs) if downs else None,
            "incentive": _to_incentive(incentive) if incentive else None,
        }
    )


def _to_rule(data: Mapping[str, Any]) -> EarnRule:
    known = _dated(data)
    if "steps" in known:
        known["steps"] = tuple(Step(**each) for each in known["steps"])
    if "scope" in known:
        known["scope"] = Scope(**{name: frozenset(each) for name, each in known["scope"].items()})
    return EarnRule(**known | {"cap": Cap(**known["cap"])})


def _to_multiplier(data: Mapping[str, Any]) -> Multiplier:
    known = _dated(data)
    sets = {"rules": frozenset(known["rules"]), "weekdays": frozenset(known["weekdays"])}
    return Multiplier(**known | sets)


def _to_tiers(data: Mapping[str, Any]) -> Tiers:
    levels = tuple(Level(**each | {"benefits": tuple(each["benefits"])}) for each in data["levels"])
    return Tiers(**dict(data) | {"levels": levels})


def _to_incentive(data: Mapping[str, Any]) -> Incentive:
    return Incentive(**dict(data) | {"levels": tuple(IncentiveLevel(**each) for each in data["levels"])})


def _dated(data: Mapping[str, Any]) -> dict[str, Any]:
    dates = {name: date.fromisoformat(data[name]) for name in ("starts_on", "ends_on") if data.get(name)}
    return dict(data) | dates


def _of_tier(state: TierState | None) -> dict[str, Any] | None:
    if state is None:
        return None
    told: dict[str, Any] = {"name": state.name, "won": state.won, "until": state.until}
    told |= {"is_kept": True} if state.is_kept else {}
    return told | ({"before": _of_tier(state.before)} if state.before else {})


def _to_tier(data: Mapping[str, Any] | None) -> TierState | None:
    if data is None:
        return None
    before = _to_tier(data.get("before"))
    return TierState(data["name"], data["won"], data["until"], before, data.get("is_kept", False))
