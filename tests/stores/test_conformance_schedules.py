"""Schedules in every store: whoever wrote last has read last, and what a schedule starts is started with it or not at
all."""

from __future__ import annotations

import msgspec
import pytest
from store_kit import Owner, closed, events, signal, start

from segue.stores.base import Append, Appended, Batch, Posted, Rejected, Started, Store
from segue.stores.schedule_rows import ScheduleRow, ScheduleWritten, WriteSchedule

NIGHTLY = ScheduleRow("default", "nightly", "", "default", "load", 0, 100, False, b"plan", b"standing")


def written(owner: Owner, row: ScheduleRow, **more: object) -> ScheduleWritten:
    (answer,) = owner.commit(WriteSchedule(row, **more))  # type: ignore[arg-type]
    assert isinstance(answer, ScheduleWritten)
    return answer


def changed(row: ScheduleRow, **fields: object) -> ScheduleRow:
    return msgspec.structs.replace(row, **fields)


def test_a_schedule_is_made_once_and_read_back(owner: Owner) -> None:
    assert written(owner, NIGHTLY) == ScheduleWritten("written", 1)
    assert written(owner, changed(NIGHTLY, plan=b"other")) == ScheduleWritten("stale")
    assert owner.store.schedules("default") == [changed(NIGHTLY, revision=1)]
    assert owner.store.schedules("default", "daily") == owner.store.schedules("staging") == []


def test_only_who_has_read_it_last_writes_it(owner: Owner) -> None:
    written(owner, NIGHTLY)
    new = changed(NIGHTLY, revision=1, wake=None, waits=True, plan=b"p", standing=b"s", workflow="w", app="a")
    assert written(owner, new) == ScheduleWritten("written", 2)
    assert written(owner, new) == ScheduleWritten("stale")
    assert written(owner, changed(new, revision=3)) == ScheduleWritten("stale")
    assert owner.store.schedules("default", "nightly") == [changed(new, revision=2)]


def test_what_it_starts_is_started_in_the_same_transaction_or_not_at_all(owner: Owner) -> None:
    run = owner.start("busy")
    written(owner, NIGHTLY)
    write = WriteSchedule(
        changed(NIGHTLY, revision=1), starts=(start("n@1"), start("n@2")), posts=(signal("stop", run), signal("x", 99))
    )
    (first,) = owner.commit(write)
    assert isinstance(first, ScheduleWritten)
    assert [(told.outcome, told.run) for told in first.started] == [("started", run + 1), ("started", run + 2)]
    assert [told.outcome for told in first.posted] == ["posted", "unknown"]

    stale = msgspec.structs.replace(write, starts=(start("n@3"),), posts=(signal("again", run),))
    assert owner.commit(stale) == [ScheduleWritten("stale")]
    assert owner.store.find("default", "n@3") is None
    assert [row.message for row in owner.store.inbox([run])] == ["stop"]


def test_what_cannot_be_stored_leaves_the_schedule_as_it_was(owner: Owner) -> None:
    written(owner, NIGHTLY)
    unfit = WriteSchedule(
        changed(NIGHTLY, revision=1, standing=b"moved"), starts=(start("n@1"), start("n@2", at=2**70))
    )
    rejected, run = owner.commit(unfit, start("other"))
    assert isinstance(rejected, Rejected)
    assert isinstance(run, Started)
    assert owner.store.schedules("default") == [changed(NIGHTLY, revision=1)]
    assert owner.store.find("default", "n@1") is None


def test_operations_of_all_kinds_are_answered_in_their_places(owner: Owner) -> None:
    run = owner.start("a")
    written(owner, NIGHTLY)
    answers = owner.commit(
        start("b"),
        WriteSchedule(changed(NIGHTLY, revision=1), starts=(start("n@1"),), posts=(signal("m1", run),)),
        signal("m2", run),
        Append(run, 2, (b"e",), starts=(start("hook"),), posts=(signal("m3", run),)),
        WriteSchedule(changed(NIGHTLY, revision=7), starts=(start("n@2"),)),
        signal("m3", run),
    )
    by_hand, schedule, posted, appended, stale, duplicate = answers
    assert isinstance(appended, Appended)
    assert isinstance(schedule, ScheduleWritten)
    assert isinstance(by_hand, Started)
    order = (appended.started[0].run, schedule.started[0].run, by_hand.run)
    assert [owner.store.run(found).id for found in order] == ["hook", "n@1", "b"]  # type: ignore[union-attr]
    assert (appended.posted[0].outcome, schedule.posted[0].outcome) == ("posted", "posted")
    assert isinstance(posted, Posted)
    assert posted.outcome == "posted"
    assert duplicate == Posted("duplicate", None, run, "running")
    assert stale == ScheduleWritten("stale")
    assert [row.message for row in owner.store.inbox([run])] == ["m3", "m1", "m2"]


def test_what_a_run_sets_in_motion_goes_in_with_its_events_or_not_at_all(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")
    owner.commit(signal("m", other))
    ended, vetoed, lost = owner.commit(
        Append(run, 2, (b"end",), status=closed(), starts=(start("a/hook"),)),
        Append(other, 2, (b"end",), status=closed(), check_inbox=True, starts=(start("b/hook"),)),
        Append(99, 2, (b"end",), starts=(start("c/hook"),)),
    )
    assert isinstance(ended, Appended)
    assert ended.started[0].outcome == "started"
    assert (vetoed, lost) == (Appended("vetoed"), Appended("lost"))
    assert [owner.store.find("default", id) is None for id in ("a/hook", "b/hook", "c/hook")] == [False, True, True]


def test_one_event_that_starts_a_run_does_not_go_the_short_way(owner: Owner) -> None:
    run = owner.start("a")
    (answer,) = owner.commit(Append(run, 2, (b"e",), starts=(start("hook"),)))
    assert isinstance(answer, Appended)
    assert events(owner.store, answer.started[0].run)


def test_schedules_that_are_due_come_by_time_and_only_to_their_app(owner: Owner) -> None:
    for name, wake, app in (("a", 30, "default"), ("b", 10, "default"), ("c", None, "default"), ("d", 20, "other")):
        written(owner, changed(NIGHTLY, name=name, wake=wake, app=app, workflow=f"w-{name}"))
    store = owner.store

    def due(now: int, limit: int = 10, only: list[str] | None = None) -> list[str]:
        return [row.name for row in store.due_schedules("default", now, limit, only=only)]

    assert (due(9), due(10), due(30), due(30, 1)) == ([], ["b"], ["b", "a"], ["b"])
    assert due(30, only=["w-a", "w-c"]) == ["a"]
    assert [store.next_schedule("default", at) for at in (0, 10, 30)] == [10, 30, None]


def test_schedules_that_wait_for_a_run(owner: Owner) -> None:
    for name, waits in (("a", True), ("b", False), ("c", True)):
        written(owner, changed(NIGHTLY, name=name, waits=waits, wake=None, workflow=name))
    assert [row.name for row in owner.store.waiting_schedules("default")] == ["a", "c"]
    assert [row.name for row in owner.store.waiting_schedules("default", only=["c"])] == ["c"]
    assert owner.store.waiting_schedules("other") == []


def test_a_schedule_takes_its_backfills_with_it_and_nothing_else(owner: Owner) -> None:
    for name, backfill in (("nightly", ""), ("nightly", "b1"), ("nightly", "b2"), ("daily", "b1")):
        written(owner, changed(NIGHTLY, name=name, backfill=backfill))
    written(owner, changed(NIGHTLY, namespace="staging", backfill="b1"))

    assert written(owner, changed(NIGHTLY, backfill="b1", revision=9), delete=True) == ScheduleWritten("stale")
    assert written(owner, changed(NIGHTLY, backfill="b1", revision=1), delete=True).outcome == "written"
    assert [row.backfill for row in owner.store.schedules("default", "nightly")] == ["", "b2"]
    assert written(owner, changed(NIGHTLY, revision=1), delete=True).outcome == "written"
    assert [(row.name, row.backfill) for row in owner.store.schedules("default")] == [("daily", "b1")]
    assert len(owner.store.schedules("staging")) == 1
    assert written(owner, changed(NIGHTLY, revision=1)) == ScheduleWritten("stale")


@pytest.mark.parametrize("fenced", [True, False])
def test_a_client_that_owns_nothing_may_write_them_too(owner: Owner, store: Store, fenced: bool) -> None:
    batch = Batch(1, (WriteSchedule(NIGHTLY, starts=(start("n@1"),)),), owner.fence if fenced else None)
    (answer,) = store.commit(batch)
    assert isinstance(answer, ScheduleWritten)
    assert answer.started[0].outcome == "started"
