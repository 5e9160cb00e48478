"""A readable page of the OpenAPI document: plain HTML, no script, nothing loaded from elsewhere."""

from __future__ import annotations

import json
from html import escape
from itertools import groupby
from typing import Any

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --read: #1668a8; --write: #1a7a42; --remove: #b3362b; }
@media (prefers-color-scheme: dark) { :root { --read: #6db4ee; --write: #67c98d; --remove: #f08a80; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1rem; }
h1 { line-height: 1.25; } h1 small { display: block; font-size: 1rem; font-weight: normal; opacity: .75; }
h2 { border-bottom: 1px solid var(--line); margin-top: 2.5rem; } h2[id] { text-transform: capitalize; }
h4 { margin: 1.2rem 0 .3rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin-top: 1.5rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; }
details[open] > summary { border-bottom: 1px solid var(--line); }
summary { align-items: baseline; cursor: pointer; display: flex; flex-wrap: wrap; gap: 0 .6rem; padding: .5rem .7rem; }
summary::before { content: "\\25B8"; opacity: .6; } details[open] > summary::before { content: "\\25BE"; }
summary:hover { background: var(--soft); }
summary .says { flex: 1 1 20rem; opacity: .8; }
details > div { overflow-wrap: anywhere; overflow-x: auto; padding: 0 .9rem .7rem; }
code { background: var(--soft); border-radius: .25rem; font-size: .92em; overflow-wrap: anywhere; padding: .1rem .3rem; }
.method { flex: 0 0 4.5rem; font-weight: 700; }
.get { color: var(--read); } .post, .put, .patch { color: var(--write); } .delete { color: var(--remove); }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; }
td:first-child { width: 11rem; }
td:nth-child(2):not(:last-child) { opacity: .8; width: 9rem; } tr:first-child > td { border-top: 0; }
tr.inner > td { border: 0; padding: 0 0 .5rem 1.5rem; width: auto; } ul { padding-left: 1.2rem; }
@media (max-width: 40rem) { tr { display: block; border-top: 1px solid var(--line); padding: .3rem 0; }
  tr:first-child, tr.inner { border-top: 0; } td, td:first-child { border: 0; display: block; padding: 0; width: auto; } }
"""
NEST_MAX = 6


def page(document: dict[str, Any]) -> str:
    """The document as one HTML page, routes grouped by room."""
    rooms: dict[str, list[str]] = {}
    for path, operations in sorted(document["paths"].items(), key=_place):
        for method, operation in operations.items():
            rooms.setdefault(operation["tags"][0], []).append(_route(document, method, path, operation))
    sections = "".join(f'<h2 id="{room}">{room}</h2>{"".join(rooms[room])}' for room in sorted(rooms))
    links = " ".join(f'<a href="#{room}">{room}</a>' for room in sorted(rooms))
    info = document["info"]
    keys = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_text(scheme['description'])}</td></tr>"
        for name, scheme in document["components"]["securitySchemes"].items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(info["title"])} API</title><style>{STYLE}</style></head><body>
<h1>{escape(info["title"])} <small>{escape(info["summary"])} &middot; {escape(info["version"])}</small></h1>
<p>Machine-readable: <a href="openapi.json">openapi.json</a></p>
{_text(info["description"])}
<h2>Who is calling</h2><table>{keys}</table>
<nav>{links}</nav>{sections}</body></html>"""


def _place(path: tuple[str, Any]) -> tuple[bool, str]:
    # The one-letter paths are for the browser SDK; people look for the words.
    return len(path[0].rpartition("/")[2]) == 1, path[0]


def _route(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    callers = ", ".join(name for each in operation["security"] for name in each) or "anybody"
    scope = f" (scope <code>{escape(operation['x-scope'])}</code>)" if "x-scope" in operation else ""
    sent = _content_schema(operation.get("requestBody", {}))
    parts = [
        f"<p>{_text(operation.get('description', ''))}</p>" if "description" in operation else "",
        f"<p>Who: {escape(callers)}{scope}</p>",
        _parameters(operation.get("parameters", [])),
        f"<h4>Body</h4>{_schema(document, sent)}" if sent else "",
        _answers(document, operation["responses"]),
    ]
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><span class="method {method}">{method.upper()}</span>'
        f'<code>{escape(path)}</code> <span class="says">{escape(operation["summary"])}</span></summary>'
        f"<div>{''.join(parts)}</div></details>"
    )


def _parameters(parameters: list[dict[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{each['in']}{', required' if each['required'] else ''}"
        f"</td><td>{escape(_type(each['schema']) + _default(each['schema']))}</td><td>{_text(each.get('description', ''))}</td></tr>"
        for each in parameters
    )
    return f"<h4>Parameters</h4><table>{rows}</table>" if rows else ""


def _answers(document: dict[str, Any], responses: dict[str, Any]) -> str:
    parts = []
    for status, response in responses.items():
        schema = _content_schema(response)
        shown = _schema(document, schema) if schema and status < "400" else ""
        parts.append(f"<li><code>{status}</code> {_text(response['description'])}{shown}</li>")
    return f"<h4>Answers</h4><ul>{''.join(parts)}</ul>"


def _content_schema(described: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of a body or an answer; every media type of ours has the same one."""
    content: dict[str, Any] = next(iter(described.get("content", {}).values()), {})
    return content.get("schema")


def _schema(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> str:
    """A table of a schema's fields; nested objects become nested tables below their field."""
    schema = _resolved(document, schema)
    if schema.get("type") == "array" and depth < NEST_MAX:
        return f"<p>A list of:</p>{_schema(document, schema['items'], depth + 1)}"
    if "properties" not in schema or depth >= NEST_MAX:
        return f"<p>{escape(_type(schema))}</p>"
    rows = []
    for name, field in schema["properties"].items():
        full = _resolved(document, field)
        inner = full.get("items", full)
        nested = _schema(document, inner, depth + 1) if "properties" in _resolved(document, inner) else ""
        mark = ", required" if name in schema.get("required", []) else escape(_default(field))
        mark = (" or null" if _may_be_null(field) else "") + mark
        text = _text(field.get("description") or full.get("description", "")) + _example(field)
        rows.append(
            f"<tr><td><code>{escape(name)}</code></td><td>{escape(_type(full))}{mark}</td><td>{text}</td></tr>"
        )
        if nested:
            rows.append(f'<tr class="inner"><td colspan="3">{nested}</td></tr>')
    return f"<table>{''.join(rows)}</table>"


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference, also through `X or null`."""
    options = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    if len(options) == 1:
        schema = {**schema, **options[0]}
        schema.pop("anyOf", None)
    reference = schema.get("$ref")
    if reference:
        found: dict[str, Any] = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]
        return found
    return schema


def _type(schema: dict[str, Any]) -> str:
    limits = [
        f"{word} {schema[name]}"
        for name, word in (
            ("minimum", "from"),
            ("maximum", "to"),
            ("maxLength", "up to"),
            ("maxItems", "up to"),
        )
        if name in schema
    ]
    options = [_type(each) for each in schema.get("anyOf", []) if each.get("type") != "null"]
    reference = schema.get("$ref", "").rsplit("/", 1)[-1]
    kind = schema.get("type") or reference or " or ".join(options) or "any"
    if kind == "array" and "anyOf" in schema["items"]:
        kind = f"list of {_type(schema['items'])}"
    if "enum" in schema:
        kind = " | ".join(map(str, schema["enum"]))
    return " ".join([str(kind), *limits])


def _may_be_null(field: dict[str, Any]) -> bool:
    return any(each.get("type") == "null" for each in field.get("anyOf", []))


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    return (
        "" if value is None or value in ([], {}, "") else f", default {json.dumps(value, ensure_ascii=False)}"
    )


def _example(field: dict[str, Any]) -> str:
    examples = field.get("examples")
    return f" e.g. <code>{escape(str(examples[0]))}</code>" if examples else ""


def _text(markdown: str) -> str:
    """The little Markdown our descriptions use: paragraphs, list items, `code` and **bold**."""
    lines = escape(markdown, quote=False).replace("\n  ", " ").split("\n")
    parts = "".join(_block(is_list, list(block)) for is_list, block in groupby(lines, _is_item)).split("`")
    coded = "".join(part if n % 2 == 0 else f"<code>{part}</code>" for n, part in enumerate(parts))
    bold = coded.split("**")
    return "".join(part if n % 2 == 0 else f"<b>{part}</b>" for n, part in enumerate(bold))


def _is_item(line: str) -> bool:
    return line.startswith("* ")


def _block(is_list: bool, lines: list[str]) -> str:  # noqa: FBT001  (as groupby hands it over)
    if not is_list:
        return "".join(f"{line}\n" for line in lines)
    return f"<ul>{''.join(f'<li>{line[2:]}</li>' for line in lines)}</ul>"
