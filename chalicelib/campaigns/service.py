"""Use cases of campaigns: file what falls due, and work it off through the mail room's claims.

What falls due is taken away only after its mail is settled, so a run that dies is finished by the next one,
and any number of runs at once send one mail.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.campaigns import rules, store
from chalicelib.campaigns.model import CAMPAIGNS, NOTHING_SPECIAL, Cause, Due, Run
from chalicelib.coupons import reads as coupons
from chalicelib.messages import service as messages
from chalicelib.privacy import reads as privacy
from chalicelib.shared.logs import log_failure, logger

PAGE = 50
LAST_HOURS = timedelta(
    days=1
)  # the last day that a coupon can be used from morning to night, wherever somebody lives
RUN_SECONDS_MAX = 8.0  # of the machine's time; the function's own limit lies beyond, and the next run goes on


def plan(
    trigger: str, customer_id: str, *, happened_at: datetime, now: datetime, cause: Cause = NOTHING_SPECIAL
) -> None:
    """File every campaign that a fact of type `trigger` starts for a customer, unless they were erased.

    Half a read unit, and 3 write units each.
    """
    if privacy.is_erased(customer_id):
        return
    for campaign in CAMPAIGNS.values():
        if campaign.trigger == trigger and campaign.only == cause.kind:
            store.save_due(rules.plan(campaign, customer_id, happened_at, now, cause))


def words_of(points: int, code: str) -> dict[str, str]:
    """What a mail says of a gift: its points and its coupon, either empty where there is none. One trip for a coupon."""
    words = {
        "points": str(points or ""),
        "code": "",
        "title.en": "",
        "title.ja": "",
        "until_on": "",
        "until": "",
    }
    for coupon in coupons.coupons([code] if code else []):
        last_day = (coupon.expires_at - LAST_HOURS).date()
        words |= {f"title.{language}": coupon.terms.title_in(language) for language in ("en", "ja")}
        words |= {"code": coupon.code, "until_on": last_day.isoformat()}
    return words


def run(now: datetime) -> Run:
    """Send what is due, also what earlier runs missed, until it is done or the time is up.

    1 read for each hour under which something is filed and 1 more, so a long pause costs what fell due in it and
    not its length; 1 write for each hour that is over; for each mail what the mail room takes, and 2 write units.
    """
    ends_at = time.monotonic() + RUN_SECONDS_MAX  # how long a run takes is not the product clock's matter
    settled = left = 0
    last = ""
    while buckets := store.load_buckets(until=rules.bucket_of(now), limit=PAGE, after=last):
        for bucket in buckets:
            done, undone = _work_off(bucket, now=now, ends_at=ends_at)
            settled, left = settled + done, left + undone
            if not undone and rules.is_over(bucket, now):
                store.delete_bucket(bucket)
            if time.monotonic() > ends_at:
                return _told(Run(settled, left))
        last = buckets[-1]
    return _told(Run(settled, left))


def erase(
    customer_ids: Sequence[str],
    anonymous_ids: Sequence[str],  # noqa: ARG001
    *,
    now: datetime,  # noqa: ARG001
) -> dict[str, int]:
    """Take away what is filed for these customers. Safe to break off and repeat."""
    filed = [due for customer_id in customer_ids for due in store.of_customer(customer_id)]
    for due in filed:
        store.delete_due(due)
    return {"engagement.planned": len(filed)}


def _told(run: Run) -> Run:
    if run.settled or run.left:
        logger.info("campaigns run", extra={"settled": run.settled, "left": run.left})
    return run


def _work_off(bucket: str, *, now: datetime, ends_at: float) -> tuple[int, int]:
    """Settle one hour's mails; returns how many are settled and how many have to be tried again."""
    settled = left = 0
    last: Due | None = None
    while found := store.load_due(bucket, now=now, limit=PAGE, after=last):
        for due in found:
            if time.monotonic() > ends_at:
                return settled, left + 1
            if _settle(due, now=now):
                settled += 1
            else:
                left += 1
        last = found[-1]
    return settled, left


def _settle(due: Due, *, now: datetime) -> bool:
    """Send one mail, or record why not; whether it needs no other run.

    One that fails does not stop the others.
    """
    try:
        is_settled = _send(due, now=now)
        if is_settled:
            store.delete_due(due)
    except Exception as error:  # noqa: BLE001 (the next run tries it again)
        log_failure("campaign mail not settled", error, campaign=due.campaign_id)
        return False
    return is_settled


def _send(due: Due, *, now: datetime) -> bool:
    campaign = CAMPAIGNS.get(due.campaign_id)
    if campaign is None:
        return True  # no longer among the campaigns
    is_expired = rules.is_expired(campaign, due, now)
    tell = messages.expire_promotion if is_expired else messages.send_promotion
    message = messages.promotion(
        due.customer_id, campaign.campaign_id, template=campaign.template, which=due.which, values=due.values
    )
    return tell(message, now=now)
