"""For whom a question is: all ids of one person, what they said, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.customers import reads as customers
from chalicelib.customers.reads import Person
from chalicelib.privacy import reads as privacy
from chalicelib.questions import rules, store
from chalicelib.questions.model import Sheet, Who
from chalicelib.shared.errors import Gone

NAME = "name"


@dataclass(frozen=True)
class Asked:
    """Somebody who is asked: the person, None for a visitor whom nobody knows, and the sheets of all their ids.

    `own` is the sheet that answers are written to.
    """

    own: Sheet
    person: Person | None
    sheets: tuple[Sheet, ...]
    known: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rewarded(self) -> frozenset[str]:
        """The answer sets that have earned their reward."""
        promised = set(rules.promised(self.sheets))
        return frozenset(promised)


def load(customer_id: str | None, anonymous_id: str | None) -> Asked:
    """Read it; raises Gone for who was erased. Three trips for a customer and four for a visitor, 1 read unit an id."""
    who: Who = ("customer", customer_id) if customer_id is not None else ("anonymous", anonymous_id or "")
    # The tombstone stands before the profile is gone.
    if privacy.erased([who]):
        raise Gone
    if customer_id is not None:
        return _of_person(who, customers.person(customer_id) or nameless(customer_id))
    assert anonymous_id is not None, "one of the two was given"
    owner = customers.customer_of(anonymous_id)
    person = customers.person(owner) if owner else None
    if person is None or person.erased:
        [sheet] = store.sheets([who])
        return Asked(sheet, None, (sheet,))
    return _of_person(who, person)


def ids_of(person: Person) -> list[Who]:
    """Every id of a person."""
    ids: list[Who] = [("customer", each) for each in person.customer_ids]
    return ids + [("anonymous", each) for each in person.anonymous_ids]


def nameless(customer_id: str) -> Person:
    """A customer of whom nobody has said anything yet."""
    nothing: dict[str, Any] = dict.fromkeys(("email", "name", "locale", "timezone", "created_at"))
    return Person(
        customer_id=customer_id, anonymous_ids=(), consents={}, customer_ids=(customer_id,), **nothing
    )


def _of_person(who: Who, person: Person) -> Asked:
    if person.erased:
        raise Gone
    sheets = store.sheets([*ids_of(person), who])
    own = next(each for each in sheets if each.who == who)
    known = {**({NAME: person.name} if person.name else {}), **person.traits}
    return Asked(own, person, tuple(sheets), known)
