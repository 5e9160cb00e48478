"""Points as somebody would keep them on paper, by the rules in words: what the ledger must agree with.

Knows nothing of how the ledger keeps its books: here are piles of points, each with a last month, and time is a list of
things that happen in their order.
"""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

ZONE = timezone(timedelta(hours=9), "Japan, which never changes its clocks")
HOLDS = 5
OPENED = datetime(
    2026, 11, 29, 16, 30, tzinfo=UTC
)  # when it all begins: the last night of the month, in the zone


@dataclass(frozen=True)
class Terms:
    """The program in a few words: 1 point for every full 100, 3 more from 500 on and 8 from 1,000 on, and 4 for every
    second order. Points wait `waits` days, or until the order has arrived; they last to the end of the month `months`
    after the one they were earned in, and when `sliding`, new ones take the older along."""

    waits: int = 0
    months: int = 1
    sliding: bool = False
    overdraft: int = 0

    def worth(self, total: int) -> int:
        """What an order of so much earns, without its stamp."""
        return total // 100 + (8 if total >= 1000 else 3 if total >= 500 else 0)


class Goods(NamedTuple):
    """An order: lines of (quantity, price), what was paid in all, and when."""

    lines: dict[str, tuple[int, int]]
    paid: int
    at: datetime


@dataclass(frozen=True)
class Command:
    """One thing somebody asks for. `key` names it; the same key for something else is a mistake.

    kinds: give, earn, arrive, refund, reserve, confirm, release.
    """

    kind: str
    who: str
    key: str = ""
    points: int | None = None
    waits: int = 0  # give: days from the first one, when they can be used
    order: str = ""
    lines: tuple[tuple[str, int], ...] = ()
    amount: int = 0
    # Hours: not all clocks show the same time. Which clock heard of it is no part of what is asked.
    behind: int = field(default=0, compare=False)


@dataclass
class Hold:
    until: datetime
    piles: Counter[str]
    borrowed: int


@dataclass
class Sheet:
    """One customer's sheet."""

    active: Counter[str] = field(default_factory=Counter)  # last month -> points
    waiting: list[tuple[datetime, str, int, str]] = field(
        default_factory=list
    )  # from when, last month, points, for
    holds: dict[str, Hold] = field(default_factory=dict)
    debt: int = 0
    over: Counter[str] = field(default_factory=Counter)
    earned: int = 0
    stamps: int = 0
    back: dict[str, tuple[Counter[str], int]] = field(
        default_factory=dict
    )  # of orders: pieces by line, and money
    all_back: set[str] = field(default_factory=set)
    ordered: set[str] = field(default_factory=set)
    done: dict[tuple[str, str], tuple[Any, Any]] = field(
        default_factory=dict
    )  # key -> what was asked, and answered


class Paper:
    """The sheets of all customers. `do` answers what a command comes to: points, or the name of a refusal."""

    def __init__(self, terms: Terms, goods: dict[str, Goods]) -> None:
        self.terms = terms
        self.goods = goods
        self.sheets: dict[str, Sheet] = {}

    def copy(self) -> Paper:
        other = Paper(self.terms, self.goods)
        other.sheets = copy.deepcopy(self.sheets)
        return other

    def sheet(self, who: str) -> Sheet:
        return self.sheets.setdefault(who, Sheet())

    def do(self, command: Command, now: datetime) -> Any:
        sheet, now = self.sheet(command.who), now - timedelta(hours=command.behind)
        self.let_pass(sheet, now)
        name = (
            "hold" if command.kind in ("confirm", "release") else command.kind,
            command.order + command.key,
        )
        if name in sheet.done:
            asked, answered = sheet.done[name]
            if asked == command:
                return answered
            return "HoldOver" if name[0] == "hold" else "KeyReused"
        outcome = getattr(self, f"_{command.kind}")(sheet, command, now)
        if not isinstance(outcome, str) and outcome is not None:
            sheet.done[name] = (command, outcome)
        return outcome

    def picture(self, who: str, now: datetime) -> dict[str, Any]:
        """What a customer sees of their points."""
        sheet = copy.deepcopy(self.sheet(who))
        self.let_pass(sheet, now)
        waiting: Counter[str] = Counter()
        for usable, _, points, _ in sheet.waiting:
            waiting[f"{usable.astimezone(ZONE):%Y-%m-%d}"] += points
        return {
            "active": {month: n for month, n in sorted(sheet.active.items()) if n},
            "pending": {day: n for day, n in sorted(waiting.items()) if n},
            "reserved": sum(hold.piles.total() + hold.borrowed for hold in sheet.holds.values()),
            "negative": sheet.debt,
            "lifetime": sheet.earned,
        }

    # --- what time does

    def let_pass(self, sheet: Sheet, now: datetime) -> None:
        """Everything that is due by now, one thing after the other as it fell due."""
        while due := self._due(sheet, now):
            _, what, which = min(due)
            if what == "1 usable":
                pile = sheet.waiting.pop(int(which.partition("|")[2]))
                self._arrived(sheet, pile[1], pile[2])
            elif what == "2 over":
                sheet.over[which] += sheet.active.pop(which)
            else:
                self._returned(sheet, sheet.holds.pop(which), now)
                sheet.done["hold", which] = (None, None)

    def _due(self, sheet: Sheet, now: datetime) -> list[tuple[datetime, str, str]]:
        found = [(pile[0], "1 usable", f"{pile[1]}|{n}") for n, pile in enumerate(sheet.waiting)]
        found += [(_end_of(month), "2 over", month) for month in sheet.active]
        found += [(hold.until, "3 returns", key) for key, hold in sheet.holds.items()]
        return [each for each in found if each[0] <= now]

    def _arrived(self, sheet: Sheet, month: str, points: int) -> None:
        """Points become usable: a debt is paid first; when it slides, what is usable already lasts as long."""
        paid = min(sheet.debt, points)
        sheet.debt -= paid
        if self.terms.sliding:
            for older in [each for each in sheet.active if each < month]:
                sheet.active[month] += sheet.active.pop(older)
        sheet.active[month] += points - paid
        if not sheet.active[month]:
            del sheet.active[month]

    def _returned(self, sheet: Sheet, hold: Hold, now: datetime) -> None:
        """Held points go back: what was borrowed is no longer owed, the rest to where it came from."""
        paid_since = max(0, hold.borrowed - sheet.debt)
        sheet.debt -= hold.borrowed - paid_since
        piles = hold.piles + Counter({self._month(min(now, hold.until)): paid_since})
        for month, points in sorted(piles.items()):
            paid = min(sheet.debt, points)
            sheet.debt -= paid
            if points > paid:
                sheet.active[month] += points - paid

    def _month(self, at: datetime) -> str:
        local = at.astimezone(ZONE)
        months = local.year * 12 + local.month - 1 + self.terms.months
        return f"{months // 12}-{months % 12 + 1:02}"

    # --- what people do

    def _give(self, sheet: Sheet, command: Command, now: datetime) -> Any:
        pile = (_midnight(OPENED, command.waits), self._month(now), command.points or 0, "")
        if pile[0] > now and pile[0] >= _end_of(pile[1]):
            return "InvalidInput"  # they would be over before they could be used
        self._earns(sheet, pile, now)
        return command.points

    def _earns(self, sheet: Sheet, pile: tuple[datetime, str, int, str], now: datetime) -> None:
        usable, month, points, _ = pile
        sheet.earned += points
        if usable > now and points:
            sheet.waiting.append(pile)
        elif points:
            self._arrived(sheet, month, points)

    def _left(self, sheet: Sheet, order: str, lines: Any = (), amount: int = 0) -> tuple[int, dict[str, int]]:
        """What is left of an order: its money, and its pieces by line. A line's money is its share of the total."""
        goods = self.goods[order]
        pieces, money = sheet.back.get(order, (Counter(), 0))
        pieces = pieces + Counter(dict(lines))
        kept = {line: n - pieces[line] for line, (n, _) in goods.lines.items() if n > pieces[line]}
        before = sum(n * price for n, price in goods.lines.values())
        value = sum(n * goods.lines[line][1] for line, n in kept.items())
        total = -(-goods.paid * value // before) - money - amount
        if total <= 0 or not kept or order in sheet.all_back:
            return 0, {}
        return total, kept

    def _earn(self, sheet: Sheet, command: Command, now: datetime) -> Any:
        order = command.order
        total, kept = self._left(sheet, order)
        at = self.goods[order].at
        month = self._month(at)
        if not kept or _end_of(month) <= now:
            return None
        sheet.ordered.add(order)
        sheet.stamps += 1
        points = self.terms.worth(total) + (4 if sheet.stamps % 2 == 0 else 0)
        self._earns(sheet, (_midnight(at, self.terms.waits), month, points, order), now)
        return points

    def _arrive(self, sheet: Sheet, command: Command, _: datetime) -> Any:
        waiting = [pile for pile in sheet.waiting if pile[3] == command.order]
        sheet.waiting = [pile for pile in sheet.waiting if pile[3] != command.order]
        for pile in waiting:
            self._arrived(sheet, pile[1], pile[2])
        return sum(pile[2] for pile in waiting) or None

    def _refund(self, sheet: Sheet, command: Command, _: datetime) -> Any:
        order = command.order
        total, kept = self._left(sheet, order)
        whole = not command.lines and not command.amount
        too_much = command.amount > total or any(n > kept.get(line, 0) for line, n in command.lines)
        if too_much or (whole and not kept):
            return "InvalidInput"
        pieces, money = sheet.back.get(order, (Counter(), 0))
        sheet.back[order] = (pieces + Counter(dict(command.lines)), money + command.amount)
        if whole:
            sheet.all_back.add(order)
        if order not in sheet.ordered:
            return 0
        left, still = self._left(sheet, order)
        due = self.terms.worth(total) - (self.terms.worth(left) if still else 0)
        if kept and not still:
            due += 4 if sheet.stamps % 2 == 0 else 0
            sheet.stamps -= 1
        sheet.earned -= due
        self._taken(sheet, order, due)
        return due

    def _taken(self, sheet: Sheet, order: str, points: int) -> None:
        """From what waits of this order, its own month, what expired of it, the other months, and then it is owed."""
        own = self._month(self.goods[order].at)
        for place, (usable, month, n, of) in enumerate(sheet.waiting):
            if of == order:
                sheet.waiting[place] = (usable, month, n - min(n, points), of)
                points -= min(n, points)
        sheet.waiting = [pile for pile in sheet.waiting if pile[2]]
        points = _from(sheet.active, [own], points)
        since = [
            month for month in sorted(sheet.over) if month == own or (self.terms.sliding and month > own)
        ]
        points = _from(sheet.over, since, points)
        points = _from(sheet.active, sorted(sheet.active), points)
        sheet.debt += points

    def _reserve(self, sheet: Sheet, command: Command, now: datetime) -> Any:
        wanted = command.points or 0
        may_borrow = max(0, self.terms.overdraft - sheet.debt)
        if wanted > sheet.active.total() + may_borrow:
            return "NotEnoughPoints"
        if len(sheet.holds) >= HOLDS:
            return "Conflict"
        before = Counter(sheet.active)
        borrowed = _from(sheet.active, sorted(sheet.active), wanted)
        sheet.debt += borrowed
        sheet.holds[command.key] = Hold(now + timedelta(hours=1), before - sheet.active, borrowed)
        return wanted

    def _confirm(self, sheet: Sheet, command: Command, now: datetime) -> Any:
        hold = sheet.holds.get(command.key)
        if hold is None:
            return "NotFound"
        held = hold.piles.total() + hold.borrowed
        spent = held if command.points is None else command.points
        if spent > held:
            return "InvalidInput"
        del sheet.holds[command.key]
        hold.borrowed -= _from(hold.piles, sorted(hold.piles), spent)
        self._returned(sheet, hold, now)
        return spent

    def _release(self, sheet: Sheet, command: Command, now: datetime) -> Any:
        hold = sheet.holds.pop(command.key, None)
        if hold is None:
            return "NotFound"
        held = hold.piles.total() + hold.borrowed
        self._returned(sheet, hold, now)
        return held


def _from(piles: Counter[str], months: list[str], points: int) -> int:
    """Take points from these months in turn; returns how many were lacking."""
    for month in months:
        taken = min(piles[month], points)
        piles[month] -= taken
        points -= taken
        if not piles[month]:
            del piles[month]
    return points


def _end_of(month: str) -> datetime:
    year, number = int(month[:4]), int(month[5:])
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=ZONE).astimezone(UTC)


def _midnight(at: datetime, days: int) -> datetime:
    day = at.astimezone(ZONE) + timedelta(days=days)
    return day.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
