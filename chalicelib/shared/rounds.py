"""How often a writer that lost a race loads, decides and commits again, and how long it waits before."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

TRIES_MAX = 16  # rounds of load-decide-commit before a caller hears 503
PAUSE_FIRST_SECONDS = 0.04
PAUSE_MAX_SECONDS = 0.6

pause: Callable[[float], None] = time.sleep  # tests put something faster here


def rounds(sleep: Callable[[float], None] | None = None) -> Iterator[int]:
    """The numbers of the rounds from 0, with a growing pause before each but the first.

    7.8 seconds at most in all, inside the time a function has; so long, because sixty writers of one account are to
    come through. Each pause is anything from nothing to its bound, so that those who met once do not meet again in step.
    """
    for number in range(TRIES_MAX):
        if number:
            bound = min(PAUSE_MAX_SECONDS, PAUSE_FIRST_SECONDS * 2**number)
            (sleep or pause)(random.uniform(0, bound))  # noqa: S311  no secret
        yield number
