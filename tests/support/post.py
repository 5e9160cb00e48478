"""What SES was asked to send, and people to send it to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.ses.models import ses_backends

from chalicelib.customers import service as customers
from chalicelib.shared import aws as clients

JOINED = datetime(2026, 11, 1, tzinfo=UTC)


class Post:
    """`asked` is every request for SES as it was made; `count` how many mails SES has sent of them."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        clients.client("sesv2").meta.events.register("provide-client-params.sesv2.SendEmail", self._remember)

    def to(self, address: str) -> list[dict[str, Any]]:
        """Those for one address."""
        return [mail for mail in self.asked if mail["Destination"]["ToAddresses"] == [address]]

    def count(self) -> int:
        """How many mails moto's SES has sent, whatever its caller heard."""
        return len(ses_backends["123456789012"]["ap-northeast-1"].sent_messages)

    def _remember(self, params: dict[str, Any], **_: Any) -> None:
        self.asked.append(params)


def person(
    customer_id: str,
    *,
    email: str | None = None,
    name: str = "Hana",
    locale: str = "en-GB",
    agrees: bool | None = True,
) -> str:
    """Bring a customer along; returns their address."""
    address = f"{customer_id}@example.com" if email is None else email
    record = {
        "customer_id": customer_id,
        "created_at": JOINED,
        "traits": {"name": name} | ({"email": address} if address else {}),
        "locale": locale,
        "consents": {} if agrees is None else {"email_marketing": agrees},
    }
    customers.import_customers([record], now=JOINED)
    return address
