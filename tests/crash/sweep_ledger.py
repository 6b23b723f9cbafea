"""What must be true of the database and of the world outside when a game is over, and after every crash before that."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import apsw

from segue.kernel import events as e
from segue.kernel.attempt import derive_key
from segue.kernel.erasure import erase_event

Journals = dict[str, list[bytes]]
BALANCES = [("ann", 94), ("bob", 46), ("carl", 10), ("orders", 7)]
"""What the user's own table holds in the end, whatever happens on the way."""


def journals(path: Path) -> Journals:
    """The journal of every run, by its uid."""
    found: Journals = defaultdict(list)
    if path.exists():
        for uid, event in _query(path, "SELECT uid, event FROM journal JOIN runs USING (run) ORDER BY run, seq"):
            found[uid].append(event)
    return found


def _query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = apsw.Connection(str(path))
    try:
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()[0][0]
        return connection.execute(sql).fetchall() if tables else []
    finally:
        connection.close()


def check_growth(before: Journals, after: Journals) -> None:
    """What was recorded stays as it is; of what has been erased since, every event keeps its place, kind and time."""
    for uid, events in before.items():
        now = after[uid][: len(events)]
        if isinstance(e.decode(after[uid][-1]), e.Erased):
            events, now = _bare(events), _bare(now)
        assert now == events, f"the journal of run {uid} was rewritten"


def _bare(events: list[bytes]) -> list[bytes]:
    return [e.encode(erase_event(e.decode(event))) for event in events]


def check_end(path: Path, world: Path, *, one_process: bool) -> set[str]:
    """Everything that must hold when all is over. Returns the kinds of events in the journals.

    Args:
        one_process: nobody was killed: then no attempt at all may have been made twice.
    """
    assert _query(path, "PRAGMA integrity_check") == [("ok",)]
    assert _query(path, "SELECT * FROM inbox") == []
    assert _query(path, "SELECT * FROM attempts") == []
    assert _query(path, "SELECT id, state, wake FROM runs WHERE closed_at IS NULL OR wake IS NOT NULL") == []
    assert _query(path, "SELECT key FROM tasks WHERE state = 'open'") == []
    assert _query(path, "SELECT * FROM segue_outbox") == []
    if _query(path, "SELECT name FROM sqlite_schema WHERE name = 'bank'"):  # only one of the scenes has a bank
        balances = _query(path, "SELECT name, balance FROM bank ORDER BY name")
        assert balances == BALANCES, "a transaction took effect twice"
    kinds: set[str] = set()
    recorded: dict[str, tuple[str, str]] = {}
    for uid, rows in journals(path).items():
        events = [e.decode(row) for row in rows]
        kinds |= {type(event).__name__ for event in events}
        _check_journal(uid, events)
        for event in _its_own(events):
            if isinstance(event, e.StepCompleted) and not event.name.startswith("segue."):
                recorded[derive_key(uid, event.key)] = (uid, event.key)
    _check_effects(world, recorded, one_process)
    return kinds


def _its_own(events: list[e.AnyEvent]) -> list[e.AnyEvent]:
    """Without those that a fork has from another run, whose effects were that one's."""
    marks = [n for n, event in enumerate(events) if isinstance(event, e.Modified) and event.action == "forked"]
    return events[marks[-1] :] if marks else events


def _check_journal(uid: str, events: list[Any]) -> None:
    times = [event.at for event in events]
    assert times == sorted(times), f"time goes backwards in run {uid}"
    assert isinstance(events[0], e.RunStarted)
    while isinstance(events[-1], e.Erased):  # erased again, when it was not known that it had been
        assert events == [erase_event(event) if not isinstance(event, e.Erased) else event for event in events]
        events = events[:-1]
    assert [isinstance(event, e.CLOSING) for event in events] == [False] * (len(events) - 1) + [True]
    outcomes = Counter((x.key, x.attempt) for x in events if isinstance(x, (e.StepCompleted, e.StepFailed)))
    assert max(outcomes.values(), default=1) == 1, f"two outcomes of one attempt in run {uid}: {outcomes}"
    completed = Counter(x.key for x in events if isinstance(x, e.StepCompleted))
    assert max(completed.values(), default=1) == 1, f"a step of run {uid} completed twice: {completed}"
    children = Counter(x.key for x in events if isinstance(x, e.ChildCompleted))
    assert max(children.values(), default=1) == 1, f"a child of run {uid} ended twice: {children}"


def _check_effects(world: Path, recorded: dict[str, tuple[str, str]], one_process: bool) -> None:
    places: dict[str, set[tuple[str, str]]] = defaultdict(set)
    attempts: Counter[tuple[str, str]] = Counter()
    for line in (world / "effects").read_text().splitlines():
        key, run, step, attempt, _ = line.split(" ", 4)
        places[key].add((run, step))
        attempts[key, attempt] += 1
    assert {key: place for key, place in places.items() if len(place) > 1} == {}
    assert [place for key, place in recorded.items() if key not in places] == [], "recorded, but never done"
    if one_process:
        assert [key for key, n in attempts.items() if n > 1] == [], "an attempt was made twice"
