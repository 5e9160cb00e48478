"""The nouns of the timeline: what can happen, to whom, and how events of other vocabularies are named here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

EVENT_BYTES_MAX = 32 * 1024
BATCH_EVENTS_MAX = 2500
MESSAGE_ID_LENGTH_MAX = 100
PRODUCTS_MAX = 200
QUANTITY_MAX = 1_000_000
AHEAD_MAX = timedelta(days=1)  # how far a client's clock may be wrong before its event is refused
SKEW_MIN = timedelta(minutes=1)  # less than this is the wire's delay, not a wrong clock
SKEW_MAX = timedelta(days=366)  # a clock ahead by more says nothing about when things happened

KEPT = timedelta(days=400)
REMEMBERED = KEPT + timedelta(
    days=30
)  # a message id outlives its entry, so that no late retry brings it back

PAGE_MAX = 200

EventType = Literal["track", "identify", "page", "screen", "group", "alias"]
Who = tuple[Literal["customer", "anonymous"], str]
# Whose timeline. What browsers say of a customer id is on one of its own, where it cannot crowd out what is true.
TimelineKind = Literal["customer", "claimed", "anonymous"]
Timeline = tuple[TimelineKind, str]

# Message ids of one scope never meet another's.
FACT, HINT, ORDER_SCOPE, GUEST_ORDER, BUS = "fact", "hint", "order", "guest_order", "bus"

ORDER_COMPLETED, ORDER_REFUNDED, ORDER_CANCELLED = "Order Completed", "Order Refunded", "Order Cancelled"

KINDS = (
    "view",
    "list_view",
    "click",
    "cart",
    "cart_removed",
    "cart_viewed",
    "checkout",
    "order",
    "order_claimed",  # a browser says so; only a secret key makes an order
    "order_change_claimed",  # the same of what happened to one
    "order_updated",
    "order_cancelled",
    "order_refunded",
    "wishlist",
    "wishlist_removed",
    "search",
    "promotion",
    "coupon",
    "share",
    "review",
    "experiment",
    "page",
    "screen",
    "identify",
    "group",
    "alias",
    "delivery",
    "points",
    "points_confirmed",
    "points_redeemed",
    "points_reversed",
    "points_expiring",
    "points_expired",
    "tier",
    "message",
    "note",
    "project",
    "complaint",
    "complaint_resolved",
    "satisfaction",
    "event",  # everything the shop names itself
)
NOT_FOR_CUSTOMERS = frozenset(
    {"identify", "group", "alias", "experiment", "event", "order_claimed", "order_change_claimed"}
)
CLAIMED_KINDS = {
    "order": "order_claimed",
    "order_updated": "order_change_claimed",
    "order_cancelled": "order_change_claimed",
    "order_refunded": "order_change_claimed",
}

# What only a trusted sender or another room can say.
NEVER_CLAIMED = frozenset(
    "order order_updated order_cancelled order_refunded delivery points points_confirmed points_redeemed "
    "points_reversed points_expiring points_expired tier message note project complaint complaint_resolved "
    "satisfaction".split()
)

# Segment's e-commerce names, version 2.
SEGMENT_EVENTS = {
    "Products Searched": "search",
    "Product List Viewed": "list_view",
    "Product List Filtered": "list_view",
    "Promotion Viewed": "promotion",
    "Promotion Clicked": "promotion",
    "Product Clicked": "click",
    "Product Viewed": "view",
    "Product Added": "cart",
    "Product Removed": "cart_removed",
    "Cart Viewed": "cart_viewed",
    "Checkout Started": "checkout",
    "Checkout Step Viewed": "checkout",
    "Checkout Step Completed": "checkout",
    "Payment Info Entered": "checkout",
    ORDER_COMPLETED: "order",
    "Order Updated": "order_updated",
    ORDER_REFUNDED: "order_refunded",
    ORDER_CANCELLED: "order_cancelled",
    "Coupon Entered": "coupon",
    "Coupon Applied": "coupon",
    "Coupon Denied": "coupon",
    "Coupon Removed": "coupon",
    "Product Added to Wishlist": "wishlist",
    "Product Removed from Wishlist": "wishlist_removed",
    "Wishlist Product Added to Cart": "cart",
    "Product Shared": "share",
    "Cart Shared": "share",
    "Product Reviewed": "review",
    "Experiment Viewed": "experiment",
}

# Google Analytics 4 says the same in its own words; they are stored under Segment's, so that one rule finds both.
GA4_EVENTS = {
    "search": "Products Searched",
    "view_search_results": "Products Searched",
    "view_item_list": "Product List Viewed",
    "view_promotion": "Promotion Viewed",
    "select_promotion": "Promotion Clicked",
    "select_item": "Product Clicked",
    "view_item": "Product Viewed",
    "add_to_cart": "Product Added",
    "remove_from_cart": "Product Removed",
    "view_cart": "Cart Viewed",
    "begin_checkout": "Checkout Started",
    "add_shipping_info": "Checkout Step Completed",
    "add_payment_info": "Payment Info Entered",
    "purchase": ORDER_COMPLETED,
    "refund": ORDER_REFUNDED,
    "add_to_wishlist": "Product Added to Wishlist",
}

# What Segment calls a property, and GA4's name of the same. GA4's `value` is a total where it is an order's.
GA4_PROPERTIES = {
    "order_id": "transaction_id",
    "products": "items",
    "query": "search_term",
}
GA4_ORDER_PROPERTIES = {**GA4_PROPERTIES, "total": "value"}

# Kinds that mean nothing without an item.
ABOUT_ITEMS = frozenset({"view", "click", "cart", "cart_removed", "wishlist", "wishlist_removed"})

# Kinds that change a watchlist, and how.
WATCHING = {"wishlist": True, "wishlist_removed": False}

# Events that say who somebody is.
ABOUT_PEOPLE = frozenset({"identify", "alias"})

# What a customer may see of an entry's details on their own page; the rest may be the shop's own notes.
DETAILS_FOR_CUSTOMERS = frozenset(
    "order_id currency total discount tax shipping_cost coupon lines products product_id name price quantity "
    "query category url path status shipment_id carrier tracking_number estimated_from estimated_until "
    "points reason on tier until template".split()
)
# The same of what the shop's people and the customer wrote down.
WRITTEN_FOR_CUSTOMERS = {
    "note": frozenset({"note_id", "text", "is_shortened", "topics", "author_role"}),
    "project": frozenset({"project_id", "title"}),
    "complaint": frozenset({"complaint_id", "order_id"}),
    "complaint_resolved": frozenset({"complaint_id", "order_id"}),
    "satisfaction": frozenset({"score", "scale", "order_id"}),
}


@dataclass(frozen=True)
class Said:
    """One event as its sender told it, after its envelope was read. `event` is a track's name or a page's."""

    type: EventType
    at: datetime
    message_id: str
    customer_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    event: str = ""
    channel: str = "web"
    properties: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    consents: dict[str, bool] = field(default_factory=dict)
    external_ids: tuple[tuple[str, str], ...] = ()  # (type, id) in other systems


@dataclass(frozen=True)
class Entry:
    """One touchpoint of the timeline, never changed. `who` is whose timeline it is in."""

    entry_id: str
    who: Timeline
    kind: str
    event: str
    channel: str
    at: datetime
    trusted: bool
    customer_id: str | None = None
    anonymous_id: str | None = None
    item_ids: tuple[str, ...] = ()
    order_id: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    imported: bool = False
    internal: bool = False  # for the shop's people only, also where its kind is shown to customers
    hops: int = 0


@dataclass(frozen=True)
class Message:
    """What makes an event one event: `message_id` within its `scope`."""

    scope: str
    message_id: str


@dataclass(frozen=True)
class Draft:
    """An entry to be, and what makes it one. `said` is there when it also tells who somebody is."""

    message: Message
    entry: Entry
    said: Said | None = None


@dataclass(frozen=True)
class Touch:
    """What other rooms see of an entry."""

    entry_id: str
    kind: str
    event: str
    channel: str
    at: datetime
    item_ids: tuple[str, ...]
    order_id: str | None
    trusted: bool
    details: Mapping[str, Any] = field(default_factory=dict)
    anonymous_id: str | None = None
