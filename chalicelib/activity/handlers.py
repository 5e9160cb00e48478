"""activity: what it does when others say something happened, and what it tells them."""

from __future__ import annotations

from chalice.app import Blueprint

handlers = Blueprint(__name__)
