"""Attempts that go on beside the journal, steps held for all runs, and runs that go on as new ones. As ``stores.base``
promises it."""

from __future__ import annotations

from store_kit import Owner, StoreFactory, closed, events, row, signal

from segue.stores.base import (
    RESIDENT,
    Append,
    Appended,
    Blob,
    GoOn,
    HoldStep,
    LiveAttempt,
    Noted,
    Post,
    Posted,
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
