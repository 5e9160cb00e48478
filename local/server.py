"""HTTP on 127.0.0.1: Chalice's own server class, without Nagle's delay, and nothing a client sends can stop it."""

from __future__ import annotations

import errno
import re
import string
import sys
import threading
from collections.abc import Callable
from email import errors
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import quote

from chalice.local import ThreadedHTTPServer

from chalicelib.shared.logs import log_failure
from local.gateway import BODY_BYTES_MAX, Reply, Sent, refusal
from local.settings import Stop

HOST = "127.0.0.1"
IDLE_SECONDS_MAX = 75  # a connection nobody uses is closed, so that its thread ends
DISCARD_BYTES_MAX = 64 * 1024 * 1024
CHUNK_LINE_MAX = 1024
NO_HEADER = (
    errors.MissingHeaderBodySeparatorDefect,
    errors.FirstHeaderLineIsContinuationDefect,
    errors.InvalidHeaderDefect,
    errors.MisplacedEnvelopeHeaderDefect,
)
LENGTH = re.compile("[0-9]{1,18}")
HEX_DIGITS = set(string.hexdigits.encode())
FINISH_SECONDS_MAX = 5

Answer = Callable[[Sent], Reply]


class Server(ThreadedHTTPServer):
    """Listens from the moment it is made; answers from `start` on."""

    request_queue_size = 1024
    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.answer: Answer | None = None
        self._busy = 0
        self._changed = threading.Condition()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Stop(
                    f"Port {port} is in use: stop what is using it, or choose another with PORT={_other(port)}."
                ) from None
            raise Stop(
                f"Port {port} cannot be opened ({error.strerror}): choose another with PORT={_other(port)}."
            ) from None

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"

    def start(self, answer: Answer) -> None:
        """Answer with `answer` in a thread for each connection."""
        self.answer = answer
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True, name="http").start()

    def stop(self) -> None:
        """Take no more requests, and let those that were taken finish."""
        if self.answer is not None:
            self.shutdown()
        self.server_close()
        with self._changed:
            self._changed.wait_for(lambda: self._busy == 0, FINISH_SECONDS_MAX)

    def serve(self, sent: Sent) -> Reply:
        """Answer one request; whatever goes wrong is an answer too."""
        assert self.answer is not None
        with self._changed:
            self._busy += 1
        try:
            return self.answer(sent)
        except Exception as error:  # noqa: BLE001 (a request never ends the server)
            log_failure("request failed", error, path=sent.path)
            return refusal(500)
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log what is ours; a client that hung up is no news."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            log_failure("connection lost", error)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # headers and body leave in one write
    timeout = IDLE_SECONDS_MAX

    def handle_one_request(self) -> None:
        """As in the base class, with one door for every method and no HTML."""
        self.close_connection = True
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline:
                return
            if len(self.raw_requestline) > 65536:
                self.requestline, self.request_version, self.command = "", "HTTP/1.1", ""
                self.send_error(414)
            elif self.parse_request():
                self._serve()
            self.wfile.flush()
        except OSError:  # the client is gone, or has been silent for too long
            self.close_connection = True

    def parse_request(self) -> bool:
        """As in the base class, but HTTP/0.9 (no version, no headers) is refused, and so is a line that is no header."""
        if not super().parse_request():
            return False
        if self.request_version == "HTTP/0.9":
            self.request_version = "HTTP/1.0"
            self.send_error(400)
            return False
        # Only these: of a body it has not seen the mail parser says other things, e.g. that a multipart one is empty.
        if any(isinstance(each, NO_HEADER) for each in self.headers.defects) or self.headers.get_unixfrom():
            # A line that is no header ends them for the base class, and what follows would be read as it likes.
            self.send_error(400)
            return False
        return True

    def version_string(self) -> str:
        """What the Server header says."""
        return "Kokyaku"

    def handle_expect_100(self) -> bool:
        """Let a careful client go on; it waits for this line before it sends its body."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """A request that could not be read: a problem document, and the connection ends."""
        if self.request_version == "HTTP/0.9":
            self.request_version = "HTTP/1.0"
        self.close_connection = True
        self._send(_unread(code))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class calls it that)
        """Say nothing: the service writes its own log."""

    def _serve(self) -> None:
        body, problem = self._body()
        if problem:
            self.close_connection = True
            self._send(_unread(problem))
            return
        self._send(self.server.serve(Sent(self.command, _encoded(self.path), _headers(self.headers), body)))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _body(self) -> tuple[bytes, int]:
        """The body, or the status of what is wrong with it."""
        lengths = self.headers.get_all("content-length", [])
        codings = self.headers.get_all("transfer-encoding", [])
        if codings:
            # Two statements about one body are how requests are smuggled.
            if lengths or [each.strip().lower() for each in codings] != ["chunked"]:
                return b"", 400
            return self._chunks()
        if not lengths:
            return b"", 0
        if len(set(lengths)) > 1 or not LENGTH.fullmatch(lengths[0]):
            return b"", 400
        length = int(lengths[0])
        if length > BODY_BYTES_MAX:
            self._discard(length)
            return b"", 413
        body = self.rfile.read(length)
        return body, 0 if len(body) == length else 400

    def _chunks(self) -> tuple[bytes, int]:
        body = bytearray()
        while True:
            size_text = self.rfile.readline(CHUNK_LINE_MAX).partition(b";")[0].strip()
            if not size_text or not set(size_text) <= HEX_DIGITS or len(size_text) > 16:
                return b"", 400
            size = int(size_text, 16)
            if size == 0:
                break
            if len(body) + size > BODY_BYTES_MAX:
                self._discard(DISCARD_BYTES_MAX)
                return b"", 413
            body += self.rfile.read(size)
            if self.rfile.read(2) != b"\r\n":
                return b"", 400
        while self.rfile.readline(CHUNK_LINE_MAX).strip():
            pass  # trailers say nothing we use
        return bytes(body), 0

    def _discard(self, length: int) -> None:
        # A client that is still writing would see a broken connection instead of the answer.
        self.connection.settimeout(0.5)
        left = min(length, DISCARD_BYTES_MAX)
        try:
            while left > 0:
                got = self.rfile.read1(min(left, 1 << 20))
                if not got:
                    return
                left -= len(got)
        except TimeoutError:
            return
        finally:
            self.connection.settimeout(IDLE_SECONDS_MAX)


def _other(port: int) -> int:
    return port + 1 if 1023 < port < 65535 else 8001


def _unread(status: int) -> Reply:
    """What a request gets that could not even be read: 413, or 400 for anything else that is the client's doing."""
    return refusal(status if status in (413, 500) else 400)


def _encoded(target: str) -> str:
    # The base class reads bytes as Latin-1. Bytes that should have been percent-encoded are so from here on.
    return quote(target.encode("iso-8859-1"), safe=string.punctuation)


def _headers(message: Message) -> dict[str, str]:
    # Header names repeat; for those that do, the gateway passes on the last value.
    return {name.lower(): value for name, value in message.items()}
