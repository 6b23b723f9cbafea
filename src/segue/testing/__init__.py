"""The testing kit that ships to users: virtual time in the real code path, faults on demand, replay of journals.

A test of a workflow uses the same engine and the same store as production; only the clock and the faults are the
test's own. A thirty-day sleep takes a millisecond.

May import: everything below, through ``segue.engine`` and the protocols in ``segue.stores.base``. Nothing in segue
imports this package.

Start reading: ``world``, an engine whose time passes when the test lets it; then ``clock``.
"""

from segue.testing.attempts import Lone, attempt
from segue.testing.clock import DAWN, VirtualClock
from segue.testing.fixtures import Histories, Worlds
from segue.testing.histories import HistoryBroken, record, replay
from segue.testing.mocks import Called, Mock
from segue.testing.moment import Invariant, Moment, in_the_end
from segue.testing.plan import (
    NOTHING,
    Crash,
    Evicted,
    Fails,
    Faults,
    Late,
    Lost,
    Plan,
    Refused,
    Sent,
    Slow,
    Unacknowledged,
)
from segue.testing.scene import Scene
from segue.testing.simulate import Simulated, SimulationFailed, simulate, sweep
from segue.testing.trace import StepTrace, Trace, trace
from segue.testing.world import Stuck, World, engine

__all__ = [
    "DAWN",
    "NOTHING",
    "Called",
    "Crash",
    "Evicted",
    "Fails",
    "Faults",
    "Histories",
    "HistoryBroken",
    "Invariant",
    "Late",
    "Lone",
    "Lost",
    "Mock",
    "Moment",
    "Plan",
    "Refused",
    "Scene",
    "Sent",
    "Simulated",
    "SimulationFailed",
    "Slow",
    "StepTrace",
    "Stuck",
    "Trace",
    "Unacknowledged",
    "VirtualClock",
    "World",
    "Worlds",
    "attempt",
    "engine",
    "in_the_end",
    "record",
    "replay",
    "simulate",
    "sweep",
    "trace",
]
