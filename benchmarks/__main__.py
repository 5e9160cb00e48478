"""`make bench`: units and round trips of each operation, warm CPU and cold start, as tables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from benchmarks import cold, warm
from benchmarks.budget import OPERATIONS, measure
from tests.support.environment import ENVIRONMENT


def main() -> None:
    """Print three tables; ratios are what counts, milliseconds are this machine's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # a person's own settings take no part
    os.environ |= ENVIRONMENT
    print("DynamoDB for each operation: what is measured, and what its budget allows\n")
    _table(("operation", "rounds", "calls", "read units", "write units", "budget"), _units())
    print("\nA warm request: CPU time, beside a bare Chalice handler\n")
    _table(("request", "CPU", "ratio", "to"), _warm())
    print(
        f"\nA cold start: CPU time of a fresh process; ready for its first event at {cold.RATIO_MAX} at most\n"
    )
    _table(("process", "imported", "ratio", "ready", "ratio", ""), _cold())


def _units() -> Iterable[Sequence[str]]:
    from tests.support.embedded import Api, embedded_aws

    for operation in OPERATIONS:
        with embedded_aws(), Api() as door:
            meter = measure(operation, door)
        spent = (meter.rounds.now, meter.trips, meter.read_units, meter.write_units)
        allowed = operation.allowed(spent[0])
        verdict = "kept" if spent == allowed else f"broken: {allowed}"
        yield operation.name, *(f"{each:g}" for each in spent), verdict


def _warm() -> Iterable[Sequence[str]]:
    for row in warm.warm():
        yield row.name, f"{row.microseconds:.0f} us", f"{row.ratio:.1f}", row.floor


def _cold() -> Iterable[Sequence[str]]:
    for row in cold.cold():
        verdict = "" if row.ready_ratio <= cold.RATIO_MAX else "above"
        yield (
            row.name,
            *(f"{row.imported_ms:.0f} ms", f"{row.imported_ratio:.2f}"),
            *(f"{row.ready_ms:.0f} ms", f"{row.ready_ratio:.2f}", verdict),
        )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = [head, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    for number, line in enumerate(lines):
        cells = [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


main()
