"""The front door: every room's routes and handlers on one Chalice app; no logic."""

from __future__ import annotations

from chalice.app import Chalice

from chalicelib.activity.handlers import handlers as activity_handlers
from chalicelib.activity.routes import routes as activity_routes
from chalicelib.api.routes import routes as api_routes
from chalicelib.campaigns.handlers import handlers as campaigns_handlers
from chalicelib.catalog.routes import routes as catalog_routes
from chalicelib.customers.handlers import handlers as customers_handlers
from chalicelib.customers.routes import routes as customers_routes
from chalicelib.loyalty.handlers import handlers as loyalty_handlers
from chalicelib.loyalty.routes import routes as loyalty_routes
from chalicelib.messages.handlers import handlers as messages_handlers
from chalicelib.messages.routes import routes as messages_routes
from chalicelib.orders.handlers import handlers as orders_handlers
from chalicelib.orders.routes import routes as orders_routes
from chalicelib.partners.routes import routes as partners_routes
from chalicelib.recommendations.routes import routes as recommendations_routes
from chalicelib.shared.http import middleware

app = Chalice(app_name="kokyaku")
app.register_middleware(middleware, "http")

for room in (
    activity_routes,
    api_routes,
    catalog_routes,
    customers_routes,
    loyalty_routes,
    messages_routes,
    orders_routes,
    partners_routes,
    recommendations_routes,
    activity_handlers,
    campaigns_handlers,
    customers_handlers,
    loyalty_handlers,
    messages_handlers,
    orders_handlers,
):
    app.register_blueprint(room)
