"""What is told to somebody outside: of a run, an incident, a human task or a deadline; and by which rule."""

from __future__ import annotations

from typing import Literal

import msgspec

When = Literal["completed", "failed", "cancelled", "terminated", "incident", "overdue", "deadline"]
"""``overdue``: a human task is past its time. ``deadline``: a schedule's deadline has passed."""


class NotifyRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to tell of what: ``NotifyRule(name="oncall", when=("failed", "incident"), to="https://…")``.

    Attributes:
        name: by which runs that notify refer to it: the address is not recorded.
        when: on what. workflow, namespace: of this one only. tags: of runs that carry all of these.
        to: an ``http`` or ``https`` address, or ``apprise:`` and an address of that library. ``$NAME`` is what the
            environment variable NAME holds.
        secret: with which the body is signed; ``$NAME`` as with ``to``.
    """

    name: str
    when: tuple[When, ...]
    to: str
    workflow: str | None = None
    namespace: str | None = None
    tags: dict[str, str] = {}
    secret: str = ""


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has happened.

    Attributes:
        id: the same each time that the same thing is told: whoever gets it twice can tell.
        when: on what. workflow, run, number, namespace: of which run; its id and its row. At a deadline the id of the
            run that should have been, and no row.
        at: when (µs). state: of the run then. message: what an error, an incident or a deadline says.
        task, key, assignee, due: of a human task that is overdue.
        schedule: whose deadline has passed.
    """

    id: str
    when: str
    workflow: str
    run: str
    namespace: str
    at: int
    state: str
    number: int = 0
    message: str = ""
    tags: dict[str, str] = {}
    task: str = ""
    key: str = ""
    assignee: str = ""
    due: int | None = None
    schedule: str = ""
