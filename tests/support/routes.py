"""Every route of the service with an example of its path, for tests that must hold on all of them."""

from __future__ import annotations

import re

from chalicelib.shared.http import CONTRACTS, Contract

EXAMPLES = {
    "customer_id": "u1",
    "item_id": "85123A",
    "order_id": "o1",
    "shipment_id": "s1",
    "placement": "for_you",
    "project_id": "p1",
    "complaint_id": "c1",
    "key_id": "k1",
    "merge_id": "m1",
    "token": "not-a-token",
    "erasure_id": "01KAE5VQ3M5Z8Y7X6W5V4T3S2R",
    "export_id": "0123456789abcdef0123456789abcdef",
    "trait_name": "orders_30d",
    "question_id": "pet",
    "code": "7KQ2M8RT4WZX1B9D",
    "rule_id": "vegetarian",
    "redemption_id": "0123456789abcdef0123456789",
}


def contracts() -> list[Contract]:
    """Every route, in the order of its path."""
    import app  # noqa: F401  (defines them)

    return sorted(CONTRACTS.values(), key=lambda each: each.signature)


def method_and_path(contract: Contract) -> tuple[str, str]:
    """How a route is called with the example of each path variable."""
    method, path = contract.signature.split(" ")
    return method, re.sub(r"{(\w+)}", lambda found: EXAMPLES[found[1]], path)
