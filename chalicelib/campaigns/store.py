"""What falls due, in the engagement table: `DUE#{YYYY-MM-DDTHH}`/`{due_at}#{campaign_id}#{customer_id}`.

`C#{customer_id}`/`DUE#{YYYY-MM-DDTHH}#{due_at}#{campaign_id}` leads there from its customer, `TICK`/`HOUR#{YYYY-MM-DDTHH}`
leads there from the clock: only hours with something in them are looked at.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.campaigns.model import Due
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import Item, table

POINTER_PREFIX = "DUE#"
DUES_MAX = 1000  # of one customer
HOURS_KEY = "TICK"
HOUR_PREFIX = "HOUR#"
AFTER_SEPARATOR = "$"  # the character after `#`: behind every key of one moment


def save_due(due: Due) -> None:
    """File what falls due; filing it again changes nothing. Three trips, 3 write units."""
    pk, sk = _key(due)
    # What leads there first: it may lead to nothing, but nothing may lie where nobody can find it again.
    table("engagement").put({"pk": HOURS_KEY, "sk": f"{HOUR_PREFIX}{due.bucket}", "bucket": due.bucket})
    table("engagement").put(_pointer(due))
    table("engagement").put(
        {
            "pk": pk,
            "sk": sk,
            "campaign_id": due.campaign_id,
            "customer_id": due.customer_id,
            "due_at": to_text(due.due_at),
            **({"which": due.which} if due.which else {}),
            **({"values": dict(due.values)} if due.values else {}),
        }
    )


def load_due(bucket: str, *, now: datetime, limit: int, after: Due | None = None) -> list[Due]:
    """What is filed under an hour and due by `now`, earliest first.

    One trip, consistent; 1 read unit per 4 KB.
    """
    pk = f"DUE#{bucket}"
    found = table("engagement").query(
        pk,
        after=_key(after)[1] if after else "",
        before=to_text(now) + AFTER_SEPARATOR,
        limit=limit,
        consistent=True,
    )
    return [_due(item, bucket) for item in found]


def delete_due(due: Due) -> None:
    """Take away what is done. Two trips, 2 write units."""
    table("engagement").delete(*_key(due))
    table("engagement").delete(*_pointer_key(due))


def of_customer(customer_id: str) -> list[Due]:
    """What is filed for one customer. One trip, consistent; 1 read unit per 4 KB."""
    found = table("engagement").query(
        f"C#{customer_id}", prefix=POINTER_PREFIX, limit=DUES_MAX, consistent=True
    )
    return [_due(item, item["bucket"]) for item in found]


def load_buckets(*, until: str, limit: int, after: str = "") -> list[str]:
    """The hours up to `until` under which something is or was filed, earliest first.

    One trip, consistent; 1 read unit per 4 KB.
    """
    found = table("engagement").query(
        HOURS_KEY,
        after=f"{HOUR_PREFIX}{after}" if after else "",
        before=f"{HOUR_PREFIX}{until}{AFTER_SEPARATOR}",
        limit=limit,
        consistent=True,
    )
    return [str(item["bucket"]) for item in found]


def delete_bucket(bucket: str) -> None:
    """Look at this hour no more: it is over and everything in it is done. 1 write unit."""
    table("engagement").delete(HOURS_KEY, f"{HOUR_PREFIX}{bucket}")


def _key(due: Due) -> tuple[str, str]:
    return f"DUE#{due.bucket}", f"{to_text(due.due_at)}#{due.campaign_id}#{due.customer_id}"


def _pointer_key(due: Due) -> tuple[str, str]:
    return f"C#{due.customer_id}", f"{POINTER_PREFIX}{due.bucket}#{to_text(due.due_at)}#{due.campaign_id}"


def _pointer(due: Due) -> Item:
    pk, sk = _pointer_key(due)
    return {
        "pk": pk,
        "sk": sk,
        "campaign_id": due.campaign_id,
        "customer_id": due.customer_id,
        "due_at": to_text(due.due_at),
        "bucket": due.bucket,
    }


def _due(item: Item, bucket: str) -> Due:
    return Due(
        item["campaign_id"],
        item["customer_id"],
        from_text(item["due_at"]),
        bucket,
        item.get("which", ""),
        item.get("values", {}),
    )
