"""What the local training reads of the tables."""

from __future__ import annotations

from typing import Any

from local import load
from tests.support.embedded import PUBLISHABLE
from tests.support.recommender import Recommender


def test_what_was_looked_at_and_bought_teaches_the_next_answer(api: Any) -> None:
    shop = Recommender(api)
    for name in ("tea", "milk", "soap", "rice", "bread"):
        shop.item(name)
    shop.event("Product Viewed", PUBLISHABLE, anonymousId="a1", item_id="tea")
    shop.event("Product Added", PUBLISHABLE, anonymousId="a1", item_id="milk")
    shop.event("Product Viewed", userId="u1", item_id="soap")
    shop.event("Product Removed", userId="u1", item_id="milk")
    shop.event("Product Viewed", userId="u1", item_id="rice")
    shop.event("Product Viewed", PUBLISHABLE, userId="u1", anonymousId="a9", item_id="bread")  # who knows
    shop.order("o1", "u2", "bread", "rice")

    trained = load.train()

    assert (trained.lines, trained.items_with_neighbours) == (2, 5)
    assert shop.ids("session", item_id="tea")[0] == "milk"
    assert shop.ids("session", item_id="soap")[0] == "rice", (
        "what was taken out of the cart was not looked at"
    )
    assert shop.ids("bought_together", item_id="bread") == ["rice"]
