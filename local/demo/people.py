"""Invents the people of the demo: nobody here exists, and all their addresses end in example.com."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

DOMAIN = "example.com"

# The data is British, the product speaks Japanese too: this share lives in Japan, so that both languages,
# both scripts of names and a zone far from the shop's own are there to be seen.
JAPANESE_SHARE = 0.25
GENDER_KNOWN_SHARE = 0.75
BIRTHDAY_KNOWN_SHARE = 0.8
CONSENT_SHARES = {
    "analytics": 0.95,
    "personalization": 0.85,
    "email_marketing": 0.6,
    "sms": 0.2,
    "push": 0.25,
    "sensitive_profiling": 0.05,
    "ad_audiences": 0.3,
}


class Place(NamedTuple):
    country: str | None
    """ISO 3166-1, or nothing where the source names no country."""
    timezone: str
    locale: str


UNKNOWN = Place(None, "Europe/London", "en-GB")


def customer_id_of(number: str) -> str:
    """Return the customer id of the demo for a customer number of the source, `13085` -> `u13085`."""
    return f"u{number}"


def places() -> dict[str, Place]:
    """Return where the countries of the source lie, by the source's name of them."""
    return {name: Place(*place) for name, place in _ingredients()["places"].items()}


def invent(number: str, *, country: str, seed: int) -> dict[str, Any]:
    """Return the person behind a customer number, always the same one for the same seed.

    `country` is the source's name of it. The answer holds `customer_id`, `traits` with Segment's names
    (`email`, `firstName`, `lastName`; sometimes `gender`, `birthday`, `address`), `locale`, `timezone` and
    `consents` (purpose -> granted or not).
    """
    random = Random(f"{seed}:{number}")  # noqa: S311  an invented birthday is no secret
    japan = places()["Japan"]
    place = japan if random.random() < JAPANESE_SHARE else places().get(country, UNKNOWN)
    gender = random.choice(("female", "male"))
    given, family, mailbox = _name(random, "japanese" if place == japan else "english", gender)
    traits: dict[str, Any] = {
        "email": f"{mailbox}.{number}@{DOMAIN}",
        "firstName": given,
        "lastName": family,
    }
    if random.random() < GENDER_KNOWN_SHARE:
        traits["gender"] = gender
    if random.random() < BIRTHDAY_KNOWN_SHARE:
        year, month, day = random.randint(1945, 2004), random.randint(1, 12), random.randint(1, 28)
        traits["birthday"] = f"{year}-{month:02}-{day:02}"
    if place.country is not None:
        traits["address"] = {"country": place.country}
    if place == japan:
        traits["address"]["state"] = _pick(random, "japanese", "prefectures")
    return {
        "customer_id": customer_id_of(number),
        "traits": traits,
        "locale": place.locale,
        "timezone": place.timezone,
        "consents": {purpose: random.random() < share for purpose, share in CONSENT_SHARES.items()},
    }


def _name(random: Random, language: str, gender: str) -> tuple[str, str, str]:
    """Return the given name, the family name and `given.family` in letters that fit an address."""
    given, _, given_latin = _pick(random, language, gender).partition(":")
    family, _, family_latin = _pick(random, language, "family").partition(":")
    return given, family, f"{given_latin or given}.{family_latin or family}".lower()


def _pick(random: Random, table: str, column: str) -> str:
    words: str = _ingredients()[table][column]
    return random.choice(words.split())


@cache
def _ingredients() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("people.toml").read_text("utf-8"))
