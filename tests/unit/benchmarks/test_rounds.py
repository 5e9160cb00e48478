"""Rounds follow from what waits for what, whichever thread happens to be fast."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from benchmarks.rounds import Rounds


def one_after_another(call: Callable[[], None]) -> None:
    call()
    call()
    call()


def at_once(call: Callable[[], None]) -> None:
    with ThreadPoolExecutor(3) as threads:
        started = [threads.submit(call) for _ in range(3)]
        call()
        for each in started:
            each.result()


def at_once_by_map(call: Callable[[], None]) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: call(), range(5)))


def two_stages(call: Callable[[], None]) -> None:
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(call)
        beside = threads.submit(call)
        first.result()
        second = threads.submit(call)
        beside.result()
        second.result()


def started_early_and_read_late(call: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(call)
        call()
        call()
        early.result()


def a_long_task_beside_a_short_one(call: Callable[[], None]) -> None:
    with ThreadPoolExecutor(2) as threads:
        long = threads.submit(one_after_another, call)
        call()
        long.result()


def nobody_asks_but_the_pool_waits(call: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as threads:
        threads.submit(one_after_another, call)


def one_pool_in_another(call: Callable[[], None]) -> None:
    call()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(at_once, call).result()


def a_task_that_fails(call: Callable[[], None]) -> None:
    def fail() -> None:
        call()
        raise LookupError

    with ThreadPoolExecutor(1) as threads:
        failing = threads.submit(fail)
        with pytest.raises(LookupError):
            failing.result()
        call()


@pytest.mark.parametrize(
    ("work", "rounds"),
    [
        (one_after_another, 3),
        (at_once, 1),
        (at_once_by_map, 1),
        (two_stages, 2),
        (started_early_and_read_late, 2),
        (a_long_task_beside_a_short_one, 3),
        (nobody_asks_but_the_pool_waits, 3),
        (one_pool_in_another, 2),
        (a_task_that_fails, 2),
    ],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_calls_count_as_far_as_they_wait_for_one_another(work: Any, rounds: int) -> None:
    meter = Rounds()
    with meter.followed():
        work(meter.called)

    assert meter.now == rounds


def test_threads_outside_the_block_are_left_alone() -> None:
    meter = Rounds()
    with meter.followed():
        pass
    with ThreadPoolExecutor(1) as threads:
        threads.submit(meter.called).result()

    assert meter.now == 0
