"""Keeps everything moving that Lambda would wake: one thread for each stream, queue and schedule."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from chalicelib.shared.logs import log_failure
from infrastructure.template import Wire
from local.queues import QueueSource
from local.schedules import ScheduleSource
from local.streams import StreamSource

PAUSE_SECONDS_MIN = 0.1  # between two looks at the same place, however much is going on elsewhere
PAUSE_SECONDS_MAX = 2.0
PAUSE_AFTER_FAILURE_SECONDS = 1.0


class Source(Protocol):
    """Something that work comes from. `is_upstream`: work comes to it from outside, not from other sources."""

    name: str
    is_upstream: bool

    def poll(self) -> int:
        """Do what is there now; answers how much that was."""
        ...

    def left(self) -> int:
        """How much waits that a poll did not find."""
        ...


class Driver:
    """Polls every source in a thread of its own: busy when something moves, nearly still when nothing does."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.schedules: dict[str, ScheduleSource] = {}
        self._workers: list[_Worker] = []
        self._changed = threading.Condition()
        self._round = 0  # raised by whoever wants every source looked at again
        self._moved = 0  # raised whenever a look found something
        self.done = 0  # messages, changes and runs handled so far
        self._running = 0  # schedules that somebody started by hand

    def start(self, wires: Sequence[Wire], resources: Mapping[str, str]) -> None:
        """Drive these from now on; `resources` has the names of tables and the addresses of queues by logical id."""
        for wire in wires:
            source = self._source(wire, resources)
            if isinstance(source, ScheduleSource):
                self.schedules[source.name] = source
            self._workers.append(_Worker(source, self))
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Let each thread finish the batch it is at."""
        self.stopping.set()
        self._wake(self._workers)
        for worker in self._workers:
            worker.join(timeout=10)

    def nudge(self) -> None:
        """Something came in from outside: look sooner."""
        self._wake([worker for worker in self._workers if worker.source.is_upstream])

    def run_schedule(self, name: str) -> bool:
        """Run a schedule's handler now; answers whether it succeeded. Raises KeyError for an unknown name."""
        schedule = self.schedules[name]
        with self._changed:
            self._running += 1
        try:
            return schedule.run()
        finally:
            with self._changed:
                self._running -= 1
                self._moved += 1
                self._changed.notify_all()
            self.nudge()

    def settle(self, seconds: float) -> dict[str, int]:
        """Wait until nothing is left to do, at most so long; answers what is left by source, empty for nothing.

        Everything is asked again after this call began. When a whole round of asking found nothing, and nothing
        that was being done ended meanwhile, then nothing can be on its way between two of them.
        """
        deadline = time.monotonic() + seconds
        while True:
            with self._changed:
                self._round += 1
                wanted, moved = self._round, self._moved
            self._wake(self._workers)
            if not self._await_round(wanted, deadline):
                return self._unsettled(wanted)
            left = {worker.source.name: worker.left for worker in self._workers if worker.left}
            with self._changed:
                if moved == self._moved and not left and not self._running:
                    return {}
            if time.monotonic() >= deadline:
                return left or self._unsettled(wanted) or {"schedules": self._running}
            if left or self._running:
                self.stopping.wait(PAUSE_SECONDS_MIN)

    def looked(self, worker: _Worker, found: int, left: int, at_round: int) -> None:
        """A worker's report: what its look found, what is left, and which round was wanted when it began."""
        with self._changed:
            if found:
                self._moved += 1
                self.done += found
            else:
                worker.looked, worker.left = at_round, left
            self._changed.notify_all()
        if found:
            # Streams feed queues; whatever else runs can only have changed tables, whose streams tell.
            is_stream = isinstance(worker.source, StreamSource)
            others = [other for other in self._workers if other is not worker]
            self._wake([other for other in others if is_stream or other.source.is_upstream])

    @property
    def round(self) -> int:
        return self._round

    def _await_round(self, wanted: int, deadline: float) -> bool:
        with self._changed:
            return self._changed.wait_for(
                lambda: all(worker.looked >= wanted for worker in self._workers),
                max(0.0, deadline - time.monotonic()),
            )

    def _unsettled(self, wanted: int) -> dict[str, int]:
        return {worker.source.name: max(1, worker.left) for worker in self._workers if worker.looked < wanted}

    def _source(
        self, wire: Wire, resources: Mapping[str, str]
    ) -> QueueSource | StreamSource | ScheduleSource:
        dead_letters = resources[wire.dead_letters]
        if wire.kind == "queue":
            return QueueSource(wire, resources[wire.source])
        if wire.kind == "stream":
            return StreamSource(wire, resources[wire.source], dead_letters, self.stopping)
        return ScheduleSource(wire, dead_letters)

    def _wake(self, workers: Sequence[_Worker]) -> None:
        for worker in workers:
            worker.wake.set()


class _Worker(threading.Thread):
    def __init__(self, source: Source, driver: Driver) -> None:
        super().__init__(name=source.name, daemon=True)
        self.source = source
        self.wake = threading.Event()
        self.looked = 0  # the newest round in which a look found nothing
        self.left = 0
        self._driver = driver

    def run(self) -> None:
        pause = PAUSE_SECONDS_MIN
        while not self._driver.stopping.is_set():
            self.wake.clear()
            wanted = self._driver.round
            try:
                found = self.source.poll()
                # What waits without being found costs one call more: asked for when somebody wants to know.
                left = self.source.left() if wanted > self.looked and not found else self.left
            except Exception as error:  # noqa: BLE001 (one failure never ends the driver)
                self._fail(error)
                continue
            self._driver.looked(self, found, left, wanted)
            if not found:
                pause = self._rest(pause)

    def _rest(self, pause: float) -> float:
        """Wait for news; answers how long to wait the next time."""
        if self._driver.round > self.looked:
            return PAUSE_SECONDS_MIN  # somebody waits for us
        self._driver.stopping.wait(PAUSE_SECONDS_MIN / 2)
        was_woken = self.wake.wait(pause)
        return PAUSE_SECONDS_MIN if was_woken or self.left else min(pause * 2, PAUSE_SECONDS_MAX)

    def _fail(self, error: Exception) -> None:
        if not self._driver.stopping.is_set():
            log_failure("poll failed", error, handler=self.name)
            self._driver.stopping.wait(PAUSE_AFTER_FAILURE_SECONDS)
