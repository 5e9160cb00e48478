"""A running shop as a test sees it: its HTTP door, its clock, its mailbox, and when it has come to rest."""

from __future__ import annotations

import threading
from typing import Any

import requests

SECRET = {"X-Api-Key": "sk_test_local"}
PUBLISHABLE = {"X-Api-Key": "pk_test_local"}
WAIT_SECONDS = 90


class Shop:
    """Requests go with the secret key unless `headers` says else; any thread may send them."""

    sk = SECRET
    pk = PUBLISHABLE

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._mine = threading.local()
        self._sessions: list[requests.Session] = []

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        """`body` is sent as JSON, or as it is when it is bytes; `more` are requests' own arguments."""
        if isinstance(body, bytes):
            more["data"] = body
        elif body is not None:
            more["json"] = body
        given = SECRET if headers is None else headers
        return self._session().request(
            method, self.base_url + path, headers=given, timeout=WAIT_SECONDS, allow_redirects=False, **more
        )

    def get(self, path: str, headers: dict[str, str] | None = None, **more: Any) -> requests.Response:
        return self.request("GET", path, None, headers, **more)

    def post(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        return self.request("POST", path, body, headers, **more)

    def put(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        return self.request("PUT", path, body, headers, **more)

    def patch(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        return self.request("PATCH", path, body, headers, **more)

    def delete(self, path: str, headers: dict[str, str] | None = None, **more: Any) -> requests.Response:
        return self.request("DELETE", path, None, headers, **more)

    def idle(self, seconds: float = 60) -> None:
        """Wait until everything accepted so far has been worked off, over all streams and queues."""
        answer = self.get(f"/_local/idle?timeout={seconds}")
        assert answer.status_code == 200, answer.text

    def clock(self, now: str | None) -> None:
        """Travel to an RFC 3339 time, or back with None; what falls due on the way is done by `idle`."""
        answer = self.post("/_local/clock", {"now": now})
        assert answer.status_code == 200, answer.text

    def run_schedule(self, name: str) -> None:
        """Run what a schedule would start, e.g. `campaigns_tick`."""
        answer = self.post(f"/_local/schedules/{name}/run")
        assert answer.status_code == 200, answer.text

    def mails(self, to: str | None = None) -> list[dict[str, Any]]:
        """What was sent, newest first: `to`, `subject`, `html`, `text`, `headers`, `sent_at`, `reason`."""
        answer = self.get("/_local/mailbox", params={"to": to} if to else None)
        assert answer.status_code == 200, answer.text
        mails: list[dict[str, Any]] = answer.json()["messages"]
        return mails

    def close(self) -> None:
        """Hang up, for every thread."""
        for session in self._sessions:
            session.close()

    def _session(self) -> requests.Session:
        if not hasattr(self._mine, "session"):
            self._mine.session = requests.Session()
            self._mine.session.trust_env = False  # no proxy between us and 127.0.0.1
            self._sessions.append(self._mine.session)
        session: requests.Session = self._mine.session
        return session
