"""A page of the shop's own site calls the API from a browser, which stands between them and decides what it may see."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.conftest import Site
from tests.support.browser import Browser, Page
from tests.support.shop import Shop

SHOP_PAGE = """<!doctype html><html lang="en"><title>The shop's own page</title><body><pre id="said"></pre><script>
async function ask(url, options) {
  try {
    const answer = await fetch(url, options);
    const body = await answer.json();
    return {status: answer.status, body, correlation: answer.headers.get("X-Correlation-Id"),
            etag: answer.headers.get("ETag"), server: answer.headers.get("Server")};
  } catch (error) { return {refused: String(error)}; }
}
async function show(url, options) {
  document.getElementById("said").textContent = JSON.stringify(await ask(url, options));
}
</script></body></html>"""


@pytest.fixture
def page(browser: Browser, site: Site) -> Page:
    return browser.page(site.put("/shop.html", SHOP_PAGE))


def ask(page: Page, url: str, method: str = "GET", body: Any = None, **headers: str) -> dict[str, Any]:
    """What the page was told; it writes it down where it can be seen."""
    options: dict[str, Any] = {"method": method, "headers": headers}
    if body is not None:
        options["body"] = body if isinstance(body, str) else json.dumps(body)
    page.value(f"show({json.dumps(url)}, {json.dumps(options)})")
    said: dict[str, Any] = json.loads(page.text("#said"))
    return said


def test_an_event_goes_without_asking_first(shop: Shop, page: Page) -> None:
    event = {"anonymousId": "browser-cors", "event": "Product Viewed", "properties": {"product_id": "p1"}}
    said = ask(
        page,
        f"{shop.base_url}/v1/t",
        "POST",
        event | {"writeKey": "pk_test_local"},
        **{"Content-Type": "text/plain"},
    )

    assert (said["status"], said["body"]["accepted"]) == (200, 1)
    assert said["correlation"]


def test_a_key_in_a_header_is_asked_for_and_allowed(shop: Shop, page: Page) -> None:
    url = f"{shop.base_url}/v1/recommendations/trending?anonymous_id=browser-cors"
    said = ask(page, url, **{"X-Api-Key": "pk_test_local"})

    assert said["status"] == 200
    assert isinstance(said["body"]["items"], list)


def test_a_customers_own_token_works_from_a_page(shop: Shop, page: Page) -> None:
    shop.patch("/v1/customers/browser-cors", {"traits": {"firstName": "Hana"}})
    token = shop.post("/v1/customer-tokens", {"customer_id": "browser-cors"}).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}

    me = ask(page, f"{shop.base_url}/v1/me", **bearer)
    assert (me["status"], me["body"]["customer_id"]) == (200, "browser-cors")
    changed = ask(
        page,
        f"{shop.base_url}/v1/me",
        "PATCH",
        {"traits": {"firstName": "Hanako"}},
        **bearer,
        **{"Content-Type": "application/json"},
    )
    assert (changed["status"], changed["body"]["traits"]["firstName"]["value"]) == (200, "Hanako")


PLAIN = {"Content-Type": "text/plain"}


@pytest.mark.parametrize(
    ("path", "options", "status", "code"),
    [
        ("/v1/t", {"method": "POST", "body": "{", **PLAIN}, 401, "unauthorized"),
        ("/v1/t", {"method": "POST", "body": {"writeKey": "pk_test_local"}, **PLAIN}, 400, "invalid-input"),
        ("/v1/me", {"Authorization": "Bearer wrong"}, 401, "unauthorized"),
        ("/v1/customers/u1", {"X-Api-Key": "pk_test_local"}, 403, "forbidden"),
        ("/v1/nowhere", {}, 404, "not-found"),
        ("/v1/t", {"method": "POST", "body": "x" * 40_000, **PLAIN}, 413, "too-large"),
    ],
)
def test_a_page_can_read_why_it_was_refused(
    shop: Shop, page: Page, *, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    said = ask(page, shop.base_url + path, **options)

    assert said.get("status") == status, said
    assert said["body"]["type"] == f"/problems/{code}"
    assert said["correlation"] == said["body"]["correlation_id"]


def test_the_browser_really_stands_between_them(shop: Shop, page: Page) -> None:
    # Without this, every test above would pass in a browser that lets everything through.
    hidden = ask(page, f"{shop.base_url}/v1/health")
    assert (hidden["status"], hidden["server"]) == (200, None)
    refused = ask(page, f"{shop.base_url}/v1/health", **{"X-Not-Allowed": "1"})
    assert "refused" in refused
