"""Makes a mail of a message: words by language, values that are never read as words, one layout.

Words are TOML files in `templates/`, `{template}.{language}.toml`; their texts are Jinja templates of one
line. They are rendered as plain text and only then set into `mail.html`, which escapes, and `mail.txt`; so
both parts say the same, and nothing a customer calls themself becomes markup, a template or a header.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib.messages.model import Mail, Message, MessageClass
from chalicelib.shared.config import config

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment

TEMPLATES = Path(__file__).with_name("templates")
VALUE_LENGTH_MAX = 300
NAME_LENGTH_MAX = 80
LIST_NAME = "email-marketing"


def mail(message: Message, *, to: str, name: str | None, language: str, unsubscribe_url: str = "") -> Mail:
    """Render a message for one person in `ja` or `en`; promotional ones need the address of their way out."""
    is_promotional = message.message_class is MessageClass.PROMOTIONAL
    assert bool(unsubscribe_url) == is_promotional, "a promotional mail, and no other, shows the way out"

    words, common = _words(message.template, language), _words("common", language)
    values = {**message.values, **message.in_language.get(language, {})}
    said = _words_of_shop() | {key: one_line(value) for key, value in values.items()}
    said["name"] = one_line(name or "", NAME_LENGTH_MAX)
    subject = one_line(_say(words[message.section]["subject"], said))
    letter = {
        "language": language,
        "subject": subject,
        "greeting": _say(common["greeting"], said),
        "heading": _say(words[message.section]["heading"], said),
        "paragraphs": [_say(each, said) for each in words[message.section]["paragraphs"]],
        "facts": [(label, said[key]) for key, label in words.get("facts", {}).items() if said.get(key)],
        "link": {"url": said.get("link", ""), "label": words.get("link", "")},
        "why": _say(common["why"][message.message_class.value], said),
        "sender": [_say(each, said) for each in common["sender"]],
        "way_out": {"url": unsubscribe_url, "label": common["way_out"], "says": common["may_stop"]},
    }
    return Mail(
        to=to,
        subject=subject,
        text=_environment().get_template("mail.txt").render(letter),
        html=_environment().get_template("mail.html").render(letter),
        headers=_list_headers(unsubscribe_url) if is_promotional else {},
    )


def page(section: str, *, language: str) -> str:
    """One of our own small web pages: `ask`, `done` or `unknown` of the way out, as HTML."""
    words = _words("unsubscribe", language)[section]
    said = {key: _say(text, _words_of_shop()) for key, text in words.items()}
    return _environment().get_template("page.html").render(language=language, **said)


def one_line(value: str, length_max: int = VALUE_LENGTH_MAX) -> str:
    """Text without line breaks or control characters, at most so long: safe as a header."""
    printable = "".join(character if character.isprintable() else " " for character in value)
    text = " ".join(printable.split())
    return text if len(text) <= length_max else text[: length_max - 1] + "…"


def _list_headers(unsubscribe_url: str) -> dict[str, str]:
    """RFC 8058 and RFC 2919: one click, by POST, without anybody asking who it was."""
    host = config().mail_from.rpartition("@")[2]
    return {
        "List-Unsubscribe": f"<{unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-ID": f"<{LIST_NAME}.{host}>",
    }


def _words_of_shop() -> dict[str, str]:
    shop = config()
    return {
        "shop": one_line(shop.shop_name),
        "address": one_line(shop.shop_address),
        "contact": one_line(shop.shop_contact),
    }


def _say(text: str, said: Mapping[str, str]) -> str:
    return _sentence(text).render(said)


@cache
def _sentence(text: str) -> Template:
    return _environment().from_string(text)


@cache
def _words(template: str, language: str) -> dict[str, Any]:
    import tomllib  # only functions that send pay for these imports

    return tomllib.loads((TEMPLATES / f"{template}.{language}.toml").read_text("utf-8"))


@cache
def _environment() -> SandboxedEnvironment:
    from jinja2 import FileSystemLoader, StrictUndefined, select_autoescape
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"], default_for_string=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
