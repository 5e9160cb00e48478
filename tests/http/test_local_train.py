"""`make train`: recommendations learned from what is stored, whether or not a service is running."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.home import Home
from tests.support.local_run import command, running
from tests.support.shop import Shop

LEARNED = "Learned from 30 lines of orders what goes with 2 items, and how soon 0 are bought again."


def sell_together(shop: Shop, placed_at: str = "2026-01-01T12:00:00Z") -> None:
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
            "placed_at": placed_at,
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
            assert said.endswith(f"{LEARNED} The service at {run.address} recommends by it from now on.\n")
            assert bought_together_with_pizza(shop) == ["cola"]
        shop.close()
    if not beside:
        code, said = command(tmp_path, "train")
        assert code == 0, said
        assert said.endswith(f"{LEARNED} The next `make run` recommends by it.\n")
    with running(tmp_path) as run:
        shop = Shop(run.address)
        assert bought_together_with_pizza(shop) == ["cola"]
        shop.close()


def test_training_follows_the_service_into_the_future(tmp_path: Path):
    with running(tmp_path) as run:
        shop = Shop(run.address)
        shop.clock("2031-02-03T04:05:06Z")
        sell_together(shop, placed_at="2031-02-02T12:00:00Z")
        code, said = command(tmp_path, "train")
        assert code == 0, said
        assert bought_together_with_pizza(shop) == ["cola"]
        shop.close()


def test_training_on_nothing_is_one_sentence(tmp_path: Path):
    assert command(tmp_path, "train") == (1, "Nothing is stored yet: `make run` first.\n")


def test_training_on_half_a_demo_is_one_sentence(tmp_path: Path):
    Home(tmp_path).remember(unfinished=True)
    sentence = "The demo was not loaded to its end: `make run` loads it again and trains on it.\n"
    assert command(tmp_path, "train") == (1, sentence)


def test_what_a_killed_run_told_is_not_believed_of_the_next(tmp_path: Path):
    home = Home(tmp_path)
    home.tell(address="http://127.0.0.1:1", endpoint="http://127.0.0.1:1", environment={})
    with home.alone():
        sentence = "The service is still starting: train when it is ready.\n"
        assert command(tmp_path, "train") == (1, sentence)


def test_training_beside_a_service_that_is_silent_is_one_sentence(tmp_path: Path):
    home = Home(tmp_path)
    with home.alone():
        home.tell(address="http://127.0.0.1:1", endpoint="http://127.0.0.1:1", environment={})
        code, said = command(tmp_path, "train")
    assert code == 1
    assert said.startswith("The service at http://127.0.0.1:1 does not answer (")
    assert "Traceback" not in said
