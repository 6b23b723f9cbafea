"""Reads ``--where state=incident,workflow=buy``: which runs are meant."""

from __future__ import annotations

from typing import Any

from segue.errors import InvalidArgument
from segue.server.runs import RunWhere
from segue.stores.base import CLOSED, OPEN

_WORDS = "state, workflow, id (the beginning), tag.NAME, attribute.NAME, text"


def where_of(text: str) -> RunWhere:
    """The choice that a text stands for: conditions with commas between them, which all hold; ``state`` may be named
    several times, and also be ``open`` or ``closed``.

    Raises:
        InvalidArgument: it is none; the text says what can be named.
    """
    states: list[str] = []
    tags: list[str] = []
    attributes: list[str] = []
    rest: dict[str, Any] = {}
    for condition in filter(None, map(str.strip, text.split(","))):
        name, equals, value = condition.partition("=")
        if not equals or not value:
            raise InvalidArgument(f"--where {condition!r} is not of the form name=value; there are: {_WORDS}")
        if name == "state":
            states += _states(value)
        elif name in ("workflow", "text"):
            rest[name] = value
        elif name == "id":
            rest["id"] = value
        elif name.startswith("tag."):
            tags.append(f"{name.removeprefix('tag.')}={value}")
        elif name.startswith("attribute."):
            attributes.append(f"{name.removeprefix('attribute.')}={value}")
        else:
            raise InvalidArgument(f"--where knows no {name!r}; there are: {_WORDS}")
    if not (states or tags or attributes or rest):
        raise InvalidArgument(f"--where is empty, and would mean every run; name one of: {_WORDS}")
    return RunWhere(state=states, tag=tags, attribute=attributes, **rest)


def _states(value: str) -> tuple[str, ...]:
    groups = {"open": OPEN, "closed": CLOSED}
    if value in groups:
        return groups[value]
    if value not in (*OPEN, *CLOSED):
        raise InvalidArgument(f"--where state={value} is no state; there are: {', '.join((*OPEN, *CLOSED))}")
    return (value,)
