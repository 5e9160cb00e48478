"""Every decision about a message, pure: may it go out, in which language, and what became of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from chalicelib.messages.model import NO_CONSENT, SUPPRESSED, Gate, MessageClass, Outcome, Send, Status

# A claim older than this belongs to somebody who died: no function of ours runs for so long.
LEASE = timedelta(minutes=3)
# The claims stay this long, so that no redelivery, redrive or late repetition of a cause sends again.
KEPT = timedelta(days=400)
# News of a parcel that is older than this is history brought along, not something to tell.
NEWS_UNTIL = timedelta(days=90)

ADDRESS_LENGTH_MAX = 254
LOCAL_PART_LENGTH_MAX = 64
# What SES takes without SMTPUTF8, and nothing that could end a header or begin another address.
ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)

NAME_LENGTH_MAX, NAME_WORDS_MAX, ABBREVIATION_LENGTH_MAX = 40, 4, 3
JOINS = frozenset("'-\u2019\u2010・·")  # inside a name's word: O'Brien, Jean-Luc, ジャン・リュック
# Not from the machine's locale, which differs from one to another.
MONTHS = "January February March April May June July August September October November December".split()


def refusal_of(gate: Gate, message_class: MessageClass) -> str:
    """Why a gate that refused did so."""
    if gate.suppressed:
        return SUPPRESSED
    assert message_class is MessageClass.PROMOTIONAL, "nothing else can be wrong with facts about an order"
    return NO_CONSENT


def is_usable(address: str | None) -> bool:
    """Whether mail can be sent to an address as it stands."""
    if not address or len(address) > ADDRESS_LENGTH_MAX or ADDRESS.fullmatch(address) is None:
        return False
    return len(address.partition("@")[0]) <= LOCAL_PART_LENGTH_MAX


def normalised(address: str) -> str:
    """One spelling for one mailbox, as far as nobody's mail system tells letter cases apart."""
    return address.strip().lower()


def language_of(locale: str | None) -> str:
    """`ja` or `en`, from a BCP 47 locale such as `ja-JP`."""
    return "ja" if (locale or "").lower().replace("_", "-").split("-")[0] == "ja" else "en"


def name_shown(name: str | None) -> str:
    """What to call a customer in a mail; nothing when their name could carry a message to somebody else.

    Anybody can sign up with another's address and an advertisement for a name: so a few words of letters, judged as
    they would look (full-width dots and slashes are dots and slashes), no digits, no sentence, no host.
    """
    looks = unicodedata.normalize("NFKC", name or "")
    words = looks.split()
    fits = len(looks) <= NAME_LENGTH_MAX and len(words) <= NAME_WORDS_MAX
    return name or "" if fits and all(_is_word_of_a_name(word) for word in words) else ""


def _is_word_of_a_name(word: str) -> bool:
    """Letters of any script with their marks, joined as names are; a dot only ends a short one, as in J. or Jr."""
    letters = word.removesuffix(".") if len(word) <= ABBREVIATION_LENGTH_MAX else word
    return all(letter in JOINS or unicodedata.category(letter)[0] in "LM" for letter in letters)


def is_abandoned(send: Send, now: datetime) -> bool:
    """Whether whoever claimed a message died with it: sent or not, nobody will ever know."""
    return send.status is Status.CLAIMED and now - send.at > LEASE


def status_shown(send: Send, now: datetime) -> Status:
    """What to call a message that nobody has settled."""
    return Status.UNKNOWN if is_abandoned(send, now) else send.status


def outcome_of(send: Send) -> Outcome:
    """What an earlier attempt at the same message means for this one."""
    return Outcome.IN_FLIGHT if send.status is Status.CLAIMED else Outcome.EARLIER


def is_news(at: datetime, now: datetime) -> bool:
    """Whether something that happened at `at` is still worth a mail."""
    return now - at <= NEWS_UNTIL


def shipment_key(shipment_id: str, attempt: int, status: str) -> str:
    """The key of the mail about a parcel's entry into a status."""
    return f"shipment:{shipment_id}:{attempt}:{status}"


def said_in(language: str, values: Mapping[str, str]) -> dict[str, str]:
    """The values that a language says its own way: `title.ja` as `title`, the day `until_on` as `until`."""
    said = {}
    for name, value in values.items():
        plain, _, spoken = name.partition(".")
        if spoken == language:
            said[plain] = value
        if name.endswith("_on") and value:
            day = date.fromisoformat(value)
            said[name.removesuffix("_on")] = window_text(day, day, language)
    return said


def window_text(start: date, until: date, language: str) -> str:
    """A window of days as people write it: `20 December 2026 to 4 January 2027`, `2026年12月20日〜2027年1月4日`."""
    days = [start] if start == until else [start, until]
    if language == "ja":
        return "〜".join(f"{day.year}年{day.month}月{day.day}日" for day in days)
    return " to ".join(f"{day.day} {MONTHS[day.month - 1]} {day.year}" for day in days)
