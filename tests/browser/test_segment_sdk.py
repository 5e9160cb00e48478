"""Segment's own browser SDK on a page of the shop, unchanged; only the address it sends to is ours."""

from __future__ import annotations

import hashlib
import json
import tarfile
from typing import Any

import pytest

from tests.browser.conftest import Site
from tests.support.browser import Browser, Page
from tests.support.local_run import ROOT
from tests.support.shop import Shop

SDK = ROOT / ".cache" / "browser-sdk" / "segment-analytics-next-1.84.3.tgz"
SDK_SHA256 = "f571d06c2c4de79fbb27b04696b2128294d09e3c057a5adc974ebed790b8d7ba"

pytestmark = pytest.mark.skipif(not SDK.exists(), reason="npm was not here to bring Segment's browser SDK")


@pytest.fixture(scope="module")
def sdk(site: Site) -> str:
    """Where the page finds the SDK and the parts it loads by itself."""
    assert hashlib.sha256(SDK.read_bytes()).hexdigest() == SDK_SHA256
    with tarfile.open(SDK) as package:
        for member in package:
            folder, _, name = member.name.rpartition("/")
            file = package.extractfile(member)
            if folder == "package/dist/umd" and name.endswith(".js") and file:
                site.put(f"/sdk/{name}", file.read().decode(), "text/javascript")
    return "/sdk/index.js"


def shop_page(shop: Shop, site: Site, browser: Browser, sdk: str, name: str, **settings: Any) -> Page:
    """A page on which the SDK is ready, for a visitor nobody has seen before."""
    host = shop.base_url.removeprefix("http://")
    segment = {"apiKey": "pk_test_local", "apiHost": f"{host}/v1", "protocol": "http"} | settings
    options = {"writeKey": "pk_test_local", "cdnSettings": {"integrations": {"Segment.io": segment}}}
    page = browser.page(
        site.put(
            f"/{name}.html",
            f"""<!doctype html><html lang="en"><title>{name}</title><body><script src="{sdk}"></script><script>
            analytics = AnalyticsNext.AnalyticsBrowser.load({json.dumps(options)}, {{disableClientPersistence: true}});
            </script></body></html>""",
        )
    )
    page.value("analytics.ready().then(() => true)")
    return page


def visitor(page: Page) -> str:
    return str(page.value("analytics.instance.user().anonymousId()"))


def told(shop: Shop, customer_id: str, anonymous_id: str) -> list[dict[str, Any]]:
    """What the timeline knows once the shop's own server has said whose browser it was."""
    body = {
        "userId": customer_id,
        "anonymousId": anonymous_id,
        "messageId": f"{customer_id}-is-{anonymous_id}",
    }
    assert shop.post("/v1/identify", body).status_code == 200
    entries: list[dict[str, Any]] = shop.get(f"/v1/customers/{customer_id}/timeline").json()["data"]
    return [entry for entry in entries if not entry["trusted"]]


def sent(page: Page) -> list[dict[str, Any]]:
    return [each for each in page.requests() if each["method"] == "POST"]


def test_what_the_sdk_says_is_in_the_timeline(shop: Shop, site: Site, browser: Browser, sdk: str) -> None:
    page = shop_page(shop, site, browser, sdk, "one")
    page.value(
        """(async () => {
        await analytics.page("Shop", "Home");
        await analytics.track("Product Viewed", {product_id: "p1", price: 12.5});
        await analytics.identify({name: "Hana"});
        await analytics.group("club", {plan: "gold"});
        await analytics.screen("Start");
        })()"""
    )

    entries = told(shop, "sdk-one", visitor(page))
    assert {entry["kind"] for entry in entries} == {"page", "view", "identify", "group", "screen"}
    assert [each["url"].rpartition("/")[2] for each in sent(page)] == ["p", "t", "i", "g", "s"]
    assert page.complaints() == []


def test_a_batch_of_the_sdk_is_in_the_timeline(shop: Shop, site: Site, browser: Browser, sdk: str) -> None:
    strategy = {"strategy": "batching", "config": {"size": 4, "timeout": 60_000}}
    page = shop_page(shop, site, browser, sdk, "batch", deliveryStrategy=strategy)
    page.value(
        """Promise.all([1, 2, 3, 4].map(number => analytics.track("Product Viewed", {product_id: "p" + number})))"""
    )
    page.await_answer("/v1/b", 200)

    entries = told(shop, "sdk-batch", visitor(page))
    assert len(sent(page)) == 1
    assert {entry["details"]["product_id"] for entry in entries} == {"p1", "p2", "p3", "p4"}
    assert page.complaints() == []


def test_what_got_lost_is_sent_again_and_told_once(
    shop: Shop, site: Site, browser: Browser, sdk: str
) -> None:
    page = shop_page(shop, site, browser, sdk, "lost")
    page.block("*/v1/t")
    page.value("analytics.track('Product Viewed', {product_id: 'p1'}).then(() => true)")
    page.block()
    page.await_answer("/v1/t", 200)

    again = sent(page)[-1]
    assert again["headers"]["X-Retry-Count"] == "1"
    assert len(told(shop, "sdk-lost", visitor(page))) == 1
