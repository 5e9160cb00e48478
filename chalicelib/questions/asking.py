"""For whom a question is: all ids of one person, what they said, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.customers import reads as customers
from chalicelib.customers.reads import Person
from chalicelib.questions import rules, store
from chalicelib.questions.model import Grant, Sheet, Who
from chalicelib.shared.errors import Gone

NAME = "name"


@dataclass(frozen=True)
class Asked:
    """Somebody who is asked: the person, None for a visitor whom nobody knows, and the sheets of all their ids.

    `own` is the sheet that answers are written to; `grants` are what the person was given for the answer sets that
    were `looked_for`.
    """

    own: Sheet
    person: Person | None
    sheets: tuple[Sheet, ...]
    known: Mapping[str, Any] = field(default_factory=dict)
    grants: Mapping[str, Grant] = field(default_factory=dict)
    looked_for: frozenset[str] = frozenset()

    @property
    def rewarded(self) -> frozenset[str]:
        """The answer sets that have earned their reward, as far as was looked for."""
        return frozenset(rules.promised(self.sheets)) | self.grants.keys()

    @property
    def is_linked(self) -> bool:
        """Whether it is a visitor whom somebody trusted has linked to a customer."""
        return self.own.who[0] == "anonymous" and self.person is not None


def load(
    customer_id: str | None, anonymous_id: str | None, *, answer_sets: Iterable[str] = (), now: datetime
) -> Asked:
    """Read it; raises Gone for who was erased.

    Two trips for a customer and for a visitor, three for a visitor who is a customer; 1 read unit for each id, and one
    for each id and answer set.
    """
    if customer_id is not None:
        return _of_person(
            ("customer", customer_id),
            customers.person(customer_id) or nameless(customer_id),
            answer_sets,
            now,
        )
    assert anonymous_id is not None, "one of the two was given"
    owner = customers.customer_of(anonymous_id)
    person = customers.person(owner) if owner else None
    who: Who = ("anonymous", anonymous_id)
    if person is None or person.erased:
        found = store.look([who], (), (), now=now)
        if found.erased:
            raise Gone
        return Asked(found.sheets[0], None, found.sheets)
    return _of_person(who, person, answer_sets, now)


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


def _of_person(who: Who, person: Person, answer_sets: Iterable[str], now: datetime) -> Asked:
    if person.erased:
        raise Gone
    wanted = frozenset(answer_sets)
    found = store.look([who, *ids_of(person)], person.customer_ids, wanted, now=now)
    if found.erased:
        raise Gone
    own, *others = found.sheets
    known = {**({NAME: person.name} if person.name else {}), **person.traits}
    sheets = (own, *map(rules.for_others, others))
    return Asked(own, person, sheets, known, found.grants, wanted)
