"""The campaigns' handlers, imported alone as Lambda does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.shared import clock
from chalicelib.shared.clock import to_text
from tests.support.post import Post, person


def deliver(*data: dict[str, Any], kind: str = "customer.created") -> int:
    """How many facts have to come again."""
    from chalicelib.campaigns.handlers import campaigns_on_facts

    records = [
        {
            "messageId": str(place),
            "body": json.dumps(
                {
                    "detail": {
                        "id": "f",
                        "type": kind,
                        "subject": "s",
                        "time": to_text(clock.now()),
                        "data": each,
                    }
                }
            ),
        }
        for place, each in enumerate(data)
    ]
    return len(campaigns_on_facts({"Records": records}, None)["batchItemFailures"])


def created(customer_id: str, **changes: Any) -> dict[str, Any]:
    return {"customer_id": customer_id, "created_at": to_text(clock.now()), "imported": False} | changes


def tick() -> None:
    from chalicelib.campaigns.handlers import campaigns_tick

    event = {
        "version": "0",
        "account": "1",
        "region": "r",
        "time": "",
        "resources": [],
        "detail-type": "Scheduled Event",
    }
    campaigns_tick(event | {"id": "t", "source": "aws.events", "detail": {}}, None)


@pytest.fixture
def post(aws: Any) -> Post:
    return Post()


def test_a_new_customer_is_welcomed_a_day_later_once(post: Post) -> None:
    person("u1")
    assert [deliver(created("u1")) for _ in range(3)] == [0, 0, 0]
    tick()
    assert post.count() == 0

    clock.travel(timedelta(days=1, minutes=1))
    tick()
    tick()

    assert post.count() == 1
    [mail] = post.asked
    headers = {header["Name"]: header["Value"] for header in mail["Content"]["Simple"]["Headers"]}
    assert headers["List-Unsubscribe"].startswith("<https://shop.example.com/u/")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert {tag["Name"]: tag["Value"] for tag in mail["EmailTags"]}["reason"] == "campaign_welcome"


def test_imported_customers_are_not_welcomed(post: Post) -> None:
    person("u1")
    deliver(created("u1", imported=True))

    clock.travel(timedelta(days=2))
    tick()

    assert post.count() == 0


def test_a_poison_fact_harms_nobody_else(post: Post) -> None:
    person("u1")

    assert deliver(created("u1"), {"customer_id": 7}, created("u2", created_at="yesterday")) == 2
    assert deliver(created("u1"), kind="customer.renamed") == 1
    clock.travel(timedelta(days=1, minutes=1))
    tick()
    assert post.count() == 1


def test_the_handlers_run_without_the_front_door() -> None:
    code = (
        "import sys, chalicelib.campaigns.handlers as h; assert callable(h.campaigns_tick);"
        "assert 'app' not in sys.modules and 'jinja2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "."}, timeout=60)
