"""Puts the nodes and edges of an outline together, and takes out what turned out to say nothing.

``ends`` are the places from which the next node follows; when there are none, what comes next is never reached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec

from segue.authoring.python.outline import DONE, EdgeKind, NodeKind, Outline, OutlineEdge, OutlineNode

MOST = 400
"""Nodes of an outline; more nobody looks at, and a function that is called everywhere could go on for ever."""


class Full(Exception):
    """No more is drawn."""


@dataclass(frozen=True, slots=True)
class End:
    """The way on from a node."""

    node: int
    label: str = ""
    kind: EdgeKind = "next"


@dataclass(slots=True)
class Drawing:
    """An outline in the making."""

    nodes: list[OutlineNode] = field(default_factory=list)
    edges: list[OutlineEdge] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    cut: bool = False

    def add(
        self, kind: NodeKind, name: str = "", *, detail: str = "", many: bool = False, undo: bool = False,
        line: int | None = None, inside: str = "",
    ) -> int:  # fmt: skip
        """A node behind all ends; what follows goes on from it."""
        if len(self.nodes) >= MOST:
            raise Full
        node = OutlineNode(
            id=len(self.nodes), kind=kind, name=name, detail=detail, many=many, undo=undo, line=line, inside=inside
        )
        self.nodes.append(node)
        self.join(node.id)
        self.ends = [End(node.id)]
        return node.id

    def join(self, target: int, kind: EdgeKind | None = None) -> None:
        """Leads all ends to a node that is there already."""
        for end in dict.fromkeys(self.ends):
            self.edges.append(OutlineEdge(source=end.node, target=target, kind=kind or end.kind, label=end.label))

    def from_here(self, kind: EdgeKind) -> list[End]:
        return [replace(end, kind=kind) for end in self.ends]

    def mark(self) -> tuple[int, int, list[End]]:
        return len(self.nodes), len(self.edges), list(self.ends)

    def back_to(self, mark: tuple[int, int, list[End]]) -> None:
        """Forgets what has been drawn since."""
        nodes, edges, self.ends = mark
        del self.nodes[nodes:], self.edges[edges:]

    def for_many(self, fork: int) -> bool:
        """Makes the only node behind ``fork`` one that is called for many; False where there are several."""
        if len(self.nodes) != fork + 2 or self.nodes[-1].kind not in DONE:
            return False
        self.nodes[fork] = msgspec.structs.replace(self.nodes[fork], many=False)
        self.nodes[-1] = msgspec.structs.replace(self.nodes[-1], many=True)
        return True

    def did(self, mark: tuple[int, int, list[End]]) -> bool:
        """Whether anything that a run does has been drawn since."""
        return any(node.kind in DONE for node in self.nodes[mark[0] :])

    def finished(self) -> Outline:
        """What is left when all that says nothing is taken out, numbered anew."""
        kept = _Pruning(self.nodes, self.edges).done()
        numbers = {node.id: place for place, node in enumerate(kept.nodes)}
        return Outline(
            nodes=[msgspec.structs.replace(node, id=numbers[node.id]) for node in kept.nodes],
            edges=[
                msgspec.structs.replace(edge, source=numbers[edge.source], target=numbers[edge.target])
                for edge in kept.edges
            ],
            cut=self.cut,
        )


class _Pruning:
    """Takes out nodes that part no ways and join none, until there are none left."""

    def __init__(self, nodes: list[OutlineNode], edges: list[OutlineEdge]) -> None:
        self._nodes = {node.id: node for node in nodes}
        self.edges = list(dict.fromkeys(edges))

    @property
    def nodes(self) -> list[OutlineNode]:
        return list(self._nodes.values())

    def done(self) -> _Pruning:
        rules: dict[str, Callable[[OutlineNode], bool]] = {
            "branch": self._one_way, "try": self._one_way, "saga": self._one_way, "timeout": self._nothing,
            "loop": self._turns, "join": self._meets, "parallel": self._forks,
        }  # fmt: skip
        changed = True
        while changed:
            changed = False
            for node in self.nodes:
                if node.kind in rules and node.id in self._nodes and rules[node.kind](node):
                    changed = True
        return self

    def _into(self, node: int) -> list[OutlineEdge]:
        return [edge for edge in self.edges if edge.target == node]

    def _out(self, node: int) -> list[OutlineEdge]:
        return [edge for edge in self.edges if edge.source == node]

    def _one_way(self, node: OutlineNode) -> bool:
        """A fork whose ways all lead to the same place is none."""
        out = self._out(node.id)
        targets = {edge.target for edge in out}
        return len(targets) == 1 and node.id not in targets and self._take_out(node, targets.pop(), out)

    def _nothing(self, node: OutlineNode) -> bool:
        return False

    def _turns(self, node: OutlineNode) -> bool:
        """A loop that only comes back to itself goes straight on."""
        own = [edge for edge in self._out(node.id) if edge.target == node.id]
        if own:
            self.edges = [edge for edge in self.edges if edge not in own]
            return True
        back = any(edge.kind == "back" for edge in self._into(node.id))
        return not back and len(self._out(node.id)) == 1 and self._one_way(node)

    def _meets(self, node: OutlineNode) -> bool:
        """Where only one way comes in, nothing meets; what is done for many meets always."""
        into, out = self._into(node.id), self._out(node.id)
        return len(into) == 1 and not node.many and self._bridge(node, into[0], out)

    def _forks(self, node: OutlineNode) -> bool:
        """A lane without anything in it is none; a single one that is not for many is the way itself."""
        out = self._out(node.id)
        empty = [edge for edge in out if self._nodes[edge.target].kind == "join"]
        if empty and len(out) > len(empty):
            self.edges = [edge for edge in self.edges if edge not in empty]
            return True
        if len(out) != 1:
            return False
        only = self._nodes[out[0].target]
        return (not node.many or only.kind == "join") and self._one_way(node)

    def _take_out(self, node: OutlineNode, target: int, out: list[OutlineEdge]) -> bool:
        into = self._into(node.id)
        kind: EdgeKind = out[0].kind if len(out) == 1 and out[0].kind in ("back", "beside") else "next"
        moved = [
            msgspec.structs.replace(edge, target=target, kind=edge.kind if edge.kind != "next" else kind)
            for edge in into
        ]
        self._replace(node, moved)
        return True

    def _bridge(self, node: OutlineNode, edge: OutlineEdge, out: list[OutlineEdge]) -> bool:
        moved = [msgspec.structs.replace(edge, target=each.target, kind=_kind(edge, each)) for each in out]
        self._replace(node, moved)
        return True

    def _replace(self, node: OutlineNode, edges: list[OutlineEdge]) -> None:
        del self._nodes[node.id]
        kept = [edge for edge in self.edges if node.id not in (edge.source, edge.target)]
        self.edges = list(dict.fromkeys(kept + edges))


def _kind(first: OutlineEdge, second: OutlineEdge) -> EdgeKind:
    return first.kind if second.kind == "next" else second.kind
