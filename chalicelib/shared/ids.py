"""Identifiers: what a caller may use as one, and how we make our own."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import datetime

from chalicelib.shared.errors import InvalidInput

LENGTH_MAX = 128
PUNCTUATION = frozenset("._:@+-")


def problem_with(value: str) -> str | None:
    """Say why `value` cannot be an id, or None when it can.

    An id is NFC, 1-128 letters or digits of any script (with their combining marks) plus `. _ : @ + -`.
    Look-alikes are different ids: nothing is folded, so nothing can be taken over by folding.
    """
    if not 1 <= len(value) <= LENGTH_MAX:
        return f"must have 1 to {LENGTH_MAX} characters"
    if value in (".", ".."):
        return "may not be one or two dots alone: no URL can name it"
    if not unicodedata.is_normalized("NFC", value):
        return "must be in Unicode normal form C"
    for character in value:
        if character not in PUNCTUATION and unicodedata.category(character)[0] not in "LNM":
            return "may hold letters, digits and . _ : @ + - only"
    return None


def check(field: str, value: str) -> str:
    """Return `value` when it can be an id; raises InvalidInput naming `field` otherwise."""
    problem = problem_with(value)
    if problem:
        raise InvalidInput.of(field, problem)
    return value


def new(now: datetime) -> str:
    """A new ULID: 26 characters, sorts by time."""
    from ulid import ULID  # only writers of new things pay for this import

    return str(ULID.from_datetime(now))


def fingerprint(*parts: str) -> str:
    """A short stable name for its parts: 32 hexadecimal characters of SHA-256, parts kept apart by length."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4, "big"))
        digest.update(encoded)
    return digest.hexdigest()[:32]
