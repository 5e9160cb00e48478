"""Items by key for several rooms in one trip: each says which it wants, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from chalicelib.shared.dynamo import Item, Place, get_across

Found = Mapping[Place, Item]
A = TypeVar("A")


@dataclass(frozen=True)
class Wanted(Generic[A]):
    """Something that follows from items whose places are known; `read` works it out once they are fetched."""

    places: tuple[Place, ...]
    read: Callable[[Found], A]


def fetch(*wanted: Wanted[Any], consistent: bool = True) -> Found:
    """Everything that is wanted. One trip per 100 items of whatever tables, 1 read unit per 4 KB of each.

    Half of that where it need not be `consistent`.
    """
    return get_across((place for each in wanted for place in each.places), consistent=consistent)


def alone(wanted: Wanted[A], *, consistent: bool = True) -> A:
    """What is wanted when nothing else is."""
    return wanted.read(fetch(wanted, consistent=consistent))
