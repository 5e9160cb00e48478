"""One CloudFormation stack: what it is now, and changing it by a change set."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError, WaiterError

POLL_SECONDS = 3
POLLS_MAX = 600  # half an hour: a first creation takes a few minutes
REASONS_SHOWN = 8

NEVER_MADE = ("REVIEW_IN_PROGRESS", None)
FAILED_AT_BIRTH = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")


class StackFailed(Exception):
    """A change could not be made; the message holds CloudFormation's own reasons."""


class Stack:
    """A stack by its name. `client` is boto3's for CloudFormation."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    @property
    def status(self) -> str | None:
        """CloudFormation's word for its state, None when there is no such stack."""
        found = self._describe()
        return str(found["StackStatus"]) if found else None

    @property
    def is_new(self) -> bool:
        return self.status in NEVER_MADE

    def parameters(self) -> dict[str, str]:
        """What it was last given."""
        found = self._describe() or {}
        return {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}

    def outputs(self) -> dict[str, str]:
        """What it tells."""
        found = self._describe() or {}
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}

    def clear_failed_birth(self) -> bool:
        """Remove a stack whose first creation failed: CloudFormation refuses to go on with it. True if it was one."""
        if self.status not in FAILED_AT_BIRTH:
            return False
        self._client.delete_stack(StackName=self.name)
        self._wait("stack_delete_complete", StackName=self.name)
        return True

    def change(self, template_url: str, parameters: Mapping[str, str]) -> bool:
        """Bring the stack to this template; False when it is there already. Raises StackFailed."""
        is_new = self.is_new
        made = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"deploy-{time.time_ns()}",
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateURL=template_url,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        change_set = {"ChangeSetName": made["Id"], "StackName": self.name}
        if not self._has_changes(change_set):
            self._client.delete_change_set(**change_set)
            return False
        self._client.execute_change_set(**change_set)
        self._wait("stack_create_complete" if is_new else "stack_update_complete", StackName=self.name)
        return True

    def _has_changes(self, change_set: Mapping[str, str]) -> bool:
        try:
            self._wait("change_set_create_complete", **change_set)
        except StackFailed:
            reason = self._client.describe_change_set(**change_set).get("StatusReason", "")
            if "didn't contain changes" in reason or "No updates are to be performed" in reason:
                return False
            raise StackFailed(f"CloudFormation refuses the template: {reason}") from None
        return True

    def _wait(self, what: str, **names: str) -> None:
        try:
            self._client.get_waiter(what).wait(
                WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": POLLS_MAX}, **names
            )
        except WaiterError as error:
            raise StackFailed("\n".join([f"{self.name}: {error}", *self._reasons()])) from error

    def _reasons(self) -> list[str]:
        """Why resources failed, newest first."""
        try:
            events = self._client.describe_stack_events(StackName=self.name)["StackEvents"]
        except ClientError:
            return []  # the stack is gone, and its events with it
        failed = [each for each in events if each.get("ResourceStatus", "").endswith("_FAILED")]
        return [
            f"  {each['LogicalResourceId']}: {each.get('ResourceStatusReason', each['ResourceStatus'])}"
            for each in failed[:REASONS_SHOWN]
        ]

    def _describe(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return found
