"""Replay: input events are applied, records are expected, and what does not fit is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from segue.errors import NonDeterminism
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.adoption import Past
from segue.kernel.execution import Deadline
from segue.kernel.payload import NULL
from segue.kernel.replay import Replay


class Script:
    """An execution that asks, at its n-th event, for the n-th list of commands."""

    def __init__(self, *answers: list[c.Command]) -> None:
        self.commands: list[c.Command] = []
        self.replaying = False
        self.expected_markers: frozenset[str] = frozenset()
        self.seen: list[tuple[str, bool, list[str]]] = []
        self._answers = list(answers)

    def apply(self, event: e.Event) -> None:
        self.seen.append((type(event).__name__, self.replaying, sorted(self.expected_markers)))
        self.commands += self._answers.pop(0) if self._answers else []

    def within(self, function: Callable[..., None], *args: Any) -> None:
        self.entered += 1
        function(*args)

    entered = 0
    version = ""
    past: Past | None = None
    check_moved = check_takeover = unclaimed = modifiable = None
    deadline: Deadline | None = None
    closed = False
    outstanding = signals_awaited = query = validate_update = close = None


def signal(name: str = "s") -> e.Event:
    return e.SignalReceived(1, None, None, name, NULL)


def marker(name: str) -> e.Event:
    return e.Marker(1, None, None, "patch", name)


def task(key: str) -> e.Event:
    return e.TaskOpened(1, None, None, key, "n", "ann")


def update(id: str) -> e.Event:
    return e.UpdateCompleted(1, None, None, id, NULL)


RECORDS: dict[str, tuple[c.Command, e.Event, e.Event | None]] = {
    # name: what is asked for, its record, a record of another one of that kind
    "task": (c.OpenTask("k", "n", "ann"), task("k"), task("x")),
    "attributes": (c.SetAttributes({"a": 1}), e.AttributesSet(1, None, None, {"a": 1}), None),
    "marker": (c.RecordMarker("patch", "m"), marker("m"), marker("x")),
    "update": (c.CompleteUpdate("u", NULL), update("u"), update("x")),
    "completion": (c.Complete(NULL), e.RunCompleted(1, None, None, NULL), None),
    "failure": (c.Fail(e.Failure("E", "m")), e.RunFailed(1, None, None, e.Failure("E", "m")), None),
    "continuation": (c.ContinueAsNew(NULL, "h", True), e.RunContinued(1, None, None, "uid", NULL), None),
    "cancellation": (c.Cancelled(), e.RunCancelled(1, None, None), None),
}  # fmt: skip


def feed(execution: Any, *events: e.Event, finish: bool = True) -> Replay:
    replay = Replay(execution)
    for event in events:
        replay.feed(event)
    if finish:
        replay.finish()
    return replay


def test_every_record_is_expected_by_a_command() -> None:
    assert {type(record) for _, record, _ in RECORDS.values()} == set(e.RECORDS)


def test_events_are_applied_in_order_while_replaying() -> None:
    execution = Script()
    feed(execution, signal(), e.TimerFired(2, None, None, 1), e.CancelRequested(3, None, None))
    assert [name for name, _, _ in execution.seen] == ["SignalReceived", "TimerFired", "CancelRequested"]
    assert all(replaying for _, replaying, _ in execution.seen)
    assert execution.replaying is False


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_checked_and_not_applied(name: str) -> None:
    command, record, _ = RECORDS[name]
    execution = Script([command])
    replay = feed(execution, signal(), record)
    assert [seen for seen, _, _ in execution.seen] == ["SignalReceived"]
    assert not replay.awaited
    assert execution.commands == []


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_is_not_asked_for_is_a_change(name: str) -> None:
    with pytest.raises(NonDeterminism, match=f"has {type(RECORDS[name][1]).__name__}.*no longer asks for"):
        feed(Script(), signal(), RECORDS[name][1])


@pytest.mark.parametrize("name", [name for name in RECORDS if RECORDS[name][2] is not None])
def test_a_record_of_another_one_is_a_change(name: str) -> None:
    command, record, other = RECORDS[name]
    assert other is not None
    kind = type(record).__name__
    with pytest.raises(
        NonDeterminism, match=rf"has {kind}\(x\) where the workflow now asks for {type(command).__name__}"
    ):
        feed(Script([command]), signal(), other)


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_of_another_kind_is_a_change(name: str) -> None:
    other = RECORDS["completion" if name != "completion" else "attributes"][1]
    with pytest.raises(NonDeterminism, match="where the workflow now asks for"):
        feed(Script([RECORDS[name][0]]), signal(), other)


def test_records_come_in_the_order_they_were_asked_for() -> None:
    first, second = c.RecordMarker("patch", "a"), c.RecordMarker("patch", "b")
    feed(Script([first, second]), signal(), marker("a"), marker("b"))
    with pytest.raises(NonDeterminism):
        feed(Script([first, second]), signal(), marker("b"), marker("a"))


def test_records_that_were_written_late_are_still_found() -> None:
    """A run that stood still had its records dropped; they were written once it went on."""
    first, second = c.RecordMarker("patch", "a"), c.SetAttributes({})
    replay = feed(Script([first], [second]), signal(), signal(), marker("a"), e.AttributesSet(1, None, None, {}))
    assert not replay.awaited


def test_what_was_asked_for_and_never_recorded_is_left_over() -> None:
    first, second = c.SetAttributes({"a": 1}), c.Complete(NULL)
    replay = feed(Script([first], [c.CancelStep("k"), second]), signal(), e.AttributesSet(1, None, None, {}), signal())
    assert list(replay.awaited) == [second]


def test_commands_that_leave_no_record_are_dropped() -> None:
    execution = Script([c.CancelStep("k"), c.Log("INFO", "x"), c.Publish("n", NULL), c.CloseTask("k")])
    assert not feed(execution, signal()).awaited
    assert execution.commands == []


def test_an_event_is_told_which_markers_follow_it() -> None:
    commands: list[c.Command] = [c.RecordMarker("patch", "a"), c.SetAttributes({}), c.RecordMarker("patch", "b")]
    execution = Script(commands, [c.RecordMarker("patch", "c")])
    attributes = e.AttributesSet(1, None, None, {})
    feed(execution, signal(), marker("a"), attributes, marker("b"), signal(), marker("c"), signal())
    assert [markers for _, _, markers in execution.seen] == [["a", "b"], ["c"], []]
    assert execution.expected_markers == frozenset()


def test_many_events_are_applied_in_one_go() -> None:
    one, many = Script(), Script()
    events = [signal(), e.TimerFired(2, None, None, 1), signal()]
    feed(one, *events)
    replay = Replay(many)
    replay.feed_all(events)
    replay.finish()
    assert many.seen == one.seen
    assert (one.entered, many.entered) == (0, 1)


def test_of_many_events_none_is_taken_behind_the_one_that_fails() -> None:
    execution = Script()
    replay = Replay(execution)
    with pytest.raises(NonDeterminism):
        replay.feed_all([signal(), marker("a"), signal(), signal()])
    assert len(execution.seen) == 1


def test_an_empty_journal_is_no_replay() -> None:
    execution = Script()
    feed(execution)
    assert execution.seen == []
    assert execution.replaying is False


def test_an_event_is_held_back_until_what_follows_is_known() -> None:
    execution = Script()
    feed(execution, signal(), finish=False)
    assert execution.seen == []
    assert execution.replaying is True
