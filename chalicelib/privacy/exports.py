"""Use cases of export: asked for now, made by a handler, fetched from the bucket by a link that soon expires."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from chalicelib.customers import reads as customers
from chalicelib.privacy import export_store as store
from chalicelib.privacy import files, rooms, rules
from chalicelib.privacy.model import DONE, EXPORT_SCHEMA, LINK_LASTS, Export
from chalicelib.privacy.reads import is_erased
from chalicelib.privacy.schemas import ExportAnswer
from chalicelib.shared import clock, ids
from chalicelib.shared.clock import to_text
from chalicelib.shared.errors import Gone, NotFound
from chalicelib.shared.logs import logger


def request(customer_id: str, *, key: str, now: datetime) -> str:
    """Have a copy of everything made; returns its id. The same Idempotency-Key names the same copy. Raises Gone."""
    if is_erased(customer_id):
        raise Gone("this customer was erased")
    export_id = ids.fingerprint("export", customer_id, key)
    store.add(Export(export_id, customer_id, requested_at=now))
    return export_id


def find(export_id: str, *, customer_id: str | None, now: datetime) -> ExportAnswer:
    """How an export stands, with a fresh link once it is made. A customer sees their own only. Raises NotFound, Gone."""
    export = store.load(export_id, now=now)
    if export is None or not rules.may_see(export, customer_id):
        raise NotFound("there is no such export, or it has expired")
    if is_erased(export.customer_id):
        raise Gone("this customer was erased")
    is_made = export.status == DONE
    return ExportAnswer(
        export_id=export_id,
        status=export.status,
        requested_at=export.requested_at,
        url=files.link(export.address, LINK_LASTS) if is_made else None,
        expires_at=clock.now() + LINK_LASTS if is_made else None,
    )


def make(export_id: str, *, now: datetime) -> None:
    """Make the copy and put it into the bucket; doing it again makes it anew. For somebody who was erased: nothing."""
    export = store.load(export_id, now=now)
    if export is None or export.status == DONE or is_erased(export.customer_id):
        return
    address = files.address_of(export_id)
    document = json.dumps(document_of(export.customer_id, now=now), ensure_ascii=False, indent=1)
    files.put(address, document.encode())
    if not store.finish(export_id, address, now=now):
        files.delete(address)  # erased meanwhile
    logger.info("export made", extra={"export_id": export_id})


def document_of(customer_id: str, *, now: datetime) -> dict[str, Any]:
    """Everything stored about a person, a section for each room."""
    person = customers.person(customer_id)
    customer_ids = person.customer_ids if person else (customer_id,)
    anonymous_ids = person.anonymous_ids if person else ()
    return {
        "schema": EXPORT_SCHEMA,
        "made_at": to_text(now),
        "customer_ids": list(customer_ids),
        "anonymous_ids": list(anonymous_ids),
        "sections": {
            room: export_of(customer_ids, anonymous_ids) for room, export_of in rooms.EXPORTERS.items()
        },
    }
