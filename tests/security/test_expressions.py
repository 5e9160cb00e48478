"""Check E8: what a definition or a filter names is looked up as it stands; nothing in it is ever worked out or run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest

HOSTILE = [
    "a = :b OR attribute_exists(pk)", "begins_with(pk, 'C#')", "#n0 = :v0", ":v0", "pk", "sk", "C#u2", "size(pk) > 0",
    "SET balance = :x", "REMOVE pk", "' OR '1'='1", '"; DROP TABLE people; --', "$where", "$gt", '{"$ne": null}',
    "__class__", "__proto__", "constructor.prototype", "{{ 7 * 7 }}", "${7*7}", "#{7*7}", "{0.__class__}", "%(pk)s",
    "__import__('os').system('id')", "os.environ", "lambda: 0", "(a+)+$", ".*", "a" * 5000, "a." * 200 + "a", "a..b", "[*]",
    "a[0]", "*", "../people", "a\u0000b", "a\nb", "\u202eeman", "\ud800", "=cmd|' /C calc'!A0", "<script>", "%s%s%n", "",
]  # fmt: skip
TRAIT = {"event": "Searched", "aggregate": "last", "property": "properties.query"}
RULE = {"trait": "diet", "value": "vegetarian", "support": {"no_item_of": ["meat"]}}
QUESTION = {
    "text": "Which pet?", "kind": "text", "trait": "pet", "purpose": "To show what fits.", "reward": {"points": 5},
    "answer_set": "profile", "priority": 1,
}  # fmt: skip

# Where a shop or a caller names a field, a kind, an event or an order to sort by.
Place = tuple[str, str, Any]
BODIES: dict[str, Place] = {
    "trait event": ("PUT", "/v1/computed-traits/t", TRAIT | {"event": "{}"}),
    "trait aggregate": ("PUT", "/v1/computed-traits/t", TRAIT | {"aggregate": "{}"}),
    "trait property": ("PUT", "/v1/computed-traits/t", TRAIT | {"property": "{}"}),
    "trait path": ("PUT", "/v1/computed-traits/t", TRAIT | {"property": "properties.{}"}),
    "trait window": ("PUT", "/v1/computed-traits/t", TRAIT | {"within": "{}"}),
    "trait category": ("PUT", "/v1/computed-traits/t", TRAIT | {"filter": {"category": "{}"}}),
    "trait channel": ("PUT", "/v1/computed-traits/t", TRAIT | {"filter": {"channel": "{}"}}),
    "trait filter": ("PUT", "/v1/computed-traits/t", TRAIT | {"filter": {"{}": "web"}}),
    "rule trait": ("PUT", "/v1/inference-rules/r", RULE | {"trait": "{}"}),
    "rule value": ("PUT", "/v1/inference-rules/r", RULE | {"value": "{}"}),
    "rule among": ("PUT", "/v1/inference-rules/r", RULE | {"among": {"categories": ["{}"]}}),
    "rule support": ("PUT", "/v1/inference-rules/r", RULE | {"support": {"no_item_of": ["{}"]}}),
    "rule condition": ("PUT", "/v1/inference-rules/r", RULE | {"support": {"no_item_of": ["meat"], "{}": 1}}),
    "rule category": ("PUT", "/v1/inference-rules/r", RULE | {"sensitive_category": "{}"}),
    "rule tried": ("POST", "/v1/inference-rules/preview", {"customer_id": "u1", "rule": RULE | {"{}": 1}}),
    "question trait": ("PUT", "/v1/profile-questions/q", QUESTION | {"trait": "{}"}),
    "question kind": ("PUT", "/v1/profile-questions/q", QUESTION | {"kind": "{}"}),
    "question reward": ("PUT", "/v1/profile-questions/q", QUESTION | {"reward": {"{}": 5}}),
    "question condition": ("PUT", "/v1/profile-questions/q", QUESTION | {"after": {"{}": "dog"}}),
}
# Filters that are a closed list of words: whatever is not among them is refused.
FILTERS = [
    "/v1/customers/u1/timeline?kind={}", "/v1/customers/u1/timeline?channel={}", "/v1/customers/u1/timeline?{}=1",
    "/v1/customers/u1/timeline?cursor={}", "/v1/customers/u1/timeline?limit={}", "/v1/customers/u1/timeline?sort={}",
    "/v1/items?sort={}", "/v1/items?filter={}", "/v1/items?cursor={}", "/v1/customers?filter={}", "/v1/customers?{}=1",
    "/v1/customers/u1/notes?cursor={}", "/v1/customers/u1/orders?sort={}", "/v1/customers/u1/traits?fields={}",
]  # fmt: skip
# Named freely by the shop: kept and looked up as it stands, so most of the words are fine.
FREE = {
    "question trait",
    "trait event",
    "trait path",
    "trait category",
    "rule trait",
    "rule value",
    "rule among",
    "rule support",
}


def test_e8_nothing_named_is_ever_an_expression(  # noqa: C901 - two loops over what is hostile
    api: Any, aws: Any, figure: Any
) -> None:
    tell(api)
    wrong: dict[Any, Any] = {}
    cases = refused = 0
    with expressions(aws) as used:
        for name, (method, path, body) in BODIES.items():
            for hostile in HOSTILE:
                sent = json.dumps(body).replace("{}", json.dumps(hostile)[1:-1]).encode()
                answer = api.request(method, path, sent)
                cases += 1
                refused += answer.status_code == 400
                if answer.status_code not in ({200, 201, 400} if name in FREE else {400}) and not _word(
                    hostile
                ):
                    wrong[name, hostile[:30]] = answer.status_code
                elif answer.status_code < 300:
                    read = api.get("/v1/customers/u1/traits")
                    if read.status_code != 200 or "49" in str(read.json_body["computed_traits"]):
                        wrong[name, hostile[:30], "read"] = read.body[:200]
        for path in FILTERS:
            for hostile in HOSTILE[:-1]:
                at = path.replace("{}", quote(hostile.encode("utf-8", "surrogatepass")))
                answer = api.get(at)
                cases += 1
                refused += answer.status_code == 400
                if answer.status_code != 400 and not ("channel" in path and _word(hostile)):
                    wrong[path, hostile[:30]] = answer.status_code
        ours = "".join(used)

    assert wrong == {}
    assert [each for each in HOSTILE if len(each) > 4 and each in ours] == []
    assert "begins_with(" in ours, "expressions were seen"
    figure(
        f"E8  {cases} hostile names: {refused} refused, {cases - refused} kept as plain words; 0 in an expression, 0 worked out"
    )


@pytest.mark.parametrize(
    "name", ["properties.__class__", "properties.__class__.__name__", "properties.pk", "properties.items"]
)
def test_e8_a_path_leads_to_what_was_told_and_nothing_else(api: Any, name: str) -> None:
    tell(api)
    assert api.put("/v1/computed-traits/t", TRAIT | {"property": name}).status_code == 200

    computed = api.get("/v1/customers/u1/traits").json_body["computed_traits"]
    assert computed.get("t", {}).get("value") is None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/computed-traits/t", TRAIT | {"property": "properties" + ".a" * 50}),
        ("/v1/computed-traits/t", TRAIT | {"property": "properties." + "a" * 700}),
        ("/v1/inference-rules/r", RULE | {"support": {"no_item_of": [f"c{n}" for n in range(2000)]}}),
        ("/v1/inference-rules/r", RULE | {"among": {"among": {"among": {"categories": ["a"]}}}}),
    ],
)
def test_e8_depth_and_size_are_limited(api: Any, path: str, body: Any) -> None:
    assert api.put(path, body).status_code == 400


def tell(api: Any) -> None:
    event = {"event": "Searched", "userId": "u1", "messageId": "m1", "properties": {"query": "tea"}}
    assert api.post("/v1/track", event).status_code == 200


def _word(hostile: str) -> bool:
    """Whether it is hostile only where something is worked out: a plain word that some fields take."""
    return hostile.isascii() and hostile.replace("_", "").isalpha() and len(hostile) < 50


@contextmanager
def expressions(client: Any) -> Iterator[set[str]]:  # noqa: C901 - it walks a tree
    """Every expression and every name in one that goes to the database."""
    used: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            for name, each in value.items():
                if name.endswith("Expression") and isinstance(each, str):
                    used.add(each)
                elif name == "ExpressionAttributeNames":
                    used.update(each.values())
                else:
                    look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    def listen(params: dict[str, Any], **_: Any) -> None:
        look(params)

    client.meta.events.register("provide-client-params.dynamodb", listen)
    yield used
    client.meta.events.unregister("provide-client-params.dynamodb", listen)
