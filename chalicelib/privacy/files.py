"""The private bucket: documents that people may fetch by a signed link, gone after a week."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.shared import aws
from chalicelib.shared.config import config

MEDIA_TYPE = "application/json"


def address_of(export_id: str) -> str:
    """Where an export's document is in the bucket."""
    return f"exports/{export_id}.json"


def put(address: str, document: bytes) -> None:
    """Store a document, over an earlier one at the same place."""
    aws.client("s3").put_object(
        Bucket=config().exports,
        Key=address,
        Body=document,
        ContentType=MEDIA_TYPE,
        ContentDisposition='attachment; filename="export.json"',
        CacheControl="no-store",
    )


def delete(address: str) -> None:
    """Take a document away, if it is there."""
    aws.client("s3").delete_object(Bucket=config().exports, Key=address)


def link(address: str, lasts: timedelta) -> str:
    """A link that lets anybody who has it fetch one document for a while. Calls nothing."""
    url: str = aws.client("s3").generate_presigned_url(
        "get_object",
        Params={"Bucket": config().exports, "Key": address},
        ExpiresIn=int(lasts.total_seconds()),
    )
    return url
