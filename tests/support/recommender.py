"""A small shop that recommends, and how a test speaks to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.recommendations import service
from chalicelib.shared import clock
from tests.support.trained import Model

PLACEMENTS = (
    "for_you", "similar", "bought_together", "buy_again", "discover", "session", "trending", "popular_nearby",
    "recently_viewed", "cart", "help",
)  # fmt: skip


class Recommender:
    """A shop behind the HTTP door `api`."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self._events = 0

    def ask(self, placement: str, headers: dict[str, str] | None = None, **query: Any) -> dict[str, Any]:
        given = "&".join(f"{name}={value}" for name, value in query.items())
        answer = self.api.get(f"/v1/recommendations/{placement}?{given}", headers)
        assert answer.status_code == 200, answer.body
        body: dict[str, Any] = answer.json_body
        return body

    def ids(self, placement: str, **query: Any) -> list[str]:
        return [each["item_id"] for each in self.ask(placement, **query)["items"]]

    def item(self, item_id: str, **more: Any) -> None:
        assert self.api.put(f"/v1/items/{item_id}", {"title": item_id.upper(), **more}).status_code in (
            200,
            201,
        )

    def event(self, event: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        self._events += 1
        item = {"product_id": more.pop("item_id")} if "item_id" in more else {}
        properties = item | more.pop("properties", {})
        body = {"messageId": f"m{self._events}", "event": event, "properties": properties} | more
        answer = self.api.post("/v1/track", body, headers)
        assert answer.status_code == 200, answer.body
        assert answer.json_body["accepted"] == 1

    def order(self, order_id: str, customer_id: str, *item_ids: str, days_ago: float = 0) -> None:
        lines = [
            {"line_id": str(number), "item_id": item_id, "quantity": 1, "price": 100}
            for number, item_id in enumerate(item_ids)
        ]
        body = {
            "customer_id": customer_id,
            "placed_at": clock.to_text(clock.now() - timedelta(days=days_ago)),
            "currency": "JPY",
            "total": 100 * len(lines),
            "lines": lines,
        }
        assert self.api.put(f"/v1/orders/{order_id}", body).status_code in (200, 201)

    def completed(self, order_id: str, *item_ids: str, **more: Any) -> None:
        products = [{"product_id": item_id, "quantity": 1, "price": 100} for item_id in item_ids]
        properties = {
            "order_id": order_id,
            "total": 100 * len(products),
            "currency": "JPY",
            "products": products,
        }
        self.event("Order Completed", properties=properties, **more)

    def withdraw(self, customer_id: str, **more: Any) -> None:
        consent = {"categoryPreferences": {"personalization": False}}
        body = {
            "messageId": f"w-{customer_id}",
            "userId": customer_id,
            "context": {"consent": consent},
            **more,
        }
        assert self.api.post("/v1/identify", body).json_body["accepted"] == 1

    def train(self) -> None:
        """Bread goes with butter, jam and, long ago, tea; bread sells best."""
        service.save_model(
            Model(
                neighbours={
                    "bread": {
                        "together": [("butter", 0.5, 6), ("jam", 0.2, 2)],
                        "users": [("honey", 0.4, 3), ("butter", 0.3, 5)],
                        "next": [("tea", 0.1, 2)],
                    },
                    "milk": {"together": [("coffee", 0.6, 4)], "users": [("coffee", 0.2, 4)]},
                },
                popularity={14: [("bread", 10), ("milk", 8), ("eggs", 1)], 90: [("bread", 30), ("rice", 20)]},
                intervals={"bread": (7, 50), "milk": (4, 40)},
            )
        )


def reason_of(answer: dict[str, Any], item_id: str) -> dict[str, Any]:
    [found] = [each["reason"] for each in answer["items"] if each["item_id"] == item_id]
    reason: dict[str, Any] = found
    return reason
