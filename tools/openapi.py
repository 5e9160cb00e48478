"""Writes docs/openapi.json, so that a change of the contract shows in every review: `make openapi`."""

from __future__ import annotations

import json
from pathlib import Path

FILE = "docs/openapi.json"
SERVER_URL = "http://127.0.0.1:8000"


def text() -> str:
    """The document as the file holds it."""
    import app  # noqa: F401  (defines the routes)
    from chalicelib.api.openapi import document

    return json.dumps(document(SERVER_URL), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(FILE).write_text(text())
    print(f"{FILE} is what the code says.")
