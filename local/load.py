"""Loads the demo shop through the rooms' own services, and trains on it."""

from __future__ import annotations


def demo(cut: str) -> None:
    """Load one cut of the demo, `small` or `full`."""


def train() -> None:
    """Train recommendations on what is stored."""
