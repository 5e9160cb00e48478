"""What the customer's own page says, in English and Japanese: short sentences, no legal words."""

from __future__ import annotations

from typing import Final

Texts = dict[str, str]

TITLE: Final[Texts] = {"en": "What we know about you", "ja": "お客様について当店が知っていること"}
INTRODUCTION: Final[Texts] = {
    "en": "Everything on this page is about you alone. It says what we know, where it came from and what we use it "
    "for. You can switch each use off here; it counts from the next page you open.",
    "ja": "このページの内容はすべてお客様ご自身に関するものです。当店が知っていること、その出どころ、何に使うかを"
    "示しています。使い道はここで一つずつ止められ、次に開くページから反映されます。",
}

# Purpose -> what it is called, and what it is used for.
PURPOSES: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "analytics": {
        "en": (
            "Counting visits",
            "We count what is looked at and bought, to see which pages work. Nobody looks at your visits one by one.",
        ),
        "ja": (
            "ご利用状況の集計",
            "どのページが役立っているかを知るために、閲覧や購入の数を集計します。お一人ずつの閲覧を追うことはありません。",
        ),
    },
    "personalization": {
        "en": (
            "Choosing what to show you",
            (
                "We use what you looked at and bought to choose products, to put your favourites first and to guess "
                "what you may like. Switched off, you see what everybody sees."
            ),
        ),
        "ja": (
            "お客様に合わせた表示",
            (
                "ご覧になった商品やご購入品をもとに、商品の選定や並び順、お好みの推測を行います。止めると、どなたにも同じ内容が"
                "表示されます。"
            ),
        ),
    },
    "email_marketing": {
        "en": (
            "News and offers by e-mail",
            "We write to you about new things and offers. Mail about your own orders comes in any case.",
        ),
        "ja": (
            "メールでのお知らせ",
            "新商品やお得な情報をメールでお届けします。ご注文に関するメールは、この設定にかかわらずお送りします。",
        ),
    },
    "sms": {
        "en": ("News and offers by text message", "We send short messages to your telephone."),
        "ja": ("SMSでのお知らせ", "新商品やお得な情報をSMSでお届けします。"),
    },
    "push": {
        "en": ("Notices in the app", "Our app shows you news and offers, also while it is closed."),
        "ja": ("アプリの通知", "アプリを閉じている間も、新商品やお得な情報を通知します。"),
    },
    "sensitive_profiling": {
        "en": (
            "Guesses about sensitive things",
            "Only with your yes do we draw conclusions about topics such as health or religion from what you buy.",
        ),
        "ja": (
            "慎重に扱うべき事柄の推測",
            "健康や信条などに関わる推測をご購入品から行うのは、お客様が同意された場合だけです。",
        ),
    },
    "ad_audiences": {
        "en": (
            "Advertising elsewhere",
            "We tell advertising partners, in a form that hides your address, that our adverts may be shown to you.",
        ),
        "ja": (
            "他のサイトでの広告",
            "メールアドレスが分からない形にしたうえで、当店の広告を表示してよい方として広告の提携先に伝えます。",
        ),
    },
}

# Used until the customer says no; every other purpose only after a yes.
USED_UNTIL_WITHDRAWN: Final = frozenset({"analytics", "personalization"})

# Where something came from, by the source that is stored with it.
SOURCES: Final[dict[str, Texts]] = {
    "events": {"en": "from our shop's website or app", "ja": "当店のサイトまたはアプリから"},
    "api": {"en": "entered by our shop", "ja": "当店による入力"},
    "customer": {"en": "you told us yourself", "ja": "お客様ご自身によるご入力"},
    "form": {"en": "you answered our question", "ja": "当店からの質問へのご回答"},
    "visitor": {"en": "typed into a form on one of your devices", "ja": "お客様の端末のフォームへのご入力"},
    "import": {"en": "from our earlier system", "ja": "以前のシステムからの引き継ぎ"},
    "hint": {"en": "typed into a browser, not confirmed", "ja": "確認の取れていないブラウザーでの入力"},
    "question": {"en": "your answer to a question", "ja": "ご質問へのお答えから"},
}
OTHER_SOURCE: Final[Texts] = {"en": "from our shop: {source}", "ja": "当店の記録「{source}」"}

INFERRED: Final[Texts] = {
    "en": "We guess this from your orders; we are {percent}% sure. {number} of them speak for it. Tell us if it is wrong.",
    "ja": "ご注文内容からの推測で、確からしさは{percent}%です。根拠となるご注文は{number}件です。違う場合はお知らせください。",
}
DEVICES: Final[dict[str, Texts]] = {
    "none": {
        "en": "No browser or app is linked to you.",
        "ja": "お客様に結び付けられたブラウザーやアプリはありません。",
    },
    "one": {
        "en": "One browser or app is linked to you.",
        "ja": "1つのブラウザーまたはアプリが結び付けられています。",
    },
    "many": {
        "en": "{number} browsers or apps are linked to you.",
        "ja": "{number}つのブラウザーまたはアプリが結び付けられています。",
    },
}
RIGHTS: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        "Correct anything here: send the right value, or nothing to remove it.",
        "Take a copy of everything with you.",
        "Have everything erased. What the law makes us keep of your orders no longer names you.",
    ),
    "ja": (
        "内容を訂正できます。正しい値をお送りください。空にすると削除されます。",
        "すべての情報の写しを受け取ることができます。",
        "すべての情報を消去できます。法律により保存が必要な注文記録にも、お客様を示す情報は残りません。",
    ),
}
HEADINGS: Final[dict[str, Texts]] = {
    "declared": {"en": "What you or we wrote down", "ja": "ご登録いただいた内容"},
    "inferred": {"en": "What we guess", "ja": "推測していること"},
    "purposes": {"en": "What it is used for", "ja": "使い道"},
    "rights": {"en": "What you can do", "ja": "お客様ができること"},
    "devices": {"en": "Devices", "ja": "端末"},
}
STATUSES: Final[dict[str, Texts]] = {
    "granted": {"en": "you said yes", "ja": "同意済み"},
    "withdrawn": {"en": "you said no", "ja": "停止中"},
    "not_asked": {"en": "you have not been asked", "ja": "未回答"},
}
