"""What a schedule does at a moment: which runs it starts, which it stops, which deadlines have passed.

A pure function of where it stands, the time, its instants and what the store knows of runs. Whoever carries it out
writes the new standing and the runs in one transaction, so it can be asked again at any time.
"""

from __future__ import annotations

import msgspec

from segue.kernel.schedule import (
    Fact,
    Facts,
    Instants,
    Limit,
    Policy,
    Standing,
    Start,
    delay,
    first_part,
    interval_of,
    run_id,
)

AT_ONCE = 100
"""Instants that are dealt with in one decision; the next one follows at once."""
LONGEST_QUEUE = 1_000
"""Instants that may wait for their turn; those beyond are skipped."""


class Stop(msgspec.Struct, frozen=True):
    """A run that makes way for another one."""

    id: str
    terminate: bool
    due: int


class Overdue(msgspec.Struct, frozen=True):
    """A deadline that has passed without what it waits for."""

    number: int
    limit: Limit
    due: int


class Decision(msgspec.Struct, frozen=True):
    """What is to be done now. ``wake``: when to ask again. ``awaits``: runs whose end may change the answer (ids, as
    far as ``first_part`` goes)."""

    standing: Standing
    starts: tuple[Start, ...] = ()
    stops: tuple[Stop, ...] = ()
    overdue: tuple[Overdue, ...] = ()
    wake: int | None = None
    awaits: tuple[str, ...] = ()


def decide(name: str, policy: Policy, standing: Standing, now: int, instants: Instants, facts: Facts) -> Decision:
    """What the schedule does now."""
    return _Deciding(name, policy, standing, now, instants, facts).decide()


def gate(name: str, due: int, after: tuple[str, ...], past: int | None, facts: Facts) -> str | None:
    """The id of the run that a run has to wait for; None if it may start.

    The run before it, of due time ``past``, was started once: if there is none any more, it is past its retention, and
    holds nobody up.
    """
    for other in after:
        if not _completed(facts.of(other, due)):
            return run_id(other, due)
    before = [] if past is None else facts.of(name, past)
    return run_id(name, past) if past is not None and before and not _completed(before) else None


def _completed(runs: list[Fact]) -> bool:
    return any(run.state == "completed" for run in runs)


class _Deciding:
    """One decision on its way."""

    def __init__(
        self, name: str, policy: Policy, standing: Standing, now: int, instants: Instants, facts: Facts
    ) -> None:
        self._name = name
        self._policy = policy
        self._now = now
        self._instants = instants
        self._facts = facts
        self._horizon = now - policy.catchup
        self._cursor = standing.cursor
        self._before = standing
        self._queue = list(standing.queue)
        self._open = [id for id in standing.open if facts.open(id)]
        self._last = standing.last
        self._skipped = 0
        self._missed = standing.missed
        self._starts: list[Start] = []
        self._stops: dict[str, Stop] = {}
        self._overdue: list[Overdue] = []
        self._wakes: list[int] = []
        self._awaits: set[str] = set()

    def decide(self) -> Decision:
        if self._before.paused is None:
            self._release()
            self._advance()
        checked = self._check_limits()
        standing = msgspec.structs.replace(
            self._before, cursor=self._cursor, checked=checked, queue=tuple(self._queue), open=tuple(self._open),
            last=self._last, started=self._before.started + len(self._starts),
            skipped=self._before.skipped + self._skipped, missed=self._missed,
        )  # fmt: skip
        return Decision(
            standing, tuple(self._starts), tuple(self._stops.values()), tuple(self._overdue),
            min(self._wakes, default=None), tuple(sorted(self._awaits)),
        )  # fmt: skip

    # --- instants ---------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Deals with the instants that have come since the last time."""
        self._pass_over_missed()
        for _ in range(AT_ONCE):
            due = self._instants.after(self._cursor)
            if due is None:
                return
            at = self._fires_at(due)
            if at > self._now:
                self._wakes.append(at)
                return
            self._cursor = due
            if at < self._horizon:
                self._note_missed(due, due)
            else:
                self._admit(due)
                self._release()
        self._wakes.append(self._now)

    def _fires_at(self, due: int) -> int:
        if not self._policy.jitter:
            return due
        return due + delay(self._name, due, self._policy.jitter, self._instants.after(due))

    def _pass_over_missed(self) -> None:
        """In one stride, however many they are."""
        first = self._instants.after(self._cursor)
        last = self._instants.before(self._horizon - self._policy.jitter)
        if first is not None and last is not None and last >= first:
            self._cursor = last
            self._note_missed(first, last)

    def _note_missed(self, first: int, last: int) -> None:
        known = self._missed
        goes_on = known is not None and self._instants.after(known[1]) == first
        self._missed = (known[0], last) if known is not None and goes_on else (first, last)

    def _admit(self, due: int) -> None:
        """Lets the instant wait for its turn, or not, as the overlap policy says."""
        match self._policy.overlap:
            case "skip" if self._open or self._queue:
                self._skipped += 1
            case "buffer-one" if self._queue:
                self._skipped += 1
            case "cancel-other" | "terminate-other":
                for id in self._open:
                    self._stops[id] = Stop(id, self._policy.overlap == "terminate-other", due)
                self._skipped += len(self._queue)
                self._queue = [due]
            case _ if len(self._queue) >= LONGEST_QUEUE:
                self._skipped += 1
            case _:
                self._queue.append(due)

    # --- taking turns -----------------------------------------------------------------------------------------

    def _release(self) -> None:
        """Starts those whose turn it is."""
        self._awaits.clear()
        alone = self._policy.overlap != "allow-all"
        for due in list(self._queue):
            if alone and self._open:
                self._awaits.update(first_part(id) for id in self._open)
                return
            past = self._last if self._policy.depends_on_past else None
            awaited = gate(self._name, due, self._policy.after, past, self._facts)
            if awaited is None:
                self._queue.remove(due)
                self._start(due)
                continue
            self._awaits.add(awaited)
            if alone or self._policy.depends_on_past:
                return

    def _start(self, due: int) -> None:
        id = run_id(self._name, due)
        self._starts.append(Start(id, due, interval_of(self._instants, due)))
        self._last = due
        if self._policy.overlap != "allow-all":
            self._open.append(id)

    # --- deadlines --------------------------------------------------------------------------------------------

    def _check_limits(self) -> tuple[int, ...]:
        """Looks at each deadline for the instants that have come, and says up to where."""
        found = []
        for number, limit in enumerate(self._policy.limits):
            known = self._before.checked
            found.append(
                self._check_limit(number, limit, known[number] if number < len(known) else self._before.cursor)
            )
        return tuple(found)

    def _check_limit(self, number: int, limit: Limit, checked: int) -> int:
        checked = self._pass_over_overdue(number, limit, checked)
        for _ in range(AT_ONCE):
            due = self._instants.after(checked)
            if due is None or due > self._cursor:
                return checked
            if due + limit.within > self._now:
                self._wakes.append(due + limit.within)
                return checked
            checked = due
            if not self._kept(limit, due):
                self._overdue.append(Overdue(number, limit, due))
        self._wakes.append(self._now)
        return checked

    def _pass_over_overdue(self, number: int, limit: Limit, checked: int) -> int:
        """Of those that passed while nobody looked, for longer than runs are caught up with, only the last is told."""
        last = self._instants.before(min(self._horizon - limit.within, self._cursor + 1))
        if last is None or last <= checked or self._instants.after(checked) == last:
            return checked
        if not self._kept(limit, last):
            self._overdue.append(Overdue(number, limit, last))
        return last

    def _kept(self, limit: Limit, due: int) -> bool:
        until = due + limit.within
        if any(start.due == due for start in self._starts):
            return limit.event == "started" and self._now <= until
        runs = self._facts.of(self._name, due)
        if limit.event == "started":
            return any(run.started_at <= until for run in runs)
        return any(run.state == "completed" and (run.closed_at or 0) <= until for run in runs)
