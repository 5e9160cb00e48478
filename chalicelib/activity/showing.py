"""What of an entry is shown to whom: the shop sees everything, customers what they know anyway and nobody made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.activity import titles
from chalicelib.activity.model import DETAILS_FOR_CUSTOMERS, WRITTEN_FOR_CUSTOMERS, Entry
from chalicelib.activity.schemas import TimelineItem
from chalicelib.catalog import reads as catalog

CHANNELS = frozenset({"web", "app"})  # of a hint; another one might be anybody's words


def shown(entries: Sequence[Entry], *, own: bool, language: str) -> list[TimelineItem]:
    """The entries as they are shown, to the customer themself when `own`. One trip for the items they are about."""
    about = {item_id for entry in entries if (item_id := titles.item_of(entry))}
    known = catalog.items(sorted(about), consistent=False) if about else {}
    names = {item_id: item.title_in(language) for item_id, item in known.items() if not item.hidden}
    return [_shown(entry, names, own=own, language=language) for entry in entries]


def _shown(entry: Entry, names: Mapping[str, str], *, own: bool, language: str) -> TimelineItem:
    details = entry.details
    channel = entry.channel
    if own and entry.trusted:
        visible = WRITTEN_FOR_CUSTOMERS.get(entry.kind, DETAILS_FOR_CUSTOMERS)
        details = {name: value for name, value in details.items() if name in visible}
    elif own:
        # Whoever has a page's key can write anything here; a shop's own page must not say it to a customer.
        item_id = titles.item_of(entry)
        details = {"product_id": item_id} if item_id in names else {}
        channel = channel if channel in CHANNELS else "web"
    return TimelineItem(
        id=entry.entry_id,
        kind=entry.kind,
        channel=channel,
        at=entry.at,
        title=titles.title_of(entry, language, names, plain=own and not entry.trusted),
        trusted=entry.trusted,
        details=details,
    )
