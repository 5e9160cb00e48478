"""Runs the checks of what is promised of customers, or of the ledger, and prints each with its experiment and figures."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest

Checks = dict[str, tuple[str, tuple[str, ...]]]  # check -> its experiment, and where it is

CUSTOMERS: Checks = {
    "A13": ("a run over more than 100 records dies after writes spread over it, and runs again", ("tests/unit/customers/test_crashed_runs.py",)),
    "B1": (
        "every route that reads a body x hostile bodies",
        ("tests/security/test_hostile_bodies.py::test_a_hostile_body_is_refused_in_one_shape_and_leaves_nothing",),
    ),
    "B8": ("pages while 1,000 entries arrive; altered and foreign cursors", ("tests/unit/activity/test_paging.py",)),
    "C1": (
        "each consumer: delivered 5 times, shuffled, overlapping",
        ("tests/consumers/test_redelivery.py::test_c1_delivered_five_times_is_delivered_once",),
    ),
    "C7": (
        "all orders of five facts about one customer",
        ("tests/consumers/test_redelivery.py::test_c7_in_every_order_the_end_is_the_same",),
    ),
    "E2": ("somebody else's id against an id of nobody", ("tests/security/test_foreign_ids.py::test_e2_somebody_elses_is_nobodys",)),
    "E5": ("ids made to escape from their keys", ("tests/security/test_foreign_ids.py::test_e5_no_id_reaches_into_anothers_items",)),
    "E7": (
        "1,000 sign-ups at once with one code; self-referral, rings, replayed codes",
        ("tests/unit/loyalty/test_referrals.py", "tests/unit/coupons/test_coupons.py"),
    ),
    "E8": ("hostile names and expressions in definitions and filters", ("tests/security/test_expressions.py",)),
    "F1": ("nothing of a customer is left after erasure", ("tests/unit/privacy/test_erasure.py::test_f1*",)),
    "F2": ("erasures that die, and two at once", ("tests/unit/privacy/test_erasure.py::test_f2*",)),
    "F3": ("what arrives late for somebody erased", ("tests/unit/privacy/test_erasure.py::test_f3*",)),
    "F4": ("the export against everything stored", ("tests/unit/privacy/test_export.py::test_f4*",)),
    "F5": ("consent withdrawn", ("tests/unit/privacy/test_consent.py::test_f5*",)),
    "F6": ("what has expired and is still there", ("tests/unit/privacy/test_data_map.py::test_f6*",)),
    "F7": ("the data map against everything stored", ("tests/unit/privacy/test_data_map.py::test_f7*",)),
    "F8": ("merging, accruing and erasing at once", ("tests/unit/privacy/test_merge_and_erase.py::test_f8*",)),
}  # fmt: skip


SIMULATION = "tests/simulation/test_ledger"
LEDGER: Checks = {
    "A1": ("accruals, each sent 3 times, 8 threads, a fault in one call of ten", (f"{SIMULATION}_crowd.py::test_a1*",)),
    "A2": (
        "random commands of two at once under all faults, against points kept on paper; planted bugs must be found",
        (f"{SIMULATION}.py",),
    ),
    "A3": ("a crash before and after every AWS call of every use case, then the same again", (f"{SIMULATION}_faults.py::test_a3*",)),
    "A4": ("the reply of every call lost, the SDK's own retries on", (f"{SIMULATION}_faults.py::test_a4*",)),
    "A5": ("50 redemptions of the whole balance at once", (f"{SIMULATION}_crowd.py::test_a5*",)),
    "A6": ("64 writers on one account", (f"{SIMULATION}_crowd.py::test_a6*",)),
    "A7": ("one key with another body, for another customer, for another kind of thing", (f"{SIMULATION}_faults.py::test_a7*",)),
    "A8": ("a refund sent twice beside its order", (f"{SIMULATION}_crowd.py::test_a8*",)),
    "A9": ("expiry against redemption", (f"{SIMULATION}_crowd.py::test_a9*",)),
    "A10": (
        "every account rebuilt from its entries, after each of the above; differences planted by hand are found",
        ("tests/unit/loyalty/test_audit.py",),
    ),
    "A11": (
        "random sequences of decisions without AWS; no float in the room",
        (f"{SIMULATION}_faults.py::test_a11*", "tests/unit/loyalty/test_integers.py"),
    ),
    "A12": ("TransactionConflict on k tries of a command", (f"{SIMULATION}_faults.py::test_a12*",)),
    "A13": ("a run over more than 100 accounts dies and runs again", (f"{SIMULATION}_faults.py::test_a13*",)),
    "A14": ("clocks that go back, the night they change, 29 February, keys that come late", (f"{SIMULATION}_faults.py::test_a14*",)),
}  # fmt: skip
SETS = {"customers": CUSTOMERS, "ledger": LEDGER}


def check_of(node_id: str, checks: Checks) -> str | None:
    """The check a test belongs to, None for a test of none."""
    for check, (_, places) in checks.items():
        if any(node_id.startswith(place.rstrip("*")) for place in places):
            return check
    return None


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    cases: int = 0
    figures: list[str] = field(default_factory=list)

    def line(self) -> str:
        """What came of it, for the table."""
        if not self.passed and not self.failed:
            return "NOT RUN"
        if self.failed:
            return f"FAILED: {self.failed} of {self.passed + self.failed} tests"
        counted = [f"{self.cases} cases, 0 wrong"] if self.cases else []
        return "; ".join([*self.figures, *counted]) or f"{self.passed} tests, 0 failed"


class Table:
    """Keeps only the tests of checks, and prints the table after them."""

    def __init__(self, title: str, checks: Checks) -> None:
        self._title = title
        self._checks = checks
        self._outcomes: dict[str, Outcome] = defaultdict(Outcome)

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        others = [item for item in items if check_of(item.nodeid, self._checks) is None]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]

    def pytest_runtest_logreport(self, report: Any) -> None:
        check = check_of(report.nodeid, self._checks)
        if check is None or (report.when != "call" and not report.failed):
            return
        outcome = self._outcomes[check]
        outcome.passed += report.passed
        outcome.failed += report.failed
        outcome.cases += sum(value for name, value in report.user_properties if name == "cases")
        outcome.figures += [
            value.removeprefix(check).strip() for name, value in report.user_properties if name == "figure"
        ]

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section(self._title)
        for check, (experiment, _) in self._checks.items():
            terminalreporter.write_line(f"{check:4} {experiment}")
            terminalreporter.write_line(f"     -> {self._outcomes[check].line()}")


def main() -> int:
    """Run every check; arguments are `ledger` for those of the ledger, names of checks (`B8 E2`), or pytest's own."""
    given = sys.argv[1:]
    name = next((each for each in given if each in SETS), "customers")
    known = SETS[name]
    checks = {check: known[check] for check in known if check in given} or known
    options = [each for each in given if each not in (name, *checks)]
    places = {place.partition("::")[0] for _, where in checks.values() for place in where}
    table = Table(f"what is promised of {name if name == 'customers' else 'the ledger'}", checks)
    return int(pytest.main(["-q", "--timeout=0", *options, *sorted(places)], plugins=[table]))


if __name__ == "__main__":
    sys.exit(main())
