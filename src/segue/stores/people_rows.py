"""What people say and agree among each other about a task; the run knows nothing of it, and its journal holds none."""

from __future__ import annotations

import builtins
from typing import Literal, Protocol

import msgspec

Kind = Literal["claimed", "released", "handed", "commented"]


class NoteRow(msgspec.Struct, frozen=True, gc=False):
    """``text``: of a comment, as the store is given it; to whom the task was handed; "" otherwise."""

    note: int
    at: int
    actor: str
    kind: Kind
    text: str


class PeopleRows(Protocol):
    """Each call is one transaction, on disk when it returns; from any process, whoever owns the run."""

    def claim(self, task: int, by: str | None, at: int, *, over: str | None, actor: str) -> bool:
        """Has an open task be somebody's, or, with None, nobody's, and notes who did that: where it is not ``by``
        themselves, they have handed it on. False if it is not open, or not ``over``'s any more (None: nobody's)."""

    def comment(self, task: int, text: str, at: int, actor: str) -> bool:
        """Adds a comment. False if the task is not open."""

    def notes(self, run: int, task: int) -> builtins.list[NoteRow]:
        """All of a task, the first one first."""


class HasPeople(Protocol):
    """The part of a ``Store`` that leads to them."""

    @property
    def people(self) -> PeopleRows: ...
