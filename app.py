"""The front door: every room's routes and handlers on one Chalice app; no logic."""

from __future__ import annotations

from chalice.app import Chalice

from chalicelib.activity.handlers import handlers as activity_handlers
from chalicelib.activity.routes import routes as activity_routes
from chalicelib.api.routes import routes as api_routes
from chalicelib.campaigns.handlers import handlers as campaigns_handlers
from chalicelib.catalog.routes import routes as catalog_routes
from chalicelib.coupons.routes import routes as coupons_routes
from chalicelib.customers.handlers import handlers as customers_handlers
from chalicelib.customers.routes import routes as customers_routes
from chalicelib.desk.routes import routes as desk_routes
from chalicelib.feedback.routes import routes as feedback_routes
from chalicelib.loyalty.handlers import handlers as loyalty_handlers
from chalicelib.loyalty.offer_routes import routes as loyalty_offer_routes
from chalicelib.loyalty.routes import routes as loyalty_routes
from chalicelib.messages.handlers import handlers as messages_handlers
from chalicelib.messages.routes import routes as messages_routes
from chalicelib.orders.handlers import handlers as orders_handlers
from chalicelib.orders.routes import routes as orders_routes
from chalicelib.partners.routes import routes as partners_routes
from chalicelib.privacy.handlers import handlers as privacy_handlers
from chalicelib.privacy.routes import routes as privacy_routes
from chalicelib.questions.handlers import handlers as questions_handlers
from chalicelib.questions.routes import routes as questions_routes
from chalicelib.recommendations.routes import routes as recommendations_routes
from chalicelib.shared.http import middleware
from chalicelib.traits.routes import routes as traits_routes

app = Chalice(app_name="kokyaku")
app.register_middleware(middleware, "http")

for room in (
    activity_routes,
    api_routes,
    catalog_routes,
    coupons_routes,
    customers_routes,
    desk_routes,
    feedback_routes,
    loyalty_routes,
    loyalty_offer_routes,
    messages_routes,
    orders_routes,
    partners_routes,
    privacy_routes,
    questions_routes,
    recommendations_routes,
    traits_routes,
    activity_handlers,
    campaigns_handlers,
    customers_handlers,
    loyalty_handlers,
    messages_handlers,
    orders_handlers,
    privacy_handlers,
    questions_handlers,
):
    app.register_blueprint(room)
