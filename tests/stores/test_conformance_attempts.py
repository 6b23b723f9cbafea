"""Attempts that go on beside the journal, steps held for all runs, and runs that go on as new ones. As ``stores.base``
promises it."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from store_kit import Owner, StoreFactory, closed, events, row, signal, start

from segue.stores.attempt_rows import ClaimAttempts, Claimed, LiveAttempt, QueueFigures
from segue.stores.base import (
    RESIDENT,
    Append,
    Appended,
    Batch,
    Blob,
    GoOn,
    HoldStep,
    Noted,
    Post,
    Posted,
    Rejected,
    Status,
    StepTold,
    TellStep,
)


def handed_over(run: int, attempt: int = 1, key: str = "/charge") -> LiveAttempt:
    return LiveAttempt(run, key, "charge", attempt, 200, None, True)


def outcome(run: int, attempt: int = 1, message: str = "m", **fields: object) -> TellStep:
    return TellStep(run, "/charge", attempt, 300, message, b"outcome", **fields)  # type: ignore[arg-type]


# --- attempts ---------------------------------------------------------------------------------------------------------
def test_an_attempt_is_kept_until_it_is_settled_and_a_later_one_replaces_it(owner: Owner) -> None:
    run = owner.start("a")
    first, later = handed_over(run), handed_over(run, 2)
    other = LiveAttempt(run, "/pick", "pick", 1, 200, b'{"done":3}')

    owner.commit(Append(run, 2, (b"e",), attempts=(first, other)))
    assert owner.store.attempts(run) == [first, other]
    owner.commit(Append(run, 3, (b"e",), attempts=(later,)))
    assert sorted(owner.store.attempts(run), key=lambda a: a.key) == [later, other]
    owner.commit(Append(run, 4, (b"e",), settled=("/charge",)))
    assert owner.store.attempts(run) == [other]
    owner.commit(Append(run, 5, (b"end",), closed()))
    assert owner.store.attempts(run) == []


def test_a_heartbeat_on_its_own_is_kept_and_not_for_a_closed_run(owner: Owner) -> None:
    run, ended = owner.start("a"), owner.start("b")
    owner.commit(Append(ended, 2, (b"end",), closed()))

    assert owner.commit(handed_over(run), handed_over(ended)) == [Noted(), Noted()]

    assert owner.store.attempts(run) == [handed_over(run)]
    assert owner.store.heads([run, 12345], 1)[run].attempts == [handed_over(run)]
    assert owner.store.attempts(ended) == []


def test_an_outcome_is_taken_once_and_becomes_a_message_of_the_run(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), attempts=(handed_over(run),)))

    told = owner.commit(outcome(run, blobs=(Blob("ref", b"large"),)))

    assert told == [StepTold("told", run)]
    assert [(waiting.kind, waiting.body) for waiting in owner.store.inbox([run])] == [("step", b"outcome")]
    assert owner.store.blobs(["ref"]) == {"ref": b"large"}
    assert owner.commit(outcome(run, message="another")) == [StepTold("not-awaited", run, 0)]
    assert owner.commit(outcome(run)) == [StepTold("told", run, 0)], "the same once more: its acknowledgement was lost"
    assert len(owner.store.inbox([run])) == 1


def test_the_attempt_that_is_waited_for_is_named_to_whoever_has_another(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), attempts=(handed_over(run, 2),)))

    assert owner.commit(outcome(run, attempt=1)) == [StepTold("not-awaited", run, 2)]
    assert owner.commit(TellStep(run, "/charge", 1, 300)) == [StepTold("not-awaited", run, 2)]
    assert owner.commit(TellStep(run, "/charge", 2, 300, details=b"5")) == [StepTold("told", run, 2)]
    (beaten,) = owner.store.attempts(run)
    assert (beaten.at, beaten.details) == (300, b"5")
    assert owner.store.inbox([run]) == [], "a heartbeat is no message"


def test_an_attempt_that_was_not_handed_over_takes_no_outcome_from_outside(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), attempts=(LiveAttempt(run, "/charge", "charge", 1, 200),)))

    (told,) = owner.commit(outcome(run))

    assert isinstance(told, StepTold)
    assert told.outcome == "not-awaited"
    assert owner.store.inbox([run]) == []


def test_nobody_waits_in_a_run_that_has_ended(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), attempts=(handed_over(run),)))
    owner.commit(Append(run, 3, (b"end",), closed()))

    assert owner.commit(outcome(run), TellStep(run, "/charge", 1, 300)) == [
        StepTold("not-awaited", run, 0),
        StepTold("not-awaited", run, 0),
    ]


def test_an_outcome_that_has_come_holds_up_the_end_of_its_run(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), attempts=(handed_over(run),)))
    owner.commit(outcome(run))

    (answer,) = owner.commit(Append(run, 3, (b"end",), closed(), check_inbox=True))

    assert isinstance(answer, Appended)
    assert answer.outcome == "vetoed"
    assert row(owner.store, run).state == "running"


# --- steps that are held ----------------------------------------------------------------------------------------------
def test_a_step_is_held_until_its_owner_has_told_everybody(owner: Owner, store_factory: StoreFactory) -> None:
    paused = HoldStep("default", "default", "charge", 200, "ann", "no money")
    elsewhere = HoldStep("staging", "default", "charge", 201)

    assert owner.commit(paused, elsewhere, HoldStep("default", "other", "charge", 202)) == [Noted()] * 3
    assert sorted(owner.store.held("default"), key=lambda held: held.at) == [paused, elsewhere]
    resuming = HoldStep("default", "default", "charge", 203, "bob", "", "resuming")
    owner.commit(resuming)
    assert resuming in store_factory().held("default")
    owner.commit(HoldStep("default", "default", "charge", 204, state="running"))
    assert store_factory().held("default") == [elsewhere]


# --- chains -----------------------------------------------------------------------------------------------------------
def go_on(run: int, seq: int, **fields: object) -> Append:
    return Append(
        run, seq, (b"continued",), closed("continued"), goes_on=GoOn("second", 500, b"first", "v2", **fields)  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_run_goes_on_as_a_new_one_under_the_same_id(owner: Owner) -> None:
    first = owner.start("a", tags={"customer": "ann"}, version="v1")

    (answer,) = owner.commit(go_on(first, 2))

    assert isinstance(answer, Appended)
    second = answer.next
    assert second
    before, after = row(owner.store, first), row(owner.store, second)
    assert (before.state, after.state, after.id, after.uid) == ("continued", "running", "a", "second")
    assert (after.workflow, after.tags, after.version, after.chain) == ("fulfil", {"customer": "ann"}, "v2", first)
    assert events(owner.store, second) == [b"first"]
    assert owner.store.find("default", "a") == after == owner.store.latest(first)
    assert (before.wake, after.wake) == (None, RESIDENT)


@pytest.mark.parametrize("kind", ["child", "task", "step", "outcome"])
def test_an_answer_is_for_the_run_that_asked_and_not_for_the_next_one(owner: Owner, kind: str) -> None:
    first = owner.start("a")
    owner.commit(Post(kind, b"waits", "waits", 200, run=first))

    (answer,) = owner.commit(go_on(first, 2))

    assert isinstance(answer, Appended)
    assert owner.store.inbox([first, answer.next]) == []
    answers = owner.commit(Post(kind, b"late", "late", 600, run=first), Post(kind, b"waits", "waits", 600, run=first))
    assert answers == [Posted("closed", None, first, "continued"), Posted("duplicate", None, first, "continued")]
    assert owner.store.inbox([first, answer.next]) == []


def test_what_nobody_took_comes_first_in_the_inbox_of_the_next_run(owner: Owner) -> None:
    first = owner.start("a")
    owner.commit(signal("kept", first))
    (kept,) = owner.store.inbox([first])
    owner.commit(Append(first, 2, (b"kept",), consumed=(kept.row,)))
    owner.commit(signal("waits", first))

    post = Post("signal", b"body of kept", "kept", 200, run=first, blobs=(Blob("ref", b"large"),))
    (answer,) = owner.commit(go_on(first, 3, kept=(post,), blobs=(Blob("input", b"x"),)))

    assert isinstance(answer, Appended)
    assert answer.next
    waiting = owner.store.inbox([answer.next])
    assert [message.message for message in waiting] == ["kept", "waits"]
    assert owner.store.inbox([first]) == []
    assert owner.store.blobs(["ref", "input"]) == {"ref": b"large", "input": b"x"}
    again, to_the_old = owner.commit(signal("waits", id="a"), signal("kept", answer.next))
    assert isinstance(again, Posted)
    assert isinstance(to_the_old, Posted)
    assert (again.outcome, to_the_old.outcome) == ("duplicate", "duplicate"), "an id is taken once in a chain"


def test_an_answer_to_the_run_before_is_not_passed_on(owner: Owner) -> None:
    first = owner.start("a")
    owner.commit(Append(first, 2, (b"e",), attempts=(handed_over(first),)))
    owner.commit(outcome(first), signal("s", first))

    (answer,) = owner.commit(go_on(first, 3))

    assert isinstance(answer, Appended)
    assert answer.next
    assert [message.kind for message in owner.store.inbox([answer.next])] == ["signal"]
    assert owner.store.attempts(answer.next) == []


# --- attempts that wait in a queue ------------------------------------------------------------------------------------
def offered(run: int, key: str = "/charge", at: int = 200, **fields: Any) -> LiveAttempt:
    return LiveAttempt(run, key, "charge", 1, at, None, True, "payments", 2, 50, **fields)


def claim(now: int = 300, worker: str = "w", **fields: Any) -> ClaimAttempts:
    return ClaimAttempts("default", "default", "payments", worker, now, now + 100, **fields)


def claimed(owner: Owner, asked: ClaimAttempts) -> list[LiveAttempt]:
    (answer,) = owner.commit(asked)
    assert isinstance(answer, Claimed)
    return list(answer.attempts)


def test_an_attempt_that_waits_is_activated_once_until_its_lease_ends(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), attempts=(offered(run),)))
    assert owner.store.waits_in("default", "default", "payments", 300)

    (first,) = claimed(owner, claim())
    assert (first.claim, first.lease, first.began, first.worker) == (1, 400, 300, "w")
    assert (first.run, first.key, first.seq, first.timeout) == (run, "/charge", 2, 50)
    assert owner.store.attempts(run) == [first]
    assert claimed(owner, claim(399, "other")) == []
    assert not owner.store.waits_in("default", "default", "payments", 399)

    (again,) = claimed(owner, claim(400, "other"))
    assert (again.claim, again.lease, again.worker) == (2, 500, "other")
    late = owner.commit(outcome(run, claim=1), TellStep(run, "/charge", 1, 410, claim=1, until=900))
    assert late == [StepTold("not-awaited", run, 1)] * 2
    assert owner.commit(outcome(run, claim=2)) == [StepTold("told", run)]
    assert claimed(owner, claim(900)) == []


def test_attempts_are_activated_beside_what_cannot_be_stored(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), attempts=(offered(run),)))

    rejected, answer = owner.commit(start("b", at=2**70), claim())
    assert isinstance(rejected, Rejected)
    assert isinstance(answer, Claimed)
    assert [attempt.key for attempt in answer.attempts] == ["/charge"]


def test_a_lease_goes_on_with_heartbeats_and_never_back(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), attempts=(offered(run),)))
    claimed(owner, claim())
    owner.commit(TellStep(run, "/charge", 1, 350, details=b"7", claim=1, until=600))
    owner.commit(TellStep(run, "/charge", 1, 360, claim=1, until=400))
    assert claimed(owner, claim(599)) == []
    (again,) = claimed(owner, claim(600))
    assert again.details == b"7"


def test_an_attempt_that_is_given_back_is_activated_again_at_once(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), attempts=(offered(run),)))
    not_begun = TellStep(run, "/charge", 1, 310, returns=True)
    assert owner.commit(not_begun) == [StepTold("not-awaited", run, 1)], "nobody has it"
    claimed(owner, claim())
    given_back = TellStep(run, "/charge", 1, 310, claim=1, returns=True)
    assert owner.commit(given_back) == [StepTold("told", run, 1)]
    assert owner.commit(given_back) == [StepTold("not-awaited", run, 1)], "once"
    (again,) = claimed(owner, claim(310, "other"))
    assert (again.claim, again.returned, again.worker) == (2, 1, "other")
    assert owner.commit(TellStep(run, "/charge", 1, 320, claim=1, returns=True)) == [StepTold("not-awaited", run, 1)]
    assert owner.store.attempts(run) == [again]


def test_the_oldest_are_activated_first_and_no_more_than_wanted(owner: Owner) -> None:
    run = owner.start("a")
    rows = [offered(run, f"/{n}", 200 + n) for n in (2, 0, 1)]
    owner.commit(Append(run, 2, (b"e",), attempts=tuple(rows)))
    assert sorted(each.key for each in claimed(owner, claim(limit=2))) == ["/0", "/1"]
    assert [each.key for each in claimed(owner, claim(limit=2))] == ["/2"]


def test_a_worker_gets_attempts_of_the_steps_that_it_names(owner: Owner) -> None:
    run = owner.start("a")
    other = LiveAttempt(run, "/pick", "pick", 1, 200, None, True, "payments", 3)
    owner.commit(Append(run, 2, (b"e", b"e"), attempts=(offered(run), other)))
    for steps, waits in ((("ship",), False), ((), False), (("pick", "ship"), True), (None, True)):
        assert owner.store.waits_in("default", "default", "payments", 300, steps) == waits
    assert claimed(owner, claim(limit=9, steps=("ship",))) == []
    assert [each.name for each in claimed(owner, claim(limit=9, steps=("pick", "ship")))] == ["pick"]
    assert [each.name for each in claimed(owner, claim(limit=9))] == ["charge"]


def test_nobody_else_s_attempts_are_activated(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), attempts=(offered(run), handed_over(run, 1, "/pick"))))
    for asked in (
        ClaimAttempts("staging", "default", "payments", "w", 300, 400),
        ClaimAttempts("default", "other", "payments", "w", 300, 400),
        ClaimAttempts("default", "default", "prints", "w", 300, 400),
        ClaimAttempts("default", "default", "", "w", 300, 400),
    ):
        assert claimed(owner, asked) == []


def test_what_is_paused_or_over_is_not_activated(owner: Owner) -> None:
    paused, ended, late = owner.start("a"), owner.start("b"), owner.start("c")
    status = Status("paused", None, 210, "paused by ann")
    owner.commit(Append(paused, 2, (b"e",), status, attempts=(offered(paused),)))
    owner.commit(Append(ended, 2, (b"e",), attempts=(offered(ended),)))
    owner.commit(Append(ended, 3, (b"end",), closed()))
    owner.commit(Append(late, 2, (b"e",), attempts=(offered(late, close_by=300),)))
    assert claimed(owner, claim(limit=10)) == []

    owner.commit(Append(paused, 3, (b"e",), Status("waiting", None, 220)))
    owner.commit(HoldStep("default", "default", "charge", 230))
    assert claimed(owner, claim(limit=10)) == []
    owner.commit(HoldStep("default", "default", "charge", 240, state="resuming"))
    assert [each.run for each in claimed(owner, claim(limit=10))] == [paused]


def test_a_later_attempt_waits_anew(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), attempts=(offered(run),)))
    claimed(owner, claim())
    second = msgspec.structs.replace(offered(run, at=320), attempt=2)
    owner.commit(Append(run, 3, (b"e",), attempts=(second,)))
    (found,) = claimed(owner, claim(330))
    assert (found.attempt, found.claim) == (2, 1)
    assert owner.commit(outcome(run, claim=1)) == [StepTold("not-awaited", run, 2)]


def test_two_workers_at_once_get_different_attempts(owner: Owner, store_factory: StoreFactory) -> None:
    run = owner.start("a")
    rows = tuple(offered(run, f"/{n}") for n in range(40))
    owner.commit(Append(run, 2, (b"e",), attempts=rows))
    stores = [store_factory() for _ in range(3)]

    def work(number: int) -> list[str]:
        keys: list[str] = []
        for count in itertools.count(1):
            asked = claim(worker=str(number), limit=3)
            (answer,) = stores[number].commit(Batch(1000 * (number + 1) + count, (asked,)))
            assert isinstance(answer, Claimed)
            if not answer.attempts:
                return keys
            keys += [each.key for each in answer.attempts]
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(3) as pool:
        found = [key for keys in pool.map(work, range(3)) for key in keys]
    assert sorted(found) == sorted(each.key for each in rows)


def test_what_is_in_queues_is_counted(owner: Owner) -> None:
    assert owner.store.queues("default", None, 300) == []
    first, second, paused, ended = (owner.start(name) for name in "abcd")
    elsewhere = owner.start("e", namespace="staging")
    owner.commit(
        Append(first, 2, (b"e",), attempts=(offered(first, "/1", 200), offered(first, "/2", 220))),
        Append(second, 2, (b"e",), attempts=(offered(second, "/1", 210), handed_over(second, key="/not in a queue"))),
        Append(
            paused, 2, (b"e",), Status("paused", None, 230, "paused by ann"), attempts=(offered(paused, "/1", 190),)
        ),
        Append(ended, 2, (b"e",), attempts=(offered(ended),)),
        Append(elsewhere, 2, (b"e",), attempts=(LiveAttempt(elsewhere, "/x", "x", 1, 240, None, True, "gpu", 2),)),
    )
    owner.commit(Append(ended, 3, (b"end",), closed()))

    def looked(now: int, namespace: str | None = "default") -> list[QueueFigures]:
        return owner.store.queues(namespace, "default", now)

    def payments(**fields: Any) -> QueueFigures:
        return QueueFigures("default", "default", "payments", **fields)

    assert looked(300) == [payments(waiting=3, paused=1, since=200)]
    claimed(owner, claim(300, "ann", limit=2))
    claimed(owner, claim(301, "bob"))
    assert looked(302) == [payments(paused=1, held=3, workers={"ann": 2, "bob": 1})]
    assert looked(400) == [payments(waiting=2, paused=1, held=1, workers={"bob": 1}, since=400)], "ann's leases ended"
    owner.commit(HoldStep("default", "default", "charge", 402, "ann", "no money"))
    assert looked(402) == [payments(paused=4)]
    assert looked(402, "staging") == [QueueFigures("staging", "default", "gpu", waiting=1, since=240)]
    assert looked(402, None) == [*looked(402), *looked(402, "staging")]
    assert owner.store.queues(None, "another", 402) == []
    assert sum(each.paused + each.waiting for each in owner.store.queues(None, None, 402, limit=2)) == 2
