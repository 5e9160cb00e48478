"""Programs in the settings table: `PROGRAM`/`CURRENT` is the one in force, `PROGRAM`/`V#{version}` every one there was."""

from __future__ import annotations

from datetime import datetime

from chalicelib.loyalty import mapping
from chalicelib.loyalty.program import Program
from chalicelib.shared.clock import to_text
from chalicelib.shared.dynamo import TransactionRefused, table, transact
from chalicelib.shared.wanted import Found, Wanted

PK, CURRENT = "PROGRAM", "CURRENT"


class ProgramMoved(Exception):
    """Somebody else changed the program first."""


def load() -> tuple[Program, str]:
    """The program in force with its JSON; the one a shop starts with has none. One trip, half a read unit."""
    item = table("settings").get(PK, CURRENT)
    return (
        (mapping.to_program(item["version"], item["program"]), item["program"]) if item else (Program(), "")
    )


def wanted() -> Wanted[Program]:
    """The program in force, for whoever wants more in the same trip."""
    place = table("settings").at(PK, CURRENT)

    def read(found: Found) -> Program:
        item = found.get(place)
        return mapping.to_program(item["version"], item["program"]) if item else Program()

    return Wanted((place,), read)


def version(number: int) -> Program:
    """One that was in force. One trip, half a read unit."""
    if number == 0:
        return Program()
    item = table("settings").get(PK, f"V#{number:08d}", consistent=True)
    assert item is not None, "programs are never taken away"
    return mapping.to_program(number, item["program"])


def save(program: Program, text: str, *, said_by: str, now: datetime) -> None:
    """Put the next version in force and keep it; raises ProgramMoved. One trip, 4 write units per KB."""
    settings = table("settings")
    item = {"pk": PK, "version": program.version, "program": text, "said_by": said_by, "at": to_text(now)}
    seen = program.version - 1
    condition, values = ("version = :seen", {":seen": seen}) if seen else ("attribute_not_exists(pk)", None)
    try:
        transact(
            [
                settings.putting(item | {"sk": CURRENT}, condition=condition, values=values),
                settings.putting(item | {"sk": f"V#{program.version:08d}"}),
            ]
        )
    except TransactionRefused as refused:
        raise ProgramMoved from refused
