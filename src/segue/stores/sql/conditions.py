"""Says in SQL which runs a filter chooses."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.stores.base import RunFilter
from segue.stores.sql.statements import texts
from segue.stores.sql.values import attribute_text

_RUN_CONDITIONS = {
    "app": "runs.app = ?",
    "workflow": "runs.workflow = ?",
    "id": "runs.id = ?",
    "started_from": "runs.started_at >= ?",
    "started_until": "runs.started_at < ?",
    "parent": "runs.parent = ?",
    "chain": "runs.chain = ?",
    "after": "runs.run < ?",
}
_IN_NAMESPACE = "runs.namespace = ?"
_IS_STATE = "runs.state = ?"
_HAS_PREFIX = "runs.id >= ? AND runs.id < ?"


class Conditions(msgspec.Struct, frozen=True):
    """Conditions of a list of runs that each dialect says in its own way.

    Attributes:
        in_large_namespace: not by an index, which would put all runs of the namespace into order again, to return the
            newest ones.
        has_state: one of a JSON list.
        has_tag: of this name and value.
        has_attribute: of this name and JSON text.
        has_workflow: one of a JSON list.
        has_word, has_word_from: this one is kept of it; one from this (included) to another (not included) is.
        is_one_of: a JSON list has its number.
    """

    in_large_namespace: str
    has_state: str
    has_tag: str
    has_workflow: str
    has_word: str
    has_word_from: str
    is_one_of: str
    has_attribute: str = "runs.run IN (SELECT run FROM attributes WHERE name = ? AND value = ?)"


def filtered(where: RunFilter, dialect: Conditions, *, many: bool = False) -> tuple[list[str], list[Any]]:
    """Conditions of a filter in SQL, and their values in order. ``many``: not only the newest runs are wanted."""
    simple = ((condition, getattr(where, name)) for name, condition in _RUN_CONDITIONS.items())
    given: list[tuple[str, tuple[Any, ...]]] = [(text, (value,)) for text, value in simple if value is not None]
    if where.namespace is not None:
        selective = many or where.states or where.workflow or where.id or where.id_prefix
        given.append((_IN_NAMESPACE if selective else dialect.in_large_namespace, (where.namespace,)))
    if len(where.states) == 1:
        given.append((_IS_STATE, where.states))
    elif where.states:
        given.append((dialect.has_state, (texts(where.states),)))
    if where.id_prefix:
        given.append((_HAS_PREFIX, with_prefix(where.id_prefix)))
    given += [(dialect.has_tag, tag) for tag in where.tags.items()]
    given += [(dialect.has_attribute, (name, attribute_text(value))) for name, value in where.attributes.items()]
    return [condition for condition, _ in given], [value for _, values in given for value in values]


def with_prefix(text: str) -> tuple[str, str]:
    """From where (included) to where (not included) what begins with the text stands, in order."""
    return text, text + "\U0010ffff"
