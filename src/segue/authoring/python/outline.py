"""The outline of a workflow: what its code may do, in which order, as a graph that can be drawn without running it.

Read from the source. A call is followed by the name that it goes by; where that leads nowhere (a function taken from a
table, ``getattr``, an argument that nobody knows yet), the outline says so with a node of kind ``unknown`` instead of
leaving it out. Conditions are shown as they are written, never evaluated.
"""

from __future__ import annotations

from typing import Literal

import msgspec

NodeKind = Literal[
    "start", "end", "fails", "continues", "handler", "step", "child", "task", "signal", "sleep", "wait", "decision",
    "message", "again", "unknown", "branch", "loop", "parallel", "join", "try", "saga", "timeout",
]  # fmt: skip
EdgeKind = Literal["next", "failed", "back", "beside"]


class OutlineNode(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the code does, or a place where its ways part or meet.

    Attributes:
        id: number within the outline.
        kind: what it is. ``handler``: where a message comes in; ``again``: a function that calls itself; ``unknown``:
            a call that could not be followed.
        name: of the step, workflow, task or signal; of the others the code that says it. What is only known in a run
            stands in braces.
        detail: whom a task asks, how long a sleep takes, what a handler takes.
        many: it is called once for each of some items, side by side.
        undo: it undoes what another one did.
        line: within the source of the workflow, from 1; None where it stands in another function.
        inside: the function that it stands in, if that is not the workflow's own.
    """

    id: int
    kind: NodeKind
    name: str
    detail: str = ""
    many: bool = False
    undo: bool = False
    line: int | None = None
    inside: str = ""


class OutlineEdge(msgspec.Struct, frozen=True, kw_only=True):
    """What may follow what. ``failed``: when it fails; ``back``: to the head of a loop; ``beside``: while the code that
    began it goes on."""

    source: int
    target: int
    kind: EdgeKind = "next"
    label: str = ""


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """A graph. ``cut``: the code is longer than what is shown. ``read``: False where there is no source to read."""

    nodes: list[OutlineNode]
    edges: list[OutlineEdge]
    cut: bool = False
    read: bool = True


DONE = frozenset(
    {"step", "child", "task", "signal", "sleep", "wait", "decision", "message", "again", "unknown", "continues"}
)
"""Kinds of what a run does; the others say in which order."""
