"""``simulate`` and ``sweep``: a workflow under everything that can go wrong, and the least of it that breaks something.

A simulated run is a real run: the engine, the store and the workflow are those of production. Time, the death of the
process, the answers of steps and the moments at which messages come are the plan's.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from segue.authoring.python.classes import HasRun
from segue.authoring.python.definitions import Workflow
from segue.authoring.python.registry import definition_of, refuse_called
from segue.errors import InvalidArgument, SegueError
from segue.kernel.duration import Duration, microseconds
from segue.kernel.encoding import Encodings
from segue.testing.luck import Drawn, Fixed
from segue.testing.moment import Invariant
from segue.testing.plan import Crash, Fails, Faults, Lost, Plan, Refused, Sent, Unacknowledged
from segue.testing.play import Broken, Ending, Play, Plot
from segue.testing.scene import Scene
from segue.testing.shrink import MOST_SECONDS, Shrinking
from segue.testing.side_thread import SideThread
from segue.testing.terms import invariants_of, plan_of, scene_of, seeds_of, spared

T = TypeVar("T")

DEFAULT_SEEDS: list[Sequence[int]] = [range(100)]
"""What is taken when a test does not say: the last one counts. The pytest plugin adds what its option says."""
AGAIN = "the same again: from segue.testing import *; add to the call"
LAST_LINES = 60
NOISY = ("segue.writer", "segue.conductor", "segue.engine", "segue.serving", "segue.attempts", "asyncio")
"""Who would say of each simulated fault what they say of a real one."""


class SimulationFailed(SegueError, AssertionError):
    """Something that was to hold did not, under a plan.

    Attributes:
        what: the invariant. why: what it said.
        plan: the smallest one that was found to break it; ``simulate(…, plan=…)`` plays it again.
        found: the one that broke it first.
        told: what happened under ``plan``, line by line.
    """

    def __init__(self, message: str, *, broken: Broken, plan: Plan, found: Plan, told: list[str]) -> None:
        super().__init__(message)
        self.what = broken.what
        self.why = broken.why
        self.plan = plan
        self.found = found
        self.told = told


class Simulated(msgspec.Struct, frozen=True):
    """What was simulated, and held.

    Attributes:
        runs: how many. commits, crashes, executions: of all of them together.
        ended: how many runs ended in which state.
    """

    runs: int
    commits: int
    crashes: int
    executions: int
    ended: dict[str, int]


def simulate(
    workflow: Workflow[..., Any] | type[HasRun],
    *args: Any,
    seeds: int | Iterable[int] | None = None,
    faults: Faults | None = None,
    invariants: Iterable[Invariant] = (),
    scene: Callable[[Scene], Any] | None = None,
    plan: Plan | None = None,
    within: Duration = "365d",
) -> Simulated:
    """Runs a workflow once for each seed, under faults that the seed draws, and checks what has to hold.

    Args:
        workflow, args: the run.
        seeds: how many, or which; by default 100, or what ``pytest --segue-seeds`` says.
        faults: how much goes wrong.
        invariants: called with a ``Moment`` after every commit and in the end.
        scene: prepares what is around the run (mocks, messages, people), anew for each seed. What it returns is
            ``moment.outside`` to the invariants.
        plan: plays this one only: what a failure says to run again.
        within: virtual time after which the run has to have ended.

    Raises:
        SimulationFailed: an invariant is broken, or the run does not end; with the smallest plan that shows it.
        InvalidArgument: the workflow is none, an argument does not encode, or nothing would be simulated, or checked.

    Warns:
        UserWarning: not everything that the given plan names has come to pass.
    """
    plot = _plot(workflow, args, scene, invariants, within)
    if plan is not None:
        return _one(plot, plan_of(plan))
    chosen = DEFAULT_SEEDS[-1] if seeds is None else seeds_of(seeds)
    odds = Faults() if faults is None else faults
    if not isinstance(odds, Faults):
        raise InvalidArgument(f"faults={faults!r} are none; give for example faults=Faults(crash=0.2), or NOTHING")
    spared(odds.spare)
    return _off_the_loop(lambda: _all(plot, [(seed, odds) for seed in chosen]))


def sweep(
    workflow: Workflow[..., Any] | type[HasRun],
    *args: Any,
    invariants: Iterable[Invariant] = (),
    scene: Callable[[Scene], Any] | None = None,
    spare: Iterable[Any] = (),
    within: Duration = "365d",
) -> Simulated:
    """Runs a workflow with one fault at every place, one place after the other: the process dies before and after each
    commit, the store is down, an acknowledgement is lost; each execution of a step fails, or its answer is lost. Each
    release of the scene comes after each commit.

    Args:
        spare: steps that never fail.
        workflow, args, invariants, scene, within: as for ``simulate``, which finds what takes two faults.

    Raises:
        SimulationFailed, InvalidArgument: as ``simulate``.
    """
    plot = _plot(workflow, args, scene, invariants, within)
    never_fail = spared(spare)
    return _off_the_loop(lambda: _all(plot, _everywhere(plot, never_fail)))


def _plot(workflow: Any, args: Any, scene: Any, invariants: Any, within: Duration) -> Plot:
    refuse_called(workflow)
    workflow = definition_of(workflow)
    if not isinstance(workflow, Workflow):
        raise InvalidArgument(f"{workflow!r} is not a workflow; give the function or the class that carries @workflow")
    set_scene = (lambda scene: None) if scene is None else scene_of(scene)
    return Plot(workflow, args, set_scene, invariants_of(invariants), microseconds(within) / 1_000_000)


def _everywhere(plot: Plot, never_fail: set[str]) -> Iterator[Plan]:
    calm = Plan()
    yield calm
    with _threads() as threads:
        play = Play(plot, Fixed(calm), threads=threads)
        ending = play()
    for commit in range(1, ending.commits + 1):
        yield Plan(0, Crash(commit, "before"))
        yield Plan(0, Crash(commit, "after"))
        yield Plan(0, Refused(commit))
        yield Plan(0, Unacknowledged(commit))
        for release in play.scene.releases:
            yield Plan(0, Sent(release, commit=commit))
    for step, call in ending.executions:
        if step not in never_fail:
            yield Plan(0, Fails(call))
            yield Plan(0, Lost(call))


# --- playing --------------------------------------------------------------------------------------------------


def _one(plot: Plot, plan: Plan) -> Simulated:
    """Plays the plan that was given, as it was given."""
    luck = Fixed(plan)

    def played() -> Ending:
        with _quiet(), _threads() as threads:
            return _play(plot, luck, threads)

    ending = _off_the_loop(played)
    if ending.broken is not None:
        raise _failure(plot, plan, plan, ending, 1, "as it was given")
    if luck.unmet:
        warnings.warn(
            f"of the plan for {plot.workflow.name}, this has not come to pass: "
            f"{'; '.join(fault.told() for fault in luck.unmet)}. The code has changed since, or a name is not that of "
            "a call or a message; make the plan anew, or delete it",
            stacklevel=3,
        )
    sums = _Sums()
    sums.add(ending)
    return sums.simulated(plot)


def _all(plot: Plot, plans: Iterable[Plan | tuple[int, Faults]]) -> Simulated:
    sums = _Sums()
    with _quiet(), _threads() as threads:
        for each in plans:
            luck: Fixed | Drawn = Fixed(each) if isinstance(each, Plan) else Drawn(*each)
            ending = _play(plot, luck, threads)
            sums.add(ending)
            if ending.broken is not None:
                raise _shrunk(plot, luck.plan, ending, sums.runs, threads)
    return sums.simulated(plot)


def _play(plot: Plot, luck: Fixed | Drawn, threads: SideThread) -> Ending:
    """Plays one plan. What goes wrong beside the run, in the scene for instance, says under which plan."""
    try:
        return Play(plot, luck, threads=threads)()
    except Exception as error:
        error.add_note(f"in a simulated run of {plot.workflow.name}; {AGAIN} plan={luck.plan!r}")
        raise


class _Sums:
    """What ``Simulated`` tells, added up."""

    def __init__(self) -> None:
        self.runs = 0
        self._commits = 0
        self._crashes = 0
        self._executions = 0
        self._ended: Counter[str] = Counter()
        self._asked: frozenset[str] = frozenset()
        self._answered: frozenset[str] = frozenset()

    def add(self, ending: Ending) -> None:
        self.runs += 1
        self._commits += ending.commits
        self._crashes += ending.lives - 1
        self._executions += ending.executions.total()
        self._ended[ending.state] += 1
        if ending.answered is not None:
            self._asked |= ending.asked
            self._answered |= ending.answered

    def simulated(self, plot: Plot) -> Simulated:
        code = plot.workflow.bind(Encodings())
        # A scene may serve several simulations, and in some of them the run never comes as far as its handler.
        unknown = sorted(name for name in self._asked - self._answered if not code.mentions(name))
        if unknown:
            has = ", ".join(sorted(self._answered)) or "none"
            runs = "1 simulated run" if self.runs == 1 else f"{self.runs:,} simulated runs"
            raise InvalidArgument(
                f"scene.update({unknown[0]!r}) reaches nobody: in {runs}, {plot.workflow.name} had "
                f"no update of that name; it has: {has}"
            )
        return Simulated(self.runs, self._commits, self._crashes, self._executions, dict(self._ended))


def _shrunk(plot: Plot, found: Plan, ending: Ending, played: int, threads: SideThread) -> SimulationFailed:
    last = ending
    broken = ending.broken
    assert broken is not None

    def breaks(plan: Plan) -> bool:
        nonlocal last
        again = Play(plot, Fixed(plan), threads=threads)()
        so = again.broken is not None and again.broken.what == broken.what
        if so:
            last = again
        return so

    if not breaks(found):
        how = "played again, it breaks nothing: the workflow or the scene keeps something between runs"
        return _failure(plot, found, found, ending, played, how)
    shrinking = Shrinking(found.seed, breaks)
    smallest = shrinking.smallest(found.faults)
    few, many = len(smallest.faults), len(found.faults)
    how = f"{many} things happened at first, {few} are left after {shrinking.tries} tries"
    if shrinking.given_up:
        how += f", when {MOST_SECONDS} s were over"
    return _failure(plot, smallest, found, last, played, how)


def _failure(plot: Plot, plan: Plan, found: Plan, ending: Ending, played: int, how: str) -> SimulationFailed:
    broken = ending.broken
    assert broken is not None
    message = _message(broken, plan, how, ending.told, played, plot)
    failed = SimulationFailed(message, broken=broken, plan=plan, found=found, told=ending.told)
    failed.__cause__ = broken.error
    return failed


def _message(broken: Broken, plan: Plan, how: str, told: list[str], played: int, plot: Plot) -> str:
    left_out = [f"… {len(told) - LAST_LINES} lines before"] if len(told) > LAST_LINES else []
    lines = [
        f"{broken.what}: {broken.why}",
        f"in run {played} of {plot.workflow.name}; {how}:",
        *(f"  - {fault.told()}" for fault in plan.faults),
        "what happened:",
        *(f"  {line}" for line in [*left_out, *told[-LAST_LINES:]]),
        AGAIN,
        f"  plan={plan!r}",
    ]
    return "\n".join(lines)


def _off_the_loop(function: Callable[[], T]) -> T:
    """A simulation has event loops of its own; beside one that runs already it needs a thread of its own too."""
    if asyncio._get_running_loop() is None:
        return function()
    with ThreadPoolExecutor(1, thread_name_prefix="segue-simulation") as thread:
        return thread.submit(function).result()


@contextmanager
def _threads() -> Iterator[SideThread]:
    threads = SideThread()
    try:
        yield threads
    finally:
        threads.shutdown()


@contextmanager
def _quiet() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in NOISY]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.disabled = was
