"""Writers that lose a race wait a little, each its own time, and come through."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.shared import rounds

WRITERS = 20


def test_a_round_waits_longer_than_the_one_before_and_never_long() -> None:
    bounds = [0.0] * (rounds.TRIES_MAX - 1)
    for _ in range(200):
        pauses: list[float] = []
        assert list(rounds.rounds(pauses.append)) == list(range(rounds.TRIES_MAX))
        bounds = [max(pair) for pair in zip(bounds, pauses, strict=True)]

    assert bounds[0] <= rounds.PAUSE_FIRST_SECONDS * 2 < bounds[2]
    assert max(bounds) <= rounds.PAUSE_MAX_SECONDS
    assert sum(bounds) < 8


def test_who_comes_through_at_once_does_not_wait() -> None:
    pauses: list[float] = []
    next(rounds.rounds(pauses.append))
    assert pauses == []


@pytest.mark.parametrize("what", ["identify", "accrue"])
def test_twenty_writers_of_one_customer_come_through(
    api: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    import time

    from tests.support.embedded import SECRET
    from tests.support.known import make_known

    make_known(["u1"])
    monkeypatch.setattr(rounds, "pause", time.sleep)  # what is tried here is the waiting

    def write(number: int) -> int:
        if what == "identify":
            body: Any = {"userId": "u1", "messageId": f"m{number}", "traits": {f"t{number}": number}}
            return int(api.post("/v1/identify", body).status_code)
        key = SECRET | {"Idempotency-Key": f"k{number}"}
        body = {"points": 1, "reason": "welcome"}
        return int(api.post("/v1/customers/u1/loyalty/accruals", body, key).status_code)

    with ThreadPoolExecutor(WRITERS) as threads:
        codes = list(threads.map(write, range(WRITERS)))

    assert set(codes) <= {200, 201}, codes
