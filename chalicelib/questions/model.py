"""The nouns of progressive profiling: questions, what somebody said to them, promises and grants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.coupons.model import CouponTerms
from chalicelib.shared.errors import Conflict

QUESTIONS_MAX = 100
CHOICES_MAX = 20
VALUE_LENGTH_MAX = 100
ANSWERS_AT_ONCE_MAX = 20
NUMBER_MAX = 10**9
SAID_MAX = 2 * QUESTIONS_MAX  # of one id, also to questions that are no longer asked
POINTS_MAX = 1_000_000
PRIORITY_MAX = 1000
VALID_DAYS_MAX = 3650
VALID_HOURS_MAX = 24 * 366
SKIP_RESTS = timedelta(days=7)  # doubled with every skip
SKIP_DOUBLINGS_MAX = 4

CHOICE, TEXT, DATE, NUMBER = "choice", "text", "date", "number"
Kind = Literal["choice", "text", "date", "number"]

# By these people are found and addressed, so a form that anybody's browser can fill in never sets them.
NOT_ASKED = frozenset(
    {"email", "phone", "card", "cards", "address", "id", "createdAt", "plan", "greeting_name"}
)
# A name typed into a form is consent to be greeted by it.
NAMES = frozenset({"name", "firstName"})
GREETING_NAME = "greeting_name"
GREETED_BY = NAMES | {GREETING_NAME}

VISITOR_KEPT = timedelta(days=400)  # what a visitor said, after their last word; as long as a timeline

SHEET = "ANSWERS"  # the sort key under which lies what one id said

Who = tuple[Literal["customer", "anonymous"], str]


class TooManyQuestions(Conflict):
    code, title = "too-many-questions", "There are as many questions as a shop may have"


@dataclass(frozen=True)
class Choice:
    """One of the answers offered. `value` is what the trait becomes."""

    value: str
    label: str
    label_ja: str | None = None


@dataclass(frozen=True)
class ContentTerms:
    """Which item of the catalogue is unlocked, and for how long."""

    item_id: str
    valid_hours: int


@dataclass(frozen=True)
class Reward:
    """What answering is worth: exactly one of the three."""

    points: int | None = None
    coupon: CouponTerms | None = None
    content: ContentTerms | None = None

    @property
    def kind(self) -> str:
        return "points" if self.points else "coupon" if self.coupon else "content"


@dataclass(frozen=True)
class OnlyIf:
    """Ask only whose trait has this value; None: whose trait is known at all."""

    trait: str
    value: str | None


@dataclass(frozen=True)
class Question:
    """What a shop wants to know. `trait` is what the answer becomes; questions of one `answer_set` reward once."""

    question_id: str
    text: str
    text_ja: str | None
    kind: Kind
    choices: tuple[Choice, ...]
    trait: str
    purpose: str
    purpose_ja: str | None
    reward: Reward | None
    answer_set: str
    priority: int
    only_if: OnlyIf | None
    updated_at: datetime

    def text_in(self, language: str) -> str:
        """The question for `ja` or `en`; without a Japanese one the other serves."""
        return self.text_ja if language == "ja" and self.text_ja else self.text

    def purpose_in(self, language: str) -> str:
        """What the answer is used for, in the same way."""
        return self.purpose_ja if language == "ja" and self.purpose_ja else self.purpose


@dataclass(frozen=True)
class Said:
    """What one id said to one question; `value` None is a skip, and `skips` counts them.

    `trusted`: a server or the customer's own token said it, not anybody's browser. `linked`: a browser said it that was a
    customer's by then. `wording` is the question as it was put, where the answer is evidence of a consent.
    """

    question_id: str
    trait: str
    value: Any
    at: datetime
    trusted: bool
    skips: int = 0
    wording: str | None = None
    linked: bool = False

    @property
    def is_for_device(self) -> bool:
        """A name for the device it was typed on, and not for the customer whose device that is."""
        return self.linked and self.trait in NAMES


@dataclass(frozen=True)
class Voice:
    """Who is heard and when: `trusted` unless it is anybody's browser, in the language they were asked in.

    `linked`: it is a browser that somebody trusted has linked to a customer.
    """

    trusted: bool
    language: str
    now: datetime
    linked: bool = False


@dataclass(frozen=True)
class Promise:
    """What an answer has earned, as it was promised when it was given, whatever the question promises later."""

    answer_set: str
    question_id: str
    reward: Reward
    at: datetime


@dataclass(frozen=True)
class Sheet:
    """Everything one id said, by question, and what it earned, by answer set. `version` is 0 while nothing is stored."""

    who: Who
    version: int = 0
    said: Mapping[str, Said] = field(default_factory=dict)
    promises: Mapping[str, Promise] = field(default_factory=dict)


@dataclass(frozen=True)
class Grant:
    """A promise kept, once for each person and answer set. Points are `done` when they are in the ledger."""

    customer_id: str
    answer_set: str
    question_id: str
    reward: Reward
    promised_at: datetime
    granted_at: datetime
    done: bool
    code: str | None = None
