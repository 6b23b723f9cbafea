"""Rules of retention: as people give them, as a namespace's row holds them, and as the store keeps to them.

The settings have rules for all runs of an app. A namespace may have rules of its own; then none of the settings' are
for its runs. Both are given in the same words.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal

import msgspec

from segue.errors import InvalidArgument
from segue.kernel.duration import Duration, microseconds
from segue.runtime.settings import Retention, check_rules, expiries
from segue.stores.base import Ended
from segue.stores.namespace_rows import NamespaceRow

log = logging.getLogger("segue.retention")

MOST = 100
"""Rules of one namespace, or of the settings: each is looked after by itself."""


class RetentionRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Runs are kept for ``keep`` (``30d``) after their end: those of this workflow, those that ended so, or all."""

    keep: str
    workflow: str | None = None
    state: Literal["completed", "failed", "cancelled", "terminated"] | None = None


Rules = str | Iterable[Retention | RetentionRule | Mapping[str, Any] | str]
"""``"30d"`` for all runs, or a list of rules; an empty one keeps them for ever."""

_decoder = msgspec.json.Decoder(list[RetentionRule])


def rules_of(given: Rules) -> tuple[Retention, ...]:
    """The rules that somebody gives.

    Raises:
        InvalidArgument: one cannot be used, or two are for the same runs; ``path`` says where.
    """
    if isinstance(given, str):
        return (_rule(given, "$.retention"),)
    rules = tuple(_rule(each, f"$.retention[{number}]") for number, each in enumerate(given))
    if len(rules) > MOST:
        raise InvalidArgument(f"these are {len(rules)} rules of retention; there may be {MOST}", path="$.retention")
    check_rules(rules)
    return rules


def _rule(given: Any, path: str) -> Retention:
    try:
        if isinstance(given, Retention):
            return given
        if isinstance(given, RetentionRule):
            return Retention(given.keep, given.workflow, given.state)
        return Retention(**given) if isinstance(given, Mapping) else Retention(given)
    except InvalidArgument as error:
        where = "" if isinstance(given, str) else error.path.removeprefix("$")
        raise InvalidArgument(str(error), path=path + where) from error


def told(rules: Iterable[Retention]) -> list[RetentionRule]:
    """The rules as they can be given again."""
    return [RetentionRule(_text(rule.keep), rule.workflow, rule.state) for rule in rules]


def _text(keep: Duration) -> str:
    if isinstance(keep, str):
        return keep.strip()
    days, rest = divmod(microseconds(keep), microseconds(timedelta(days=1)))
    return f"{days}d" if not rest else f"{microseconds(keep)}us"


def written(rules: tuple[Retention, ...] | None) -> str:
    """The rules as a namespace's row holds them; None: those of the settings are meant."""
    return "" if rules is None else msgspec.json.encode(told(rules)).decode()


def read(row: NamespaceRow) -> tuple[Retention, ...] | None:
    """A namespace's own rules, None if it has none.

    What cannot be read was written by a newer release, which may keep more than is understood here: then nothing of
    the namespace is deleted.
    """
    if not row.retention:
        return None
    try:
        return rules_of(_decoder.decode(row.retention))
    except (msgspec.DecodeError, InvalidArgument) as error:
        log.warning("no runs of namespace %r are deleted here: its retention cannot be read (%s)", row.name, error)
        return ()


def spelt_out(
    rules: tuple[Retention, ...], rows: Iterable[NamespaceRow], app: str | None = None
) -> list[tuple[int, Ended]]:
    """How long (µs) which runs are kept, by the settings' rules and those of namespaces; every run that has ended falls
    under one of these at most."""
    own = {row.name: its for row in rows if (its := read(row)) is not None}
    found = [
        (each.keep, Ended((each.state,), each.workflow, each.but_not, app, not_in=tuple(sorted(own))))
        for each in expiries(rules)
    ]
    for namespace, those in own.items():
        found += [
            (each.keep, Ended((each.state,), each.workflow, each.but_not, app, namespace)) for each in expiries(those)
        ]
    return found
