"""Counts how many calls had to wait for one another: what a request costs in time, however much it asks at once.

Each thread has a clock of rounds: a call moves it on by one, a task begins at the time of whoever started it, and whoever
waits for a task is as late as that one then is. So the figure follows from what waits for what and not from how fast
the threads of one run happened to be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest import mock


class Rounds:
    """The clocks; `now` is the current thread's."""

    def __init__(self) -> None:
        self._mine = threading.local()

    @property
    def now(self) -> int:
        return int(getattr(self._mine, "now", 0))

    @now.setter
    def now(self, rounds: int) -> None:
        self._mine.now = rounds

    def called(self) -> None:
        """A call came back to this thread."""
        self.now += 1

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Carry the clocks along wherever a thread pool is given work inside the block."""
        submit, result, shutdown = ThreadPoolExecutor.submit, Future.result, ThreadPoolExecutor.shutdown

        def submitting(pool: Any, task: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
            end = [self.now]
            future: Any = submit(pool, self._begun(task, end), *args, **more)
            future.end = end
            pool.ends = [*getattr(pool, "ends", []), end]
            return future

        def waiting(future: Any, *args: Any, **more: Any) -> Any:
            try:
                return result(future, *args, **more)
            finally:
                self.now = max(self.now, *getattr(future, "end", [0]))

        def closing(pool: Any, *args: Any, **more: Any) -> None:
            shutdown(pool, *args, **more)
            self.now = max([self.now, *(end[0] for end in getattr(pool, "ends", []))])

        with (
            mock.patch.object(ThreadPoolExecutor, "submit", submitting),
            mock.patch.object(Future, "result", waiting),
            mock.patch.object(ThreadPoolExecutor, "shutdown", closing),
        ):
            yield

    def _begun(self, task: Callable[..., Any], end: list[int]) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            self.now = end[0]
            try:
                return task(*args, **more)
            finally:
                end[0] = self.now

        return run
