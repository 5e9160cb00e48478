"""One line for people about each entry of the timeline, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from chalicelib.activity.model import Entry

NAME_LENGTH_MAX = 120

# `{name}` is what the entry is about; the second text is for when nothing names it.
TITLES: dict[str, dict[str, tuple[str, str]]] = {
    "view": {"en": ("Viewed {name}", "Viewed a product"), "ja": ("{name} を見ました", "商品を見ました")},
    "list_view": {"en": ("Viewed the list {name}", "Viewed a list"), "ja": ("{name} の一覧を見ました", "一覧を見ました")},
    "click": {"en": ("Opened {name}", "Opened a product"), "ja": ("{name} を開きました", "商品を開きました")},
    "cart": {
        "en": ("Put {name} into the cart", "Put something into the cart"),
        "ja": ("{name} をカートに入れました", "カートに入れました"),
    },
    "cart_removed": {
        "en": ("Took {name} out of the cart", "Took something out of the cart"),
        "ja": ("{name} をカートから出しました", "カートから出しました"),
    },
    "cart_viewed": {"en": ("Looked into the cart",) * 2, "ja": ("カートを見ました",) * 2},
    "checkout": {"en": ("Went on with the checkout",) * 2, "ja": ("購入手続きを進めました",) * 2},
    "order": {"en": ("Ordered {name}", "Ordered"), "ja": ("{name} を注文しました", "注文しました")},
    "order_claimed": {
        "en": ("Ordered {name} · unconfirmed", "Ordered · unconfirmed"),
        "ja": ("{name} を注文しました · 未確認", "注文しました · 未確認"),
    },
    "order_change_claimed": {
        "en": ("Order {name} changed · unconfirmed", "Order changed · unconfirmed"),
        "ja": ("注文 {name} の変更 · 未確認", "注文の変更 · 未確認"),
    },
    "order_updated": {"en": ("Changed order {name}", "Changed an order"), "ja": ("注文 {name} の変更", "注文の変更")},
    "order_cancelled": {
        "en": ("Cancelled order {name}", "Cancelled an order"),
        "ja": ("注文 {name} の取り消し", "注文の取り消し"),
    },
    "order_refunded": {"en": ("Refund for order {name}", "Refund"), "ja": ("注文 {name} の返金", "返金")},
    "wishlist": {"en": ("Saved {name} for later", "Saved a product for later"), "ja": ("{name} を保存しました", "商品を保存しました")},
    "wishlist_removed": {
        "en": ("No longer saves {name}", "No longer saves a product"),
        "ja": ("{name} の保存をやめました", "商品の保存をやめました"),
    },
    "search": {"en": ("Searched for {name}", "Searched"), "ja": ("{name} を検索しました", "検索しました")},
    "promotion": {"en": ("Saw the promotion {name}", "Saw a promotion"), "ja": ("キャンペーン {name}", "キャンペーン")},
    "coupon": {"en": ("Coupon {name}", "Coupon"), "ja": ("クーポン {name}", "クーポン")},
    "share": {"en": ("Shared {name}", "Shared something"), "ja": ("{name} を共有しました", "共有しました")},
    "review": {"en": ("Reviewed {name}", "Wrote a review"), "ja": ("{name} のレビュー", "レビュー")},
    "experiment": {"en": ("Took part in {name}", "Took part in an experiment"), "ja": ("実験 {name}", "実験")},
    "page": {"en": ("Visited {name}", "Visited a page"), "ja": ("{name} のページ", "ページの閲覧")},
    "screen": {"en": ("Opened the screen {name}", "Opened a screen"), "ja": ("{name} の画面", "画面の閲覧")},
    "identify": {"en": ("Said who they are",) * 2, "ja": ("本人の情報",) * 2},
    "group": {"en": ("Belongs to {name}", "Belongs to a group"), "ja": ("{name} に所属", "所属")},
    "alias": {"en": ("Was seen before under another id",) * 2, "ja": ("以前の訪問との統合",) * 2},
    "delivery": {"en": ("Delivery: {name}", "Delivery"), "ja": ("配送: {name}", "配送")},
    "points": {"en": ("Earned {name} points", "Earned points"), "ja": ("{name} ポイント獲得", "ポイント獲得")},
    "points_confirmed": {
        "en": ("{name} points can be used now", "Points can be used now"),
        "ja": ("{name} ポイントが利用可能になりました", "ポイントが利用可能になりました"),
    },
    "points_redeemed": {"en": ("Used {name} points", "Used points"), "ja": ("{name} ポイント利用", "ポイント利用")},
    "points_reversed": {
        "en": ("{name} points were taken back", "Points were taken back"),
        "ja": ("{name} ポイント取り消し", "ポイント取り消し"),
    },
    "points_expiring": {
        "en": ("{name} points expire soon", "Points expire soon"),
        "ja": ("{name} ポイントがまもなく失効します", "ポイントがまもなく失効します"),
    },
    "points_expired": {"en": ("{name} points expired", "Points expired"), "ja": ("{name} ポイント失効", "ポイント失効")},
    "tier": {"en": ("Reached the tier {name}", "Has no tier any more"), "ja": ("会員ランク: {name}", "会員ランクなし")},
    "message": {"en": ("Was sent {name}", "Was sent a message"), "ja": ("メッセージ: {name}", "メッセージ")},
    "note": {"en": ("Note: {name}", "Note"), "ja": ("メモ: {name}", "メモ")},
    "project": {"en": ("Began the project {name}", "Began a project"), "ja": ("プロジェクト {name} を始めました", "プロジェクトを始めました")},
    "complaint": {"en": ("Made a complaint",) * 2, "ja": ("ご意見をいただきました",) * 2},
    "complaint_resolved": {"en": ("A complaint was resolved",) * 2, "ja": ("ご意見への対応が完了しました",) * 2},
    "satisfaction": {"en": ("Gave a score of {name}", "Gave a score"), "ja": ("満足度 {name} の評価", "満足度の評価")},
    "event": {"en": ("{name}",) * 2, "ja": ("{name}",) * 2},
}  # fmt: skip


# Where the names of other kinds are found among their details.
NAMES: dict[str, tuple[str, ...]] = {
    "list_view": ("category", "list_id", "item_list_name"),
    "order_change_claimed": ("order_id",),
    "order_updated": ("order_id",),
    "order_cancelled": ("order_id",),
    "order_refunded": ("order_id",),
    "search": ("query",),
    "coupon": ("coupon", "coupon_name", "coupon_id"),
    "promotion": ("name", "promotion_name", "promotion_id", "creative"),
    "experiment": ("experiment_name", "experiment_id"),
    "page": ("name", "title", "path", "url"),
    "screen": ("name",),
    "group": ("name", "group_id"),
    "delivery": ("status",),
    **dict.fromkeys(
        (
            "points",
            "points_confirmed",
            "points_redeemed",
            "points_reversed",
            "points_expiring",
            "points_expired",
        ),
        ("points",),
    ),
    "tier": ("tier",),
    "message": ("template",),
    "note": ("text",),
    "project": ("title",),
    "satisfaction": ("score",),
}
WITHOUT_ITEM = frozenset({"event", "order", "order_claimed", *NAMES})


def title_of(
    entry: Entry, language: str, items: Mapping[str, str] = MappingProxyType({}), *, plain: bool = False
) -> str:
    """What happened, in one line; `language` is `en` or `ja`, `items` the names of those that are known.

    A `plain` one holds no word of the sender's.
    """
    named, unnamed = TITLES[entry.kind]["ja" if language == "ja" else "en"]
    name = items.get(item_of(entry) or "") or ("" if plain else _name_of(entry, language))
    return named.format(name=name) if name else unnamed


def item_of(entry: Entry) -> str | None:
    """The item that a title is about, if it is about one."""
    return entry.item_ids[0] if entry.item_ids and entry.kind not in WITHOUT_ITEM else None


def _name_of(entry: Entry, language: str) -> str:
    details = entry.details
    if entry.kind == "event":
        return entry.event
    if entry.kind in ("order", "order_claimed"):
        return _items(details, language)
    named = NAMES.get(entry.kind)
    if named is None:
        return _product(entry)
    name = _first(details.get("traits"), named) or _first(details, named)
    return name.replace("_", " ") if entry.kind in ("delivery", "message") else name


def _product(entry: Entry) -> str:
    products = entry.details.get("products")
    first = products[0] if isinstance(products, list) and products else None
    names = ("name", "item_name", "title")
    return (
        _first(entry.details, names) or _first(first, names) or (entry.item_ids[0] if entry.item_ids else "")
    )


def _items(details: Mapping[str, Any], language: str) -> str:
    count = sum(line["quantity"] for line in details.get("lines", ()))
    if not count:
        return ""
    if language == "ja":
        return f"商品{count}点"
    return f"{count} item" if count == 1 else f"{count} items"


def _first(values: Any, names: tuple[str, ...]) -> str:
    if isinstance(values, dict):
        for name in names:
            value = values.get(name)
            if isinstance(value, int | str) and not isinstance(value, bool) and str(value).strip():
                return " ".join(str(value).split())[:NAME_LENGTH_MAX]
    return ""
