"""catalog over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

routes = Blueprint(__name__)
