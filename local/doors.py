"""The doors that only the local run has, under `/_local/`: mailbox, schedules, clock and rest."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from chalicelib.shared import clock, durations, problems
from chalicelib.shared.errors import InvalidInput, NotFound, Refused
from local import pages
from local.drive import Driver
from local.gateway import Reply, Sent, problem
from local.mailbox import Mailbox

PREFIX = "/_local"
SETTLE_SECONDS = 60.0
SETTLE_SECONDS_MAX = 600.0

DOORS = {
    "GET /_local/mailbox": "every mail that was sent, newest first (?to= keeps one address); a page in a browser",
    "GET /_local/schedules": "what runs by time, and when it last was due",
    "POST /_local/schedules/{name}/run": "run one of them now",
    "GET /_local/clock": "what time the service thinks it is",
    "POST /_local/clock": 'travel in time: {"ahead": "P2D"}, two days ahead of the real time; or '
    '{"now": "2027-01-01T09:00:00Z"}; or {"now": null} to come back',
    "GET /_local/idle": "answers when nothing is left to do (?timeout= seconds, 60 if not given)",
}


class SomethingFailed(Refused):
    status, code, title = 500, "schedule-failed", "The schedule's handler failed; the log says why"


class NotIdle(Refused):
    status, code, title = 503, "not-idle", "There is still work to do"


class Doors:
    """Answers requests under `/_local`; never part of what is deployed."""

    def __init__(self, driver: Driver, mailbox: Mailbox) -> None:
        self._driver = driver
        self._mailbox = mailbox

    def handle(self, sent: Sent) -> Reply:
        """Answer one request; what it cannot be answered is a problem document as everywhere."""
        try:
            return self._door(sent)(sent)
        except Refused as refused:
            return problem(problems.of_refusal(refused, str(uuid.uuid4())))

    def _door(self, sent: Sent) -> Callable[[Sent], Reply]:
        path = sent.path.removeprefix(PREFIX).rstrip("/")
        fixed: dict[tuple[str, str], Callable[[Sent], Reply]] = {
            ("GET", ""): self._index,
            ("GET", "/mailbox"): self._mails,
            ("GET", "/schedules"): self._schedules,
            ("GET", "/clock"): self._clock,
            ("POST", "/clock"): self._travel,
            ("GET", "/idle"): self._idle,
        }
        if (sent.method, path) in fixed:
            return fixed[sent.method, path]
        if sent.method == "POST" and path.startswith("/schedules/") and path.endswith("/run"):
            return self._run
        raise NotFound

    def _index(self, sent: Sent) -> Reply:
        return _html(pages.index(DOORS)) if _wants_page(sent) else _json({"doors": DOORS})

    def _mails(self, sent: Sent) -> Reply:
        mails = self._mailbox.mails(_one(sent, "to"))
        return _html(pages.mailbox(mails)) if _wants_page(sent) else _json({"messages": mails})

    def _schedules(self, _sent: Sent) -> Reply:
        return _json({"data": [each.describe() for each in self._driver.schedules.values()]})

    def _run(self, sent: Sent) -> Reply:
        name = unquote(sent.path.removeprefix(f"{PREFIX}/schedules/").removesuffix("/run").rstrip("/"))
        if name not in self._driver.schedules:
            known = ", ".join(self._driver.schedules) or "none yet"
            raise NotFound(f"the schedules are: {known}")
        now = clock.to_text(clock.now())
        if not self._driver.run_schedule(name):
            raise SomethingFailed(name)
        return _json({"schedule": name, "ran_at": now})

    def _clock(self, _sent: Sent) -> Reply:
        ahead = round((clock.now() - datetime.now(UTC)).total_seconds())
        return _json({"now": clock.to_text(clock.now()), "ahead_seconds": ahead})

    def _travel(self, sent: Sent) -> Reply:
        moment = _moment(sent.body, datetime.now(UTC))
        clock.travel(moment - datetime.now(UTC) if moment else timedelta(0))
        self._driver.nudge()
        return self._clock(sent)

    def _idle(self, sent: Sent) -> Reply:
        left = self._driver.settle(_timeout(_one(sent, "timeout")))
        if left:
            raise NotIdle(", ".join(f"{name}: {count}" for name, count in left.items()), extra={"left": left})
        return _json({"idle": True})


def _moment(body: bytes, now: datetime) -> datetime | None:
    try:
        [(name, given)] = json.loads(body).items()
    except (ValueError, AttributeError, RecursionError):
        name, given = "", None
    if name == "ahead":
        return _ahead(given, now)
    if name != "now":
        raise InvalidInput.of(
            "now",
            'must be given, as in {"now": "2027-01-01T09:00:00Z"} or {"now": null}; or {"ahead": "P2D"}',
        )
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise InvalidInput.of("now", "must be an RFC 3339 time") from None
    if moment.tzinfo is None or not clock.EARLIEST <= moment < clock.LATEST:
        raise InvalidInput.of("now", "must name its time zone and lie between 2000 and 2099")
    return moment


def _ahead(given: object, now: datetime) -> datetime:
    try:
        return durations.parse(str(given)).after(now)
    except ValueError as error:
        raise InvalidInput.of("ahead", str(error)) from None


def _timeout(given: str | None) -> float:
    try:
        seconds = SETTLE_SECONDS if given is None else float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= SETTLE_SECONDS_MAX:
        raise InvalidInput.of("timeout", f"must be a number of seconds up to {SETTLE_SECONDS_MAX:.0f}")
    return seconds


def _one(sent: Sent, name: str) -> str | None:
    values = sent.query.get(name)
    return values[-1] if values else None


def _wants_page(sent: Sent) -> bool:
    return "text/html" in sent.headers.get("accept", "")


def _json(body: dict[str, Any]) -> Reply:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Reply(200, json.dumps(body, ensure_ascii=False).encode(), headers)


def _html(page: str) -> Reply:
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": pages.POLICY,
    }
    return Reply(200, page.encode(), headers)
