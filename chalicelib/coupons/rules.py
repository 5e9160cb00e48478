"""Which items a coupon is for, pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chalicelib.coupons.model import Coupon


def is_for(coupon: Coupon, item_ids: Iterable[str], categories: Mapping[str, Iterable[str]]) -> bool:
    """Whether a coupon is for any of these items; `categories` are theirs, by item."""
    if not coupon.item_ids and not coupon.category:
        return True
    return any(
        item_id in coupon.item_ids or _below(categories.get(item_id, ()), coupon.category)
        for item_id in item_ids
    )


def _below(paths: Iterable[str], category: str | None) -> bool:
    return category is not None and any(path == category or path.startswith(f"{category}/") for path in paths)
