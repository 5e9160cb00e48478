"""People who are told of, linked, merged and parted on a wire that misbehaves; a replay of what was said must agree."""

from __future__ import annotations

import copy
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from moto.dynamodb.models import dynamodb_backends

from chalicelib.activity import service as activity
from chalicelib.activity.reading import Sending
from chalicelib.activity.schemas import TimelineQuery
from chalicelib.customers import mail_gates, merges, merging, reads, service, store
from chalicelib.customers.model import Selves
from chalicelib.customers.schemas import CustomerPatch
from chalicelib.messages import gate
from chalicelib.shared import dynamo
from chalicelib.shared.dynamo import table
from chalicelib.shared.errors import Busy, Conflict, Refused
from tests.support.faults import FAULTS, Baton, Crash, FaultyWire

LONG = os.environ.get("KOKYAKU_SIMULATE") == "long"
SETTINGS = settings(
    max_examples=1000 if LONG else 8,
    stateful_step_count=25 if LONG else 8,
    deadline=None,
    print_blob=True,  # a failure prints what replays it
    suppress_health_check=list(HealthCheck),
)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATE = timedelta(seconds=30, milliseconds=500)
PEOPLE = ("u1", "u2", "u3", "u4")
ACTS = ("leave", "edit")  # by a link in a mail, and by the customer's own token
PURPOSES = ("analytics", "email_marketing")
TABLES = ("people", "engagement", "activity")


@dataclass(frozen=True)
class Command:
    """One thing somebody asks for. `at` is when it was said; `key` names a merge."""

    kind: str
    who: str
    at: datetime
    now: datetime
    other: str = ""
    value: int = 0
    granted: bool | None = None
    purpose: str = "analytics"
    device: str | None = None
    key: str = ""


@dataclass
class Model:
    """What was said to whom and when, and which merges hold; people are found by replaying it all in order."""

    said: list[Command] = field(default_factory=list)
    merges: dict[str, tuple[datetime, str, str]] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    shared: dict[int, set[str]] = field(default_factory=dict)  # whose word a withdrawal is besides
    owners: dict[str, str] = field(default_factory=dict)
    touched: dict[str, int] = field(default_factory=dict)

    def holding(self) -> list[tuple[datetime, str, str]]:
        return sorted(each for key, each in self.merges.items() if key not in self.undone)

    def head(self, who: str) -> str:
        for _, survivor, absorbed in self.holding():
            if absorbed == who:
                return self.head(survivor)
        return who

    def group(self, who: str) -> set[str]:
        return {each for each in PEOPLE if self.head(each) == self.head(who)}

    def explains(self, command: Command, outcome: Any) -> bool:
        """Whether this outcome may follow here; then the model has it behind it."""
        if command.kind == "merge":
            return self._merged(command, outcome)
        if command.kind == "undo":
            return self._parted(command, outcome)
        if isinstance(outcome, BaseException):
            return False
        if command.kind == "edit":
            # Made in view of what is stored, so it may count later than it was asked for.
            command = replace(command, at=outcome[0].consents[command.purpose].at)
        if command.kind == "touch":
            self.touched[command.who] = self.touched.get(command.who, 0) + 1
        else:
            self.said.append(command)
            if command.device:
                self.owners.setdefault(command.device, command.who)
        return True

    def _merged(self, command: Command, outcome: Any) -> bool:
        if command.key in self.merges:
            return not isinstance(outcome, BaseException)
        sides = (command.who, command.other)
        if any(self.head(each) != each for each in sides):
            return isinstance(outcome, Conflict)
        if isinstance(outcome, BaseException):
            return False
        self.merges[command.key] = (outcome.merged_at, *sides)
        return True

    def _parted(self, command: Command, outcome: Any) -> bool:
        survivor = self.merges[command.key][1]
        if command.key not in self.undone and self.head(survivor) != survivor:
            return isinstance(outcome, Conflict)
        if command.key not in self.undone:
            self._share(command.key)
            self.undone.add(command.key)
        return not isinstance(outcome, BaseException)

    def _share(self, key: str) -> None:
        """What was withdrawn while a merge held, and stands, is a word of both its sides when it comes apart."""
        _, survivor, absorbed = self.merges[key]
        for word in self.said:
            for who in self._tellers(word):
                other = survivor if self._leads_to(who, absorbed) else absorbed
                if other in self._group_at(word.at, who) and self._stands(word, who):
                    self.shared[word.value] = {other} | self.shared.get(word.value, set())

    def _tellers(self, word: Command) -> set[str]:
        return {word.who} | self.shared.get(word.value, set())

    def _leads_to(self, who: str, other: str) -> bool:
        into = {absorbed: survivor for _, survivor, absorbed in self.holding()}
        return who == other or (who in into and self._leads_to(into[who], other))

    def _group_at(self, at: datetime, who: str) -> set[str]:
        group = {who}
        for _, survivor, absorbed in [each for each in self.holding() if each[0] < at] * len(PEOPLE):
            group |= {survivor, absorbed} if group & {survivor, absorbed} else set()
        return group

    def _stands(self, word: Command, who: str) -> bool:
        standing: list[Command] = []
        for each in sorted(self.said, key=lambda each: each.at):
            if each.granted is None or each.purpose != word.purpose or who not in self._tellers(each):
                continue
            if not each.granted:
                standing.append(each)
            elif not any(before.kind in ACTS for before in standing):
                standing = []
        return word in standing

    def person(self, who: str) -> tuple[dict[str, int], dict[str, bool]]:
        """The traits and consents of whoever `who` is: everything said to them in the order of its time."""
        traits: dict[str, int] = {}
        # Of each purpose whether it is granted, and whether an act withdrew it, which no event undoes.
        consents: dict[str, dict[str, tuple[bool, bool]]] = {each: {} for each in PEOPLE}
        groups = {each: {each} for each in PEOPLE}
        events: list[tuple[datetime, int, Any]] = [(each.at, 0, each) for each in self.said]
        events += [(each[0], 1, each) for each in self.holding()]
        for _, is_merge, event in sorted(events, key=lambda event: event[:2]):
            if is_merge:
                _, survivor, absorbed = event
                joined = groups[survivor] | groups[absorbed]
                one, two = consents[survivor], consents[absorbed]
                both = {name: _stricter(one.get(name), two.get(name)) for name in one | two}
                for each in joined:
                    groups[each], consents[each] = joined, both
                continue
            if event.kind == "say" and event.who in self.group(who):
                traits[f"t{event.value % 2}"] = event.value
            if event.granted is not None:
                for each in set().union(*(groups[teller] for teller in self._tellers(event))):
                    _, by_act = consents[each].get(event.purpose, (False, False))
                    if event.kind in ACTS or not by_act:
                        told = (event.granted, event.kind in ACTS)
                        consents[each] = consents[each] | {event.purpose: told}
        return traits, {name: granted for name, (granted, _) in consents[who].items()}


def _stricter(one: tuple[bool, bool] | None, two: tuple[bool, bool] | None) -> tuple[bool, bool]:
    told = [each for each in (one, two) if each is not None]
    return all(granted for granted, _ in told), any(by_act for _, by_act in told)


class People(RuleBasedStateMachine):
    """The service on a faulty wire; every outcome must be one that the model allows in some order."""

    wire: FaultyWire

    @initialize()
    def empty_house(self) -> None:
        for stored in dynamodb_backends["123456789012"]["ap-northeast-1"].tables.values():
            if stored.stream_shard:
                stored.stream_shard.items.clear()  # nobody reads them here, and moto copies them with every transaction
        for name in TABLES:
            for item in _items(name):
                table(name).delete(item["pk"], item["sk"])
        self.model = Model()
        self.now = NOW
        self.count = 0
        for who, granted in zip(PEOPLE[:3], (False, True, True), strict=True):
            self.play(self.command("say", who, granted=granted, purpose="email_marketing"))
        self.play(self.command("touch", PEOPLE[3]))  # who only ever did something

    def command(self, kind: str, who: str, **more: Any) -> Command:
        self.now += timedelta(seconds=1)
        self.count += 1
        late = more.pop("late", False)
        return Command(
            kind,
            who,
            at=self.now - LATE if late else self.now,
            now=self.now,
            value=self.count,
            **{"key": f"k{self.count}", **more},
        )

    def drawn(self, drawn: dict[str, Any]) -> Command | None:
        kind, who, other = drawn["kind"], drawn["who"], drawn["other"]
        if kind == "merge":
            return self.command("merge", who, other=other) if who != other else None
        if kind == "undo":
            keys = sorted(self.model.merges)
            return self.command("undo", who, key=keys[drawn["pick"] % len(keys)]) if keys else None
        if kind == "leave":
            return self.command("leave", who, granted=False, purpose="email_marketing")
        if kind == "edit":
            return self.command("edit", who, granted=False, purpose=drawn["purpose"])
        consent = {"granted": drawn["granted"], "purpose": drawn["purpose"]} if kind == "say" else {}
        return self.command(
            kind, who, late=drawn["late"], device=drawn["device"] if kind == "say" else None, **consent
        )

    COMMANDS = st.fixed_dictionaries(
        {
            "kind": st.sampled_from(
                ["say", "say", "leave", "edit", "touch", "merge", "merge", "merge", "undo"]
            ),
            "who": st.sampled_from(PEOPLE),
            "other": st.sampled_from(PEOPLE),
            "granted": st.sampled_from([None, True, False]),
            "purpose": st.sampled_from(PURPOSES),
            "device": st.sampled_from([None, None, "a1", "a2"]),
            "late": st.sampled_from([False, False, True]),
            "pick": st.integers(0, 9),
        }
    )
    PLANS = st.lists(st.sampled_from(FAULTS), max_size=8)

    @rule(drawn=COMMANDS, plan=PLANS)
    def one(self, drawn: dict[str, Any], plan: list[str]) -> None:
        command = self.drawn(drawn)
        if command:
            self.play(command, plan=plan)

    @rule(drawn=st.tuples(COMMANDS, COMMANDS), order=st.lists(st.booleans(), max_size=20), plan=PLANS)
    def two_at_once(self, drawn: Any, order: list[bool], plan: list[str]) -> None:
        first, second = self.drawn(drawn[0]), self.drawn(drawn[1])
        if first and second:
            self.play(first, second, order=order, plan=plan)

    def play(
        self, *commands: Command, order: list[bool] | None = None, plan: list[str] | None = None
    ) -> None:
        self.wire.plan = list(plan or [])
        if len(commands) == 1:
            outcomes = [_outcome(commands[0])]
        else:
            baton = Baton(order or [])
            self.wire.gate = baton.gate
            try:
                outcomes = baton.run(*(lambda each=each: _outcome(each) for each in commands))
            finally:
                self.wire.gate = lambda: None
        self.wire.plan = []
        for place, outcome in enumerate(outcomes):
            if not _is_known(outcome):  # whoever does not know asks again, on a healthy wire
                outcomes[place] = _outcome(commands[place])
        for line_up in itertools.permutations(zip(commands, outcomes, strict=True)):
            model = copy.deepcopy(self.model)
            if all(model.explains(command, outcome) for command, outcome in line_up):
                if len(commands) > 1 and self.problem(model):
                    continue
                self.model = model
                return
        raise AssertionError(f"nothing explains {list(zip(commands, outcomes, strict=True))}")

    @invariant()
    def everybody_is_who_they_should_be(self) -> None:
        problem = self.problem(self.model)
        assert problem is None, problem

    def problem(self, model: Model) -> str | None:
        for head in sorted({model.head(each) for each in PEOPLE}):
            for problem in _compare(model, head):
                return f"{head}: {problem}"
        return None


def _compare(model: Model, head: str) -> Iterator[str]:
    group = model.group(head)
    for each in sorted(group - {head}):
        if store.load_selves(each).head.customer_id != head:
            yield f"{each} does not lead here"
    selves = store.load_selves(head)
    if set(selves.customer_ids) != group or selves.customer_ids[0] != head:
        yield f"is {selves.customer_ids}, not {sorted(group)}"
        return
    gates = mail_gates.load(selves.customer_ids)
    whole = merging.whole(merging.heeding(selves, gates))
    traits, consents = model.person(head)
    if {name: each.value for name, each in whole.traits.items()} != traits:
        yield f"has the traits {whole.traits}, not {traits}"
    if {name: each.is_granted for name, each in whole.consents.items()} != consents:
        yield f"has the consents {whole.consents}, not {consents}"
    devices = {device for device, owner in model.owners.items() if owner in group}
    if set(whole.anonymous_ids) != devices:
        yield f"has the devices {whole.anonymous_ids}, not {devices}"
    yield from _compare_rooms(model, head, consents, group)


def _compare_rooms(model: Model, head: str, consents: dict[str, bool], group: set[str]) -> Iterator[str]:
    person = reads.person(head)
    if person is not None:
        items = {each: table("engagement").get(f"C#{each}", gate.SK, consistent=True) or {} for each in group}
        if items[head].get(gate.GROUP, "") != reads.group_of(person):
            yield f"has the gate of {items[head].get(gate.GROUP)}"
        if reads.agrees(person, "email_marketing", items) != consents.get("email_marketing", False):
            yield "may be written to, or not, against their word"
    query = TimelineQuery(kind="cart_viewed", limit=200)
    page = activity.timeline(head, query, own=False, language="en", now=NOW + timedelta(days=1))
    if len(page.data) != sum(model.touched.get(each, 0) for each in group):
        yield f"has {len(page.data)} touchpoints"


def test_people_are_who_they_should_be_whatever_the_wire_does(faulty: type[People]) -> None:
    run_state_machine_as_test(faulty, settings=SETTINGS)


# What meets every fault at every call, after what stands before it.
ALONE: list[tuple[list[tuple[str, str, str]], tuple[str, str, str]]] = [
    ([], ("merge", "u1", "u2")),
    ([("merge", "u1", "u2")], ("undo", "", "0")),
    ([("merge", "u2", "u3"), ("edit", "u3", "")], ("undo", "", "0")),
    ([("merge", "u2", "u3"), ("leave", "u2", "")], ("undo", "", "0")),
]

# Pairs that could trip over each other, each after what stands before it.
PAIRS: list[tuple[list[tuple[str, str, str]], tuple[str, str, str], tuple[str, str, str]]] = [
    ([], ("merge", "u1", "u2"), ("merge", "u2", "u1")),
    ([], ("merge", "u1", "u2"), ("merge", "u2", "u3")),
    ([], ("merge", "u1", "u2"), ("merge", "u3", "u2")),
    ([], ("merge", "u1", "u4"), ("say", "u4", "")),
    ([], ("merge", "u1", "u2"), ("leave", "u2", "")),
    ([], ("merge", "u1", "u2"), ("touch", "u2", "")),
    ([("merge", "u1", "u2")], ("undo", "", "0"), ("say", "u2", "")),
    ([("merge", "u1", "u2")], ("undo", "", "0"), ("merge", "u3", "u1")),
    ([("merge", "u1", "u2")], ("undo", "", "0"), ("undo", "", "0")),
    ([("merge", "u2", "u3")], ("undo", "", "0"), ("leave", "u3", "")),
    ([("merge", "u2", "u3")], ("undo", "", "0"), ("edit", "u2", "")),
    ([("merge", "u2", "u3"), ("merge", "u1", "u2")], ("undo", "", "1"), ("edit", "u3", "")),
]


def _small_scope(machine: type[People]) -> None:
    """Every such fault at every call of a merge and of its undoing, and the second command of each pair at every call
    of the first."""
    play = machine()
    for before, first in ALONE:
        for call, fault in itertools.product(range(4), ("crash_after", "reply_lost", "conflict")):
            _set_up(play, before)
            play.play(_of(play, first), plan=["ok"] * call + [fault])
            play.everybody_is_who_they_should_be()
    for before, first, second in PAIRS:
        for call in range(8 if LONG else 5):
            _set_up(play, before)
            order = [False] * (call + 1) + [True] * 20
            play.play(_of(play, first), _of(play, second), order=order)
            play.everybody_is_who_they_should_be()


def _set_up(play: People, before: list[tuple[str, str, str]]) -> None:
    play.empty_house()
    for each in before:
        play.play(_of(play, each))


def _of(play: People, named: tuple[str, str, str]) -> Command:
    kind, who, other = named
    if kind == "undo":
        return play.command("undo", "u1", key=sorted(play.model.merges)[int(other)])
    if kind in ACTS:
        return play.command(kind, who, granted=False, purpose="email_marketing")
    return play.command(kind, who, other=other)


def test_people_are_who_they_should_be_in_every_small_case(faulty: type[People]) -> None:
    _small_scope(faulty)


def _no_version_check(self: Any, pk: str, sk: str, expression: str, **more: Any) -> Any:
    more.pop("condition", None)
    more["values"] = {name: value for name, value in (more.get("values") or {}).items() if name != ":seen"}
    return _updating(self, pk, sk, expression, **more)


def _one_by_one(operations: list[dict[str, Any]]) -> None:
    for operation in operations:
        _transact([operation])


def _last_word_only(one: Any, other: Any, _: datetime) -> Any:
    return max(one, other, key=lambda consent: consent.at)


def _gate_left_out(customer_id: str, _group: str) -> dict[str, Any]:
    return table("engagement").updating(f"C#{customer_id}", "GATE", "REMOVE nothing_at_all")


def _each_its_own(selves: Selves, _: Any) -> Any:
    return {each.customer_id: {} for each in selves.profiles}


def _profile_alone(customer_id: str, group: str, *, seen: Any, withdrawn: Any) -> dict[str, Any]:
    return _parting(customer_id, group, seen=seen, withdrawn={})


_parting = mail_gates.parting
_updating = dynamo.Table.updating
_transact = dynamo.transact


@pytest.mark.parametrize(
    ("where", "mutant"),
    [
        ("chalicelib.shared.dynamo.Table.updating", _no_version_check),
        ("chalicelib.customers.merge_store.transact", _one_by_one),
        ("chalicelib.customers.merging._stricter", _last_word_only),
        ("chalicelib.customers.merge_store.grouping", _gate_left_out),
        ("chalicelib.customers.parting.carried", _each_its_own),
        ("chalicelib.customers.merge_store.mail_gates.parting", _profile_alone),
    ],
    ids=[
        "no-version-check",
        "one-by-one",
        "no-restriction",
        "gate-left-out",
        "withdrawals-of-one-side",
        "gate-not-told",
    ],
)
def test_a_planted_bug_is_found(faulty: type[People], where: str, mutant: Any) -> None:
    with mock.patch(where, mutant), pytest.raises(AssertionError):
        _small_scope(faulty)


@pytest.fixture
def faulty(aws: Any) -> Iterator[type[People]]:
    """The machine with a faulty wire on the service's own client; the SDK's back-off does not really sleep."""
    People.wire = FaultyWire(aws)
    with mock.patch("botocore.endpoint.time.sleep"):
        yield People


def _run(command: Command) -> Any:
    if command.kind == "say":
        granted = {} if command.granted is None else {command.purpose: command.granted}
        return service.identify(
            command.who,
            at=command.at,
            traits={f"t{command.value % 2}": command.value},
            consents=granted,
            anonymous_id=command.device,
            trusted=True,
            now=command.now,
        )
    if command.kind == "edit":
        patch = CustomerPatch.model_validate({"consents": {command.purpose: False}})
        return service.edit(command.who, patch, if_match="", by_customer=True, now=command.now)
    if command.kind == "leave":
        return gate.withdraw(command.who, command.purpose, source="one_click", now=command.now)
    if command.kind == "touch":
        event = {"messageId": command.key, "userId": command.who, "event": "Cart Viewed"}
        sending = Sending(trusted=True, now=command.now)
        return activity.take_one(event | {"timestamp": command.at.isoformat()}, "track", sending)
    if command.kind == "merge":
        return merges.merge(
            command.who,
            command.other,
            reason="sim",
            merge_id=command.key,
            said_by="sim",
            now=command.now,
        )
    return merges.undo(command.key, said_by="sim", now=command.now)


def _outcome(command: Command) -> Any:
    try:
        return _run(command)
    except (Refused, Crash) as known:
        return known
    except Exception as failure:  # botocore's many: to a caller they are all "I do not know"
        if not type(failure).__module__.startswith("botocore"):
            raise
        return failure


def _is_known(outcome: Any) -> bool:
    return not isinstance(outcome, BaseException) or (
        isinstance(outcome, Refused) and not isinstance(outcome, Busy)
    )


def _items(name: str) -> list[dict[str, Any]]:
    answer = dynamo._db().scan(TableName=table(name).name, ConsistentRead=True)
    return [dynamo.unpack_item(item) for item in answer["Items"]]
