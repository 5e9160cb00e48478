"""One customer who uses every feature of the shop, so that each of her words can be found again."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from typing import Any

from chalicelib.shared import aws, clock, tokens
from chalicelib.shared.config import TABLES, config
from chalicelib.shared.dynamo import unpack_item
from tests.support.circuit import Circuit
from tests.support.marked import BODIES, MARK, QUESTION
from tests.support.routes import EXAMPLES, contracts

CUSTOMER, DEVICE, OTHER_DEVICE = f"{MARK}-u", f"{MARK}-a", f"{MARK}-a2"
NAMES = {"u1": CUSTOMER, "u2": f"{MARK}-u2", "a1": DEVICE, "a2": OTHER_DEVICE}
# Not hers: the catalogue, the program, keys, templates, rules; what would undo what she did; and what ends her life here.
MADE = r'"(complaint_id|code|redemption_id)": ?"([^"]+)"'
NOT_HERS = re.compile(
    r"/v1/(items|loyalty/program|api-keys|settings|computed-traits|inference-rules|profile-questions)|/u/|/(undo|release)$"
)

PROGRAM = {
    "currency": "JPY",
    "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}],
    "referral": {"points": 300, "friend_points": 200},
}


class Person:
    """Does on every route that takes a body what `marked` says, as herself, and everything that follows from it."""

    def __init__(self, api: Any, circuit: Circuit) -> None:
        self._api = api
        self._circuit = circuit
        self.refused: dict[str, Any] = {}
        self._made: dict[str, str] = {}  # what the shop named, by the path variable that asks for it

    def live(self) -> Person:
        self._api.put(
            "/v1/items/85123A",
            {"kind": "product", "title": "HEART", "price": {"amount": 1, "currency": "GBP"}},
        )
        self._api.put("/v1/profile-questions/pet", QUESTION)
        self._api.put("/v1/loyalty/program", PROGRAM)
        other = {"userId": NAMES["u2"], "messageId": f"{MARK}-m", "traits": {"nick": MARK}}
        self._api.post("/v1/identify", other)
        self._api.post("/v1/identify", _hers(BODIES["POST /v1/identify"], number=0))
        self._api.post("/v1/alias", _hers(BODIES["POST /v1/alias"], number=1))
        friend = self._api.post(f"/v1/customers/{NAMES['u2']}/loyalty/referral-code").json_body["code"]
        for number, contract in enumerate(_in_order(), start=2):
            method, path = contract.signature.split(" ")
            path = re.sub(r"{(\w+)}", lambda found: self._made.get(found[1]) or _value(found[1]), path)
            headers = self.token() if "/v1/me" in path else None
            body = BODIES.get(contract.signature, {}) if method in ("POST", "PUT", "PATCH") else None
            if contract.signature == "POST /v1/loyalty/referrals":
                body = body | {"code": friend}
            media = {"Content-Type": contract.media_types[0], "Idempotency-Key": f"{MARK}-{number}"}
            answer = self._api.request(method, path, _hers(body, number), headers, **media)
            if answer.status_code >= 300:
                self.refused[contract.signature] = answer.body
            else:
                self._made |= dict(re.findall(MADE, answer.body.decode()))
            self._circuit.settle()
        self._circuit.travel(clock.now() + timedelta(days=1, hours=1))
        self._circuit.tick("campaigns_tick")
        self._circuit.settle()
        return self

    def token(self) -> dict[str, str]:
        """Her own bearer token."""
        return self.token_of(CUSTOMER)

    @staticmethod
    def token_of(customer_id: str) -> dict[str, str]:
        """Somebody's bearer token."""
        token = tokens.customer_token(customer_id, now=clock.now(), ttl=timedelta(hours=1))
        return {"Authorization": f"Bearer {token}"}

    def erase(self) -> str:
        """Ask for it, and wait until it is done; returns the erasure's id."""
        answer = self._api.delete(f"/v1/customers/{CUSTOMER}")
        assert answer.status_code == 202, answer.body
        self._circuit.settle()
        self._circuit.travel(clock.now() + timedelta(minutes=3))
        self._circuit.tick("privacy_tick")
        self._circuit.settle()
        return str(answer.json_body["erasure_id"])


class Snapshot:
    """Every item and document as they are now, to go back to."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._items = self._read()
        self._documents = dict(_documents())

    def restore(self) -> None:
        """Make everything as it was."""
        for name, items in self._read().items():
            wanted = {_key(item): item for item in self._items[name]}
            table = config().tables[name]
            for item in items:
                if _key(item) not in wanted:
                    self._client.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
            here = {_key(item): item for item in items}
            for key, item in wanted.items():
                if here.get(key) != item:
                    self._client.put_item(TableName=table, Item=item)
        for address, body in self._documents.items():
            aws.client("s3").put_object(Bucket=config().exports, Key=address, Body=body)

    def _read(self) -> dict[str, list[dict[str, Any]]]:
        return {
            name: [
                item
                for page in self._client.get_paginator("scan").paginate(TableName=config().tables[name])
                for item in page["Items"]
            ]
            for name in TABLES
        }


def everything(client: Any) -> str:
    """Every item of every table, and every document of the bucket with its name, as one text."""
    lines = []
    for name in TABLES:
        for page in client.get_paginator("scan").paginate(TableName=config().tables[name]):
            lines += [
                json.dumps({"table": name, **_plain(unpack_item(item))}, ensure_ascii=False)
                for item in page["Items"]
            ]
    lines += [json.dumps({"bucket": address, "body": body.decode()}) for address, body in _documents()]
    return "\n".join(lines)


def _documents() -> list[tuple[str, bytes]]:
    bucket = aws.client("s3")
    found = bucket.list_objects_v2(Bucket=config().exports).get("Contents", [])
    return [
        (each["Key"], bucket.get_object(Bucket=config().exports, Key=each["Key"])["Body"].read())
        for each in found
    ]


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def marks_in(text: str) -> list[str]:
    """Every line in which one of her words stands, also encoded."""
    encoded = base64.b64encode(MARK.encode()).decode().rstrip("=")
    return [
        line for line in text.splitlines() if re.search(f"{MARK}|{re.escape(encoded)}", line, re.IGNORECASE)
    ]


def _in_order() -> list[Any]:
    """Her routes: orders before parcels, what is written before what ends."""
    order = [
        "/v1/identify",
        "/v1/alias",
        "/v1/loyalty/referrals",
        "/v1/me",
        "/profile-answers",
        "/orders/{order_id}",
        "/shipments",
        "/events",
    ]

    def place(contract: Any) -> tuple[int, str]:
        path = contract.signature.split(" ")[1]
        return next(
            (n for n, part in enumerate(order) if path.endswith(part)), len(order)
        ), contract.signature

    return sorted((each for each in contracts() if _is_hers(each)), key=place)


def _is_hers(contract: Any) -> bool:
    method, path = contract.signature.split(" ")
    return method in ("POST", "PUT", "PATCH") and not NOT_HERS.search(path)


def _value(name: str) -> str:
    value = EXAMPLES.get(name, name)
    return NAMES.get(value, value)


def _hers(value: Any, number: int) -> Any:
    """A body of `marked` said by her, each time a new event."""
    text = json.dumps(value)
    for theirs, hers in NAMES.items():
        text = text.replace(f'"{theirs}"', f'"{hers}"')
    body = json.loads(text)
    if isinstance(body, dict) and ("userId" in body or "anonymousId" in body):
        body["messageId"] = f"{MARK}-m{number}"
    return body


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: repr(value) if isinstance(value, bytes) else value for name, value in item.items()}
