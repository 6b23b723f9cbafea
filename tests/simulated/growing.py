"""Random workflow programs, as data: what a seed makes of the grammar. Knows nothing of segue.

A program is a list of stages; between two stages the run may go on as a new one. A stage is a tree of nodes, each a
list that begins with its kind. ``foretold.py`` says what must come out of it, ``walking.py`` has segue walk it.

=============================  =======================================================================================
``["work", n]``                a step that gives ``2 * n + 1``
``["refused", n]``             a step that fails for good, and is branched on
``["skipped", n]``             a step that fails for good, and whose error policy gives ``n`` instead
``["counted", key, n, times]``  keyed state under ``key``, to which ``n`` is added so often by steps
``["sleep", seconds, node]``   first the time, then the node
``["all", nodes]``             all of them one after the other, beside each other (``gather``, ``TaskGroup``), or by
``["gather", nodes]``          ``step.map`` over their numbers
``["group", nodes]``
``["map", numbers]``
``["raise", n]``               an error of the workflow's own
``["try", node, node]``        the second one if the first one raises
``["late", node, node]``       the first one does not come in time (``asyncio.timeout``), then the second
``["stopped", node, n]``       the node in a task that is cancelled while it waits for ever behind it
``["saga", id, numbers, n]``   reserves each number; with ``n`` it raises then, so that all is released, last first
``["child", node]``            the node as a run of its own; raises if that fails
``["signal", name]``           the value of a signal that somebody sends at any moment
``["ask", n]``                 a person, who answers ``n + 3``
``["patched", id, node, n]``   the node in runs that come here with the second release, in others a step
``["inserted", n]``            a step of the second release; 0 in the first one
``["dropped", n]``             a step of the first release, whose result nobody needs
``["swapped", n, m]``          two different steps, in this order or, in the second release, in the other one
``["moved", n, node]``         work under a key of its own, before the node or, in the second release, behind it
=============================  =======================================================================================
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

Node = list[Any]


class Program(NamedTuple):
    """What is run, and what comes to it from outside.

    Attributes:
        stages: one tree each.
        signals: value by name; each is sent once.
        updates: numbers, each added to a sum by an update that is sent once; the run waits for all of them.
        cancelled: somebody cancels the run, at any moment.
        changed: the second release of the code comes, at any moment.
    """

    stages: list[Node]
    signals: dict[str, int]
    updates: list[int]
    cancelled: bool
    changed: bool


class _Growing:
    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.signals: dict[str, int] = {}
        self.made = 0
        self.budget = self.draw.choice((4, 8, 16, 24))
        self.changed = self.draw.random() < 0.4

    def number(self) -> int:
        """One that no other node of the program has."""
        self.made += 1
        return 10 * self.made + self.draw.randrange(10)

    def node(self, *, raises: bool, alone: bool = False, deep: int = 0) -> Node:
        """A node. ``raises``: it may. ``alone``: in a child run, to which nobody sends anything."""
        self.budget -= 1
        kinds = LEAVES if deep > 3 or self.budget <= 0 else LEAVES + BRANCHES
        while True:
            kind = self.draw.choice(kinds)
            if kind in CHANGED and not self.changed:
                continue
            if (kind in RAISES and not raises) or (kind in OUTSIDE and alone):
                continue
            return [kind, *GROW[kind](self, raises, alone, deep + 1)]

    def nodes(self, *, raises: bool, alone: bool, deep: int) -> list[Node]:
        return [self.node(raises=raises, alone=alone, deep=deep) for _ in range(self.draw.randrange(1, 4))]


def _signal(growing: _Growing, raises: bool, alone: bool, deep: int) -> list[Any]:
    name = f"s{len(growing.signals)}"
    growing.signals[name] = growing.number()
    return [name]


def _branches(growing: _Growing, raises: bool, alone: bool, deep: int) -> list[Any]:
    # Which of several errors is seen first depends on the moment; so nothing raises beside something else.
    return [growing.nodes(raises=False, alone=alone, deep=deep)]


def _numbers(growing: _Growing) -> list[int]:
    return [growing.number() for _ in range(growing.draw.randrange(1, 4))]


GROW: dict[str, Callable[[_Growing, bool, bool, int], list[Any]]] = {
    "work": lambda g, raises, alone, deep: [g.number()],
    "refused": lambda g, raises, alone, deep: [g.number()],
    "skipped": lambda g, raises, alone, deep: [g.number()],
    # Which of several calls alike is which cannot be told behind calls that have changed.
    "counted": lambda g, raises, alone, deep: [
        f"k{g.number()}", g.draw.randrange(1, 5), 1 if g.changed else g.draw.randrange(1, 4)
    ],
    "sleep": lambda g, raises, alone, deep: [
        g.draw.choice((0, 1, 60, 86_400)), g.node(raises=raises, alone=alone, deep=deep)
    ],
    "all": lambda g, raises, alone, deep: [g.nodes(raises=raises, alone=alone, deep=deep)],
    "gather": _branches,
    "group": _branches,
    "map": lambda g, raises, alone, deep: [_numbers(g)],
    "raise": lambda g, raises, alone, deep: [g.number()],
    "try": lambda g, raises, alone, deep: [
        g.node(raises=True, alone=alone, deep=deep), g.node(raises=raises, alone=alone, deep=deep)
    ],
    "late": lambda g, raises, alone, deep: [
        g.node(raises=False, alone=True, deep=9), g.node(raises=raises, alone=alone, deep=deep)
    ],
    "stopped": lambda g, raises, alone, deep: [g.node(raises=False, alone=alone, deep=deep), g.number()],
    "saga": lambda g, raises, alone, deep: [
        f"g{g.number()}", _numbers(g), g.number() if raises and g.draw.random() < 0.7 else None
    ],
    "child": lambda g, raises, alone, deep: [g.node(raises=raises, alone=True, deep=deep)],
    "signal": _signal,
    "ask": lambda g, raises, alone, deep: [g.number()],
    "patched": lambda g, raises, alone, deep: [
        f"p{g.number()}", g.node(raises=raises, alone=alone, deep=deep), g.number()
    ],
    "inserted": lambda g, raises, alone, deep: [g.number()],
    "dropped": lambda g, raises, alone, deep: [g.number()],
    "swapped": lambda g, raises, alone, deep: [g.number(), g.number()],
    # What is recorded and not reached before an error or a cancellation has the run stand still: nothing raises here.
    "moved": lambda g, raises, alone, deep: [g.number(), g.node(raises=False, alone=alone, deep=deep)],
}  # fmt: skip
LEAVES = ["work", "work", "refused", "skipped", "counted", "map", "raise", "saga", "signal", "ask"]
LEAVES += ["inserted", "dropped", "swapped"]
BRANCHES = ["sleep", "all", "all", "gather", "group", "try", "try", "late", "stopped", "child"]
BRANCHES += ["patched", "patched", "patched", "moved"]
RAISES = {"raise"}
OUTSIDE = {"signal", "ask"}
CHANGED = {"patched", "inserted", "dropped", "swapped", "moved"}


def _has(kind: str, node: Any) -> bool:
    return isinstance(node, list) and (node[:1] == [kind] or any(_has(kind, each) for each in node))


def grow(seed: int) -> Program:
    """The program of a seed."""
    growing = _Growing(seed)
    draw = growing.draw
    stages = [growing.node(raises=draw.random() < 0.3) for _ in range(draw.choice((1, 1, 2, 3)))]
    if draw.random() < 0.15:
        stages[-1] = ["all", [stages[-1], growing.node(raises=True), ["raise", growing.number()]]]
    updates = [growing.number() for _ in range(draw.choice((0, 0, 1, 3)))]
    if growing.changed and (_has("raise", stages) or _has("dropped", stages[:-1])):
        # What the second release does not come to, before the error or before its stage ends, has the run stand still.
        updates = []
    return Program(stages, growing.signals, updates, draw.random() < 0.3 and not growing.changed, growing.changed)
