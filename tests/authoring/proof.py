"""What holds of every program and every history: replay takes the same path. A script too, for other interpreters.

``python proof.py prove FIRST LAST`` proves it of the programs with these seeds. ``python proof.py walk`` reads
histories (lines of JSON) and answers, for each, what a replay here asked for and saw; memory is shifted meanwhile.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "src")]

from fate import befall
from programs import Tree, Walk, grow, seeded, workflow
from world import UID, World

from segue.kernel import commands as c
from segue.kernel import events as e


class Shifting:
    """Allocates and frees memory of every small size at every node, so that nothing has the same address twice."""

    def __init__(self) -> None:
        self._chance = random.Random()  # from the operating system: different each time
        self._held: list[bytes] = []

    def __call__(self) -> None:
        self._held += [bytes(self._chance.randrange(512)) for _ in range(40)]
        self._chance.shuffle(self._held)
        del self._held[self._chance.randrange(len(self._held)) :]


class History(msgspec.Struct):
    """A program, and what happened to one run of it."""

    tree: Tree
    journal: list[e.AnyEvent]
    uid: str = UID


def live(tree: Tree, fate: int, *, evict: bool = False, kind: bool = False) -> tuple[World, list[Walk]]:
    """A run with a history. Whoever asks for it closes it."""
    walks: list[Walk] = []
    world = World(workflow(tree, walks), evict=evict)
    try:
        befall(world, seeded(fate), kind=kind)
    except BaseException:
        world.execution.close()
        raise
    return world, walks


def readable(answers: list[list[c.Command]]) -> list[list[str]]:
    """Commands as text that tells them apart."""
    return [[f"{type(command).__name__} {msgspec.json.encode(command).decode()}" for command in x] for x in answers]


def walk_again(history: History, disturb: Callable[[], None] = lambda: None) -> tuple[list[list[str]], list[Any]]:
    """What a new execution asks for and sees when the same events happen to it."""
    walks: list[Walk] = []
    world = World(workflow(history.tree, walks, disturb), uid=history.uid)
    world.journal = list(history.journal)
    commands = readable(world.commands_again())
    seen = list(walks[-1].trace)
    with world:
        world.execution = world.replay()
        # Dropping the run goes on adding to the trace; what counts is what was seen until then.
        assert walks[-1].trace == seen[: len(walks[-1].trace)]
    return commands, seen


def prove(tree: Tree, fate: int) -> World:
    """Replay, a second execution at other addresses, and eviction after every event all lead to the same place."""
    world, walks = live(tree, fate)
    with world:
        seen = list(walks[0].trace)
        world.check()
        assert [walk.trace[: len(seen)] for walk in walks[1:]] == [seen, seen]
        commands, again = walk_again(History(tree, world.journal), Shifting())
        assert again[: len(seen)] == seen
        assert commands == readable(world.answers)
    evicted, _ = live(tree, fate, evict=True)
    with evicted:
        assert evicted.journal == world.journal
        assert evicted.answers == world.answers
    return world


def _main(job: str, *args: str) -> None:
    if job == "prove":
        for seed in range(int(args[0]), int(args[1])):
            try:
                prove(grow(seeded(seed)), seed)
            except BaseException as error:
                error.add_note(f"the program and the history have seed {seed}")
                raise
    elif job == "walk":
        answers = [walk_again(msgspec.json.decode(line, type=History), Shifting()) for line in sys.stdin.buffer]
        sys.stdout.buffer.write(msgspec.json.encode(answers))


if __name__ == "__main__":
    _main(*sys.argv[1:])
