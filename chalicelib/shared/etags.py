"""If-Match: whether somebody who changes a thing has seen what it is now."""

from __future__ import annotations


def allows(if_match: str | None, etag: str | None) -> bool:
    """Whether an If-Match header allows a change of what now has this ETag (None: it is not there).

    No header allows everything, `*` whatever is there. Quotes and a `W/` may be missing or come with it: proxies that
    compress answers weaken ETags.
    """
    if not (if_match or "").strip():
        return True
    wanted = {each.strip().removeprefix("W/").strip('"') for each in (if_match or "").split(",")}
    return etag is not None and not wanted.isdisjoint({"*", etag})
