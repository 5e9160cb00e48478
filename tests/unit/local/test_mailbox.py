"""The mailbox keeps what SES took, in either form in which it can be sent."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.shared import aws as clients
from chalicelib.shared.config import config
from local import pages
from local.mailbox import Mailbox

EVIL = '"><script>alert(1)</script>'


@pytest.fixture
def mailbox(aws: Any, tmp_path: Path) -> Mailbox:
    mailbox = Mailbox(tmp_path / "mailbox.jsonl")
    mailbox.listen()
    return mailbox


def send(content: dict[str, Any], to: str = "ada@example.com", **more: Any) -> None:
    clients.client("sesv2").send_email(
        FromEmailAddress=config().mail_from, Destination={"ToAddresses": [to]}, Content=content, **more
    )


def simple(subject: str = "Hello") -> dict[str, Any]:
    return {
        "Simple": {
            "Subject": {"Data": subject},
            "Body": {"Html": {"Data": "<p>ようこそ</p>"}, "Text": {"Data": "ようこそ"}},
            "Headers": [
                {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
                {"Name": "X-Kokyaku-Reason", "Value": "welcome, one day after sign-up"},
            ],
        }
    }


def raw() -> dict[str, Any]:
    message = EmailMessage()
    message["Subject"] = "ようこそ"
    message["To"] = "ada@example.com"
    message["From"] = config().mail_from
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["X-Kokyaku-Reason"] = "welcome, one day after sign-up"
    message.set_content("ようこそ")
    message.add_alternative("<p>ようこそ</p>", subtype="html")
    return {"Raw": {"Data": message.as_bytes()}}


@pytest.mark.parametrize("content", [simple, raw])
def test_a_mail_is_kept_with_its_headers(mailbox: Mailbox, content: Any):
    send(content())
    [mail] = mailbox.mails()
    assert mail["to"] == "ada@example.com"
    assert mail["from"] == config().mail_from
    assert mail["html"].strip() == "<p>ようこそ</p>"
    assert mail["text"].strip() == "ようこそ"
    assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["reason"] == "welcome, one day after sign-up"
    assert mail["sent_at"].endswith("Z")


def test_the_newest_is_first_and_one_address_can_be_asked_for(mailbox: Mailbox):
    send(simple("one"))
    send(simple("two"), to="bob@example.com")
    send(simple("three"))
    assert [mail["subject"] for mail in mailbox.mails()] == ["three", "two", "one"]
    assert [mail["subject"] for mail in mailbox.mails("ada@example.com")] == ["three", "one"]
    assert mailbox.mails("da@example.com") == []


def test_what_ses_refused_is_not_in_it(mailbox: Mailbox):
    with pytest.raises(ClientError):
        clients.client("sesv2").send_email(
            FromEmailAddress="stranger@elsewhere.example",
            Destination={"ToAddresses": ["ada@example.com"]},
            Content=simple(),
        )
    assert mailbox.mails() == []


def test_mails_are_there_after_a_restart(mailbox: Mailbox, tmp_path: Path):
    send(simple("kept"))
    assert Mailbox(tmp_path / "mailbox.jsonl").mails() == mailbox.mails()


def test_the_page_shows_mails_and_runs_nothing_of_theirs(mailbox: Mailbox):
    content = simple(f"Hello {EVIL}")
    content["Simple"]["Body"]["Html"]["Data"] = f"<p>{EVIL}</p>"
    content["Simple"]["Body"]["Text"]["Data"] = EVIL
    content["Simple"]["Headers"].append({"Name": "X-Evil", "Value": EVIL})
    send(content)
    page = pages.mailbox(mailbox.mails())
    assert "<script>" not in page
    assert page.count("<iframe") == 1
    assert "to ada@example.com" in page
    assert "allow-scripts" not in page
    assert "allow-same-origin" not in page
