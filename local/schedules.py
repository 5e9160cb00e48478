"""Runs what EventBridge's schedules would start, on the product's clock: a jump in time fires each at most once."""

from __future__ import annotations

import json
import re
import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.shared import aws, clock
from chalicelib.shared.logs import log_failure
from infrastructure.template import Wire
from local.emulator import REGION
from local.handlers import ACCOUNT, Handler

RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) \*\)")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS_OF_WEEK = "SUN MON TUE WED THU FRI SAT".split()


class ScheduleSource:
    """One schedule and its handler. It is due when a moment of its expression has passed since it last looked."""

    is_upstream = True

    def __init__(self, wire: Wire, dead_letters: str) -> None:
        self._handler = Handler(wire)
        self.name = self._handler.name
        self._expression = wire.source
        self._attempts_max = wire.attempts_max
        self._dead_letters = dead_letters
        self._looked = clock.now()
        self._one_at_a_time = threading.Lock()
        previous(self._expression, self._looked)  # an expression nobody can read shows at the start

    def poll(self) -> int:
        """Run the handler if it is due; answers how often it ran."""
        now = clock.now()
        due = self._looked < previous(self._expression, now)
        self._looked = now
        if due and not self.run():
            aws.client("sqs").send_message(QueueUrl=self._dead_letters, MessageBody=json.dumps(self._event()))
        return int(due)

    def left(self) -> int:
        """Nothing: what is due is done by the poll that finds it."""
        return 0

    def describe(self) -> dict[str, str]:
        """Its name, its expression, and when it last was due."""
        was_due = previous(self._expression, clock.now())
        return {"name": self.name, "expression": self._expression, "was_due_at": clock.to_text(was_due)}

    def run(self) -> bool:
        """Run the handler now, and again if it fails, as often as the schedule allows; answers whether it did it."""
        with self._one_at_a_time:
            for _ in range(self._attempts_max):
                try:
                    self._handler(self._event())
                except Exception as error:  # noqa: BLE001 (it runs again)
                    log_failure("schedule failed", error, handler=self.name)
                else:
                    return True
        return False

    def _event(self) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{self.name}"],
            "detail": {},
        }


def previous(expression: str, now: datetime) -> datetime:
    """The last moment up to `now` at which `expression` starts something; raises ValueError for one it cannot read.

    Rates count from 1970 on, so `rate(1 minute)` is every full minute.
    """
    rate, cron = RATE.fullmatch(expression), CRON.fullmatch(expression)
    if rate:
        period = timedelta(**{f"{rate[2]}s": int(rate[1])})
        return EPOCH + (now - EPOCH) // period * period
    if cron:
        from croniter import croniter

        minute, hour, day, month, weekday = cron.groups()
        fields = [minute, hour, "*" if day == "?" else day, month, _weekday(weekday)]
        # A step beyond, because `get_prev` leaves out the moment it starts from.
        moment: datetime = croniter(" ".join(fields), now + timedelta(microseconds=1)).get_prev(datetime)
        return moment
    raise ValueError(f"{expression} is not a schedule this can read")


def _weekday(field: str) -> str:
    # EventBridge counts from Sunday, 1; everybody else from Sunday, 0.
    return (
        "*"
        if field == "?"
        else re.sub(r"(?<![#/\d])[1-7]", lambda found: DAYS_OF_WEEK[int(found[0]) - 1], field)
    )
