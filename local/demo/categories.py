"""Derives the category of a demo product from the words of its title, as the source has none."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

RULES_PATH = Path(__file__).with_name("categories.toml")
OTHER = "other"


def load_rules(path: Path = RULES_PATH) -> Callable[[str], str]:
    """Return a function from a title to a category path such as `home/candles`; without a rule, `other`."""
    rules = [
        (category, _pattern(words)) for category, words in tomllib.loads(path.read_text("utf-8")).items()
    ]

    def category_of(title: str) -> str:
        lowered = title.lower()
        return next((category for category, pattern in rules if pattern.search(lowered)), OTHER)

    return category_of


def _pattern(words: str) -> re.Pattern[str]:
    alternatives = "|".join(re.escape(" ".join(word.split())) for word in words.split(","))
    return re.compile(rf"(?<![a-z0-9])(?:{alternatives})(?:s|es)?(?![a-z0-9])")
