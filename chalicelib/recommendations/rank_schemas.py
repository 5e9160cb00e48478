"""The order of a caller's own list over HTTP."""

from __future__ import annotations

from pydantic import Field

from chalicelib.recommendations.schemas import ReasonAnswer
from chalicelib.shared.contract import Id, In, Out

RANKED_MAX = 500


class RankBody(In):
    """For whom, and what to put in order."""

    customer_id: Id | None = Field(default=None, description="Not with a publishable key.")
    anonymous_id: Id | None = Field(default=None, description="The visitor's own anonymous id.")
    item_ids: list[Id] = Field(min_length=1, max_length=RANKED_MAX, examples=[["tea", "cup"]])


class RankedItem(Out):
    item_id: str
    score: float = Field(description="Orders this answer only; 0 where nothing is known.")
    reason: ReasonAnswer


class RankAnswer(Out):
    request_id: str
    items: list[RankedItem] = Field(
        description="Best first. Of no score, in the order given; last what is not in the catalogue."
    )
    left_out: list[str] = Field(
        description="What may not be shown to this person now: sold out, hidden, or kept away by the shop's rules."
    )
