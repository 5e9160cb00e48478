"""Profiles and merges as they lie in the people table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.customers.model import Absorption, Consent, Profile, Trait
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import Item

PROFILE, LINK = "PROFILE", "LINK"


def pk_of(customer_id: str) -> str:
    """The partition of one customer id."""
    return f"C#{customer_id}"


def link_key(anonymous_id: str) -> tuple[str, str]:
    """Where it is said whose device an anonymous id is."""
    return f"ID#anonymous#{anonymous_id}", LINK


def of_profile(profile: Profile) -> Item:
    """The item of a profile, but for who wrote it."""
    assert profile.created_at is not None, "a profile that is written has a beginning"
    assert profile.updated_at is not None, "a profile that is written has a time"
    traits = {name: [trait.value, trait.source, to_text(trait.at)] for name, trait in profile.traits.items()}
    return {
        "pk": pk_of(profile.customer_id),
        "sk": PROFILE,
        "customer_id": profile.customer_id,
        "version": profile.version,
        # One text, because a trait may be any JSON, also with fractions, which the store does not take.
        "traits": json.dumps(traits, ensure_ascii=False, separators=(",", ":")),
        "consents": {purpose: _consent_item(consent) for purpose, consent in profile.consents.items()},
        "consent_history": {
            purpose: [*map(_consent_item, heard)] for purpose, heard in profile.consent_history.items()
        },
        "anonymous_ids": list(profile.anonymous_ids),
        "external_ids": [[*each] for each in profile.external_ids],
        "created_at": to_text(profile.created_at),
        "updated_at": to_text(profile.updated_at),
        "confirmed": profile.confirmed,
        "imported": profile.imported,
        "changed_by": profile.changed_by,
        **({"merged": of_absorption(profile.merged)} if profile.merged else {}),
        **({"absorbed": [*map(of_absorption, profile.absorbed)]} if profile.absorbed else {}),
    }


def to_profile(customer_id: str, item: Item | None) -> Profile:
    """The inverse of `of_profile`; version 0 where nothing is stored."""
    if item is None:
        return Profile(customer_id)
    traits: Mapping[str, Any] = json.loads(item["traits"])
    return Profile(
        customer_id=customer_id,
        version=item["version"],
        traits={name: Trait(value, source, from_text(at)) for name, (value, source, at) in traits.items()},
        consents={purpose: _consent(each) for purpose, each in item["consents"].items()},
        consent_history={
            purpose: tuple(map(_consent, heard)) for purpose, heard in item.get("consent_history", {}).items()
        },
        anonymous_ids=tuple(item["anonymous_ids"]),
        external_ids=tuple((kind, value) for kind, value in item.get("external_ids", ())),
        created_at=from_text(item["created_at"]),
        updated_at=from_text(item["updated_at"]),
        confirmed=item["confirmed"],
        imported=item["imported"],
        changed_by=item.get("changed_by", ""),
        merged=_absorption(item["merged"]) if "merged" in item else None,
        absorbed=tuple(map(_absorption, item.get("absorbed", ()))),
    )


def of_absorption(absorption: Absorption) -> dict[str, Any]:
    """How one id was taken in, inside an item."""
    return {
        "customer_id": absorption.customer_id,
        "into": absorption.into,
        "merge_id": absorption.merge_id,
        "at": to_text(absorption.at),
    }


def _absorption(item: Mapping[str, Any]) -> Absorption:
    return Absorption(item["customer_id"], item["into"], item["merge_id"], from_text(item["at"]))


def _consent_item(consent: Consent) -> dict[str, Any]:
    item = {"status": consent.status, "at": to_text(consent.at), "source": consent.source}
    acted_at = to_text(consent.acted_at) if consent.acted_at else None
    more = {"wording_version": consent.wording_version, "locale": consent.locale, "acted_at": acted_at}
    return item | {name: value for name, value in more.items() if value}


def _consent(item: Mapping[str, Any]) -> Consent:
    acted_at = from_text(item["acted_at"]) if "acted_at" in item else None
    return replace(Consent(**item), at=from_text(item["at"]), acted_at=acted_at)
