"""Traits over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.shared.http import Answer, Call, endpoint
from chalicelib.traits import service, store
from chalicelib.traits.schemas import (
    ComputedTraitAnswer,
    ComputedTraitBody,
    ComputedTraitsAnswer,
    InterestSettingsAnswer,
    InterestSettingsBody,
    JudgementAnswer,
    PreviewBody,
    RuleAnswer,
    RuleBody,
    RulesAnswer,
    TraitsAnswer,
)

routes = Blueprint(__name__)


@endpoint(routes, "GET /v1/customers/{customer_id}/traits", answer=TraitsAnswer)
def read_traits(call: Call[None, None], customer_id: str) -> TraitsAnswer:
    """What is computed, inferred and of interest about a customer this second, with every fact it rests on."""
    return service.traits(customer_id, now=call.now)


@endpoint(routes, "GET /v1/computed-traits", answer=ComputedTraitsAnswer)
def list_computed_traits(call: Call[None, None]) -> ComputedTraitsAnswer:
    """Every computed trait."""
    return service.computed_traits()


@endpoint(routes, "GET /v1/computed-traits/{trait_name}", answer=ComputedTraitAnswer)
def read_computed_trait(call: Call[None, None], trait_name: str) -> ComputedTraitAnswer:
    """How one trait is computed."""
    return service.computed_trait(trait_name)


@endpoint(
    routes, "PUT /v1/computed-traits/{trait_name}", body=ComputedTraitBody, answer=ComputedTraitAnswer
)  # fmt: skip
def put_computed_trait(call: Call[ComputedTraitBody, None], trait_name: str) -> ComputedTraitAnswer:
    """Define a computed trait, or replace it. The next profile shows it, from everything that already happened."""
    return service.put_computed_trait(trait_name, call.body, now=call.now)


@endpoint(routes, "DELETE /v1/computed-traits/{trait_name}", status=204)
def delete_computed_trait(call: Call[None, None], trait_name: str) -> Answer:
    """Stop computing it; doing it again changes nothing."""
    store.remove_computation(trait_name)
    return Answer("", status=204)


@endpoint(routes, "GET /v1/inference-rules", answer=RulesAnswer)
def list_rules(call: Call[None, None]) -> RulesAnswer:
    """Every rule by which traits are inferred."""
    return service.rules()


@endpoint(routes, "GET /v1/inference-rules/{rule_id}", answer=RuleAnswer)
def read_rule(call: Call[None, None], rule_id: str) -> RuleAnswer:
    """One rule."""
    return service.rule(rule_id)


@endpoint(routes, "PUT /v1/inference-rules/{rule_id}", body=RuleBody, answer=RuleAnswer)
def put_rule(call: Call[RuleBody, None], rule_id: str) -> RuleAnswer:
    """Define a rule, or replace it. The next profile follows it; of rules for one trait the most confident counts."""
    return service.put_rule(rule_id, call.body, now=call.now)


@endpoint(routes, "DELETE /v1/inference-rules/{rule_id}", status=204)
def delete_rule(call: Call[None, None], rule_id: str) -> Answer:
    """Stop inferring by it; doing it again changes nothing."""
    store.remove_rule(rule_id)
    return Answer("", status=204)


@endpoint(routes, "POST /v1/inference-rules/preview", body=PreviewBody, answer=JudgementAnswer)
def preview_rule(call: Call[PreviewBody, None]) -> JudgementAnswer:
    """What a rule would say of one customer, and why. Nothing is stored; their consents count."""
    return service.preview(call.body, now=call.now)


@endpoint(routes, "GET /v1/settings/interests", answer=InterestSettingsAnswer)
def read_interest_settings(call: Call[None, None]) -> InterestSettingsAnswer:
    """How fast interests fade."""
    return service.interest_settings()


@endpoint(
    routes, "PUT /v1/settings/interests", body=InterestSettingsBody, answer=InterestSettingsAnswer
)  # fmt: skip
def put_interest_settings(call: Call[InterestSettingsBody, None]) -> InterestSettingsAnswer:
    """Change how fast interests fade, from the next answer on."""
    return service.put_interest_settings(call.body.half_life_days)
