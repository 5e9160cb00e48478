"""The welcome mail and the way out of it, on the running shop's clock."""

from __future__ import annotations

import re
import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.shop import Shop

MULTIPART = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
DAY_LATER = timedelta(days=1, minutes=5)


def identify(shop: Shop, customer_id: str, *, agrees: bool, locale: str = "ja-JP") -> None:
    event = {
        "userId": customer_id,
        "messageId": uuid.uuid4().hex,
        "traits": {"email": f"{customer_id}@example.com", "name": "花子", "locale": locale},
        "context": {"locale": locale, "consent": {"categoryPreferences": {"email_marketing": agrees}}},
    }
    assert shop.post("/v1/identify", event).status_code == 200


def later(shop: Shop, by: timedelta) -> None:
    shop.clock((datetime.now(UTC) + by).isoformat())


def consent(shop: Shop, customer_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = shop.get(f"/v1/customers/{customer_id}").json()["consents"]["email_marketing"]
    return answer


@pytest.fixture
def welcomed(real_time: Shop) -> tuple[str, dict[str, Any]]:
    """A customer a day after sign-up, and the mail they got."""
    customer_id = uuid.uuid4().hex[:10]
    identify(real_time, customer_id, agrees=True)
    real_time.idle()
    later(real_time, DAY_LATER)
    real_time.run_schedule("campaigns_tick")
    [mail] = real_time.mails(f"{customer_id}@example.com")
    return customer_id, mail


def test_ten_runs_at_once_send_one_welcome_to_who_agreed_and_none_to_others(real_time: Shop):
    shop = real_time
    agreed, refused = uuid.uuid4().hex[:10], uuid.uuid4().hex[:10]
    identify(shop, agreed, agrees=True)
    identify(shop, refused, agrees=False)
    shop.idle()
    shop.run_schedule("campaigns_tick")
    assert shop.mails(f"{agreed}@example.com") == []

    later(shop, DAY_LATER)
    runs = [threading.Thread(target=shop.run_schedule, args=("campaigns_tick",)) for _ in range(10)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    shop.idle()

    assert [mail["reason"] for mail in shop.mails(f"{agreed}@example.com")] == ["campaign_welcome"]
    assert shop.mails(f"{refused}@example.com") == []
    [message] = shop.get(f"/v1/customers/{refused}/messages").json()["data"]
    assert (message["status"], message["reason"], message["cause"]) == (
        "withheld",
        "no_consent",
        "campaign_welcome",
    )


def test_the_mail_carries_one_click_and_everything_the_law_wants(welcomed: tuple[str, dict[str, Any]]):
    _, mail = welcomed
    url = way_out(mail)

    assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["headers"]["List-ID"].startswith("<email-marketing.")
    for part in (mail["text"], mail["html"]):
        assert url in part


def test_looking_at_the_way_out_changes_nothing(real_time: Shop, welcomed: tuple[str, dict[str, Any]]):
    customer_id, mail = welcomed

    for language, word in (("ja,en;q=0.5", "配信を停止する"), ("en-GB", "Unsubscribe"), ("", "Unsubscribe")):
        page = real_time.get(path_of(mail), {"Accept-Language": language})
        assert page.status_code == 200
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert word in page.text
        assert '<form method="post">' in page.text
        assert customer_id not in page.text

    assert consent(real_time, customer_id)["status"] == "granted"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
        ("multipart/form-data; boundary=b", MULTIPART),
        ("text/plain", b"List-Unsubscribe=One-Click"),
        (None, b""),
    ],
)  # fmt: skip
def test_one_click_counts_at_once_and_again_and_again(
    real_time: Shop, welcomed: tuple[str, dict[str, Any]], content_type: str | None, body: bytes
):
    shop, (customer_id, mail) = real_time, welcomed
    headers = {"Content-Type": content_type} if content_type else {}

    answers = [shop.post(path_of(mail) + query, body, headers) for query in ("", "?utm_source=mail")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert consent(shop, customer_id)["status"] == "withdrawn"


def test_who_left_may_come_back(real_time: Shop, welcomed: tuple[str, dict[str, Any]]):
    shop, (customer_id, mail) = real_time, welcomed
    shop.post(path_of(mail), b"", {})
    again = {"consents": {"email_marketing": {"status": "granted"}}}

    assert shop.patch(f"/v1/customers/{customer_id}", again).status_code == 200
    assert consent(shop, customer_id)["status"] == "granted"

    shop.post(path_of(mail), b"", {})
    assert consent(shop, customer_id)["status"] == "withdrawn"


def test_an_altered_link_says_only_that_it_does_not_work(shop: Shop):
    good = "/u/eyJhbGciOiJIUzI1NiIsImtpZCI6ImxvY2FsIiwidHlwIjoiSldUIn0.eyJzdWIiOiJ1MSJ9.AAAA"
    token = shop.post("/v1/customer-tokens", {"customer_id": "u1", "ttl_seconds": 600}).json()["token"]
    for path in (good, "/u/x", "/u/" + "x" * 5000, f"/u/{token}", "/u/%00"):
        asked, done = shop.get(path, {}), shop.post(path, b"", {})

        assert (asked.status_code, done.status_code) == (404, 404)
        assert asked.text == done.text
        assert "<form" not in asked.text


def way_out(mail: dict[str, Any]) -> str:
    [url] = re.findall(r"^<(\S+)>$", mail["headers"]["List-Unsubscribe"])
    return str(url)


def path_of(mail: dict[str, Any]) -> str:
    return urlsplit(way_out(mail)).path
