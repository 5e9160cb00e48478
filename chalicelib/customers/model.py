"""The nouns of a person: profile, traits, consents, and what somebody said about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

TRAITS_MAX = 100
FORGOTTEN_TRAITS_MAX = 100  # deletions remembered, so that a late event does not bring an old value back
TRAITS_BYTES_MAX = 16 * 1024
HINT_TRAITS_MAX = 20  # of a profile that a browser begins
HINT_TRAITS_BYTES_MAX = 2 * 1024
TRAIT_NAME_LENGTH_MAX = 100
EMAIL_LENGTH_MAX = 254
ANONYMOUS_IDS_MAX = 20
EXTERNAL_IDS_MAX = 20
CONSENT_HISTORY_MAX = 20  # of each purpose
SELVES_MAX = 10  # customer ids of one person
SHARED_BY_MAX = (
    5  # an id that more people than this share, such as a shop's tablet, says nothing about any of them
)
EMAIL, PHONE = "email", "phone"

GRANTED, WITHDRAWN = "granted", "withdrawn"
Status = Literal["granted", "withdrawn"]

PURPOSES = (
    "analytics",
    "personalization",
    "email_marketing",
    "sms",
    "push",
    "sensitive_profiling",
    "ad_audiences",
)

# Who said it. A hint comes from anybody's browser: it is shown, and never used to address or greet somebody. A visitor is
# a browser that somebody trusted has linked to a customer: what it types into a form fills gaps, and no more.
HINT, VISITOR, EVENTS, API, CUSTOMER, FORM, IMPORT, UNSUBSCRIBE = (
    "hint",
    "visitor",
    "events",
    "api",
    "customer",
    "form",
    "import",
    "unsubscribe",
)

# How much a source weighs against what others said; all others weigh the same, and more.
WEIGHTS = {HINT: 0, VISITOR: 1}
FIRM = 2

# By these somebody is greeted.
NAMES = frozenset({"name", "firstName", "lastName", "greeting_name"})

# What the shop says about a customer and not the customer about themself.
RESERVED_TRAITS = frozenset({"id", "createdAt", "plan"})


def status_of(*, granted: bool) -> Status:
    """The status that a yes or a no stands for."""
    return "granted" if granted else "withdrawn"


@dataclass(frozen=True)
class Trait:
    """One thing known about somebody; the value None is a deletion that older statements cannot undo."""

    value: Any
    source: str
    at: datetime

    @property
    def is_trusted(self) -> bool:
        return self.source != HINT

    @property
    def weight(self) -> int:
        return WEIGHTS.get(self.source, FIRM)

    @property
    def is_firm(self) -> bool:
        """Whether somebody trusted said it, and no browser."""
        return self.weight == FIRM


@dataclass(frozen=True)
class Consent:
    """Whether a purpose was agreed to, when, how, and to which wording in which language."""

    status: Status
    at: datetime
    source: str
    wording_version: str | None = None
    locale: str | None = None
    acted_at: datetime | None = None  # when an act withdrew what this preference withdrew again

    @property
    def is_granted(self) -> bool:
        return self.status == GRANTED

    @property
    def is_final(self) -> bool:
        """Withdrawn by an act (an unsubscribe link, an edit, an import): no preference that a page repeats undoes it."""
        return not self.is_granted and (self.source != EVENTS or self.acted_at is not None)

    @property
    def last_act(self) -> datetime | None:
        """When an act last withdrew it, None where it is not final."""
        return (self.acted_at or self.at) if self.is_final else None


@dataclass(frozen=True)
class Absorption:
    """One id that another one took in: by which merge, and when."""

    customer_id: str
    into: str
    merge_id: str
    at: datetime


@dataclass(frozen=True)
class Merge:
    """The record of one merge: which id took in which other, why, who did it, and whether it was undone.

    `merged_at` is the moment that divides what was said before it from what was said since. `made` are the
    ids that had no profile before.
    """

    merge_id: str
    survivor: str
    absorbed: str
    reason: str
    merged_by: str
    merged_at: datetime
    fingerprint: str = ""
    made: tuple[str, ...] = ()
    undone_at: datetime | None = None
    undone_by: str = ""


@dataclass(frozen=True)
class Profile:
    """What was said to one customer id. `version` counts its changes and is 0 while nothing is stored."""

    customer_id: str
    version: int = 0
    traits: Mapping[str, Trait] = field(default_factory=dict)
    consents: Mapping[str, Consent] = field(default_factory=dict)
    consent_history: Mapping[str, tuple[Consent, ...]] = field(default_factory=dict)  # newest first
    anonymous_ids: tuple[str, ...] = ()
    external_ids: tuple[tuple[str, str], ...] = ()  # (type, id) in other systems
    created_at: datetime | None = None
    updated_at: datetime | None = None
    confirmed: bool = False  # somebody trusted has spoken of this customer
    imported: bool = False
    changed_by: str = ""  # the member of staff or the key behind the last edit
    merged: Absorption | None = None  # how this id was absorbed; the surviving id speaks for it
    absorbed: tuple[Absorption, ...] = ()  # every id that this one speaks for, also through others


@dataclass(frozen=True)
class Selves:
    """The profiles of one person: that of the surviving id, then of every id merged into it."""

    profiles: tuple[Profile, ...]
    written_by: str = ""  # which write the profile of the id that was asked for is of

    @property
    def head(self) -> Profile:
        return self.profiles[0]

    @property
    def customer_ids(self) -> tuple[str, ...]:
        return tuple(profile.customer_id for profile in self.profiles)

    def of(self, customer_id: str) -> Profile:
        """The profile of one of the ids."""
        return next(each for each in self.profiles if each.customer_id == customer_id)


@dataclass(frozen=True)
class Statement:
    """What somebody said about a customer at a time. `latest` marks an edit made in view of what is stored."""

    at: datetime
    source: str
    traits: Mapping[str, Any] = field(default_factory=dict)
    consents: Mapping[str, Consent] = field(default_factory=dict)
    anonymous_id: str | None = None
    external_ids: tuple[tuple[str, str], ...] = ()
    latest: bool = False
    said_by: str = ""


@dataclass(frozen=True)
class Person:
    """What other rooms see of a customer: only what was said by somebody trusted.

    `customer_ids` are all ids of the same person, the surviving one (`head`, also `customer_id`) first. Facts stay
    under the id they were told of, so they are read over all of them. Of somebody `erased` nothing else is known.
    """

    customer_id: str
    anonymous_ids: tuple[str, ...]
    email: str | None
    name: str | None
    locale: str | None
    timezone: str | None
    consents: dict[str, bool]
    created_at: datetime | None
    customer_ids: tuple[str, ...]
    absorbed: tuple[Absorption, ...] = ()
    erased: bool = False
    traits: Mapping[str, Any] = field(default_factory=dict)  # declared, with their values

    @property
    def head(self) -> str:
        return self.customer_ids[0]
