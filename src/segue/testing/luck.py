"""What happens where: drawn from a seed, or as a plan says.

A draw depends on the seed and on the place only, never on what was drawn before: what is taken out of a plan leaves
the rest of it where it was.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import Protocol, TypeVar

from segue.testing.plan import (
    Crash,
    Evicted,
    Fails,
    Fault,
    Faults,
    Late,
    Lost,
    Plan,
    Refused,
    Sent,
    Slow,
    Unacknowledged,
)

F = TypeVar("F", bound=Fault)

MOODS = (0.0, 0.0, 1.0, 1.0, 3.0)
"""Factors of a seed for each kind of fault: with some kinds left out, the others get further."""
REACH = 16
"""A message comes at one of the first so many commits, or at a point in time."""
SHORTEST = 0.001


class Luck(Protocol):
    """Decides what happens."""

    seed: int

    def evicted(self) -> bool: ...

    def commit(self, number: int) -> Fault | None:
        """What happens to the commit, which is the so-manieth."""

    def execution(self, step: str, call: str, number: int) -> list[Fault]:
        """What happens to an execution of a step."""

    def sent(self, message: str, within: float, *, by_commit: bool = True) -> Sent:
        """When a message comes: within so many seconds."""


class Drawn:
    """Draws, and keeps what it has drawn in ``taken``."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.seed = seed
        self.taken: list[Fault] = []
        self._faults = faults
        self._spare = {step if isinstance(step, str) else step.name for step in faults.spare}
        self._left = faults.most
        self._sent: dict[str, Sent] = {}
        self._chances: dict[str, float] = {
            name: getattr(faults, name) * MOODS[int(self._at(f"mood {name}") * len(MOODS))] for name in _KINDS
        }

    @property
    def plan(self) -> Plan:
        """What it has drawn so far."""
        return Plan(self.seed, *self.taken)

    def _at(self, place: str) -> float:
        """A number from 0 to 1, the same for the same seed and place."""
        digest = blake2b(f"{self.seed} {place}".encode(), digest_size=7).digest()
        return int.from_bytes(digest, "big") / (1 << 56)

    def _happens(self, name: str, place: str) -> bool:
        chance = self._chances[name]
        return chance > 0 and self._at(f"{name} {place}") < chance

    def _goes_wrong(self, name: str, place: str, fault: Fault) -> Fault | None:
        if self._left <= 0 or not self._happens(name, place):
            return None
        self._left -= 1
        self.taken.append(fault)
        return fault

    def evicted(self) -> bool:
        found = self._at("evicted") < self._faults.evicted
        if found:
            self.taken.append(Evicted())
        return found

    def commit(self, number: int) -> Fault | None:
        place = f"commit {number}"
        when = "before" if self._at(f"when {place}") < 0.5 else "after"
        return (
            self._goes_wrong("crash", place, Crash(number, when))  # type: ignore[arg-type]
            or self._goes_wrong("refused", place, Refused(number))
            or self._goes_wrong("unacknowledged", place, Unacknowledged(number))
        )

    def execution(self, step: str, call: str, number: int) -> list[Fault]:
        place = f"{call} {number}"
        found: list[Fault] = []
        if self._happens("late", place):
            found.append(Late(call, number, self._delay(f"late {place}", self._faults.longest)))
        if self._happens("slow", place):
            found.append(Slow(call, number, self._delay(f"slow {place}", self._faults.longest)))
        self.taken.extend(found)
        wrong = None
        if step not in self._spare:
            wrong = self._goes_wrong("fails", place, Fails(call, number)) or self._goes_wrong(
                "lost", place, Lost(call, number)
            )
        return [*found, wrong] if wrong is not None else found

    def sent(self, message: str, within: float, *, by_commit: bool = True) -> Sent:
        known = self._sent.get(message)
        if known is None:
            if by_commit and self._at(f"sent {message}") < 0.5:
                known = Sent(message, commit=1 + int(REACH * self._at(f"commit of {message}")))
            else:
                known = Sent(message, after=self._delay(f"after {message}", within))
            self._sent[message] = known
            self.taken.append(known)
        return known

    def _delay(self, place: str, longest: float) -> float:
        """Any order of magnitude is as likely as any other."""
        low, high = math.log(SHORTEST), math.log(max(longest, SHORTEST))
        return float(f"{math.exp(low + (high - low) * self._at(place)):.3g}")


_KINDS = ("crash", "refused", "unacknowledged", "fails", "lost", "late", "slow")


class Fixed:
    """What a plan says, and nothing else.

    Attributes:
        plan: it. unmet: those of its faults that have not come to pass so far.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.seed = plan.seed
        self.unmet = [fault for fault in plan.faults if not isinstance(fault, Evicted)]
        self._evicted = False
        self._commits: dict[int, Fault] = {}
        self._executions: dict[tuple[str, int], list[Fault]] = {}
        self._messages: dict[str, Sent] = {}
        for fault in plan.faults:
            match fault:
                case Evicted():
                    self._evicted = True
                case Crash(commit) | Refused(commit) | Unacknowledged(commit):
                    self._commits[commit] = fault
                case Fails(step, number) | Lost(step, number) | Late(step, number) | Slow(step, number):
                    self._executions.setdefault((step, number), []).append(fault)
                case Sent(message):
                    self._messages[message] = fault

    def evicted(self) -> bool:
        return self._evicted

    def commit(self, number: int) -> Fault | None:
        return self._met(self._commits.get(number))

    def execution(self, step: str, call: str, number: int) -> list[Fault]:
        found = self._executions.get((call, number), [])
        for fault in found:
            self._met(fault)
        return found

    def sent(self, message: str, within: float, *, by_commit: bool = True) -> Sent:
        found = self._met(self._messages.get(message))
        return found or (Sent(message) if by_commit else Sent(message, after=min(1.0, within)))

    def _met(self, fault: F | None) -> F | None:
        if fault in self.unmet:
            self.unmet.remove(fault)
        return fault
