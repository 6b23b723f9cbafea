"""What must come out of a program, whatever goes wrong on the way. Knows nothing of segue, and does nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from growing import Node, Program


class Raised(Exception):
    """The program raises this number."""


class Expected:
    """What a program that nobody cancels comes to.

    Args:
        went: ids of the patches that the run goes by, numbers of what was done that only one release does.

    Attributes:
        value: what it returns. raised: or the number that it raises, uncaught.
        effects: what its steps do outside, each under a key of its own: (kind, number) → how often.
        released: of each saga that was undone, the numbers in the order in which they are released.
        counted: keyed state in the end.
    """

    def __init__(self, program: Program, went: Collection[str | int] = ()) -> None:
        self._went = went
        self.value = 0
        self.raised: int | None = None
        self.effects: Counter[tuple[str, int]] = Counter()
        self.released: dict[str, list[int]] = {}
        self.counted: dict[str, int] = {}
        self._signals = program.signals
        try:
            for stage in program.stages:
                self.value = mixed(self.value, self._of(stage))
            self.value = mixed(self.value, sum(program.updates))
        except Raised as raised:
            self.raised = raised.args[0]

    def _of(self, node: Node) -> int:
        match node:
            case ["work", n]:
                return self._work(n)
            case ["refused", n]:
                self.effects["refused", n] += 1
                return -int(n)
            case ["skipped", n]:
                self.effects["skipped", n] += 1
                return int(n)
            case ["counted", key, n, times]:
                self.counted[key] = self.counted.get(key, 0) + n * times
                return self.counted[key]
            case ["sleep", _, inner] | ["child", inner]:
                return self._of(inner)
            case ["all" | "gather" | "group", nodes]:
                return self._sum(nodes)
            case ["map", numbers]:
                return sum(self._work(n) for n in numbers)
            case ["raise", n]:
                raise Raised(n)
            case ["try", inner, instead]:
                try:
                    return self._of(inner)
                except Raised:
                    return self._of(instead)
            case ["late", inner, instead]:
                self._of(inner)
                return self._of(instead)
            case ["stopped", inner, n]:
                return mixed(self._of(inner), n)
            case ["saga", id, numbers, n]:
                return self._saga(id, numbers, n)
            case ["signal", name]:
                return self._signals[name]
            case ["ask", n]:
                return int(n) + 3
            case ["patched", id, inner, n]:
                if id not in self._went:
                    return self._done("instead", n)
                if n in self._went:
                    self._done("instead", n)  # was under way when its process was killed: nobody knows of it
                return self._of(inner)
            case ["inserted", n]:
                return self._done("inserted", n) if n in self._went else 0
            case ["dropped", n]:
                if n in self._went:
                    self._done("gone", n)
                return 0
            case ["swapped", n, m]:
                return mixed(self._done("left", n), self._done("right", m))
            case ["moved", n, inner]:
                return mixed(self._work(n), self._of(inner))
        raise AssertionError(f"the oracle knows no {node}")

    def _work(self, n: int) -> int:
        self.effects["work", n] += 1
        return 2 * n + 1

    def _done(self, step: str, n: int) -> int:
        self.effects[step, n] += 1
        return n

    def _sum(self, nodes: list[Node]) -> int:
        total = 0
        for node in nodes:
            total = mixed(total, self._of(node))
        return total

    def _saga(self, id: str, numbers: list[int], n: int | None) -> int:
        for number in numbers:
            self.effects["reserve", number] += 1
        if n is None:
            return sum(numbers)
        for number in numbers:
            self.effects["release", number] += 1
        self.released[id] = numbers[::-1]
        raise Raised(n)


def mixed(total: int, value: int) -> int:
    """One number of two, which says in which order they came."""
    return (total * 31 + value) % 1_000_003


def sagas(node: Any) -> dict[str, list[int]]:
    """What each saga in a tree reserves."""
    if not isinstance(node, list):
        return {}
    found = {node[1]: node[2]} if node and node[0] == "saga" else {}
    for part in node:
        found |= sagas(part)
    return found
