"""Names that users give (ids, tags, signals, assignees): text that JSON and every database can hold."""

from __future__ import annotations

import re

from segue.errors import InvalidArgument

LONGEST = 1_000
"""Bytes of a name: what every database can put into an index, together with what stands beside it."""


def checked_name(value: object, what: str) -> str:
    """The value, if it can be a key in every database.

    Raises:
        InvalidArgument: as ``checked_text``, or it is longer than ``LONGEST`` bytes.
    """
    text = checked_text(value, what)
    if len(text) * 4 > LONGEST and len(text.encode()) > LONGEST:
        raise InvalidArgument(
            f"{what} {_short(text)} has {len(text.encode()):,} bytes; a key may have {LONGEST:,}: shorten it"
        )
    return text


def checked_id(value: object, what: str) -> str:
    """The value, if it can be the id of a run.

    Raises:
        InvalidArgument: as ``checked_name``, or it is empty, nothing but blanks, or of several lines: nobody could name
            it in a command or tell it in a list.
    """
    text = checked_name(value, what)
    if not text.strip():
        raise InvalidArgument(
            f"{what} has a character at least that is no blank; leave it out for one that no other run has"
        )
    if text.splitlines() != [text]:
        raise InvalidArgument(f"{what} {_short(text)} holds a line break; it has to be one line")
    return text


NAMESPACE_FORM = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
_NAMESPACE = re.compile(NAMESPACE_FORM)


def checked_namespace(value: object) -> str:
    """The value, if it can be a namespace: 1 to 63 letters, digits, ``.``, ``_`` and ``-``, the first one a letter or
    digit. It stands in addresses, commands, labels and settings as it is.

    Raises:
        InvalidArgument: it cannot.
    """
    if not isinstance(value, str) or not _NAMESPACE.fullmatch(value):
        raise InvalidArgument(
            f"{_short(value)} is no name of a namespace: that is 1 to 63 letters, digits, '.', '_' and '-', the first "
            "of them a letter or digit",
            path="namespace",
        )
    return value


def checked_text(value: object, what: str) -> str:
    """The value, if it can stand in a journal and in the column of a database; of a subclass of ``str``, the text.

    Raises:
        InvalidArgument: it is no text, or text with a NUL or a lone surrogate in it.
    """
    if not isinstance(value, str):
        raise InvalidArgument(f"{what} must be text; {_short(value)} is a {type(value).__name__}")
    if "\0" in value:
        raise InvalidArgument(f"{what} {_short(value)} holds a NUL character, which databases refuse; leave it out")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(
            f"{what} {_short(value)} holds a lone surrogate, which is not Unicode; decode it with errors='replace'"
        ) from None
    return value if type(value) is str else str.__str__(value)


def actor_of(by: str) -> str | None:
    """How events name the person who caused them; None if nobody is named."""
    if by == "":
        return None
    checked_name(by, "whoever says so")
    return f"user:{by}"


def person_of(actor: str | None) -> str:
    """Who an actor is, without saying that it is a person; nothing for the engine itself."""
    return (actor or "").removeprefix("user:")


def _short(value: object) -> str:
    shown = ascii(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
