"""Claims of tasks and comments on them: each call is one transaction, or one look."""

from __future__ import annotations

import builtins

from segue.stores.people_rows import Kind, NoteRow
from segue.stores.sql.statements import Readers, Statement, Writer

_claim = Statement("claim_task")
_note = Statement("note_on_task")
_notes = Statement("notes_on_task")


class People:
    """Fulfils ``PeopleRows``, where the docstrings stand."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    def claim(self, task: int, by: str | None, at: int, *, over: str | None, actor: str) -> bool:
        kind: Kind = "released" if by is None else "claimed" if by == actor else "handed"
        to = by if by is not None and kind == "handed" else ""
        with self._writer.transaction() as connection:
            claimed = _claim.one(connection, (task, by, None if by is None else at, over))
            return bool(claimed and _note.one(connection, (task, at, actor, kind, to)))

    def comment(self, task: int, text: str, at: int, actor: str) -> bool:
        with self._writer.transaction() as connection:
            return bool(_note.one(connection, (task, at, actor, "commented", text)))

    def notes(self, run: int, task: int) -> builtins.list[NoteRow]:
        with self._readers.reading() as connection:
            return [NoteRow(*row) for row in _notes.one(connection, (run, task))]
