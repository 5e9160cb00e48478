"""Reads the JSON of a request so that a value no store takes spoils its own event and not its neighbours."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from pydantic_core import from_json

from chalicelib.shared.errors import InvalidInput

DEPTH_MAX = 201  # brackets within brackets that the quick parser takes
DIGITS_MAX = 4300  # of a whole number; reading one takes the square of their number
HALF_A_CHARACTER = '"\\ud800"'  # stands for what lies deeper: no event may hold it, so it is found and named

# Texts, because they may hold brackets, and the brackets. A text without an end reaches to the end of all.
_TEXT_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def read_object(sent: bytes) -> dict[str, Any]:
    """The JSON object that was sent; raises InvalidInput for a body that is none.

    Values that nothing should store are let through, for whoever judges the event they are in: NaN, texts with control
    characters or lone surrogates; a number of too many digits is infinite, and what is nested too deep is a surrogate.
    """
    try:
        document = from_json(sent, allow_inf_nan=True)
    except ValueError:
        document = _patiently(sent)
    if not isinstance(document, dict):
        raise InvalidInput.of("body", "must be a JSON object")
    return document


def _patiently(sent: bytes) -> Any:
    try:
        return json.loads(_shallow(sent.decode()), strict=False, parse_int=_whole_number)
    except UnicodeDecodeError:
        raise InvalidInput.of("body", "must be UTF-8") from None
    except ValueError:
        raise InvalidInput.of("body", "must be a JSON document") from None


def _shallow(text: str) -> str:
    """The same with whatever lies too deep replaced, so that reading it takes no stack."""
    kept, start, depth = [], 0, 0
    for found in _TEXT_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
            if depth == DEPTH_MAX + 1:
                kept += [text[start : found.start()], HALF_A_CHARACTER]
        elif found[0] in "]}":
            if depth == DEPTH_MAX + 1:
                start = found.end()
            depth -= 1
    if depth > DEPTH_MAX:
        raise ValueError("it ends before its brackets do")
    return "".join([*kept, text[start:]])


def _whole_number(digits: str) -> float:
    return int(digits) if len(digits) <= DIGITS_MAX else math.inf
