"""If-Match means the same wherever it is read."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.shared.etags import allows


@pytest.mark.parametrize(
    ("if_match", "etag", "allowed"),
    [
        (None, "1", True),
        (None, None, True),
        ("  ", None, True),
        ('"1"', "1", True),
        ('W/"1"', "1", True),
        ("1", "1", True),
        ('"0", "1"', "1", True),
        ('"2"', "1", False),
        ('"1"', None, False),
        ("*", "1", True),
        ("*", None, False),
        ('""', "1", False),
    ],
)
def test_who_may_change_it(if_match: str | None, etag: str | None, allowed: bool) -> None:
    assert allows(if_match, etag) is allowed


@pytest.mark.parametrize("spelling", ["{}", "W/{}", '"x", {}', "*", ""])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/items/i1", {"title": "Heart"}),
        (
            "/v1/orders/o1",
            {
                "customer_id": "u1",
                "currency": "JPY",
                "total": 5,
                "lines": [{"line_id": "1", "item_id": "i1", "quantity": 1, "price": 5}],
            },
        ),
    ],
)
def test_items_and_orders_read_it_alike(api: Any, path: str, body: dict[str, Any], spelling: str) -> None:
    etag = api.put(path, body).headers["ETag"]

    assert api.put(path, body, **{"If-Match": spelling.format(etag)}).status_code == 200
    assert api.put(path, body, **{"If-Match": 'W/"other"'}).status_code == 412
    assert api.put(f"{path}-new", body, **{"If-Match": "*"}).status_code == 412
