"""Random programs under the simulator come to what the oracle says, whatever dies, fails, comes late or comes twice.

Some thousand simulated runs are part of every test run; ``--long`` goes through tens of thousands. A program that comes
to something else, or to no end, is shown with the smallest plan that shows it and with the journal of its run.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec
import pytest
import walking
from foretold import Expected, sagas
from growing import Program, grow

from segue.errors import SegueError
from segue.kernel import events as e
from segue.stores.base import RunFilter
from segue.testing import Moment, Scene, SimulationFailed, in_the_end, simulate

SHARES = 12
PROGRAMS, RUNS = 25, 5
LONG_PROGRAMS, LONG_RUNS = 400, 10


class Case:
    """One program, what must come of it, and the journal of the run that is played just now."""

    def __init__(self, seed: int) -> None:
        self.program = grow(seed)
        self.expected = Expected(self.program)
        self.sagas = sagas(self.program.stages)
        self.journal: list[str] = []

    def scene(self, scene: Scene) -> walking.Outside:
        walking.world = walking.Outside()
        for name, value in self.program.signals.items():
            scene.signal(name, value, within="2d")
        for n in self.program.updates:
            scene.update("add", n, within="2d")
        scene.person("clerk", lambda task: walking.Answer(task.subject["n"] + 3), within="2d")
        if self.program.cancelled:
            scene.cancel(within="2d")
        if self.program.changed:
            scene.deploy(walking.second_program, walking.second_branch, within="2d")
        return walking.world

    # --- what must hold -----------------------------------------------------------------------------------------

    def keeps_the_journal(self, now: Moment) -> None:
        self.journal = [f"{seq}: {shown(event)}" for seq, event in enumerate(now.trace.events, 1)]

    def no_effect_under_two_keys(self, now: Moment) -> None:
        """What takes effect, does so under one key for each call."""
        done = list(now.outside.effects.values())
        for effect in set(done):
            most = self.expected.effects[effect] or 1
            assert done.count(effect) <= most, f"{effect} under {done.count(effect)} keys, and there are {most} calls"

    def goes_the_way_of_its_code(self, now: Moment) -> None:
        """What differs between the releases is for the oracle to know; it is not for it to say when a run goes on with
        the second one."""
        if not self.program.changed:
            return
        runs = now.engine.store.list(RunFilter(limit=1000))
        events = [event for row in runs for _, event in now.engine.events_of(row.run)]
        patches = {event.name for event in events if isinstance(event, e.Marker) and event.kind == "patch"}
        done = {n for _, n in now.outside.effects.values()}
        self.expected = Expected(self.program, patches | done)
        taken_over = any(isinstance(event, e.Marker) and event.kind == "code" for event in events)
        versions = {event.version.partition("/")[0] for event in events if isinstance(event, e.RunStarted)}
        if not taken_over and versions == {"1"}:
            assert not patches | (done & inserted(self.program.stages)), "the second release was not there yet"
        SEEN["taken over"] += taken_over
        SEEN["patched"] += bool(patches)

    def comes_to_what_the_oracle_says(self, now: Moment) -> None:
        if self.program.cancelled and now.state == "cancelled":
            return
        assert now.state == ("completed" if self.expected.raised is None else "failed")
        if self.expected.raised is None:
            (result,) = [event.result for event in now.trace.events if isinstance(event, e.RunCompleted)]
            assert json.loads(bytes(result.data)) == self.expected.value
            expected = dict(self.expected.effects) | {("update", n): 1 for n in self.program.updates}
        else:
            now.trace.assert_failed(str(self.expected.raised))
            expected = dict(self.expected.effects)
        done = [effect for effect in now.outside.effects.values() if effect[0] != "update" or effect in expected]
        assert {effect: done.count(effect) for effect in done} == expected

    def what_is_undone_is_undone_whole_and_last_first(self, now: Moment) -> None:
        order = now.outside.order
        for id, numbers in self.sagas.items():
            reserved = [n for kind, n in order if kind == "reserve" and n in numbers]
            released = [n for kind, n in order if kind == "release" and n in numbers]
            if now.state != "cancelled":
                assert released == self.expected.released.get(id, [])
            elif released:
                assert set(reserved) <= set(released), "an undone saga leaves nothing reserved"
                assert released == [n for n in reversed(numbers) if n in released]

    def keyed_state_counts_each_outcome_once(self, now: Moment) -> None:
        for key, total in self.expected.counted.items():
            found = now.engine.store.state("default", "programs", key)
            counted = 0 if found is None else json.loads(found)[1]
            assert counted == total if now.state != "cancelled" else counted <= total, key

    def invariants(self) -> list[Any]:
        return [
            self.keeps_the_journal,
            self.no_effect_under_two_keys,
            in_the_end(self.goes_the_way_of_its_code),
            in_the_end(self.comes_to_what_the_oracle_says),
            in_the_end(self.what_is_undone_is_undone_whole_and_last_first),
            in_the_end(self.keyed_state_counts_each_outcome_once),
        ]


SEEN: Counter[str] = Counter()
"""Of the runs in this process: how many the second release took over, and how many went by one of its patches."""


def inserted(node: Any) -> set[int]:
    """The numbers of the work in a tree that only the second release does."""
    if not isinstance(node, list):
        return set()
    if node and node[0] == "inserted":
        return {node[1]}
    return set().union(*map(inserted, node))


def shown(event: e.Event) -> str:
    return msgspec.json.encode(event).decode()


def play(seed: int, runs: range) -> dict[str, int]:
    """Simulates the program of a seed; how many runs ended in which state."""
    case = Case(seed)
    stages, *rest = case.program
    given = (stages, 0, len(case.program.updates), 0, 0)
    try:
        return simulate(
            walking.program, *given, seeds=runs, scene=case.scene, invariants=case.invariants(), within="3650d"
        ).ended
    except SimulationFailed as failed:
        journal = "\n".join(case.journal)
        raise AssertionError(f"program {seed}: {json.dumps(stages)}, {rest}\n{failed}\njournal:\n{journal}") from failed
    except SegueError as error:
        raise AssertionError(f"program {seed}: {json.dumps(stages)}, {rest}") from error


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.timeout(3_000)
def test_random_programs_come_to_what_the_oracle_says(share: int, long: bool) -> None:
    programs, runs = (LONG_PROGRAMS, LONG_RUNS) if long else (PROGRAMS, RUNS)
    ended: dict[str, int] = {}
    SEEN.clear()
    for seed in range(share, programs * SHARES, SHARES):
        for state, number in play(seed, range(runs)).items():
            ended[state] = ended.get(state, 0) + number
    assert sum(ended.values()) == programs * runs
    assert ended.get("completed", 0) > sum(ended.values()) / 4
    assert ended.get("cancelled", 0) > 0
    assert SEEN["taken over"] > SEEN["patched"]
    assert SEEN["patched"] > 0 or not long


def test_the_programs_hold_everything() -> None:
    """Every kind of node stands in the programs of one test run, and each of them in different places."""
    kinds: set[str] = set()

    def look(part: Any) -> None:
        if isinstance(part, list):
            if part and isinstance(part[0], str) and part[0] in walking.WALK:
                kinds.add(part[0])
            for inner in part:
                look(inner)

    programs: list[Program] = [grow(seed) for seed in range(PROGRAMS * SHARES)]
    for program in programs:
        look(program.stages)
    assert kinds == set(walking.WALK)
    assert any(len(program.stages) > 1 for program in programs), "and runs that go on as new ones"
    assert any(program.updates for program in programs)
    assert any(program.cancelled for program in programs)
    assert any(program.changed for program in programs)
    assert sum(Expected(program).raised is not None for program in programs) > len(programs) / 20
