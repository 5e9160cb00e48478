"""What the local server does with requests, decent or not, is what the deployed gateway does."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import zlib
from urllib.parse import quote, unquote, urlsplit

import pytest

from tests.support.shop import Shop

LOYALTY = "/v1/customers/{}/loyalty"
PROGRAM = "/v1/loyalty/program"
GIFT = {"points": 7, "reason": "gift"}


def meet(shop, customer_id):
    """Points are for somebody the shop has heard of."""
    shop.post("/v1/identify", {"userId": unquote(customer_id)}, shop.sk)


def give(shop, customer_id, **more):
    meet(shop, customer_id)
    return shop.post(
        LOYALTY.format(customer_id) + "/accruals", GIFT, shop.sk | {"Idempotency-Key": "k"}, **more
    )


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "SOMETHING", "get"])
@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/nothing/here", "/v1/items//x", "/_local/nothing", "/favicon.ico"]
)
def test_an_unknown_path_is_a_problem_document(shop: Shop, method: str, path: str):
    answer = shop.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/not-found"


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "TRACE", "SOMETHING"])
def test_a_wrong_method_looks_like_an_unknown_path(shop: Shop, method: str):
    answer = shop.request(method, PROGRAM)
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Correlation-Id"] == answer.json()["correlation_id"]


def test_head_has_no_body(shop: Shop):
    answer = shop.request("HEAD", PROGRAM)
    assert (answer.status_code, answer.content) == (404, b"")


def test_a_browser_may_ask_first(shop: Shop):
    answer = shop.request("OPTIONS", LOYALTY.format("u1"), headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    assert "X-Api-Key" in answer.headers["Access-Control-Allow-Headers"]


def test_ids_of_every_script_arrive_as_they_were_meant(shop: Shop):
    customer_id = "顧客-é-42"
    assert give(shop, quote(customer_id)).status_code == 201
    assert shop.get(LOYALTY.format(quote(customer_id))).json()["active_points"] == 7

    parts = urlsplit(shop.base_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as wire:  # not encoded at all
        request = f"GET {LOYALTY.format(customer_id)} HTTP/1.1\r\nHost: x\r\nX-Api-Key: sk_test_local\r\n\r\n"
        wire.sendall(request.encode())
        assert answer_on(wire)[1]["active_points"] == 7


@pytest.mark.parametrize("segment", ["a%2Fb", "%00", "%FF", "a%20b", "%25", "..%2f..", "a%23b", "x" * 200])
def test_ids_that_cannot_be_ids_are_refused(shop: Shop, segment: str):
    answer = shop.get(LOYALTY.format(segment))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "customer_id"


def test_one_connection_serves_many_requests(shop: Shop):
    parts = urlsplit(shop.base_url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.connect()
    wire = connection.sock
    for path, status in [(PROGRAM, 401), ("/nothing", 404), (PROGRAM, 401)]:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert response.status == status
        assert connection.sock is wire
    connection.close()


def answer_on(wire: socket.socket) -> tuple[int, dict]:
    with http.client.HTTPResponse(wire) as response:
        response.begin()
        body = response.read()
        return response.status, json.loads(body) if body else {}


def raw(shop: Shop, request: bytes) -> tuple[int, dict]:
    """Send bytes as they are; answers the status and the document of the first response."""
    parts = urlsplit(shop.base_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as wire:
        wire.sendall(request)
        return answer_on(wire)


def post(body: bytes, *headers: bytes) -> bytes:
    head = [
        b"POST /v1/customers/chunky/loyalty/accruals HTTP/1.1",
        b"Host: x",
        b"X-Api-Key: sk_test_local",
        b"Content-Type: application/json",
        b"Idempotency-Key: k",
        *headers,
    ]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def test_a_body_may_come_in_chunks(shop: Shop):
    meet(shop, "chunky")
    sent = json.dumps(GIFT).encode()
    chunks = b"".join(b"%x;name=value\r\n%b\r\n" % (len(part), part) for part in (sent[:5], sent[5:]))
    status, answer = raw(shop, post(chunks + b"0\r\nTrailer: x\r\n\r\n", b"Transfer-Encoding: chunked"))
    assert (status, answer["points"]) == (201, 7)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /v1/loyalty/program\r\n\r\n",
        b"GET /v1/loyalty/program HTTP/9.9\r\n\r\n",
        b"GET /v1/loyalty/program HTTP/x\r\n\r\n",
        b"GET /v1/loyalty/program and more HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /v1/loyalty/program HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET /v1/loyalty/program HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        post(b"{}", b"Content-Length: minus"),
        post(b"{}", b"Content-Length: -2"),
        post(b"{}", b"Content-Length : 2"),
        post(b"{}", b"Content-Length: " + b"9" * 5000),
        post(b"{}", b"Content-Length: 2", b"no header at all", b"Transfer-Encoding: chunked"),
        post(b"{}", b": 2"),
        post(b"{}", b"From somebody"),
        b"GET /v1/health HTTP/1.1\r\n folded: x\r\nHost: x\r\n\r\n",
        post(b"0\r\n\r\n", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        post(b"0\r\n\r\n", b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"),
        post(b"{}", b"Content-Length: 2", b"Content-Length: 3"),
        post(b"0\r\n\r\n", b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        post(b"0\r\n\r\n", b"Transfer-Encoding: gzip, chunked"),
        post(b"zz\r\nxx\r\n", b"Transfer-Encoding: chunked"),
        post(b"0x2\r\nxx\r\n", b"Transfer-Encoding: chunked"),
        post(b"-1\r\nxx\r\n", b"Transfer-Encoding: chunked"),
        post(b"2\r\nxxxx\r\n", b"Transfer-Encoding: chunked"),
        post(b"ffffffffffffffffffffffff\r\n", b"Transfer-Encoding: chunked"),
    ],
)
def test_what_is_not_http_is_400_and_hurts_nobody(shop: Shop, request_bytes: bytes):
    status, answer = raw(shop, request_bytes)
    assert status == 400
    assert answer["type"] == "/problems/invalid-input"
    assert shop.get(PROGRAM).status_code == 200


@pytest.mark.parametrize(
    "header",
    [b"Content-Length : 27", b"nothing", b"Content-Length: " + b"9" * 5000, b"Transfer-Encoding: x"],
)
def test_a_connection_nobody_can_read_any_more_is_closed(shop: Shop, header: bytes):
    parts = urlsplit(shop.base_url)
    hidden = b"GET /v1/health HTTP/1.1\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as wire:
        wire.sendall(post(hidden, header))
        told = b"".join(iter(lambda: wire.recv(65536), b""))  # to the end: it is closed

    assert told.startswith(b"HTTP/1.1 400 ")
    assert told.count(b"HTTP/1.1 ") == 1


def test_a_body_larger_than_the_gateway_takes_is_413(shop: Shop):
    too_large = b"x" * (10 * 1024 * 1024 + 1)
    answer = shop.post("/v1/batch", too_large)
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"

    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(too_large), too_large)
    assert raw(shop, post(chunked, b"Transfer-Encoding: chunked"))[0] == 413


@pytest.mark.parametrize(
    "media_type", ["multipart/form-data; boundary=b", "multipart/mixed", "message/rfc822"]
)
def test_a_body_that_looks_like_mail_is_a_body(shop: Shop, media_type: str):
    answer = shop.post("/u/not-a-token", b"--b\r\n\r\nx\r\n--b--\r\n", {"Content-Type": media_type})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_client_that_hangs_up_halfway_hurts_nobody(shop: Shop):
    parts = urlsplit(shop.base_url)
    for part in (
        b"",
        b"GET",
        post(b"{", b"Content-Length: 1000"),
        post(b"5\r\nab", b"Transfer-Encoding: chunked"),
    ):
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as wire:
            wire.sendall(part)
    assert shop.get(PROGRAM).status_code == 200


def test_a_careful_client_is_told_to_go_on(shop: Shop):
    meet(shop, "chunky")
    parts = urlsplit(shop.base_url)
    body = json.dumps(GIFT).encode()
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as wire:
        wire.sendall(post(b"", b"Content-Length: %d" % len(body), b"Expect: 100-continue"))
        assert wire.recv(1000).startswith(b"HTTP/1.1 100")
        wire.sendall(body)
        assert wire.recv(1000).startswith(b"HTTP/1.1 201")


def packed(coding: str, body: bytes) -> bytes:
    return gzip.compress(body) if coding == "gzip" else zlib.compress(body)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate"])
def test_a_compressed_body_is_unpacked_on_the_way(shop: Shop, coding: str):
    meet(shop, f"packed-{coding}")
    body = packed(coding.lower(), json.dumps(GIFT).encode())
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json", "Content-Encoding": coding}
    answer = shop.post(LOYALTY.format(f"packed-{coding}") + "/accruals", body, shop.sk | headers)
    assert (answer.status_code, answer.json()["points"]) == (201, 7)


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("br", b"{}", 415),
        ("gzip", b"{}", 415),
        ("gzip", packed("gzip", b"{}" * 100)[:-9], 415),
        ("gzip", packed("gzip", b" " * (10 * 1024 * 1024 + 1)), 413),
    ],
)
def test_what_cannot_be_unpacked_is_refused(shop: Shop, coding: str, body: bytes, status: int):
    answer = shop.post("/v1/batch", body, shop.sk | {"Content-Encoding": coding})
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
