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
    "key_id": "k1",
    "token": "not-a-token",
}


def contracts() -> list[Contract]:
    """Every route, in the order of its path."""
    import app  # noqa: F401  (defines them)

    return sorted(CONTRACTS.values(), key=lambda each: each.signature)


def method_and_path(contract: Contract) -> tuple[str, str]:
    """How a route is called with the example of each path variable."""
    method, path = contract.signature.split(" ")
    return method, re.sub(r"{(\w+)}", lambda found: EXAMPLES[found[1]], path)
