"""Codes that people read, say and type: nothing in them can be taken for something else, and nobody can guess them."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's, 5 bits a character

_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


def new(length: int) -> str:
    """A random code, derived from nothing."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def read(typed: str) -> str:
    """A code however it was typed: in any case, grouped or not, with letters taken for digits."""
    return typed.upper().translate(_MISREAD)
