"""Mails as they are read, and the way out of them as a person goes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Site
from tests.support.browser import Browser
from tests.support.shop import Shop

HOSTILE_NAME = "<b onclick='alert(1)'>Hana<b> & {{ 7 * 7 }}"


def sign_up(shop: Shop, customer_id: str, **traits: str) -> str:
    """Somebody new who agrees to mail; answers their address."""
    address = f"{customer_id}@example.com"
    body = {"traits": {"email": address, "locale": "en-GB", **traits}, "consents": {"email_marketing": True}}
    answer = shop.patch(f"/v1/customers/{customer_id}", body)
    assert answer.status_code in (200, 201), answer.text
    shop.idle()
    return address


def welcome(shop: Shop, customer_id: str, **traits: str) -> dict[str, Any]:
    """The mail that comes a day later."""
    address = sign_up(shop, customer_id, **traits)
    shop.clock((datetime.now(UTC) + timedelta(days=1, hours=1)).isoformat())
    shop.idle()
    [mail] = shop.mails(to=address)
    return mail


def allows_mail(shop: Shop, customer_id: str) -> bool:
    consent = shop.get(f"/v1/customers/{customer_id}").json()["consents"]["email_marketing"]
    return bool(consent["status"] == "granted")


def test_the_way_out_is_one_click_and_looking_is_none(
    real_time: Shop, browser: Browser, pictures: Path
) -> None:
    mail = welcome(real_time, "browser-out")
    address = mail["headers"]["List-Unsubscribe"].strip("<>")
    page = browser.page(address, width=400, height=700)

    assert page.text("h1") == "Unsubscribe"
    assert allows_mail(real_time, "browser-out")
    page.screenshot(pictures / "unsubscribe.png")

    with page.loading():
        page.click("button")
    assert page.text("h1") == "You are unsubscribed"
    assert page.value("location.href") == address
    assert not allows_mail(real_time, "browser-out")
    page.screenshot(pictures / "unsubscribed.png")

    assert not page.overflows()
    assert [each for each in page.complaints() if "favicon" not in each] == []


def test_a_link_that_is_none_says_what_to_do(shop: Shop, browser: Browser) -> None:
    page = browser.page(f"{shop.base_url}/u/not-a-token", width=400)

    assert page.text("h1") == "This link does not work"
    assert page.value("document.querySelectorAll('button').length") == 0


def test_the_mailbox_shows_the_mail_as_it_is_read(real_time: Shop, browser: Browser, pictures: Path) -> None:
    mail = welcome(real_time, "browser-read", firstName="Hana")
    page = browser.page(f"{real_time.base_url}/_local/mailbox?to={mail['to']}")
    page.screenshot(pictures / "mailbox.png")

    assert mail["subject"] in page.text("summary")
    assert mail["headers"]["List-Unsubscribe"] in page.text("dl")
    assert page.value("document.querySelector('iframe').clientHeight") > 300
    assert not page.overflows()
    page.resize(360, 700)
    assert not page.overflows()


@pytest.mark.parametrize("width", [320, 700])
def test_a_mail_fits_the_screen_and_says_what_its_text_says(
    real_time: Shop, browser: Browser, site: Site, pictures: Path, width: int
) -> None:
    mail = welcome(real_time, f"browser-fits-{width}", firstName="Hana")
    page = browser.page(site.put(f"/mail-{width}.html", mail["html"]), width=width, height=800)
    page.screenshot(pictures / f"mail-{width}.png")

    shown = page.text()
    assert "Hana" in shown
    assert page.text("h1") in mail["text"]
    assert "Unsubscribe" in page.text("a:last-of-type")
    assert page.value("document.querySelector('a:last-of-type').href") in mail["headers"]["List-Unsubscribe"]
    assert not page.overflows()
    assert set(page.requested()) <= {f"{site.origin}/mail-{width}.html", f"{site.origin}/favicon.ico"}


def test_a_name_is_never_more_than_a_name(real_time: Shop, browser: Browser, site: Site) -> None:
    mail = welcome(real_time, "browser-hostile", firstName=HOSTILE_NAME)
    page = browser.page(site.put("/hostile.html", mail["html"]))

    assert page.text().startswith("Hello,"), "what is no name is not said at all"
    assert "alert" not in mail["html"]
    assert page.value("document.querySelectorAll('b').length") == 0
