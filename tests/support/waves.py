"""What waits for what: requests that are let out in groups."""

from __future__ import annotations

import threading


class Rounds:
    """Lets requests out only in groups of the given sizes: what waits for an answer before asking more breaks it."""

    SECONDS_MAX = 5

    def __init__(self, *sizes: int) -> None:
        self._lock = threading.Lock()
        self._left = [barrier for size in sizes for barrier in [threading.Barrier(size)] * size]

    def __call__(self) -> None:
        with self._lock:
            barrier = self._left.pop(0)
        barrier.wait(self.SECONDS_MAX)

    @property
    def is_over(self) -> bool:
        return not self._left
