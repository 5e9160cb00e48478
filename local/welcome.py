"""What a local run says to the person who started it."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVICE_LOGGER = "kokyaku-service"
CUSTOMER, ITEM = "u16133", "85123A"  # both are in every demo
SECRET_KEY, PUBLISHABLE_KEY = "sk_test_local", "pk_test_local"


def say(text: str) -> None:
    """One line, at once, also into a pipe; without a reader, nobody misses it."""
    try:
        print(text, flush=True)
    except OSError:  # the terminal is gone, and the run still has to end well
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def ready(address: str, demo: str) -> None:
    """The line that scripts wait for, then what a person may try."""
    say(f"Kokyaku is ready at {address}")
    say(
        f"""
  API page   {address}/docs
  Mailbox    {address}/_local/mailbox
  Keys       {SECRET_KEY} (your servers), {PUBLISHABLE_KEY} (browsers)

  Try:
{_commands(address, has_demo=demo != "0")}

  Ctrl-C stops it; what is stored stays for the next time.
"""
    )


def _commands(address: str, *, has_demo: bool) -> str:
    key = f"-H 'X-Api-Key: {SECRET_KEY}'"
    customer = CUSTOMER if has_demo else "u1"
    event = json.dumps({"userId": customer, "event": "Product Viewed", "properties": {"product_id": ITEM}})
    commands = [
        f"curl {key} '{address}/v1/recommendations/for_you?customer_id={customer}'",
        f"curl {key} -H 'Content-Type: application/json' {address}/v1/track \\\n      -d '{event}'",
        f"curl {key} {address}/v1/customers/{customer}/loyalty",
    ]
    return "\n".join(f"    {command}" for command in commands)


@contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Write the service's log lines to a file, and to the terminal only that something went wrong."""
    service = logging.getLogger(SERVICE_LOGGER)
    before = service.handlers[:]
    file = logging.FileHandler(path, encoding="utf-8")
    file.setFormatter(before[0].formatter if before else None)
    short = logging.StreamHandler(sys.stderr)
    short.setLevel(logging.ERROR)
    short.setFormatter(logging.Formatter(f"%(levelname)s: %(message)s (more in {path})"))
    service.handlers[:] = [file, short]
    try:
        yield
    finally:
        service.handlers[:] = before
        file.close()
