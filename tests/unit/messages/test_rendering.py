"""Mails say the same in both parts and languages, and what a customer typed stays text."""

from __future__ import annotations

import itertools
import re
import string
import tomllib
from datetime import date

import pytest

from chalicelib.messages import render, rules, service
from chalicelib.messages.model import Message, MessageClass
from chalicelib.orders.model import Status

URL = "https://shop.example.com/u/abc.def"
STATUSES = [status.value for status in Status if status is not Status.PENDING]
HOSTILE = [
    "x\r\nBcc: victim@example.com",
    "x\nSubject: free",
    "{{ 7 * 7 }}",
    "{% for x in range(10**9) %}{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u2028\u2029\x00\x1b[31m",
    "\u202etxet desrever",
    "名前" * 200,
]


def news(status: str = "delivered", **values: str) -> Message:
    given = {
        "order_id": "o1",
        "tracking_number": "1234-5678-9012",
        "link": "https://carrier.example.com/?a=1&b=2",
    }
    both = {"carrier": "ヤマト運輸", "expected": "2026年12月20日"}
    return Message(
        "u1",
        "k",
        "shipment",
        MessageClass.TRANSACTIONAL,
        "c",
        status,
        given | values,
        {"en": both, "ja": both},
    )


def promotion(**values: str) -> Message:
    return Message("u1", "k", "welcome", MessageClass.PROMOTIONAL, "c", values=values)


@pytest.mark.parametrize(("status", "language"), list(itertools.product(STATUSES, ("en", "ja"))))
def test_every_status_has_words_in_both_languages(environment: None, status: str, language: str) -> None:
    mail = render.mail(news(status), to="a@example.com", name="花子", language=language)

    assert "o1" in mail.subject
    for part in (mail.text, mail.html):
        assert "花子" in part
        assert "1234-5678-9012" in part
        assert "1-1 Chiyoda" in part
    assert "https://carrier.example.com/?a=1&b=2" in mail.text
    assert 'href="https://carrier.example.com/?a=1&amp;b=2"' in mail.html
    assert f'<html lang="{language}">' in mail.html
    assert mail.headers == {}
    assert "unsubscribe" not in (mail.text + mail.html).lower()


def test_both_languages_say_the_same_things() -> None:
    names = {path.name.split(".")[0] for path in render.TEMPLATES.glob("*.toml")}
    for name in names:
        english, japanese = (
            tomllib.loads((render.TEMPLATES / f"{name}.{language}.toml").read_text("utf-8"))
            for language in ("en", "ja")
        )

        assert shape(english) == shape(japanese), name
    assert names == {"birthday", "common", "shipment", "unsubscribe", "welcome"}


def shape(words: object) -> object:
    return {key: shape(value) for key, value in words.items()} if isinstance(words, dict) else type(words)


def test_the_subject_holds_no_private_fact(environment: None) -> None:
    for status in STATUSES:
        mail = render.mail(news(status), to="a@example.com", name="Hana", language="en")

        assert "Hana" not in mail.subject
        assert "Yamato" not in mail.subject
        assert "1234" not in mail.subject


def test_nobody_is_greeted_by_no_name(environment: None) -> None:
    assert render.mail(news(), to="a@example.com", name=None, language="en").text.startswith("Hello,\n")
    assert render.mail(news(), to="a@example.com", name=None, language="ja").text.startswith("お客様\n")
    assert render.mail(news(), to="a@example.com", name="花子", language="ja").text.startswith("花子 様\n")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_customer_typed_stays_text(environment: None, hostile: str) -> None:
    for field in ("name", "order_id", "tracking_number"):
        values = {} if field == "name" else {field: hostile}
        name = hostile if field == "name" else "Hana"
        mail = render.mail(news(**values), to="a@example.com", name=name, language="en")

        assert len(mail.subject.splitlines()) == 1
        assert len(mail.subject) <= render.VALUE_LENGTH_MAX
        assert mail.subject.isprintable()
        assert "<script>" not in mail.html
        assert "<img" not in mail.html
        assert "49" not in mail.text
        assert "Bcc" not in [line.partition(":")[0] for line in mail.text.splitlines()]
        assert mail.headers == {}


def test_templates_see_strings_only_and_nothing_of_python(environment: None) -> None:
    """A template of ours that reached for more would be refused by the sandbox."""
    from jinja2.exceptions import SecurityError

    with pytest.raises(SecurityError):
        render._environment().from_string("{{ ''.__class__.__mro__ }}").render()


def test_a_promotional_mail_shows_the_way_out_in_every_form(environment: None) -> None:
    for language in ("en", "ja"):
        mail = render.mail(
            promotion(), to="a@example.com", name="花子", language=language, unsubscribe_url=URL
        )

        assert mail.headers == {
            "List-Unsubscribe": f"<{URL}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-ID": "<email-marketing.example.com>",
        }
        for part in (mail.text, mail.html):
            assert URL in part
            assert "Kokyaku Demo Shop" in part
            assert "1-1 Chiyoda, Tokyo 100-0001" in part
            assert "help@example.com" in part
    assert (
        "広告" in mail.text
    )  # rule 9 wants the sender, the address, the complaints' address and the way out
    assert "苦情" in mail.text


def test_a_promotional_mail_without_a_way_out_is_our_bug(environment: None) -> None:
    with pytest.raises(AssertionError):
        render.mail(promotion(), to="a@example.com", name=None, language="en")
    with pytest.raises(AssertionError):
        render.mail(news(), to="a@example.com", name=None, language="en", unsubscribe_url=URL)


def test_the_html_part_loads_nothing(environment: None) -> None:
    """No picture, script or style from elsewhere: nothing to block, nothing that tells on the reader."""
    mail = render.mail(promotion(), to="a@example.com", name=None, language="ja", unsubscribe_url=URL)

    assert not re.search(r"<(img|script|link|iframe|form)\b|url\(", mail.html)
    assert set(re.findall(r'href="([^"]*)"', mail.html)) == {URL}


def test_windows_are_written_as_people_do() -> None:
    first, last = date(2026, 12, 20), date(2027, 1, 4)

    assert rules.window_text(first, last, "en") == "20 December 2026 to 4 January 2027"
    assert rules.window_text(first, last, "ja") == "2026年12月20日〜2027年1月4日"
    assert rules.window_text(first, first, "en") == "20 December 2026"


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("JA_jp", "ja"),
        ("en-GB", "en"),
        ("jam", "en"),
        ("fr", "en"),
        (None, "en"),
    ],
)
def test_japanese_goes_to_those_who_read_it(locale: str | None, language: str) -> None:
    assert rules.language_of(locale) == language


@pytest.mark.parametrize(
    ("address", "usable"),
    [
        ("hana@example.com", True),
        ("h.a-n+a_1@mail.example.co.jp", True),
        (None, False),
        ("", False),
        ("hana", False),
        ("hana@localhost", False),
        ("hana@example.com\r\nBcc: x@example.com", False),
        ("hana@example.com, x@example.com", False),
        ("Hana <hana@example.com>", False),
        ("花子@example.com", False),
        ("a" * 65 + "@example.com", False),
        ("hana@" + "a" * 250 + ".com", False),
        ("hana@-example.com", False),
    ],
)
def test_an_address_is_one_plain_address_or_none(address: str | None, usable: bool) -> None:
    assert rules.is_usable(address) is usable


@pytest.mark.parametrize(
    "name",
    [
        "http://evil.example",
        "Win at evil.com",
        "www.evil",
        "a@b",
        "x\\y",
        "line/feed",
        "казино.рф",
        "evil.中国",
        "evil\uff0ecom",
        "evil。com",
        "http:\uff0f\uff0fevil。example",
        "Call 0900-1234567",
        "Buy now at our new shop",
        "x" * 41,
    ],
)
def test_a_name_that_carries_a_link_is_not_said(name: str) -> None:
    assert rules.name_shown(name) == ""


@pytest.mark.parametrize(
    "name",
    ["Hana", "佐藤 花子", "ジャン・リュック", "मोहन", "نور الدين", "J. R. Smith", "O'Neil-Åberg", "Jr."],
)
def test_a_name_is_a_name(name: str) -> None:
    assert rules.name_shown(name) == name


def test_one_line_is_one_short_printable_line() -> None:
    assert render.one_line(" a\r\n\tb \u2028 c ") == "a b c"
    assert render.one_line("x" * 500, 10) == "x" * 9 + "…"
    assert set(render.one_line(string.printable)) <= set(string.printable)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("letter", ["x", "é", "子"])
def test_the_way_out_fits_into_a_header_for_the_longest_id(
    letter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SES takes 870 characters in the value of a header (API reference, MessageHeader)."""
    from chalicelib.messages import service
    from chalicelib.messages.model import Message, MessageClass, Status
    from chalicelib.shared import clock
    from chalicelib.shared.config import config

    monkeypatch.setenv(
        "KOKYAKU_PUBLIC_URL", "https://abcdefghij.execute-api.ap-northeast-1.amazonaws.com/api"
    )
    config.cache_clear()
    message = Message(
        letter * 128, "campaign:welcome", "welcome", MessageClass.PROMOTIONAL, "campaign_welcome"
    )
    now = clock.now()
    way_out = service._way_out(service._record(message, Status.CLAIMED, now=now), now)

    assert len(f"<{way_out}>") <= 870
    assert service.customer_of(way_out.rpartition("/")[2], now=now) == letter * 128


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(("points", "code"), [("300", ""), ("", "K7Q2M8RT"), ("300", "K7Q2M8RT")])
def test_a_birthday_mail_names_what_is_given_and_nothing_else(
    environment: None, language: str, points: str, code: str
) -> None:
    values = {
        "points": points,
        "code": code,
        "title.en": "A cake",
        "title.ja": "ケーキ",
        "until_on": "2027-03-29",
    }
    nothing = {"title.en": "", "title.ja": "", "until_on": "", "until": "", "title": ""}
    message = service.promotion(
        "u1", "birthday", template="birthday", which="2027", values=values if code else values | nothing
    )

    mail = render.mail(message, to="a@example.com", name="花子", language=language, unsubscribe_url=URL)

    title, until = {"en": ("A cake", "29 March 2027"), "ja": ("ケーキ", "2027年3月29日")}[language]
    assert message.send_key == "campaign:birthday:2027"
    for part in (mail.text, mail.html):
        assert ("300" in part) == bool(points)
        assert [each in part for each in ("K7Q2M8RT", title, until)] == [bool(code)] * 3
    assert "300" not in mail.subject
    assert "K7Q2M8RT" not in mail.subject
