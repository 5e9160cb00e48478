"""AWS clients: made on first use, one each per process, with explicit time limits."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

# Together below every function's own timeout, so that a slow dependency is answered and not killed.
CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 3
ATTEMPTS_MAX = 3
# A second SendEmail is a second mail: whether the first arrived is for the sender to judge, never for the SDK.
SENT_ONCE = frozenset({"sesv2"})
# Links to a bucket that refuses what is not encrypted, in every region.
SIGNED_AS = {"s3": "s3v4"}

_making = threading.Lock()  # botocore sessions are not safe to share while making a client; clients are


@cache
def _session() -> Any:
    from botocore.session import Session  # not boto3: a fifth less cold start, the same client

    return Session()


@cache
def _client(service: str) -> Any:
    from botocore.config import Config

    return _session().create_client(
        service,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 1 if service in SENT_ONCE else ATTEMPTS_MAX},
            max_pool_connections=32,
            signature_version=SIGNED_AS.get(service),
        ),
    )


def client(service: str) -> Any:
    """The client of one AWS service, e.g. `client("dynamodb")`; region and endpoints come from the environment."""
    with _making:
        return _client(service)


def forget_clients() -> None:
    """Drop every client, for tests that change the endpoint."""
    _client.cache_clear()
    _session.cache_clear()
