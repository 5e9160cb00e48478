"""`make train`: recommendations learned from what is stored, whether or not a service is running."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.local_run import command, running
from tests.support.shop import Shop


def sell_together(shop: Shop) -> None:
    """Ten customers buy a pizza and a cola each, and ten others something else."""
    for item_id in ("pizza", "cola", "soap"):
        assert shop.put(f"/v1/items/{item_id}", {"title": item_id}).status_code in (200, 201)
    for number in range(20):
        basket = ("pizza", "cola") if number % 2 else ("soap",)
        lines = [
            {"line_id": str(place), "item_id": item_id, "quantity": 1, "price": 500}
            for place, item_id in enumerate(basket)
        ]
        order = {
            "customer_id": f"eater-{number}",
            "placed_at": "2026-01-01T12:00:00Z",
            "currency": "JPY",
            "total": 500 * len(lines),
            "lines": lines,
        }
        answer = shop.put(f"/v1/orders/meal-{number}", order)
        assert answer.status_code in (200, 201), answer.text


def bought_together_with_pizza(shop: Shop) -> list[str]:
    answer = shop.get("/v1/recommendations/bought_together", params={"item_id": "pizza"})
    return [each["item_id"] for each in answer.json()["items"] if each["reason"]["code"] == "bought_together"]


@pytest.mark.parametrize("beside", [True, False])
def test_training_works_beside_a_running_service_and_alone(tmp_path: Path, beside: bool):
    with running(tmp_path) as run:
        shop = Shop(run.address)
        sell_together(shop)
        assert bought_together_with_pizza(shop) == []
        if beside:
            code, said = command(tmp_path, "train")
            assert code == 0, said
            assert bought_together_with_pizza(shop) == ["cola"]
        shop.close()
    if not beside:
        code, said = command(tmp_path, "train")
        assert code == 0, said
    with running(tmp_path) as run:
        shop = Shop(run.address)
        assert bought_together_with_pizza(shop) == ["cola"]
        shop.close()


def test_training_on_nothing_is_one_sentence(tmp_path: Path):
    assert command(tmp_path, "train") == (1, "Nothing is stored yet: `make run` first.\n")
