"""What may stand in one list, and how strongly: what the caller asks for, the shop's rules, and whom it is for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime
from functools import cached_property

from chalicelib.catalog import reads as catalog
from chalicelib.catalog.reads import CatalogItem
from chalicelib.recommendations import audience as audiences
from chalicelib.recommendations import merchandising
from chalicelib.recommendations.audience import Audience, Shopper
from chalicelib.recommendations.known import Known
from chalicelib.recommendations.merchandising import Counter, InForce
from chalicelib.shared.places import Place
from chalicelib.traits import reads as traits

NOBODY = Audience(Shopper())


class Terms:
    """Judges items for one list. What it takes to know whom the list is for is waited for at the first item."""

    def __init__(
        self, rules: InForce, audience: Callable[[], Audience], currency: str | None, max_price: int | None
    ) -> None:
        self.rules = rules
        self._audience_of = audience
        self._currency = currency
        self._max_price = max_price

    @cached_property
    def audience(self) -> Audience:
        return self._audience_of()

    @property
    def is_picky(self) -> bool:
        """Whether many candidates may not do, so that more have to be looked at."""
        return self._currency is not None or self._max_price is not None or self.rules.sees_categories

    def fits(self, item: CatalogItem) -> bool:
        """Whether it may be shown."""
        if self._currency is not None and item.currency != self._currency:
            return False
        if self._max_price is not None and (item.price_amount is None or item.price_amount > self._max_price):
            return False
        return item.is_on_sale and self.rules.shows(item) and self.audience.admits(item)

    def factor(self, item: CatalogItem) -> float:
        """By how much its score is multiplied."""
        return self.rules.factor(item) * self.audience.factor(item)

    def counter(self) -> Counter:
        """An empty list's counts."""
        return Counter(self.rules.caps)


def terms(
    placement: str,
    person: Known,
    place: Place,
    threads: Executor,
    now: datetime,
    *,
    currency: str | None = None,
    max_price: int | None = None,
) -> Terms:
    """The terms of one list. Begins to read what it takes, at the same time as what was learned is read."""
    in_force = merchandising.in_force(person.rulebook, placement, place, now)
    return Terms(in_force, _audience(person, threads, now), currency, max_price)


def _audience(person: Known, threads: Executor, now: datetime) -> Callable[[], Audience]:
    """Whom a list is for: by what they declared, what is inferred where they declared nothing, and what they bought.

    What they bought is half a read unit an item, and asked for only of somebody of whom there is something to judge
    by. Only a shop that keeps items from people by a trait they did not declare pays for inferring it.
    """
    if person.person is None:
        return lambda: NOBODY
    settings, declared = person.rulebook.audience, person.person.traits
    avoided = audiences.avoided(settings.trait_filters, declared)
    undeclared = audiences.undeclared(settings.trait_filters, declared)
    if audiences.shopper(declared, settings, avoided, now).is_nobody and not undeclared:
        return lambda: NOBODY
    inferred = threads.submit(traits.of, person.person, now=now) if undeclared else None
    lifting = audiences.lifting(person.history, now)
    bought = threads.submit(catalog.items, lifting, consistent=False) if lifting else None

    def audience() -> Audience:
        found = inferred.result().inferred if inferred else {}
        also = audiences.avoided(undeclared, {name: each.value for name, each in found.items()})
        who = audiences.shopper(declared, settings, [*avoided, *also], now)
        return Audience(who, list(bought.result().values()) if bought else [], settings.age_percent)

    return audience
