"""The local mailbox: every mail that the embedded SES took, as it was given to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from chalicelib.shared import aws, clock

REASON = "X-Kokyaku-Reason"  # why a mail was sent, for people; also as an SES tag of this name without `X-`

Mail = dict[str, Any]


class Mailbox:
    """Mails in the order in which they were sent, kept in one file of JSON lines.

    The emulator forgets headers and, when it stops, everything; so this listens where the service calls SES and
    keeps what SES answered with success.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        self._mails: list[Mail] = [json.loads(line) for line in lines if line.strip()]

    def listen(self) -> None:
        """Keep what this process sends from now on."""
        events = aws.client("sesv2").meta.events
        events.register("provide-client-params.sesv2.SendEmail", _remember)
        events.register("response-received.sesv2.SendEmail", self._keep)

    def mails(self, to: str | None = None) -> list[Mail]:
        """Newest first; `to` keeps those to one address."""
        with self._lock:
            return [mail for mail in reversed(self._mails) if to is None or to in mail["to"].split(", ")]

    def _keep(
        self, response_dict: Mapping[str, Any], parsed_response: Mapping[str, Any], context: Any, **_: Any
    ) -> None:
        if response_dict["status_code"] != 200:
            return
        mail = _mail(context[_PARAMETERS], parsed_response["MessageId"])
        with self._lock:
            self._mails.append(mail)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(mail, ensure_ascii=False) + "\n")


_PARAMETERS = "kokyaku_parameters"


def _remember(params: Mapping[str, Any], context: Any, **_: Any) -> None:
    context[_PARAMETERS] = params


def _mail(sent: Mapping[str, Any], message_id: str) -> Mail:
    content = sent["Content"]
    letter = _of_raw(content["Raw"]["Data"]) if "Raw" in content else _of_simple(content["Simple"])
    destination = sent.get("Destination", {})
    to = [address for kind in ("To", "Cc", "Bcc") for address in destination.get(f"{kind}Addresses", [])]
    tags = {tag["Name"]: tag["Value"] for tag in sent.get("EmailTags", [])}
    headers = letter["headers"]
    return {
        "message_id": message_id,
        "to": ", ".join(to) or headers.get("To", ""),
        "from": sent.get("FromEmailAddress") or headers.get("From", ""),
        **letter,
        "tags": tags,
        "sent_at": clock.to_text(clock.now()),
        "reason": headers.get(REASON) or tags.get(REASON) or tags.get("reason"),
    }


def _of_simple(simple: Mapping[str, Any]) -> Mail:
    body = simple["Body"]
    return {
        "subject": simple["Subject"]["Data"],
        "html": body.get("Html", {}).get("Data"),
        "text": body.get("Text", {}).get("Data"),
        "headers": {header["Name"]: header["Value"] for header in simple.get("Headers", [])},
    }


def _of_raw(data: bytes) -> Mail:
    message = message_from_bytes(data, EmailMessage, policy=policy.default)
    return {
        "subject": str(message["Subject"] or ""),
        "html": _part(message, "html"),
        "text": _part(message, "plain"),
        "headers": {name: str(value) for name, value in message.items()},
    }


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    return None if part is None else str(part.get_content())
