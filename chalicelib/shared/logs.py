"""One structured logger. Keys and ids only: bodies, names and addresses never enter a log line."""

from __future__ import annotations

import traceback

from aws_lambda_powertools import Logger

# Neither the name of the Chalice app nor below it: its logger would print every line again.
logger = Logger(service="kokyaku-service", log_uncaught_exceptions=False)


def log_failure(message: str, error: BaseException, **keys: str) -> None:
    """Log an unexpected error by type and place. Its text is left out: it may quote a customer's data."""
    frames = [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-8:]
    ]
    logger.error(message, extra={"error": type(error).__name__, "where": frames, **keys})
