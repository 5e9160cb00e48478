"""One customer's books without AWS: each step settles, decides and keeps the entry, as a command does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.loyalty import books, redeeming, refunding, rules
from chalicelib.loyalty.earning import Basket, BasketLine
from chalicelib.loyalty.model import Account, Decision, Entry, Refunded
from chalicelib.loyalty.program import EarnRule, Program
from chalicelib.loyalty.rules import Placed

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SPEND = EarnRule("spend", "amount", points=1, per_amount=100)
YEN = Program(earn=(SPEND,))


def basket(
    total: int | None = None,
    *lines: tuple[str, int, int],
    at: datetime = NOW,
    currency: str = "JPY",
    **kinds: Any,
) -> Basket:
    """A basket of lines (item, pieces, price each), which costs `total` or what they add up to.

    `kinds` are the categories of items.
    """
    made = tuple(
        BasketLine(item, item, quantity, price, frozenset(kinds.get(item, ())))
        for item, quantity, price in lines
    ) or (BasketLine("a", "a", 1, total or 0),)
    return Basket(sum(line.value for line in made) if total is None else total, currency, made, at)


@dataclass
class Purse:
    """The account as it stands, and every entry that made it so."""

    program: Program = YEN
    now: datetime = NOW
    account: Account = field(default_factory=lambda: Account("u1"))
    entries: list[Entry] = field(default_factory=list)
    _orders: dict[str, tuple[Placed, Program]] = field(default_factory=dict)

    @property
    def state(self) -> tuple[int, int, int, int]:
        """Active, pending, held and owed points."""
        return (self.account.active, self.account.pending, self.account.held, self.account.owed)

    def wait(self, **time: float) -> None:
        """Let time pass, and what it does."""
        self.to(self.now + timedelta(**time))

    def to(self, now: datetime) -> None:
        """Go to a moment, and see what time did until then."""
        self.now = now
        while due := books.settlement(self.account, self.program, now):
            self.keep(due)

    def keep(self, decision: Decision | None) -> Entry | None:
        """Take a decision into the books; every entry adds up to 0."""
        if decision is None:
            return None
        moved = [n for key, n in decision.entry.moves.items() if key.partition(":")[0] in MOVED]
        assert sum(moved) == 0
        assert decision.entry.number == decision.account.version == self.account.version + 1
        self.account = decision.account
        self.entries.append(decision.entry)
        return decision.entry

    def earn(
        self,
        order_id: str,
        bought: Basket | int,
        *,
        store: str = "",
        at: datetime | None = None,
        imported: bool = False,
    ) -> Entry | None:
        """Hear of an order; a number is what it cost, now."""
        self.to(self.now)
        bought = basket(bought, at=at or self.now) if isinstance(bought, int) else bought
        placed = Placed(order_id, bought, store)
        self._orders[order_id] = (placed, self.program)
        left = refunding.left_of(bought, self.of(order_id))
        return self.keep(
            rules.earn_from_order(
                self.account, self.program, placed, left=left, imported=imported, now=self.now
            )
        )

    def refund(self, order_id: str, of: Basket | None = None, **refunded: Any) -> Entry:
        """Give back `lines`, an `amount`, or the whole of an order; `of` is its basket where it was not heard of yet."""
        self.to(self.now)
        placed, then = self._orders.get(order_id) or (Placed(order_id, of or basket(0)), self.program)
        told = Refunded(**refunded) if refunded else Refunded(whole=True)
        number = sum(each.kind == "refund" for each in self.entries)
        entry = self.keep(
            refunding.refund_order(
                self.account, (self.program, then), (placed.basket, self.of(order_id)), told,
                entry_id=f"order:{order_id}#refund#{number}", reason="refund", now=self.now,
            )
        )  # fmt: skip
        assert entry is not None
        return entry

    def arrive(self, order_id: str) -> Entry | None:
        """Hear that everything of an order was delivered."""
        self.to(self.now)
        return self.keep(
            rules.confirm_order(self.account, self.program, order_id, self.of(order_id), now=self.now)
        )

    def give(self, points: int, **more: Any) -> Entry | None:
        """Give points by hand."""
        self.to(self.now)
        entry_id = f"key:{len(self.entries)}"
        return self.keep(
            rules.give(
                self.account, self.program, entry_id=entry_id, points=points, reason="x", now=self.now, **more
            )
        )

    def reserve(self, name: str, points: int, minutes: int = 15, **more: Any) -> Entry | None:
        """Hold points."""
        self.to(self.now)
        hold = timedelta(minutes=minutes)
        return self.keep(
            redeeming.reserve(self.account, self.program, name, points, hold=hold, now=self.now, **more)
        )

    def confirm(self, name: str, points: int | None = None) -> Entry | None:
        """Spend what is held."""
        self.to(self.now)
        return self.keep(redeeming.confirm(self.account, self.program, name, points, now=self.now))

    def release(self, name: str) -> Entry | None:
        """Return what is held."""
        self.to(self.now)
        return self.keep(redeeming.release(self.account, self.program, name, reason="released", now=self.now))

    def spend(self, points: int) -> None:
        """Hold points and spend them."""
        name = f"r{len(self.entries)}"
        self.reserve(name, points)
        self.confirm(name)

    def of(self, order_id: str) -> list[Entry]:
        """The entries of one order."""
        return [each for each in self.entries if each.entry_id.split("#")[0] == f"order:{order_id}"]

    def changed(self, **program: Any) -> None:
        """Another program from now on."""
        self.program = replace(self.program, version=self.program.version + 1, **program)


MOVED = ("lot", "pending", "held", "owed", "shop")


def day(text: str, hour: int = 9) -> datetime:
    """An hour of a day in UTC."""
    return datetime.fromisoformat(f"{text}T{hour:02d}:00:00+00:00")


def given(entry: Entry | None) -> dict[str, int]:
    """Which rule of an entry gave how much."""
    return {each.rule: each.points for each in entry.rules} if entry else {}
