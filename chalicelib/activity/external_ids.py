"""Reads Segment's `context.externalIds`: the ids that other systems have for somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.activity.schemas import is_text
from chalicelib.customers.schemas import EXTERNAL_ID_LENGTH_MAX
from chalicelib.shared.errors import FieldError

PATH = "context.externalIds"
EXTERNAL_IDS_MAX = 20


def read_external_ids(context: Mapping[str, Any], wrong: list[FieldError]) -> tuple[tuple[str, str], ...]:
    """The (type, id) pairs of users; what is wrong is added to `wrong`. Groups' ids and encoded ones are passed over."""
    sent = context.get("externalIds")
    if sent is None:
        return ()
    if not isinstance(sent, list) or len(sent) > EXTERNAL_IDS_MAX:
        wrong.append(FieldError(PATH, f"must be a list of {EXTERNAL_IDS_MAX} at most"))
        return ()
    found = []
    for number, each in enumerate(sent):
        if not isinstance(each, Mapping):
            wrong.append(FieldError(f"{PATH}.{number}", "must be an object"))
            continue
        problems = [
            FieldError(f"{PATH}.{number}.{name}", f"must be 1 to {EXTERNAL_ID_LENGTH_MAX} characters of text")
            for name in ("id", "type")
            if not _is_text(each.get(name))
        ]
        wrong += problems
        is_ours = each.get("collection", "users") == "users" and each.get("encoding", "none") == "none"
        if is_ours and not problems:
            found.append((each["type"], each["id"]))
    return tuple(found)


def _is_text(value: Any) -> bool:
    return is_text(value) and 1 <= len(value) <= EXTERNAL_ID_LENGTH_MAX
