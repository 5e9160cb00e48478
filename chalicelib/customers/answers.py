"""What the API shows of a person and of a merge."""

from __future__ import annotations

from typing import Any

from chalicelib.customers import merging, rules
from chalicelib.customers.model import Consent, Merge, Selves
from chalicelib.customers.schemas import (
    ConsentAnswer,
    ConsentEvidence,
    CustomerAnswer,
    CustomerLoyalty,
    CustomerSummary,
    MergeAnswer,
    TraitAnswer,
    UndoAnswer,
)
from chalicelib.loyalty.schemas import BalanceAnswer
from chalicelib.traits import reads as traits
from chalicelib.traits.reads import Known


def customer_answer(
    selves: Selves, balance: BalanceAnswer, known: Known, *, by_customer: bool
) -> CustomerAnswer:
    """One person; `selves` heed their mail gates, `known` is what follows from what they did.

    Who of the shop's people changed it is not for the customer.
    """
    whole = merging.whole(selves)
    history = rules.add_to_history(whole.consent_history, whole.consents)
    return CustomerAnswer(
        customer_id=whole.customer_id,
        customer_ids=list(selves.customer_ids),
        anonymous_ids=list(whole.anonymous_ids),
        identifiers=rules.identifiers(whole),
        traits={
            name: TraitAnswer(value=trait.value, source=trait.source, updated_at=trait.at)
            for name, trait in sorted(rules.known_traits(whole).items())
        },
        consents={
            purpose: ConsentAnswer(
                **_evidence(each), history=[ConsentEvidence(**_evidence(heard)) for heard in history[purpose]]
            )
            for purpose, each in sorted(whole.consents.items())
        },
        loyalty=CustomerLoyalty(
            active_points=balance.active_points, tier=balance.tier.name if balance.tier else None
        ),
        **traits.shown(known),
        created_at=whole.created_at,
        updated_at=whole.updated_at,
        updated_by=None if by_customer else whole.changed_by or None,
    )


def summary(selves: Selves) -> CustomerSummary:
    """One person in a list."""
    whole = merging.whole(selves)
    return CustomerSummary(
        customer_id=whole.customer_id,
        customer_ids=list(selves.customer_ids),
        name=rules.person(whole).name,
        identifiers=rules.identifiers(whole),
        created_at=whole.created_at,
        updated_at=whole.updated_at,
    )


def merge_answer(merge: Merge) -> MergeAnswer:
    """The record of a merge, and whether it was undone since."""
    return MergeAnswer(**_record(merge), undone_at=merge.undone_at, undone_by=merge.undone_by or None)


def undo_answer(merge: Merge) -> UndoAnswer:
    """The record of a merge that was undone."""
    assert merge.undone_at, "it was undone"
    return UndoAnswer(**_record(merge), undone_at=merge.undone_at, undone_by=merge.undone_by)


def _record(merge: Merge) -> dict[str, Any]:
    return {
        "merge_id": merge.merge_id,
        "survivor": merge.survivor,
        "absorbed": merge.absorbed,
        "reason": merge.reason,
        "merged_at": merge.merged_at,
        "merged_by": merge.merged_by,
    }


def _evidence(consent: Consent) -> dict[str, Any]:
    return {
        "status": consent.status,
        "at": consent.at,
        "source": consent.source,
        "wording_version": consent.wording_version,
        "locale": consent.locale,
    }
