"""What reasons say to a customer, in English and Japanese."""

from __future__ import annotations

from chalicelib.recommendations.model import Reason

# By code: with the other item's title, without it (it is gone or hidden), and counted once or more often.
TEXTS = {
    "en": {
        "bought_before": "You bought this before",
        "bought_before.many": "You have bought this {count} times",
        "bought_together": "Goes with something you bought",
        "bought_together.about": "Because you bought {title}",
        "bought_together.one": "Bought together once",
        "bought_together.many": "Bought together {count} times",
        "similar_customers": "Customers with a basket like yours bought this too",
        "similar_customers.about": "Customers who bought {title} bought this too",
        "next": "Often bought next",
        "next.about": "Often bought after {title}",
        "viewed_together": "Often looked at with this",
        "viewed_together.one": "Looked at together once",
        "viewed_together.many": "Looked at together {count} times",
        "viewed_often": "Looked at once in the last {days} days",
        "viewed_often.many": "Looked at {count} times in the last {days} days",
        "viewed": "You looked at this lately",
        "viewed.about": "Because you looked at {title}",
        "in_cart": "It is in your cart",
        "in_cart.about": "Goes with {title} in your cart",
        "recent_activity": "Picked from what you did here lately",
        "same_category": "More from {category}",
        "popular": "Bought once in the last {days} days",
        "popular.many": "Bought {count} times in the last {days} days",
        "newest": "New in the shop",
        "content_watched": "Goes with something you looked at",
        "content_watched.about": "Goes with “{title}”, which you looked at",
        "for_owned": "About something you own",
        "for_owned.about": "About {title}",
        "featured": "Picked by the shop",
        "as_given": "In the order it came in",
        "unknown_item": "Not in the catalogue",
    },
    "ja": {
        "bought_before": "以前にお買い上げいただいた品です",
        "bought_before.many": "これまでに{count}回お買い上げいただいた品です",
        "bought_together": "お買い上げの品と一緒に選ばれています",
        "bought_together.about": "「{title}」をお買い上げになった方へ",
        "bought_together.one": "一緒に1回購入されています",
        "bought_together.many": "一緒に{count}回購入されています",
        "similar_customers": "お買い物の好みが近い方が選んでいます",
        "similar_customers.about": "「{title}」を買った方はこちらも買っています",
        "next": "次によく買われています",
        "next.about": "「{title}」の次によく買われています",
        "viewed_together": "一緒によく見られています",
        "viewed_together.one": "一緒に1回見られています",
        "viewed_together.many": "一緒に{count}回見られています",
        "viewed_often": "この{days}日間に1回見られています",
        "viewed_often.many": "この{days}日間に{count}回見られています",
        "viewed": "最近ご覧になった品です",
        "viewed.about": "「{title}」をご覧になった方へ",
        "in_cart": "カートに入っています",
        "in_cart.about": "カートの「{title}」とご一緒に",
        "recent_activity": "最近のご利用に合わせて選びました",
        "same_category": "{category}から",
        "popular": "この{days}日間に1回購入されています",
        "popular.many": "この{days}日間に{count}回購入されています",
        "newest": "新着です",
        "content_watched": "ご覧になった内容に合う品です",
        "content_watched.about": "「{title}」をご覧になった方へ",
        "for_owned": "お持ちの品についてのご案内です",
        "for_owned.about": "「{title}」についてのご案内です",
        "featured": "当店のおすすめです",
        "as_given": "ご指定の順です",
        "unknown_item": "カタログにない品です",
    },
}


def text(reason: Reason, language: str, title: str | None) -> str:
    """One sentence for `ja` or `en`; `title` is that of the item the reason is about, None when it cannot be named."""
    texts = TEXTS[language]
    return texts[_form(reason, title, texts)].format(
        title=title, count=reason.count, days=reason.days, category=reason.category
    )


def _form(reason: Reason, title: str | None, texts: dict[str, str]) -> str:
    counted = None if reason.count is None else ("one" if reason.count == 1 else "many")
    for form in (counted, "about" if title is not None else None):
        if form and f"{reason.code}.{form}" in texts:
            return f"{reason.code}.{form}"
    return reason.code
