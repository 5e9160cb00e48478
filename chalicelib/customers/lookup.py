"""Finding people by what they call themselves: one spelling of each identifier, whoever wrote it how."""

from __future__ import annotations

from datetime import datetime

from chalicelib.customers import answers, identifiers, store
from chalicelib.customers.identifiers import Identifier
from chalicelib.customers.model import Selves
from chalicelib.customers.schemas import CustomersAnswer, LookupQuery
from chalicelib.shared import ids, tokens
from chalicelib.shared.config import config
from chalicelib.shared.errors import FieldError, InvalidInput

BY = ("email", "phone", "card", "external_id")


def find(query: LookupQuery, *, now: datetime) -> CustomersAnswer:
    """One page of everybody who has the identifier, by customer id; raises InvalidInput unless exactly one is given.

    Three trips, 1 read unit for the list and 2 for each found; more where ids were merged.
    """
    identifier = _asked(query)
    filter_name = ids.fingerprint("customers", *identifier)
    after = tokens.position_of(filter_name, query.cursor, now=now)
    found = store.having(identifier, limit=query.limit + 1, after=after)
    shown = found[: query.limit]
    people = {selves.head.customer_id: selves for selves in _people(shown)}
    return CustomersAnswer(
        data=[answers.summary(selves) for selves in people.values()],
        next_cursor=tokens.cursor(filter_name, shown[-1], now=now) if len(found) > len(shown) else None,
    )


def _people(customer_ids: list[str]) -> list[Selves]:
    profiles = store.load_many(customer_ids, consistent=True)
    erased = store.erased_among(customer_ids)
    return [
        store.load_selves(each)
        if profiles[each].merged or profiles[each].absorbed
        else Selves((profiles[each],))
        for each in customer_ids
        if each in profiles and each not in erased
    ]


def _asked(query: LookupQuery) -> Identifier:
    given = {name: getattr(query, name) for name in BY if getattr(query, name) is not None}
    if len(given) != 1:
        problems = [FieldError(name, f"is one too many: give one of {', '.join(BY)}") for name in given]
        wanted = problems or [FieldError(BY[0], f"is required, or one of {', '.join(BY[1:])}")]
        raise InvalidInput(f"give exactly one of {', '.join(BY)}", fields=wanted)
    [(name, text)] = given.items()
    identifier = _read(name, text, config().shop_country)
    if identifier is None:
        wanted_of = {
            "phone": "must be a telephone number",
            "external_id": "must be a type and an id, e.g. line:U4af4980629",
        }
        raise InvalidInput.of(name, wanted_of.get(name, "is empty"))
    return identifier


def _read(name: str, text: str, country: str) -> Identifier | None:
    if name == "email":
        return identifiers.email(text)
    if name == "phone":
        return identifiers.phone(text, country)
    if name == "card":
        return identifiers.card(text)
    kind, _, value = text.partition(":")
    return identifiers.external(kind, value, country)
