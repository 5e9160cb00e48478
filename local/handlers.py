"""Calls the very handlers that are deployed, the way Lambda calls them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from chalice.local import LambdaContext

from infrastructure.template import Wire
from local.emulator import REGION

ACCOUNT = "000000000000"  # the emulator's only one


class Handler:
    """One deployed function, called in this process."""

    def __init__(self, wire: Wire) -> None:
        module, _, self.name = wire.handler.rpartition(".")
        self._function: Callable[[dict[str, Any], Any], Any] = getattr(import_module(module), self.name)
        self.arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{wire.function}"

    def __call__(self, event: dict[str, Any]) -> Any:
        context = LambdaContext(function_name=self.name, memory_size=512)
        context.invoked_function_arn = self.arn
        return self._function(event, context)


def failed_ids(answer: Any) -> set[str]:
    """The records that a handler reports as not done; without such a report, all of them are done."""
    failures = answer.get("batchItemFailures", []) if isinstance(answer, dict) else []
    return {failure["itemIdentifier"] for failure in failures}
