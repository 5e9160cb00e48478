"""For whom an item is made, and whether that is the person asking, pure. What is not known excludes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from chalicelib.catalog.reads import CatalogItem
from chalicelib.recommendations.merchandising import AudienceSettings, TraitFilter, lies_in
from chalicelib.recommendations.model import History

AGE_MAX = 150
LIFTED = timedelta(days=365)
LIFTING_MAX = 20

# The words in which shops and customers say it. Another word is neither, and so excludes nobody.
_GENDERS = {
    "female": "female f woman women girl girls lady ladies 女 女性 女の子 婦人 レディース".split(),
    "male": "male m man men boy boys gentleman 男 男性 男の子 紳士 メンズ".split(),
}
_SPELLED = {word: gender for gender, words in _GENDERS.items() for word in words}


@dataclass(frozen=True)
class Shopper:
    """What is known of somebody that may decide what is made for them. `avoided`: categories kept from them."""

    gender: str | None = None
    age: int | None = None
    avoided: tuple[str, ...] = ()

    @property
    def is_nobody(self) -> bool:
        return self.gender is None and self.age is None and not self.avoided


@dataclass(frozen=True)
class Audience:
    """Judges items for one person; what they bought for themselves (`bought`) lifts what would keep its like from them."""

    shopper: Shopper
    bought: Sequence[CatalogItem] = ()
    age_percent: int = 100

    def admits(self, item: CatalogItem) -> bool:
        """Whether it may be shown."""
        if self.shopper.is_nobody or any(each.item_id == item.item_id for each in self.bought):
            return True
        return self._gender_fits(item) and self._age_fits(item) and self._is_not_avoided(item)

    def factor(self, item: CatalogItem) -> float:
        """More than one for what is made for their age."""
        low, high = _ages(item)
        is_for_some = low is not None or high is not None
        is_made_for = self.shopper.age is not None and is_for_some and not _is_outside(self.shopper.age, item)
        return self.age_percent / 100 if is_made_for else 1.0

    def _gender_fits(self, item: CatalogItem) -> bool:
        if not _is_of_others(self.shopper.gender, item):
            return True
        theirs = _genders(item)
        others = (each for each in self.bought if _is_of_others(self.shopper.gender, each))
        return any(_genders(each) & theirs for each in others)

    def _age_fits(self, item: CatalogItem) -> bool:
        if not _is_outside(self.shopper.age, item):
            return True
        others = (each for each in self.bought if _is_outside(self.shopper.age, each))
        return any(_overlap(each, item) for each in others)

    def _is_not_avoided(self, item: CatalogItem) -> bool:
        return not any(
            lies_in(item, [path]) and not any(lies_in(each, [path]) for each in self.bought)
            for path in self.shopper.avoided
        )


def shopper(
    traits: Mapping[str, Any], settings: AudienceSettings, avoided: Iterable[str], now: datetime
) -> Shopper:
    """Somebody as their declared traits describe them, as far as the shop lets it count."""
    spelled = traits.get("gender")
    gender = _SPELLED.get(spelled.strip().casefold()) if isinstance(spelled, str) else None
    return Shopper(
        gender if settings.genders else None,
        age_of(traits, now) if settings.ages else None,
        tuple(dict.fromkeys(avoided)),
    )


def age_of(traits: Mapping[str, Any], now: datetime) -> int | None:
    """How old somebody is by their `birthday`, else by their `age`; None when neither can be read."""
    told = traits.get("birthday")
    try:
        born = date.fromisoformat(told[:10]) if isinstance(told, str) else None
    except ValueError:
        born = None
    if born is not None:
        age = now.year - born.year - ((now.month, now.day) < (born.month, born.day))
    else:
        stated = traits.get("age")
        age = stated if isinstance(stated, int) and not isinstance(stated, bool) else -1
    return age if 0 <= age <= AGE_MAX else None


def lifting(history: History, now: datetime) -> list[str]:
    """The items whose purchase may lift what would keep their like from somebody: the newest, without gifts."""
    baskets = (each for each in history.baskets if now - each.at < LIFTED)
    bought = dict.fromkeys(each for basket in baskets for each in basket.item_ids if each not in basket.gifts)
    return list(islice(bought, LIFTING_MAX))


def undeclared(filters: Sequence[TraitFilter], traits: Mapping[str, Any]) -> list[TraitFilter]:
    """The filters whose trait somebody has not said anything about: only then what is inferred of them counts."""
    return [each for each in filters if traits.get(each.trait) is None]


def avoided(filters: Sequence[TraitFilter], values: Mapping[str, Any]) -> list[str]:
    """The categories that go with these values of traits."""
    return [
        path for each in filters if _is_value(values.get(each.trait), each.value) for path in each.categories
    ]


def _is_value(held: Any, wanted: str) -> bool:
    held_values = held if isinstance(held, list) else [held]
    return any(str(each).casefold() == wanted.casefold() for each in held_values if each is not None)


def _genders(item: CatalogItem) -> set[str]:
    words = (str(each).strip().casefold() for each in (item.audience or {}).get("genders") or ())
    return {_SPELLED.get(each, each) for each in words}


def _is_of_others(gender: str | None, item: CatalogItem) -> bool:
    theirs = _genders(item)
    return gender is not None and bool(theirs) and theirs <= _GENDERS.keys() - {gender}


def _ages(item: CatalogItem) -> tuple[int | None, int | None]:
    told = item.audience or {}
    return told.get("age_min"), told.get("age_max")


def _is_outside(age: int | None, item: CatalogItem) -> bool:
    low, high = _ages(item)
    return age is not None and ((low is not None and age < low) or (high is not None and age > high))


def _overlap(left: CatalogItem, right: CatalogItem) -> bool:
    (low, high), (lower, higher) = _ages(left), _ages(right)
    return (low or 0) <= (AGE_MAX if higher is None else higher) and (lower or 0) <= (
        AGE_MAX if high is None else high
    )
