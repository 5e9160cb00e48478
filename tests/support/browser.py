"""A headless Chromium that a test can look at and click in, spoken to over its own pipe; no driver, no network."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing beyond this machine, whatever a page asks for
    "--proxy-server=direct://",
    "--remote-debugging-pipe",
)
WAIT_SECONDS = 30
# Chromium reads its commands from file 3 and answers on file 4.
_LAUNCH = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"


class Browser:
    """One browser process with an empty profile. Several pages may be open; they share cookies and nothing is kept."""

    def __init__(self, profile: Path) -> None:
        program = next(filter(None, map(shutil.which, NAMES)), None)
        assert program, "Chromium is not here; `make test-browser` says how to get it"
        commands_end, self._commands = _pipe()
        answers, answers_end = _pipe()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", _LAUNCH, str(commands_end), str(answers_end)),
                *(program, *FLAGS, f"--user-data-dir={profile}", "about:blank"),
            ],
            pass_fds=(commands_end, answers_end),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands_end)
        os.close(answers_end)
        self._messages = os.fdopen(answers, "rb")
        self._news = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._events: dict[str, list[dict[str, Any]]] = {}
        self._last_id = 0
        self._over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def page(self, url: str, *, width: int = 1200, height: int = 900) -> Page:
        """Open a page and wait until it is loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        page.resize(width, height)
        page.open(url)
        return page

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Send one command of the DevTools protocol and wait for its answer."""
        message: dict[str, Any] = {"method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        with self._news:
            self._last_id += 1
            message["id"] = self._last_id
            os.write(self._commands, json.dumps(message).encode() + b"\0")
            self._wait_for(lambda: message["id"] in self._answers, method)
            answer = self._answers.pop(message["id"])
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: dict[str, Any] = answer["result"]
        return result

    def events(self, session: str, *names: str) -> list[dict[str, Any]]:
        """What a page has reported so far, in order: the parameters of the protocol's events."""
        with self._news:
            return [each["params"] for each in self._events.get(session, []) if each["method"] in names]

    def await_events(self, session: str, name: str, enough: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Wait until what a page has reported of one kind is enough."""

        def is_enough() -> bool:
            reported = self._events.get(session, [])
            return enough([each["params"] for each in reported if each["method"] == name])

        with self._news:
            self._wait_for(is_enough, name)

    def close(self) -> None:
        """End the process and everything it started."""
        if not self._over:
            self.call("Browser.close")
        self._process.wait(WAIT_SECONDS)
        self._reader.join()
        self._messages.close()
        os.close(self._commands)

    def _wait_for(self, condition: Any, what: str) -> None:
        self._news.wait_for(lambda: self._over or condition(), WAIT_SECONDS)
        assert condition(), f"the browser {'has ended' if self._over else 'is silent'}: {what}"

    def _read(self) -> None:
        left = b""
        while chunk := self._messages.read1(1 << 16):
            *complete, left = (left + chunk).split(b"\0")
            with self._news:
                for message in map(json.loads, complete):
                    if "id" in message:
                        self._answers[message["id"]] = message
                    else:
                        self._events.setdefault(message.get("sessionId", ""), []).append(message)
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, url: str) -> None:
        """Go there and wait until it is loaded."""
        with self.loading():
            answer = self._call("Page.navigate", url=url)
            assert "errorText" not in answer, f"{url}: {answer['errorText']}"

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Wait for the page that what happens inside leads to."""
        before = len(self._browser.events(self._session, "Page.loadEventFired"))
        yield
        self._browser.await_events(self._session, "Page.loadEventFired", lambda seen: len(seen) > before)

    def resize(self, width: int, height: int, *, scheme: str = "light") -> None:
        """Be a screen of this size, light or dark."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def value(self, expression: str) -> Any:
        """What a JavaScript expression, or the promise it makes, comes to."""
        answer = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def await_answer(self, path: str, status: int) -> None:
        """Wait until a request of the page has been answered like this."""

        def is_there(answers: list[dict[str, Any]]) -> bool:
            return any(
                each["response"]["url"].endswith(path) and each["response"]["status"] == status
                for each in answers
                if each["type"] == "Fetch"
            )

        self._browser.await_events(self._session, "Network.responseReceived", is_there)

    def text(self, selector: str = "body") -> str:
        """The text of an element as a person sees it."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).innerText"))

    def click(self, selector: str) -> None:
        """Click into the middle of an element that can be seen."""
        found = json.dumps(selector)
        x, y = self.value(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();"
            f"return [r.x + r.width / 2, r.y + r.height / 2]; }})(document.querySelector({found}))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def block(self, *patterns: str) -> None:
        """Let requests to these addresses fail as if the network did; none lets them all through again."""
        self._call("Network.setBlockedURLs", urls=list(patterns))

    def overflows(self) -> bool:
        """Whether the page is wider than the screen."""
        return bool(self.value("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def requests(self) -> list[dict[str, Any]]:
        """Everything it asked for: `url`, `method`, `headers`."""
        sent = self._browser.events(self._session, "Network.requestWillBeSent")
        return [each["request"] for each in sent]

    def requested(self) -> list[str]:
        """Every address it asked for."""
        return [str(each["url"]) for each in self.requests()]

    def complaints(self) -> list[str]:
        """Errors and warnings of its console: exceptions, refused requests, broken policies."""
        thrown = self._browser.events(self._session, "Runtime.exceptionThrown")
        logged = self._browser.events(self._session, "Log.entryAdded")
        return [str(each["exceptionDetails"]["text"]) for each in thrown] + [
            f"{each['entry']['text']} ({each['entry'].get('url', '')})"
            for each in logged
            if each["entry"]["level"] in ("error", "warning")
        ]

    def screenshot(self, path: Path) -> None:
        """Keep a picture of the whole page for people to look at."""
        picture = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(picture["data"]))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)


def _pipe() -> tuple[int, int]:
    # Away from the numbers that Chromium wants for itself.
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
