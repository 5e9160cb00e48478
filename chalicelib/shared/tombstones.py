"""Where it stands that somebody was erased: under a hash of their id, so that the record itself names nobody."""

from __future__ import annotations

import hashlib
from typing import Literal

Kind = Literal["customer", "anonymous"]

ERASED = "ERASED"


def key_of(kind: Kind, identifier: str) -> tuple[str, str]:
    """The key of a tombstone in the people table."""
    return f"GONE#{hashlib.sha256(f'{kind}#{identifier}'.encode()).hexdigest()}", ERASED
