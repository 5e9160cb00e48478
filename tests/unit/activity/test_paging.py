"""Check B8: whoever turns pages sees what stands once, whatever arrives meanwhile, and only their own list."""

from __future__ import annotations

import base64
import random
import string
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.shared import clock, tokens

STABLE, ARRIVING, PAGE = 200, 1000, 20
PATH = "/v1/customers/u1/timeline"
OPENED = datetime.now(UTC) - timedelta(days=2)


def tell(api: Any, name: str, seconds: list[int], customer_id: str = "u1") -> None:
    events = [
        {
            "type": "track",
            "event": "Product Viewed",
            "userId": customer_id,
            "messageId": f"{name}{number}",
            "timestamp": clock.to_text(OPENED + timedelta(seconds=second)),
            "properties": {"product_id": f"{name}{number}"},
        }
        for number, second in enumerate(seconds)
    ]
    assert api.post("/v1/batch", {"batch": events}).json_body["accepted"] == len(events)


def first_cursor(api: Any, path: str = PATH, query: str = "", headers: Any = None) -> str:
    cursor = api.get(f"{path}?limit=1{query}", headers).json_body["next_cursor"]
    assert isinstance(cursor, str)
    return cursor


def test_b8_what_stands_is_seen_once_while_a_thousand_entries_arrive(api: Any, figure: Any) -> None:
    tell(api, "stable", list(range(0, STABLE * 100, 100)))
    draw = random.Random(8)
    arriving = [draw.randrange(STABLE * 100) for _ in range(ARRIVING)]
    seen: list[str] = []
    pages, cursor = 0, ""
    while cursor is not None:
        page = api.get(f"{PATH}?limit={PAGE}{cursor and '&cursor=' + cursor}").json_body
        seen += [entry["details"]["product_id"] for entry in page["data"]]
        cursor, pages = page["next_cursor"], pages + 1
        some, arriving = arriving[:200], arriving[200:]
        if some:
            tell(api, f"page{pages}-", some)

    assert arriving == [], "all of them came while pages were turned"
    stable = [name for name in seen if name.startswith("stable")]
    assert stable == [f"stable{number}" for number in reversed(range(STABLE))]
    assert len(set(seen)) == len(seen)
    figure(
        f"B8  {pages} pages while {ARRIVING} entries arrived: {STABLE} of {STABLE} seen once, in order, 0 gaps"
    )


def test_b8_an_altered_cursor_is_refused(api: Any, figure: Any) -> None:
    tell(api, "some", [1, 2, 3])
    cursor = first_cursor(api)
    altered = {
        cursor[:-1],
        cursor + "A",
        cursor[1:],
        cursor.swapcase(),
        ".".join(cursor.split(".")[:2]) + ".",
    }
    draw = random.Random(8)
    while len(altered) < 200:
        place = draw.randrange(len(cursor))
        other = cursor[:place] + draw.choice(string.ascii_letters) + cursor[place + 1 :]
        if decoded(other) != decoded(cursor):
            altered.add(other)

    answers = [api.get(f"{PATH}?cursor={each}") for each in sorted(altered)]

    assert {answer.status_code for answer in answers} == {400}
    assert {answer.json_body["errors"][0]["field"] for answer in answers} == {"cursor"}
    figure(f"B8  {len(altered)} altered cursors: {len(altered)} refused")


def test_b8_a_cursor_of_another_list_is_refused(api: Any, figure: Any) -> None:
    tell(api, "mine", [1, 2, 3])
    tell(api, "hers", [1, 2, 3], "u2")
    for customer_id in ("u1", "u2"):
        for number in range(3):
            body = {"text": f"note {number}"}
            key = {"Idempotency-Key": f"{customer_id}{number}"}
            answer = api.post(f"/v1/customers/{customer_id}/notes", body, **key)
            assert answer.status_code == 201, answer.body
    lists = {
        (path, query): first_cursor(api, path, query)
        for customer_id in ("u1", "u2")
        for path, query in [
            (f"/v1/customers/{customer_id}/timeline", ""),
            (f"/v1/customers/{customer_id}/timeline", "&kind=view"),
            (f"/v1/customers/{customer_id}/timeline", "&channel=web"),
            (f"/v1/customers/{customer_id}/notes", ""),
        ]
    }
    token = tokens.customer_token("u1", now=clock.now(), ttl=timedelta(hours=1))
    wrong = {}
    for (path, query), own in lists.items():
        assert api.get(f"{path}?limit=1{query}&cursor={own}").status_code == 200
        for whose, foreign in [*lists.items(), ("a token", token)]:
            answer = api.get(f"{path}?limit=1{query}&cursor={foreign}")
            if whose != (path, query) and answer.status_code != 400:
                wrong[path, query, whose] = answer.status_code

    assert wrong == {}
    figure(f"B8  {len(lists) * len(lists)} cursors of other lists: all refused")


def decoded(cursor: str) -> list[bytes]:
    """What a cursor's letters stand for: the last one of each part has bits that say nothing."""
    return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in cursor.split(".")]
