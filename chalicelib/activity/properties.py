"""Reads items and orders out of the free-form properties of a track event, and says what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.activity.model import PRODUCTS_MAX, QUANTITY_MAX
from chalicelib.shared import ids, money
from chalicelib.shared.errors import FieldError

ITEM_NAMES = ("product_id", "item_id", "sku")


@dataclass(frozen=True)
class _Product:
    """One product of an event. `path` is where it was found, for whoever has to mend it."""

    path: str
    item_id: str | None
    quantity: int
    price: Any
    gift: bool


class Properties:
    """Reads what matters out of a track event's properties, and collects what is wrong with it.

    `values` go by Segment's names; `sent_as` has the sender's own word where that is another, to name it in problems.
    """

    def __init__(self, values: Mapping[str, Any], sent_as: Mapping[str, str]) -> None:
        self._values = values
        self._sent_as = sent_as
        self.problems: list[FieldError] = []
        self._itself = self._product("properties", values)
        path = self._path("products")
        self._products = [
            self._product(f"{path}.{number}", product) for number, product in enumerate(self._listed())
        ]

    def item_ids(self, *, required: bool) -> tuple[str, ...]:
        """The items an event is about, each once."""
        found = [product.item_id for product in (self._itself, *self._products) if product.item_id]
        if required and not found and not self.problems:
            self._wrong(self._path("products" if self._sent_as else ITEM_NAMES[0]), "is required")
        return tuple(dict.fromkeys(found))

    def order_id(self, *, required: bool) -> str | None:
        order_id = self._id(self._path("order_id"), self._values.get("order_id"))
        if required and order_id is None:
            self._wrong(self._path("order_id"), "is required")
        return order_id

    def store_id(self) -> str | None:
        """The store where something happened."""
        return self._id(self._path("store_id"), self._values.get("store_id"))

    def order(self, order_id: str | None) -> dict[str, Any]:
        """The details of a completed order, in minor units."""
        currency = self._currency(required=True)
        if not self._products:
            self._wrong(self._path("products"), "is required: an order has at least one product")
        lines = [self._line(product, currency, priced=True) for product in self._products]
        names = ("total", "revenue", "discount", "tax", "shipping")
        amounts = {name: self._amount(name, currency) for name in names if self._values.get(name) is not None}
        discount, tax, shipping = (amounts.get(name, 0) for name in ("discount", "tax", "shipping"))
        spent = sum(line["price"] * line["quantity"] for line in lines) - discount
        # Segment's revenue leaves tax and shipping out.
        paid = amounts.get("total", max(0, amounts.get("revenue", spent) + tax + shipping))
        if paid > money.AMOUNT_MAX:
            self._wrong(self._path("total"), f"may be {money.AMOUNT_MAX} minor units at most")
        coupon = self._values.get("coupon")
        more: dict[str, Any] = {"gift": True} if self._values.get("gift") is True else {}
        store_id = self.store_id()
        more |= {"store_id": store_id} if store_id else {}
        return more | {
            "order_id": order_id,
            "currency": currency,
            "total": paid,
            "discount": discount,
            "tax": tax,
            "shipping_cost": shipping,
            "coupon": coupon if isinstance(coupon, str) else None,
            "lines": lines,
        }

    def refund(self, order_id: str | None) -> dict[str, Any]:
        """The details of a refund: of the whole order, unless it names an amount or products."""
        named = next((name for name in ("total", "value") if self._values.get(name) is not None), "")
        priced = bool(named) or any(each.price is not None for each in self._products)
        currency = self._currency(required=priced)
        details: dict[str, Any] = {"order_id": order_id, "currency": currency}
        if named:
            details["total"] = self._amount(named, currency)
        if self._products:
            details["lines"] = [
                self._line(each, currency, priced=each.price is not None) for each in self._products
            ]
        return details

    def _listed(self) -> list[Mapping[str, Any]]:
        products = self._values.get("products")
        if products is None:
            return []
        if not isinstance(products, list) or not all(isinstance(product, dict) for product in products):
            self._wrong(self._path("products"), "must be a list of objects")
            return []
        if len(products) > PRODUCTS_MAX:
            self._wrong(self._path("products"), f"may have {PRODUCTS_MAX} entries at most")
            return []
        return products

    def _product(self, path: str, values: Mapping[str, Any]) -> _Product:
        named = next((name for name in ITEM_NAMES if values.get(name) not in (None, "")), ITEM_NAMES[0])
        item_id = self._id(f"{path}.{named}", values.get(named))
        quantity = self._quantity(f"{path}.quantity", values)
        return _Product(path, item_id, quantity, values.get("price"), gift=values.get("gift") is True)

    def _line(self, product: _Product, currency: str, *, priced: bool) -> dict[str, Any]:
        if product.item_id is None:
            self._wrong(f"{product.path}.{ITEM_NAMES[bool(self._sent_as)]}", "is required")
        line: dict[str, Any] = {"item_id": product.item_id, "quantity": product.quantity}
        if priced:
            line["price"] = self._money(product.price, f"{product.path}.price", currency)
        return line | ({"gift": True} if product.gift else {})

    def _id(self, path: str, value: Any) -> str | None:
        if value is None or value == "":
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        problem = ids.problem_with(value) if isinstance(value, str) else "must be a text"
        if problem:
            self._wrong(path, problem)
            return None
        return str(value)

    def _quantity(self, path: str, values: Mapping[str, Any]) -> int:
        value = values.get("quantity", 1)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JavaScript has no other numbers
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= QUANTITY_MAX:
            self._wrong(path, f"must be a whole number from 1 to {QUANTITY_MAX}")
            return 1
        return value

    def _currency(self, *, required: bool) -> str:
        value = self._values.get("currency")
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not money.is_currency(value.upper()):
            self._wrong("properties.currency", "must be an ISO 4217 code such as JPY")
            return ""
        return value.upper()

    def _amount(self, name: str, currency: str) -> int:
        return self._money(self._values.get(name), self._path(name), currency)

    def _money(self, value: Any, path: str, currency: str) -> int:
        if value is None:
            self._wrong(path, "is required")
        elif currency:  # a missing one is named already
            try:
                return money.to_minor(value, currency)
            except ValueError as error:
                self._wrong(path, str(error))
        return 0

    def _path(self, name: str) -> str:
        return f"properties.{self._sent_as.get(name, name)}"

    def _wrong(self, field: str, message: str) -> None:
        if all(problem.field != field for problem in self.problems):
            self.problems.append(FieldError(field, message))
