"""The API page as a person sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.browser import Browser
from tests.support.shop import Shop


def test_every_route_is_on_the_page_and_opens(shop: Shop, browser: Browser, pictures: Path) -> None:
    page = browser.page(f"{shop.base_url}/docs")
    document = shop.get("/openapi.json").json()
    routes = {
        (method.upper(), path) for path, operations in document["paths"].items() for method in operations
    }

    shown = page.value(
        "[...document.querySelectorAll('summary')].map(e => [e.querySelector('.method').innerText,"
        "e.querySelector('code').innerText])"
    )
    assert {(method, path) for method, path in shown} == routes
    page.screenshot(pictures / "docs.png")

    assert "Answers" not in page.text("#post_customers_customer_id_loyalty_accruals")
    page.click("#post_customers_customer_id_loyalty_accruals summary")
    opened = page.text("#post_customers_customer_id_loyalty_accruals")
    assert "Answers" in opened
    assert "points" in opened


def test_the_page_needs_nothing_but_itself(shop: Shop, browser: Browser) -> None:
    page = browser.page(f"{shop.base_url}/docs")

    assert set(page.requested()) <= {f"{shop.base_url}/docs", f"{shop.base_url}/favicon.ico"}
    assert [each for each in page.complaints() if "favicon" not in each] == []


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (768, "dark"), (1600, "light")])
def test_the_page_fits_the_screen_with_everything_open(
    shop: Shop, browser: Browser, pictures: Path, width: int, scheme: str
) -> None:
    page = browser.page(f"{shop.base_url}/docs")
    page.resize(width, 900, scheme=scheme)
    page.screenshot(
        pictures / f"docs-{width}.png"
    )  # closed: with everything open it is too long for a picture
    page.value("document.querySelectorAll('details').forEach(e => e.open = true)")

    assert not page.overflows()
    clipped = page.value(
        "[...document.querySelectorAll('details > div')].filter(e => e.scrollWidth > e.clientWidth).length"
    )
    assert clipped == 0


def test_the_machines_document_is_one_click_away(shop: Shop, browser: Browser) -> None:
    page = browser.page(f"{shop.base_url}/docs")
    with page.loading():
        page.click("a[href='openapi.json']")

    assert '"openapi": "3.1.0"' in page.text()
