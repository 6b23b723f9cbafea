"""What goes wrong in a simulated run, and where. A plan is a seed and a list of these, the same every time.

Commits are counted from 1, over all lives of the process. A step's execution is named by its call and counted from 1,
over all attempts and lives; a call is named as in the journal, without the slash: ``charge``, ``pick#1``.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from segue.authoring.python.definitions import Step
from segue.errors import InvalidArgument


class Fault(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """Something that happens to a run and that it has to live through.

    Raises:
        InvalidArgument: it could never come to pass.
    """

    def __post_init__(self) -> None:
        for name, value in msgspec.structs.asdict(self).items():
            if name in ("step", "message") and not isinstance(value, str):
                hint = f"; write {value.name!r}" if isinstance(value, Step) else ""
                raise InvalidArgument(f"{self!r}: {name} is a name, as in the journal{hint}")
            if name in ("commit", "execution") and value is not None and (not isinstance(value, int) or value < 1):
                raise InvalidArgument(f"{self!r}: {name} is counted from 1")
            if name in ("by", "after") and value is not None and not isinstance(value, (int, float)):
                raise InvalidArgument(f"{self!r}: {name} is a number of seconds")
            if name == "when" and value not in ("before", "after"):
                raise InvalidArgument(f"{self!r}: when is 'before' or 'after'")

    def told(self) -> str:
        """The same in words."""
        raise NotImplementedError


class Crash(Fault, frozen=True):
    """The process dies before or after a commit; another one takes over."""

    commit: int
    when: Literal["before", "after"] = "after"

    def told(self) -> str:
        return f"the process dies {self.when} commit {self.commit}"


class Refused(Fault, frozen=True):
    """The store is down at a commit, and nothing is written; it is tried again."""

    commit: int

    def told(self) -> str:
        return f"the store is down at commit {self.commit}"


class Unacknowledged(Fault, frozen=True):
    """A commit is carried out, and the engine does not hear of it."""

    commit: int

    def told(self) -> str:
        return f"the acknowledgement of commit {self.commit} is lost"


class Fails(Fault, frozen=True):
    """An execution of a step fails before it does anything."""

    step: str
    execution: int = 1

    def told(self) -> str:
        return f"execution {self.execution} of {self.step} fails before it takes effect"


class Lost(Fault, frozen=True):
    """An execution of a step does everything, and then its answer is lost: it counts as failed."""

    step: str
    execution: int = 1

    def told(self) -> str:
        return f"execution {self.execution} of {self.step} takes effect, and its answer is lost"


class Late(Fault, frozen=True):
    """An execution of a step begins so many seconds late, as if no thread were free for it."""

    step: str
    execution: int = 1
    by: float = 1.0

    def told(self) -> str:
        return f"execution {self.execution} of {self.step} begins {self.by:g} s late"


class Slow(Fault, frozen=True):
    """An execution of a step takes effect at once, and answers so many seconds later."""

    step: str
    execution: int = 1
    by: float = 1.0

    def told(self) -> str:
        return f"execution {self.execution} of {self.step} answers after {self.by:g} s"


class Sent(Fault, frozen=True):
    """When a message of the scene comes: once there are so many commits, or so many seconds after the beginning (for a
    person's answer: after the question).

    With neither, it comes when the run has nothing else to do at the time.
    """

    message: str
    commit: int | None = None
    after: float | None = None

    def told(self) -> str:
        if self.after is not None:
            return f"{self.message} comes after {self.after:g} s"
        return f"{self.message} comes " + ("in a moment of rest" if self.commit is None else f"at commit {self.commit}")


class Evicted(Fault, frozen=True):
    """The run leaves memory whenever it is idle, and comes back by replay."""

    def told(self) -> str:
        return "the run leaves memory whenever it is idle"


class Plan:
    """What happens in one simulated run. Its ``repr`` is Python that makes it again.

    Attributes:
        seed: from which the run's id, its random numbers and the jitter of retries come.
        faults: what happens beyond that. A message that none of them names comes when the run has nothing else to do
            at the time.
    """

    def __init__(self, seed: int = 0, *faults: Fault) -> None:
        if not isinstance(seed, int):
            raise InvalidArgument(f"a plan begins with its seed, which {seed!r} is not: Plan(0, {seed!r})")
        wrong = [fault for fault in faults if not isinstance(fault, Fault)]
        if wrong:
            raise InvalidArgument(f"{wrong[0]!r} is no fault: write Plan(0, Lost('charge'), Crash(3))")
        self.seed = seed
        self.faults = faults

    def __repr__(self) -> str:
        return f"Plan({', '.join(map(repr, (self.seed, *self.faults)))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and (self.seed, self.faults) == (other.seed, other.faults)

    def __hash__(self) -> int:
        return hash((self.seed, self.faults))


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """How much goes wrong: chances, each multiplied by a factor that every seed draws for itself (often none).

    Attributes:
        crash, refused, unacknowledged: at each commit.
        fails, lost, late, slow: at each execution of a step.
        evicted: for each plan.
        longest: seconds that a step is late or slow at most.
        most: so many things go wrong in one plan, at most; delays are not counted.
        spare: steps that never fail: what they do cannot be refused or lost. They are executed again after a crash.
    """

    crash: float = 0.06
    refused: float = 0.03
    unacknowledged: float = 0.03
    fails: float = 0.1
    lost: float = 0.1
    late: float = 0.25
    slow: float = 0.25
    evicted: float = 0.25
    longest: float = 60.0
    most: int = 8
    spare: tuple[Step[..., Any] | str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("crash", "refused", "unacknowledged", "fails", "lost", "late", "slow", "evicted"):
            chance = getattr(self, name)
            if not 0 <= chance <= 1:
                raise InvalidArgument(f"Faults({name}={chance!r}): a chance is 0 to 1")
        if self.most < 0 or self.longest < 0:
            raise InvalidArgument(f"Faults(most={self.most!r}, longest={self.longest!r}): neither is below 0")


NOTHING = Faults(crash=0, refused=0, unacknowledged=0, fails=0, lost=0, late=0, slow=0, evicted=0)
"""Nothing goes wrong; messages still come at any moment."""
