"""The ids by which people are found, in one spelling each: e-mail address, telephone, store card, partners' own ids."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from chalicelib.customers.model import EMAIL, PHONE, Profile

CARD = "card"
CARDS_MAX = 10
EXTERNAL = "x"  # a partner's own id: its kind is `x:` and the partner's name
IDENTIFYING = (EMAIL, PHONE, "card", "cards", "address")
LENGTH_MAX = 254

_TYPE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
_BETWEEN_DIGITS = re.compile(r"[\s\u2010-\u2015\u2212\u30fc-]+")
# Segment's own words for what the event already says in its envelope.
_IN_ENVELOPE = frozenset({"user_id", "userid", "anonymous_id", "anonymousid", "cross_domain_id"})


class Identifier(NamedTuple):
    """One way to find somebody. `kind` is email, phone, card or `x:` and a partner's name; `value` is normalised."""

    kind: str
    value: str


def email(text: str) -> Identifier | None:
    """An address in lower case. Dots and plus signs stay: whether they matter is for each mail provider to say."""
    value = unicodedata.normalize("NFC", text.strip().lower())
    return Identifier(EMAIL, value) if 0 < len(value) <= LENGTH_MAX else None


def phone(text: str, country: str) -> Identifier | None:
    """A telephone number in E.164, None when it is none. `country` (ISO 3166) is where local numbers are dialled."""
    import phonenumbers  # 70 ms that only who compares numbers should pay for

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return Identifier(PHONE, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def card(text: str) -> Identifier | None:
    """A card's number however it is grouped or typed: full-width forms, spaces and hyphens do not count."""
    value = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", text).upper())
    value = unicodedata.normalize("NFKC", value)  # what stood apart may compose now
    return Identifier(CARD, value) if 0 < len(value) <= LENGTH_MAX else None


def external(kind: str, text: str, country: str) -> Identifier | None:
    """An id of Segment's `context.externalIds`; its type says what it is. None for what is none of these."""
    kind = unicodedata.normalize("NFKC", kind).strip().lower()
    if kind == EMAIL:
        return email(text)
    if kind == PHONE:
        return phone(text, country)
    if kind == CARD:
        return card(text)
    value = unicodedata.normalize("NFC", text.strip())
    if kind in _IN_ENVELOPE or not _TYPE.fullmatch(kind) or not 0 < len(value) <= LENGTH_MAX:
        return None
    return Identifier(f"{EXTERNAL}:{kind}", value)


def of_profile(profile: Profile, country: str) -> frozenset[Identifier]:
    """Every identifier that somebody trusted gave of one customer id. `country` is the shop's, for local numbers."""
    trusted = {name: each.value for name, each in profile.traits.items() if each.is_trusted}
    return of_traits(trusted, profile.external_ids, country)


def of_traits(
    traits: Mapping[str, Any], external_ids: tuple[tuple[str, str], ...], country: str
) -> frozenset[Identifier]:
    """The identifiers among traits, and those of other systems."""
    country = _country_of(traits) or country
    return frozenset(filter(None, _each_of(traits, external_ids, country)))


def key_of(identifier: Identifier) -> str:
    """The partition that lists whose identifier it is; `#` and `/` separate parts of keys and stay out of it."""
    value = identifier.value
    if "#" in value or "/" in value:
        value = f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return f"ID#{identifier.kind}#{value}"


def _each_of(
    traits: Mapping[str, Any], external_ids: tuple[tuple[str, str], ...], country: str
) -> Iterator[Identifier | None]:
    if isinstance(traits.get(EMAIL), str):
        yield email(traits[EMAIL])
    if isinstance(traits.get(PHONE), str):
        yield phone(traits[PHONE], country)
    listed = traits.get("cards")
    cards = [traits.get("card"), *(listed if isinstance(listed, list) else [listed])]
    for value in [each for each in cards if isinstance(each, str)][:CARDS_MAX]:
        yield card(value)
    for kind, value in external_ids:
        yield external(kind, value, country)


def _country_of(traits: Mapping[str, Any]) -> str | None:
    address = traits.get("address")
    country = address.get("country") if isinstance(address, Mapping) else None
    is_code = isinstance(country, str) and len(country) == 2 and country.isascii() and country.isalpha()
    return str(country).upper() if is_code else None
