"""Checks E2 and E5: somebody else's id is answered like one that was never given, and no id reaches beyond its own key."""

# ruff: noqa: RUF001  (look-alikes are what this is about)
from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.shared import clock, tokens
from chalicelib.shared.config import TABLES, config
from tests.support.embedded import PUBLISHABLE
from tests.support.faults import FaultyWire
from tests.support.marked import BODIES
from tests.support.routes import EXAMPLES, contracts

VARIABLE = re.compile(r"{(\w+)}")
CASES = 1000
# What differs from one request to the next, whosever id it is.
OF_THE_MOMENT = re.compile(r'"(correlation_id|request_id|[a-z_]*_?at)": ?"[^"]*"')
VICTIM, ME = "victim", "me-myself"


def token_of(customer_id: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {tokens.customer_token(customer_id, now=clock.now(), ttl=timedelta(hours=1))}"
    }


# What takes an id and may be asked with a customer's own token, in the path or beside it. A token that may not use
# a route at all is refused before anybody looks for anything.
GIVEN = {
    "customer_id",
    "project_id",
    "item_id",
    "order_id",
    "complaint_id",
    "erasure_id",
    "export_id",
    "shipment_id",
}
TAKING_IDS = [
    each for each in contracts() if GIVEN & set(VARIABLE.findall(each.signature)) and not each.rule.public
]
BESIDE = [
    ("GET", "/v1/profile-questions?customer_id={id}", None),
    ("GET", "/v1/recommendations/for_you?customer_id={id}", None),
    ("POST", "/v1/profile-answers", {"customer_id": "{id}", "answers": {"pet": "dog"}}),
]


def live(api: Any, customer_id: str, project_id: str) -> dict[str, str]:
    """Give somebody one of everything that has an id; returns the ids by the path variable that asks for them."""
    event = {"userId": customer_id, "messageId": f"m-{customer_id}", "traits": {"nick": customer_id}}
    assert api.post("/v1/identify", event).status_code == 200
    theirs = f"/v1/customers/{customer_id}"
    key = {"Idempotency-Key": "k"}
    assert api.put(f"{theirs}/projects/{project_id}", {"title": "cellar"}).status_code in (200, 201)
    assert api.put(f"{theirs}/watchlist/item-of-{customer_id}").status_code < 300
    complaint = api.post(f"{theirs}/complaints", {"text": "late"}, **key)
    export = api.post(f"{theirs}/export", None, **key)
    assert (complaint.status_code, export.status_code) == (201, 202), (complaint.body, export.body)
    order = BODIES["PUT /v1/orders/{order_id}"] | {"customer_id": customer_id}
    assert api.put(f"/v1/orders/order-of-{customer_id}", order).status_code < 300
    return {
        "customer_id": customer_id,
        "project_id": project_id,
        "item_id": f"item-of-{customer_id}",
        "order_id": f"order-of-{customer_id}",
        "complaint_id": complaint.json_body["complaint_id"],
        "export_id": export.json_body["export_id"],
    }


def like(name: str, value: str, number: int) -> str:
    """An id of the same shape that was never given."""
    if name == "export_id":
        return f"{number:032x}"
    if name in ("complaint_id", "erasure_id"):
        return f"01KAE5VQ3M5Z8Y7X6W5V4T{number:04d}"
    return f"nobody-{number}-{name}"[: max(len(value), 30)]


def ask(
    api: Any, wire: FaultyWire, request: tuple[str, str, Any], known: dict[str, str], caller: str
) -> tuple[int, str, int]:
    """Status, body without what names the ids or the moment, and how many calls it took."""
    method, path, body = request
    before = wire.requests
    named = {name: known.get(name, EXAMPLES.get(name, "")) for name in VARIABLE.findall(path)}
    at = VARIABLE.sub(lambda found: {**named, "id": known["customer_id"]}[found[1]], path)
    sent = json.loads(json.dumps(body).replace("{id}", known["customer_id"])) if body else None
    if method != "GET" and path.startswith("/v1/customers/{customer_id}") and sent is None:
        sent = {}
    answer = api.request(method, at, sent, token_of(caller), **{"Idempotency-Key": "k"})
    said = OF_THE_MOMENT.sub("", answer.body.decode())
    for value in sorted({*named.values(), known["customer_id"], caller} - {""}, key=len, reverse=True):
        said = said.replace(value, "ID")
    return answer.status_code, said, wire.requests - before


def test_e2_somebody_elses_is_nobodys(api: Any, aws: Any, figure: Any) -> None:
    others = [live(api, f"other{number}", f"project-of-other{number}") for number in range(10)]
    erasure = api.delete("/v1/customers/other9").json_body["erasure_id"]
    wire = FaultyWire(aws)
    requests = [(*each.signature.split(" "), BODIES.get(each.signature)) for each in TAKING_IDS] + BESIDE
    wrong: dict[str, Any] = {}
    cases, refused = 0, 0
    for number in range(CASES):
        method, path, _ = requests[number % len(requests)]
        theirs = others[number // len(requests) % 9] | {"erasure_id": erasure}

        nobodys = {name: like(name, value, number) for name, value in theirs.items()}
        # New callers each time: what one of them wrote is there for their next request.
        foreign, missing = (
            ask(api, wire, requests[number % len(requests)], known, f"{caller}{number}")
            for known, caller in ((theirs, "caller-f"), (nobodys, "caller-m"))
        )
        cases += 1
        refused += foreign[0] >= 400
        if foreign != missing or foreign[0] >= 500:
            wrong[f"{method} {path}"] = (foreign, missing)

    assert wrong == {}
    assert refused > cases / 2
    figure(
        f"E2  {cases} cases on {len(requests)} routes, each with a foreign id and with one of nobody: status, body and "
        f"number of reads equal in all; {refused} refused, the others answered about the caller"
    )


LOOK_ALIKES = str.maketrans({"v": "ν", "i": "і", "c": "с", "t": "т", "m": "ⅿ"})
HOSTILE = [
    "victim#", "#victim", "C#victim", "victim#PROFILE", "victim/", "/victim", "../victim", "victim/../victim", "./victim",
    "victim%23", "victim%2FPROFILE", "victim\u0000", "victim\n", " victim", "victim ", "\tvictim", "victim\u200b",
    "\u202evictim", "\ufeffvictim", "victim\u00ad", "VICTIM", "Victim", "ｖｉｃｔｉｍ", "ⓥictim", "𝐯ictim", "víctim",
    "victi\u0301m", "victim;", "victim'", 'victim"', "victim\\", "victim*", "victim?", "victim|me", "victim,me",
    "{victim}", "$victim", "victim\ud7ff", "", ".", "..", "x" * 129, "victim" * 30, "victim".translate(LOOK_ALIKES),
]  # fmt: skip
PIECES = [
    "victim",
    "#",
    "/",
    "%23",
    "%2F",
    "C#",
    "A#",
    "E#",
    "PROFILE",
    "..",
    "\u200b",
    "\u202e",
    "ｖ",
    "і",
    "-",
    "~",
]


def fuzzed() -> list[str]:
    draw = random.Random(5)
    made = dict.fromkeys(HOSTILE)
    while len(made) < CASES:
        pieces = [
            draw.choice([*PIECES, chr(draw.randrange(32, 0xD000))]) for _ in range(draw.randrange(1, 6))
        ]
        made["".join(pieces)] = None
    return [each for each in made if each != VICTIM]


ID_ROUTES = [
    ("GET", "/v1/customers/{id}", None),
    ("GET", "/v1/customers/{id}/timeline", None),
    ("GET", "/v1/customers/{id}/traits", None),
    ("PATCH", "/v1/customers/{id}", {"traits": {"nick": "x"}}),
    ("POST", "/v1/customers/{id}/notes", {"text": "x"}),
    ("PUT", "/v1/customers/{id}/watchlist/a", None),
    ("PUT", "/v1/customers/{id}/projects/p", {"title": "x"}),
    ("POST", "/v1/customers/{id}/loyalty/accruals", {"points": 1, "reason": "x"}),
    ("DELETE", "/v1/customers/{id}", None),
    ("PUT", "/v1/me/projects/{id}", {"title": "x"}),
    ("DELETE", "/v1/me/watchlist/{id}", None),
    ("GET", "/v1/exports/{id}", None),
    ("GET", "/v1/orders/{id}", None),
    ("POST", "/v1/track", {"event": "x", "userId": "{id}"}),
    ("POST", "/v1/identify", {"userId": "me", "anonymousId": "{id}"}),
]


def test_e5_no_id_reaches_into_anothers_items(api: Any, aws: Any, figure: Any) -> None:
    live(api, VICTIM, VICTIM)
    anonymous = {"event": "x", "anonymousId": VICTIM, "messageId": "a"}
    assert api.post("/v1/track", anonymous, PUBLISHABLE).status_code == 200
    live(api, ME, "mine")
    before = items_of_victim(aws)
    partitions = {pk for _, pk, _ in before}
    touched, statuses, ids = {}, [], fuzzed()
    with partitions_asked_for(aws) as asked:
        for number, hostile in enumerate(ids):
            method, path, body = ID_ROUTES[number % len(ID_ROUTES)]
            sent = json.loads(json.dumps(body).replace('"{id}"', json.dumps(hostile))) if body else None
            headers = token_of(ME) if "/me/" in path else None
            asked.clear()
            at = path.replace("{id}", quote(hostile, safe=""))
            statuses.append(api.request(method, at, sent, headers, **{"Idempotency-Key": "k"}).status_code)
            if asked & partitions:
                touched[hostile, path] = asked & partitions

    assert touched == {}
    assert items_of_victim(aws) == before
    assert max(statuses) < 500
    refused = sum(status == 400 for status in statuses)
    assert 0 < refused < len(ids), "some are ids of their own, and those are served"
    figure(
        f"E5  {len(ids)} ids on {len(ID_ROUTES)} routes: {refused} refused, {len(ids) - refused} are somebody's own; "
        "0 read or wrote another's items"
    )


def test_what_watches_the_partitions_sees_a_read(api: Any, aws: Any) -> None:
    with partitions_asked_for(aws) as asked:
        api.get(f"/v1/customers/{VICTIM}/timeline")

    assert f"C#{VICTIM}" in asked


@contextmanager
def partitions_asked_for(client: Any) -> Iterator[set[str]]:
    """Every text in every request that could name a partition."""
    asked: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("S"), str):
                asked.add(value["S"])
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    def listen(params: dict[str, Any], **_: Any) -> None:
        look(params)

    client.meta.events.register("provide-client-params.dynamodb", listen)
    yield asked
    client.meta.events.unregister("provide-client-params.dynamodb", listen)


def items_of_victim(client: Any) -> list[tuple[str, str, str]]:
    """What is stored in partitions that bear the victim's name: (table, partition, the whole item)."""
    return sorted(
        (name, item["pk"]["S"], repr(sorted(item.items())))
        for name in TABLES
        for item in client.scan(TableName=config().tables[name])["Items"]
        if item["pk"]["S"].rpartition("#")[2] in (VICTIM, f"order-of-{VICTIM}")
    )


pytestmark = pytest.mark.slow
